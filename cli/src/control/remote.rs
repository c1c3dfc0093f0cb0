//! The controllers that a command is about.

use crate::Refused;
use control_proto::trouble;
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_server::Token;
use runtime_client::Tls;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

/// Where controllers are, and as whom to speak to them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RemoteArgs {
    /// A controller; several times for several. The one that leads is found.
    #[arg(long = "controller", global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:9570")]
    controllers: Vec<String>,
    /// How long to try again while nobody leads, seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 10)]
    patience: u64,
    /// A file with the token that changes have to show.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Speaks TLS with controllers that one of these authorities has signed, PEM.
    #[arg(long, global = true, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Shows controllers this certificate, PEM.
    #[arg(long, global = true, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, global = true, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The name in the controllers' certificate, if it is not the host of their address.
    #[arg(long, global = true, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
}

/// How long an answer may take: longer than a controller waits for its registry.
const ANSWER: Duration = Duration::from_secs(10);

pub(crate) type Client = LbControlPlaneClient<Channel>;

/// A way to whoever leads.
pub(crate) struct Remote {
    controllers: Vec<String>,
    patience: Duration,
    tls: Option<Tls>,
    /// It shows a certificate.
    known: bool,
    token: Option<Token>,
    /// Where the last answer came from.
    at: Option<(String, Client)>,
}

impl RemoteArgs {
    pub(crate) fn remote(&self) -> Result<Remote, Refused> {
        let mut tls = self.tls_ca.as_deref().map(Tls::trust).transpose()?;
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            tls = tls.map(|tls| tls.identity(certificate, key)).transpose()?;
        }
        if let Some(name) = &self.tls_name {
            tls = tls.map(|tls| tls.name(name)).transpose()?;
        }
        Ok(Remote {
            controllers: self.controllers.clone(),
            patience: Duration::from_secs(self.patience),
            tls,
            known: self.tls_cert.is_some(),
            token: self.token_file.as_deref().map(Token::read).transpose()?,
            at: None,
        })
    }
}

impl Remote {
    /// Asks; if nobody leads, again, until patience ends. Follows to the leader that an answer names.
    pub(crate) async fn call<T: Clone, R>(
        &mut self,
        message: T,
        ask: impl AsyncFn(&mut Client, Request<T>) -> Result<Response<R>, Status>,
    ) -> Result<R, Refused> {
        let end = Instant::now() + self.patience;
        let mut pause = Duration::from_millis(50);
        let mut turn = 0;
        loop {
            let status = match self.client(turn) {
                Ok(mut client) => {
                    let asked = ask(&mut client, self.request(message.clone())?);
                    match tokio::time::timeout(ANSWER, asked).await {
                        Ok(Ok(answer)) => return Ok(answer.into_inner()),
                        Ok(Err(status)) => self.told(status),
                        // It hangs, or is paused: another may lead by now.
                        Err(_) => Status::unavailable(format!("no answer within {ANSWER:?}")),
                    }
                }
                Err(status) => status,
            };
            if status.code() != Code::Unavailable || Instant::now() >= end {
                return Err(refused(&status));
            }
            let leader =
                status.metadata().get("guideway-leader").and_then(|v| v.to_str().ok()).map(str::to_owned);
            let was = self.at.take().map(|(address, _)| address);
            match leader {
                Some(leader) if Some(&leader) != was.as_ref() => {
                    let client = self.connect(&leader).map_err(|status| refused(&status))?;
                    self.at = Some((leader, client));
                }
                _ => {
                    turn += 1;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }

    /// What went wrong on the way, in full; what a controller answered stays as it is.
    fn told(&self, status: Status) -> Status {
        if !trouble::on_the_way(&status) {
            return status;
        }
        let words = trouble::words(&status);
        let reached =
            !["invalid peer certificate", "tcp connect", "dns error"].iter().any(|part| words.contains(part));
        let hint = match (&self.tls, reached) {
            (None, true) => "; if the controller speaks TLS: --tls-ca FILE",
            (Some(_), true) if !self.known => {
                "; if it asks for a certificate: --tls-cert FILE --tls-key FILE"
            }
            _ => "",
        };
        Status::unavailable(words + hint)
    }

    fn client(&mut self, turn: usize) -> Result<Client, Status> {
        if let Some((_, client)) = &self.at {
            return Ok(client.clone());
        }
        let none = || Status::invalid_argument("no controller is named");
        let address = self.controllers.get(turn % self.controllers.len().max(1)).cloned().ok_or_else(none)?;
        let client = self.connect(&address)?;
        self.at = Some((address, client.clone()));
        Ok(client)
    }

    fn connect(&self, address: &str) -> Result<Client, Status> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let bad = |_| Status::invalid_argument(format!("`{address}` is no HOST:PORT"));
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(bad)?;
        let endpoint = match &self.tls {
            Some(tls) => tls.endpoint(endpoint).map_err(|e| Status::invalid_argument(e.to_string()))?,
            None => endpoint,
        };
        let endpoint = endpoint.connect_timeout(Duration::from_secs(2));
        Ok(Client::new(endpoint.connect_lazy()).max_decoding_message_size(64 << 20))
    }

    fn request<T>(&self, message: T) -> Result<Request<T>, Refused> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.header().parse()?);
        }
        Ok(request)
    }
}

/// A refusal in gRPC's words, with its code.
fn refused(status: &Status) -> Refused {
    Refused(format!("error: {}: {}", code(status.code()), status.message()))
}

fn code(code: Code) -> String {
    // `FailedPrecondition` as FAILED_PRECONDITION.
    let mut text = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_uppercase());
    }
    text
}
