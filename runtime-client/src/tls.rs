//! TLS: whom a session trusts, and who it is.

use crate::ClientError;
use p4runtime_proto::pem::{self, Identity, PemError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

/// What a session needs to speak TLS with its server.
///
/// ```no_run
/// use runtime_client::{Options, Profile, Tls};
/// let mut options = Options::new("192.0.2.1:9559", Profile::named("guideway")?);
/// options.tls = Some(Tls::trust("ca.pem".as_ref())?.identity("me.pem".as_ref(), "me.key".as_ref())?);
/// # Ok::<(), runtime_client::ClientError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    ca: Vec<u8>,
    ca_file: PathBuf,
    identity: Option<Identity>,
    name: Option<String>,
}

impl From<PemError> for ClientError {
    fn from(error: PemError) -> Self {
        Self::Tls(error.to_string())
    }
}

impl Tls {
    /// Trusts servers whose certificate one of the authorities in a PEM file has signed.
    ///
    /// # Errors
    /// The file can't be read or has no certificate.
    pub fn trust(ca: &Path) -> Result<Self, ClientError> {
        let tls = Self { ca: pem::certificates(ca)?, ca_file: ca.to_owned(), identity: None, name: None };
        tls.check()
    }

    /// Shows the server a certificate: PEM files of it and its key.
    ///
    /// # Errors
    /// A file can't be read, or they don't belong together.
    pub fn identity(self, certificate: &Path, key: &Path) -> Result<Self, ClientError> {
        Self { identity: Some(Identity::read(certificate, key)?), ..self }.check()
    }

    /// Expects that name in the server's certificate, in place of the host of its address.
    ///
    /// # Errors
    /// It is no name.
    pub fn name(self, name: &str) -> Result<Self, ClientError> {
        Self { name: Some(name.to_owned()), ..self }.check()
    }

    /// Makes a connection of any kind speak TLS.
    ///
    /// # Errors
    /// It can't.
    pub fn endpoint(&self, endpoint: Endpoint) -> Result<Endpoint, ClientError> {
        self.on(endpoint).map_err(ClientError::Tls)
    }

    /// Says what may be behind a connection that ended before the server said anything.
    pub(crate) fn suspect(&self, reason: String) -> String {
        let ended = ["closed", "cancel", "broken pipe", "reset"].iter().any(|sign| reason.contains(sign));
        let silent = ended && self.identity.is_none() && !reason.contains("--tls");
        if silent { format!("{reason}: {CERTIFICATE_WANTED}") } else { reason }
    }

    fn check(self) -> Result<Self, ClientError> {
        self.on(Endpoint::from_static("https://server")).map_err(ClientError::Tls)?;
        Ok(self)
    }

    /// Makes a connection speak TLS.
    pub(crate) fn on(&self, endpoint: Endpoint) -> Result<Endpoint, String> {
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.ca));
        if let Some(Identity { certificate, key, .. }) = &self.identity {
            config = config.identity(tonic::transport::Identity::from_pem(certificate, key));
        }
        if let Some(name) = &self.name {
            config = config.domain_name(name);
        }
        endpoint.tls_config(config).map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            match (&self.identity, &self.name) {
                (_, Some(name)) if cause.contains("dns name") => format!("`{name}` is no server's name"),
                (Some(identity), _) => identity.unusable(&cause),
                _ => format!("{} has no certificate that can be used: {cause}", self.ca_file.display()),
            }
        })
    }
}

/// Whether a server answers a client that speaks no TLS by an alert of TLS.
pub(crate) async fn is_spoken(address: &str) -> bool {
    const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const ALERT: [u8; 2] = [0x15, 3];
    let address = address.strip_prefix("http://").unwrap_or(address);
    let answer = async {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.writable().await?;
        stream.try_write(BEGIN)?;
        stream.readable().await?;
        let mut first = [0; 2];
        stream.try_read(&mut first)?;
        std::io::Result::Ok(first == ALERT)
    };
    matches!(tokio::time::timeout(PROBE, answer).await, Ok(Ok(true)))
}

/// How long a server is waited for that is asked whether it speaks TLS.
const PROBE: Duration = Duration::from_secs(1);
/// What helps then.
pub(crate) const WANTED: &str = "the server speaks TLS; --tls-ca names the authorities that it is trusted by";

const CERTIFICATE_WANTED: &str =
    "the server answers only clients that show a certificate: --tls-cert and --tls-key";

/// What helps where TLS, or the lack of it, broke a connection.
pub(crate) fn explain(text: String) -> String {
    const HELP: [(&[&str], &str); 6] = [
        (
            &["UnknownIssuer", "BadSignature"],
            "the server's certificate is not of an authority that is trusted here; --tls-ca names the right ones",
        ),
        (
            &["not valid for name", "NotValidForName"],
            "the server's certificate is for another name; --tls-name says which one to expect",
        ),
        (
            &["peer certificate: certificate expired", "peer certificate: certificate not valid yet"],
            "the server needs a certificate that is valid now",
        ),
        (&["CertificateRequired", "HandshakeFailure"], CERTIFICATE_WANTED),
        (
            &[
                "alert: UnknownCA",
                "alert: BadCertificate",
                "alert: DecryptError",
                "alert: CertificateUnknown",
                "alert: CertificateExpired",
            ],
            "the server does not trust the certificate of --tls-cert: its --tls-client-ca must have its authority",
        ),
        (&["InvalidContentType"], "the server speaks no TLS; leave the --tls options out"),
    ];
    match HELP.iter().find(|(signs, _)| signs.iter().any(|sign| text.contains(sign))) {
        Some((_, help)) => format!("{text}: {help}"),
        None => text,
    }
}
