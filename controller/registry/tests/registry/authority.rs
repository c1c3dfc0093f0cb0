//! Certificates for a cluster that speaks TLS.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// An authority, with what it signs in files.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// File of the authority's own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Certificate and key, of a client or a server.
    fn sign(&self, name: &str, usages: &[ExtendedKeyUsagePurpose]) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = usages.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        std::fs::write(file("pem"), certificate.pem()).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        (file("pem"), file("key"))
    }

    pub(crate) fn server(&self, at: Ipv4Addr) -> (PathBuf, PathBuf) {
        // etcd's gateway calls its own server.
        self.sign(
            &at.to_string(),
            &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        )
    }

    pub(crate) fn client(&self) -> (PathBuf, PathBuf) {
        self.sign("controller", &[ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// What trusts this authority.
    pub(crate) fn trusted(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&self.file())))
    }
}

/// Shows a certificate.
pub(crate) fn showing(tls: ClientTlsConfig, (certificate, key): &(PathBuf, PathBuf)) -> ClientTlsConfig {
    tls.identity(Identity::from_pem(read(certificate), read(key)))
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
