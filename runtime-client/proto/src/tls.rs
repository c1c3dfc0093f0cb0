//! TLS of servers.

use crate::pem::{self, Identity, PemError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tonic::transport::{Certificate, Server as Transport, ServerTlsConfig};

/// How long a client may take until TLS stands.
pub const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why TLS can't be had.
#[derive(Debug, Error)]
pub enum TlsError {
    /// With these files.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// With what is in these files.
    #[error("{0}")]
    Unusable(String),
}

/// Who a server is, and whom it answers (TLS 1.2 and 1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    identity: Identity,
    /// The authorities that sign clients' certificates, with where they were read.
    client_ca: Option<(PathBuf, Vec<u8>)>,
}

impl ServerTls {
    /// Reads PEM files: certificate and key, and the authorities of clients if only those that show a certificate of
    /// theirs are to be answered.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn read(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        let identity = Identity::read(certificate, key)?;
        let client_ca = client_ca.map(|path| pem::certificates(path).map(|text| (path.to_owned(), text)));
        let tls = Self { identity, client_ca: client_ca.transpose()? };
        tls.on(Transport::builder())?;
        Ok(tls)
    }

    /// Whether it answers those only whose certificate it knows.
    #[must_use]
    pub fn knows_clients(&self) -> bool {
        self.client_ca.is_some()
    }

    /// Makes a server speak it.
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn on(&self, transport: Transport) -> Result<Transport, TlsError> {
        let Identity { certificate, key, .. } = &self.identity;
        let config = ServerTlsConfig::new()
            .identity(tonic::transport::Identity::from_pem(certificate, key))
            .timeout(HANDSHAKE);
        let config = match &self.client_ca {
            None => config,
            Some((_, text)) => config.client_ca_root(Certificate::from_pem(text)),
        };
        transport.tls_config(config).map_err(|error| {
            let cause = std::error::Error::source(&error);
            let why = cause.map_or_else(|| error.to_string(), ToString::to_string);
            TlsError::Unusable(match &self.client_ca {
                Some((path, _)) if why.contains("root") => {
                    format!("{} has no certificate that can be used: {why}", path.display())
                }
                _ => self.identity.unusable(&why),
            })
        })
    }
}
