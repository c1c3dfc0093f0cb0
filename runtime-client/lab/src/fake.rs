//! Servers that nobody can run here, as far as it is known what they refuse and what they forget: the files in `fakes/`. Each
//! stands in front of our own server, which does the work.

use p4runtime_proto::google::rpc;
use p4runtime_proto::p4::v1::{self as proto, p4_runtime_client::P4RuntimeClient};
use prost::Message as _;
use proto::p4_runtime_server::{P4Runtime, P4RuntimeServer};
use proto::set_forwarding_pipeline_config_request::Action;
use proto::stream_message_request::Update as Said;
use proto::write_request::Atomicity;
use serde::Deserialize;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};

/// The servers that there are files of; their profiles have the same names.
pub const FAKES: [(&str, &str); 4] = [
    ("bmv2", include_str!("../fakes/bmv2.toml")),
    ("stratum", include_str!("../fakes/stratum.toml")),
    ("infrap4d", include_str!("../fakes/infrap4d.toml")),
    ("dpl", include_str!("../fakes/dpl.toml")),
];

/// What a server has, and how it answers what it has not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manners {
    /// StreamChannel; without it everybody may write.
    stream: bool,
    /// Roles are kept apart; else a request's role is overlooked.
    roles: bool,
    /// MODIFY of ordinary entries.
    modify: bool,
    /// The code for every atomicity but CONTINUE_ON_ERROR.
    atomicity: i32,
    /// RECONCILE_AND_COMMIT.
    reconcile: bool,
    /// Metadata and idle time-outs of entries are kept.
    notes: bool,
    filters: Filters,
}

/// What becomes of a wildcard read's filters: priority, action, metadata, and default entries of all tables.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Filters {
    Ignored,
    Refused,
}

/// A running one.
pub struct Fake {
    /// `127.0.0.1` and a free port.
    pub address: String,
    front: Arc<Front>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    /// The server of this name in front of ours at `behind`; `loaded` if that runs its pipeline already.
    ///
    /// # Errors
    /// There is no such file, nobody listens behind it, or no port is free.
    pub async fn before(behind: &str, name: &str, loaded: bool) -> Result<Self, Box<dyn Error>> {
        let file = FAKES.iter().find(|(known, _)| *known == name).ok_or("there is no such server")?;
        let manners: Manners = toml::from_str(file.1)?;
        let behind = RwLock::new(Behind::new(behind, &manners).await?);
        let (loaded, refused) = (AtomicBool::new(loaded), AtomicUsize::new(0));
        let starts = watch::Sender::new(1);
        let front = Arc::new(Front { manners, behind, starts, loaded, refused });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = SocketAddr::to_string(&listener.local_addr()?);
        let service = P4RuntimeServer::from_arc(Arc::clone(&front)).max_encoding_message_size(usize::MAX);
        let service = service.max_decoding_message_size(usize::MAX);
        let task = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            if let Err(error) = Server::builder().add_service(service).serve_with_incoming(incoming).await {
                eprintln!("{error}");
            }
        });
        Ok(Self { address, front, task })
    }

    /// From now on the server at `behind` does the work: what stood before is gone, as when a server starts anew.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn restarts(&self, behind: &str) -> Result<(), Box<dyn Error>> {
        let new = Behind::new(behind, &self.front.manners).await?;
        *self.front.behind.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.front.starts.send_modify(|starts| *starts += 1);
        Ok(())
    }

    /// How often it has refused what such a server refuses.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.front.refused.load(Relaxed)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The stream by which a front without elections is the primary client of what is behind it.
type Own = mpsc::Sender<proto::StreamMessageRequest>;

async fn elected(mut client: P4RuntimeClient<Channel>) -> Result<Own, Box<dyn Error>> {
    let (own, receiver) = mpsc::channel(1);
    let arbitration = proto::MasterArbitrationUpdate {
        device_id: 1,
        election_id: Some(ELECTION),
        ..proto::MasterArbitrationUpdate::default()
    };
    own.send(proto::StreamMessageRequest { update: Some(Said::Arbitration(arbitration)) }).await?;
    let mut answers = client.stream_channel(ReceiverStream::new(receiver)).await?.into_inner();
    answers.message().await?.ok_or("no answer to an arbitration")?;
    tokio::spawn(async move { while let Ok(Some(_)) = answers.message().await {} });
    Ok(own)
}

