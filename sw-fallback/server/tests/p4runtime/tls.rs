//! TLS: who is answered, and what the others are told.

use crate::common::{TestHost, config, lab, plane};
use p4runtime_server::{Address, Device, ListenError, Options, Server, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use runtime_client::{Options as Session_, Profile, Session};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Mutex, oneshot};

/// Files of an authority, and of what it has signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let it = Self { issuer, dir: tempfile::tempdir().unwrap() };
        std::fs::write(it.ca(), it.issuer.pem()).unwrap();
        it
    }

    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Certificate and key for a name; 127.0.0.9's is of another century.
    fn sign(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        if name == "127.0.0.9" {
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.dir.path().join(format!("{name}.{end}"));
        std::fs::write(file("pem"), certificate.pem()).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        (file("pem"), file("key"))
    }

    fn server(&self, name: &str) -> (PathBuf, PathBuf) {
        self.sign(name, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> (PathBuf, PathBuf) {
        self.sign("operator", ExtendedKeyUsagePurpose::ClientAuth)
    }
}

/// A server that ends with the sender.
async fn serve(tls: Tls) -> (String, oneshot::Sender<()>) {
    let device = Device::new(TestHost(plane("kinds").unwrap(), false, None), config("kinds", None))
        .map_err(|(_, why)| why);
    let device = Arc::new(Mutex::new(device.unwrap()));
    let options = Options { tls: Some(tls), ..Options::default() };
    let server = Server::bind(&"127.0.0.1:0".parse().unwrap(), device, &options).await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let (end, ended) = oneshot::channel::<()>();
    tokio::spawn(server.serve(async {
        let _dropped = ended.await;
    }));
    (address, end)
}

/// What a session says about its server's pipeline, or why there is none.
async fn connect(address: &str, tls: Option<runtime_client::Tls>) -> Result<usize, String> {
    let mut options = Session_::new(address, Profile::named("guideway").unwrap());
    (options.tls, options.connect_within, options.patience) =
        (tls, Duration::from_secs(10), Duration::from_secs(10));
    let session = Session::connect(options).await.map_err(|e| e.to_string())?;
    session.primary().await.map_err(|e| e.to_string())?;
    let names = session.info().await.map_err(|e| e.to_string())?;
    Ok(names.tables.len())
}

fn trust(ca: &Path) -> Option<runtime_client::Tls> {
    Some(runtime_client::Tls::trust(ca).unwrap())
}

fn says(result: Result<usize, String>, parts: &[&str]) {
    let error = result.unwrap_err();
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
}

#[tokio::test]
async fn a_server_with_a_certificate() {
    let (own, other) = (Authority::new(), Authority::new());
    let (certificate, key) = own.server("127.0.0.1");
    let (address, _end) = serve(Tls::read(&certificate, &key, None).unwrap()).await;
    assert!(connect(&address, trust(&own.ca())).await.unwrap() > 3);
    says(connect(&address, None).await, &["the server speaks TLS", "--tls-ca"]);
    says(
        connect(&address, trust(&other.ca())).await,
        &["not of an authority that is trusted here", "--tls-ca"],
    );
    let (certificate, key) = own.server("switch.example");
    let (address, _end) = serve(Tls::read(&certificate, &key, None).unwrap()).await;
    says(connect(&address, trust(&own.ca())).await, &["for another name", "--tls-name"]);
    let (old, its_key) = own.server("127.0.0.9");
    let (past, _end) = serve(Tls::read(&old, &its_key, None).unwrap()).await;
    let named = trust(&own.ca()).unwrap().name("127.0.0.9").unwrap();
    says(connect(&past, Some(named)).await, &["expired", "needs a certificate that is valid now"]);
    let named = trust(&own.ca()).unwrap().name("switch.example").unwrap();
    assert!(connect(&address, Some(named)).await.is_ok());
}

#[tokio::test]
async fn clients_with_certificates() {
    let (own, other) = (Authority::new(), Authority::new());
    let (certificate, key) = own.server("127.0.0.1");
    let (address, _end) = serve(Tls::read(&certificate, &key, Some(&own.ca())).unwrap()).await;
    says(connect(&address, None).await, &["the server speaks TLS"]);
    says(connect(&address, trust(&own.ca())).await, &["only clients that show a certificate", "--tls-cert"]);
    let (certificate, key) = other.client();
    let foreign = trust(&own.ca()).unwrap().identity(&certificate, &key).unwrap();
    says(connect(&address, Some(foreign)).await, &["--tls-client-ca"]);
    let (certificate, key) = own.client();
    let known = trust(&own.ca()).unwrap().identity(&certificate, &key).unwrap();
    assert!(connect(&address, Some(known)).await.is_ok());
}

#[tokio::test]
async fn a_server_without_tls() {
    let (own, lab) = (Authority::new(), lab().await);
    let address = lab.address.strip_prefix("http://").unwrap();
    says(connect(address, trust(&own.ca())).await, &["the server speaks no TLS"]);
}

/// One that only connects keeps nobody else waiting.
#[tokio::test]
async fn a_client_that_says_nothing() {
    let own = Authority::new();
    let (certificate, key) = own.server("127.0.0.1");
    let (address, _end) = serve(Tls::read(&certificate, &key, None).unwrap()).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    assert!(connect(&address, trust(&own.ca())).await.is_ok());
}

#[test]
fn files_that_can_not_be_used() {
    let own = Authority::new();
    let ((certificate, key), (other, _)) = (own.server("a.example"), own.server("b.example"));
    let (absent, empty) = (own.dir.path().join("absent"), own.dir.path().join("empty"));
    std::fs::write(&empty, "").unwrap();
    let (locked, broken) = (own.dir.path().join("locked"), own.dir.path().join("broken"));
    std::fs::write(&locked, "-----BEGIN ENCRYPTED PRIVATE KEY-----").unwrap();
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let check = |certificate: &Path, key: &Path, ca: Option<&Path>, parts: &[&str]| {
        let server = Tls::read(certificate, key, ca).unwrap_err().to_string();
        let trusted = ca.map_or_else(|| own.ca(), Path::to_owned);
        let client = runtime_client::Tls::trust(&trusted).and_then(|tls| tls.identity(certificate, key));
        for text in [server, client.unwrap_err().to_string()] {
            assert!(parts.iter().all(|p| text.contains(p)), "{parts:?}: {text}");
        }
    };
    check(&absent, &key, None, &["can't read", "absent", "No such file"]);
    check(&certificate, &absent, None, &["can't read", "absent"]);
    check(&empty, &key, None, &["empty has no certificate", "-----BEGIN CERTIFICATE-----"]);
    check(&key, &key, None, &["no certificate", "it has a key"]);
    check(&certificate, &certificate, None, &["no private key", "it has a certificate"]);
    check(&certificate, &locked, None, &["encrypted", "openssl pkey"]);
    check(&other, &key, None, &["a.example.key is not the key of the certificate in", "b.example.pem"]);
    check(&broken, &key, None, &["broken", "can't be used"]);
    check(&certificate, &key, Some(&absent), &["can't read", "absent"]);
    let trusted = runtime_client::Tls::trust(&own.ca()).unwrap();
    assert!(trusted.name("no name").unwrap_err().to_string().contains("`no name` is no server's name"));
}

#[test]
fn where_a_server_may_listen() {
    let own = Authority::new();
    let (certificate, key) = own.server("a.example");
    let tls = Tls::read(&certificate, &key, None).unwrap();
    let check = |address: &str, options: &Options| options.check(&address.parse::<Address>().unwrap());
    let plain = Options::default();
    for here in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/a"] {
        assert!(check(here, &plain).is_ok(), "{here}");
    }
    let there = ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"];
    for address in there {
        assert!(matches!(check(address, &plain), Err(ListenError::Open(_))), "{address}");
        assert!(check(address, &Options { open: true, ..Options::default() }).is_ok());
        assert!(check(address, &Options { tls: Some(tls.clone()), ..Options::default() }).is_ok());
    }
    let both = check("unix:/a", &Options { tls: Some(tls), ..Options::default() });
    assert!(matches!(both, Err(ListenError::TlsOnUnix(_))), "{both:?}");
}
