//! The registry that a command is about.

use crate::Refused;
use control_registry::{EtcdOptions, Location, Login, Registry};
use p4runtime_proto::pem::{self, Identity};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig};

/// How an etcd is reached; of no matter for a file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EtcdArgs {
    /// Speaks TLS to etcd, and trusts members that one of these authorities has signed, PEM.
    #[arg(long, value_name = "FILE")]
    etcd_ca: Option<PathBuf>,
    /// Shows etcd this certificate, PEM.
    #[arg(long, value_name = "FILE", requires_all = ["etcd_ca", "etcd_key"])]
    etcd_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "etcd_cert")]
    etcd_key: Option<PathBuf>,
    /// The name in the members' certificates, if it is not their host.
    #[arg(long, value_name = "NAME", requires = "etcd_ca")]
    etcd_name: Option<String>,
    /// A user of etcd's own.
    #[arg(long, value_name = "NAME", requires = "etcd_password_file")]
    etcd_user: Option<String>,
    /// A file whose first line is the user's password.
    #[arg(long, value_name = "FILE", requires = "etcd_user")]
    etcd_password_file: Option<PathBuf>,
}

/// `--registry`, and what belongs to it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RegistryArgs {
    /// FILE, for one controller; etcd://HOST:PORT,HOST:PORT/PREFIX for several [prefix: guideway].
    #[arg(long, value_name = "WHERE", default_value = "guideway.redb")]
    pub(crate) registry: Location,
    /// How long a leader that etcd does not hear of still leads, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=600))]
    lease: u64,
    #[command(flatten)]
    etcd: EtcdArgs,
}

impl RegistryArgs {
    /// A handle on it. Within a Tokio runtime.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Registry>, Refused> {
        let options = EtcdOptions { lease: Duration::from_secs(self.lease), ..self.etcd.options()? };
        Ok(self.registry.open(&options).await?)
    }
}

impl EtcdArgs {
    pub(crate) fn options(&self) -> Result<EtcdOptions, Refused> {
        Ok(EtcdOptions { tls: self.tls()?, login: self.login()?, ..EtcdOptions::default() })
    }

    fn tls(&self) -> Result<Option<ClientTlsConfig>, Refused> {
        let Some(ca) = &self.etcd_ca else { return Ok(None) };
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem::certificates(ca)?));
        if let (Some(certificate), Some(key)) = (&self.etcd_cert, &self.etcd_key) {
            let Identity { certificate, key, .. } = Identity::read(certificate, key)?;
            tls = tls.identity(tonic::transport::Identity::from_pem(certificate, key));
        }
        if let Some(name) = &self.etcd_name {
            tls = tls.domain_name(name);
        }
        Ok(Some(tls))
    }

    fn login(&self) -> Result<Option<Login>, Refused> {
        let (Some(user), Some(file)) = (&self.etcd_user, &self.etcd_password_file) else { return Ok(None) };
        let text = std::fs::read_to_string(file)
            .map_err(|error| Refused(format!("error: can't read {}: {error}", file.display())))?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        if password.is_empty() {
            return Err(Refused(format!("error: the first line of {} is empty", file.display())));
        }
        Ok(Some(Login { user: user.clone(), password }))
    }
}
