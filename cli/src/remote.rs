//! The P4Runtime server that a command is about.

use crate::{Done, Refused};
use clap::Args;
use clap::builder::PossibleValuesParser;
use pipeline_ir::KeyValue;
use runtime_client::{ClientError, Options, Profile, Session, Standing, Tls};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Where a P4Runtime server is, and as whom to speak to it.
#[derive(Clone, Debug, Args)]
pub(crate) struct RemoteArgs {
    /// The P4Runtime server: HOST:PORT or unix:PATH.
    #[arg(long, default_value = "127.0.0.1:9559")]
    address: String,
    /// The device behind the server.
    #[arg(long, default_value_t = 1)]
    device_id: u64,
    /// The highest election id writes.
    #[arg(long, default_value_t = 1)]
    election_id: u128,
    /// The role to write as; without it, full access.
    #[arg(long)]
    role: Option<String>,
    /// What the server can do [default: guideway; for `load`, as the program's target has it].
    #[arg(long, value_parser = PossibleValuesParser::new(runtime_client::BUILT_IN.map(|(name, _)| name)))]
    profile: Option<String>,
    /// Speaks TLS, and trusts servers that one of these authorities has signed, PEM.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Shows the server this certificate, PEM.
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The name in the server's certificate, if it is not the host of --address.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
}

impl RemoteArgs {
    /// A session that may write, once the server has chosen it.
    pub(crate) async fn writer(&self) -> Result<Session, Refused> {
        self.writer_to("guideway").await
    }

    /// As [`Self::writer`], to a server that is of this profile if nothing else is asked for.
    pub(crate) async fn writer_to(&self, profile: &str) -> Result<Session, Refused> {
        let session = Session::connect(self.options(profile)?).await?;
        // The answer to arbitration is there: a backup would wait in vain for the other to go.
        let stands = match session.standing() {
            Standing::Backup { primary } => Err(ClientError::NotPrimary { primary, own: self.election_id }),
            _ => session.primary().await,
        };
        stands.map_err(|e| match e {
            ClientError::NotPrimary { primary: Some(id), .. } => Refused(format!(
                "error: {e}\nhelp: `--election-id {}` takes over from it",
                id.saturating_add(1)
            )),
            other => other.into(),
        })?;
        Ok(session)
    }

    /// A session that only reads: it stands in nobody's way.
    pub(crate) async fn reader(&self) -> Result<Session, Refused> {
        let mut options = self.options("guideway")?;
        options.profile.arbitration = false;
        Ok(Session::connect(options).await?)
    }

    fn options(&self, profile: &str) -> Result<Options, Refused> {
        let profile = Profile::named(self.profile.as_deref().unwrap_or(profile))?;
        let mut options = Options::new(&self.address, profile);
        options.device_id = self.device_id;
        options.election_id = self.election_id;
        options.role.clone_from(&self.role);
        options.connect_within = Duration::from_secs(2);
        options.patience = Duration::from_secs(60);
        options.tls = self.tls()?;
        Ok(options)
    }

    fn tls(&self) -> Result<Option<Tls>, ClientError> {
        let Some(ca) = &self.tls_ca else { return Ok(None) };
        let mut tls = Tls::trust(ca)?;
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            tls = tls.identity(certificate, key)?;
        }
        if let Some(name) = &self.tls_name {
            tls = tls.name(name)?;
        }
        Ok(Some(tls))
    }
}

/// Runs what talks to a server.
pub(crate) fn block_on(work: impl Future<Output = Result<(), Refused>>) -> Done {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    rt.block_on(work).map(|()| ExitCode::SUCCESS)
}

/// `FIELD=VALUE` of a key.
pub(crate) fn key_field(text: &str) -> Result<(String, KeyValue), String> {
    let (name, value) = text.split_once('=').ok_or("write FIELD=VALUE, as in dst=203.0.113.10")?;
    let read = pipeline_entries::value::key_value(value).ok_or_else(|| {
        format!("`{value}` is no number, address, MAC, protocol's name, value/prefix, value & mask, low..=high or *")
    })?;
    Ok((name.trim().to_owned(), read))
}

/// `NAME=VALUE` of a parameter.
pub(crate) fn param(text: &str) -> Result<(String, u128), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in pool=1")?;
    let read = pipeline_entries::value::number(value).ok_or_else(|| {
        format!("`{value}` is no number (from 0, or 0x..), address, MAC or protocol's name")
    })?;
    Ok((name.trim().to_owned(), read))
}