const ELECTION: proto::Uint128 = proto::Uint128 { high: 0, low: 1 };

/// The server that does the work.
struct Behind {
    client: P4RuntimeClient<Channel>,
    /// Where there are no elections: it ends with this.
    _own: Option<Own>,
}

impl Behind {
    async fn new(address: &str, manners: &Manners) -> Result<Self, Box<dyn Error>> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let client = P4RuntimeClient::new(channel).max_decoding_message_size(usize::MAX);
        let own = if manners.stream { None } else { Some(elected(client.clone()).await?) };
        Ok(Self { client, _own: own })
    }
}

struct Front {
    manners: Manners,
    behind: RwLock<Behind>,
    /// How often it has started.
    starts: watch::Sender<u32>,
    loaded: AtomicBool,
    refused: AtomicUsize,
}

type Out<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Front {
    fn client(&self) -> P4RuntimeClient<Channel> {
        self.behind.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Takes note of a refusal.
    fn refusal(&self, status: Status) -> Status {
        self.refused.fetch_add(1, Relaxed);
        status
    }

    fn ready(&self) -> Result<(), Status> {
        let why = "No valid forwarding pipeline config has been pushed so far.";
        self.loaded.load(Relaxed).then_some(()).ok_or_else(|| Status::failed_precondition(why))
    }

    /// The election id that counts behind, and the role.
    fn who(&self, id: &mut Option<proto::Uint128>, role: &mut String) {
        if !self.manners.stream {
            *id = Some(ELECTION);
        }
        if !self.manners.roles {
            role.clear();
        }
    }

    /// What one update is answered before it gets behind.
    fn refuses(&self, update: &proto::Update) -> Option<proto::Error> {
        let Some(proto::entity::Entity::TableEntry(entry)) = &update.entity.as_ref()?.entity else {
            return None;
        };
        let modifies = update.r#type == i32::from(proto::update::Type::Modify) && !entry.is_default_action;
        let message = "MODIFY of table entries is not supported".to_owned();
        let code = Code::Unimplemented as i32;
        (modifies && !self.manners.modify).then(|| proto::Error {
            canonical_code: code,
            message,
            ..proto::Error::default()
        })
    }

    fn forgets(&self, update: &mut proto::Update) {
        if let Some(proto::entity::Entity::TableEntry(entry)) =
            update.entity.as_mut().and_then(|e| e.entity.as_mut())
            && !self.manners.notes
        {
            entry.metadata.clear();
            entry.idle_timeout_ns = 0;
        }
    }
}

/// The errors of the updates that came behind and of those that did not, in the order of all.
fn merge(refused: Vec<Option<proto::Error>>, behind: Result<(), Status>) -> Result<(), Status> {
    let sent = refused.iter().filter(|r| r.is_none()).count();
    let told = match behind {
        Ok(()) => vec![proto::Error::default(); sent],
        Err(status) => {
            let details = rpc::Status::decode(status.details()).unwrap_or_default().details;
            let told: Vec<_> =
                details.iter().filter_map(|any| proto::Error::decode(any.value.as_ref()).ok()).collect();
            if told.len() != sent {
                return Err(status);
            }
            told
        }
    };
    let mut told = told.into_iter();
    let all: Vec<proto::Error> =
        refused.into_iter().map(|r| r.or_else(|| told.next()).unwrap_or_default()).collect();
    if all.iter().all(|e| e.canonical_code == 0) {
        return Ok(());
    }
    let detail = |e: &proto::Error| prost_types::Any {
        type_url: "type.googleapis.com/p4.v1.Error".into(),
        value: e.encode_to_vec(),
    };
    let message = "One or more write operations failed.".to_owned();
    let details = all.iter().map(detail).collect();
    let status = rpc::Status { code: Code::Unknown as i32, message: message.clone(), details };
    Err(Status::with_details(Code::Unknown, message, status.encode_to_vec().into()))
}

#[tonic::async_trait]
impl P4Runtime for Front {
    type ReadStream = Out<proto::ReadResponse>;
    type StreamChannelStream = Out<proto::StreamMessageResponse>;

    async fn write(
        &self,
        request: Request<proto::WriteRequest>,
    ) -> Result<Response<proto::WriteResponse>, Status> {
        self.ready()?;
        let mut request = request.into_inner();
        if request.atomicity() != Atomicity::ContinueOnError {
            let why = format!("Request atomicity {} is not supported.", request.atomicity().as_str_name());
            return Err(self.refusal(Status::new(Code::from(self.manners.atomicity), why)));
        }
        self.who(&mut request.election_id, &mut request.role);
        let refused: Vec<_> = request.updates.iter().map(|u| self.refuses(u)).collect();
        self.refused.fetch_add(refused.iter().flatten().count(), Relaxed);
        let mut at = refused.iter();
        request.updates.retain(|_| at.next().is_some_and(Option::is_none));
        request.updates.iter_mut().for_each(|u| self.forgets(u));
        let behind = self.client().write(request).await;
        merge(refused, behind.map(drop))?;
        Ok(Response::new(proto::WriteResponse::default()))
    }

    /// All in one message.
    async fn read(&self, request: Request<proto::ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        self.ready()?;
        let mut request = request.into_inner();
        self.who(&mut None, &mut request.role);
        for entity in &mut request.entities {
            let Some(proto::entity::Entity::TableEntry(entry)) = &mut entity.entity else { continue };
            let default = entry.is_default_action && entry.table_id == 0;
            let filtered = entry.priority != 0 || entry.action.is_some() || !entry.metadata.is_empty();
            if entry.r#match.is_empty() && (default || filtered) {
                match self.manners.filters {
                    Filters::Refused => {
                        let why = "filters on wildcard reads are not supported";
                        return Err(self.refusal(Status::internal(why)));
                    }
                    Filters::Ignored => {
                        (entry.priority, entry.action) = (0, None);
                        entry.metadata.clear();
                    }
                }
            }
        }
        let mut answers = self.client().read(request).await?.into_inner();
        let mut all = proto::ReadResponse::default();
        while let Some(answer) = answers.message().await? {
            all.entities.extend(answer.entities);
        }
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(all)))))
    }

    async fn set_forwarding_pipeline_config(
        &self,
        request: Request<proto::SetForwardingPipelineConfigRequest>,
    ) -> Result<Response<proto::SetForwardingPipelineConfigResponse>, Status> {
        let mut request = request.into_inner();
        self.who(&mut request.election_id, &mut request.role);
        if request.action() == Action::ReconcileAndCommit && !self.manners.reconcile {
            let why = "RECONCILE_AND_COMMIT action not supported yet";
            return Err(self.refusal(Status::unimplemented(why)));
        }
        let answer = self.client().set_forwarding_pipeline_config(request).await?;
        self.loaded.store(true, Relaxed);
        Ok(answer)
    }

    async fn get_forwarding_pipeline_config(
        &self,
        request: Request<proto::GetForwardingPipelineConfigRequest>,
    ) -> Result<Response<proto::GetForwardingPipelineConfigResponse>, Status> {
        self.ready()?;
        self.client().get_forwarding_pipeline_config(request.into_inner()).await
    }

    async fn stream_channel(
        &self,
        request: Request<Streaming<proto::StreamMessageRequest>>,
    ) -> Result<Response<Self::StreamChannelStream>, Status> {
        if !self.manners.stream {
            return Err(self.refusal(Status::unimplemented("there is no StreamChannel")));
        }
        let roles = self.manners.roles;
        let said = request.into_inner().map_while(Result::ok).map(move |mut said| {
            if let (false, Some(Said::Arbitration(update))) = (roles, said.update.as_mut()) {
                update.role = None;
            }
            said
        });
        let mut starts = self.starts.subscribe();
        let mut client = self.client();
        // What went to a server on its way out may never be answered.
        let answers = tokio::select! {
            answers = client.stream_channel(said) => answers?.into_inner(),
            _ = starts.changed() => return Err(Status::unavailable("the server starts anew")),
        };
        Ok(Response::new(Box::pin(answers)))
    }

    async fn capabilities(
        &self,
        request: Request<proto::CapabilitiesRequest>,
    ) -> Result<Response<proto::CapabilitiesResponse>, Status> {
        self.client().capabilities(request.into_inner()).await
    }
}
