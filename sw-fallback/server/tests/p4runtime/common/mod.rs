//! A server over a native plane on a loopback socket, and a client of tonic's.
#![allow(unreachable_pub, reason = "a module of tests")]

pub mod entries;
/// A balancer with a flow table.
#[rustfmt::skip]
#[path = "../../../../../snapshots/pin/pipeline.rs"]
pub mod pin;
pub mod pipelines;

use p4runtime_proto::google::rpc;
use p4runtime_proto::guideway::v1::{Bundle, File};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use p4runtime_proto::p4::v1::{self, stream_message_request as ask, stream_message_response as told};
use p4runtime_server::{Device, Host, HostError, Options, Prepared, Server, hold};
use pipeline_ir::Pipeline;
use pipeline_ir::entry::CheckedEntry;
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use sw_fallback::native::NativePlane;
use sw_fallback::plane::{Outcome, ReadBack, TestPlane as _};
use sw_fallback::punt::Inbox;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

pub type Client = P4RuntimeClient<Channel>;

/// Frames that were sent by any test's port 1.
pub static SENT: std::sync::Mutex<Vec<Vec<u8>>> = std::sync::Mutex::new(Vec::new());

/// Runs native planes: of those that are compiled in here.
/// If told so, it refuses what it is to run.
pub struct TestHost(pub NativePlane, pub bool, pub Option<Inbox>);

/// A native plane for a pipeline by name.
pub fn plane(name: &str) -> Option<NativePlane> {
    match name {
        "kinds" => guideway::plane::<pipelines::kinds::Pipeline>().ok(),
        "other" => guideway::plane::<pipelines::other::Pipeline>().ok(),
        "pin" => guideway::plane::<pin::pin::Pipeline>().ok(),
        "l4lb" => guideway::plane::<guideway::builtin::l4lb::Pipeline>().ok(),
        _ => None,
    }
}

impl Host for TestHost {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.0
    }
    fn packet_out(&mut self, port: u32, frame: &[u8]) -> Result<(), HostError> {
        if port != 1 {
            return Err(HostError::Invalid(format!("there is no port {port}")));
        }
        SENT.lock().unwrap().push(frame.to_vec());
        Ok(())
    }
    fn inbox(&mut self) -> Option<Inbox> {
        self.2.take()
    }
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        let name = bundle.files.iter().find(|f| f.path == "name");
        let name = name.ok_or_else(|| HostError::Invalid("the bundle has no name".into()))?;
        let name = String::from_utf8_lossy(&name.content).into_owned();
        let plane =
            plane(&name).ok_or_else(|| HostError::Invalid(format!("there is no pipeline `{name}`")))?;
        let pipeline = sw_fallback::plane::DataPlane::pipeline(&plane).clone();
        Ok(Prepared { pipeline, program: Box::new(plane) })
    }
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        if self.1 {
            return Err(HostError::Failed("not now".into()));
        }
        let plane = prepared.program.downcast::<NativePlane>();
        let mut plane = *plane.map_err(|_| HostError::Failed("no plane".into()))?;
        hold(&mut plane, entries).map_err(|(table, e)| HostError::Failed(format!("{table}: {e}")))?;
        self.0 = plane;
        Ok(())
    }
}

/// The P4Info of a pipeline.
pub fn info(p: &Pipeline) -> P4Info {
    let sizes = codegen::p4::Sizes::of(&hw_targets::target("native").unwrap());
    P4Info::decode(codegen::p4::info(p, &sizes).to_bytes().as_slice()).unwrap()
}

/// The config of a pipeline by name.
pub fn config(name: &str, cookie: Option<u64>) -> v1::ForwardingPipelineConfig {
    let plane = plane(name).unwrap();
    let file = File { path: "name".into(), content: name.to_owned().into() };
    v1::ForwardingPipelineConfig {
        p4info: Some(info(sw_fallback::plane::DataPlane::pipeline(&plane))),
        p4_device_config: Bundle { files: vec![file] }.encode_to_vec().into(),
        cookie: cookie.map(|cookie| v1::forwarding_pipeline_config::Cookie { cookie }),
    }
}

/// A server that ends with this.
pub struct Lab {
    pub device: Arc<Mutex<Device<TestHost>>>,
    pub address: String,
    pub info: P4Info,
    _end: oneshot::Sender<()>,
}

pub async fn lab() -> Lab {
    lab_with("kinds", &Options::default()).await
}

pub async fn lab_with(name: &str, options: &Options) -> Lab {
    lab_of(name, options, None).await
}

/// A server with packets for the controller.
pub async fn lab_of(name: &str, options: &Options, inbox: Option<Inbox>) -> Lab {
    let config = config(name, None);
    let info = config.p4info.clone().unwrap();
    let device =
        Device::new(TestHost(plane(name).unwrap(), false, inbox), config).map_err(|(_, why)| why).unwrap();
    let device = Arc::new(Mutex::new(device));
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(&address, Arc::clone(&device), options).await.unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    let (end, ended) = oneshot::channel::<()>();
    tokio::spawn(server.serve(async {
        let _dropped = ended.await;
    }));
    Lab { device, address, info, _end: end }
}

impl Lab {
    /// A client on a connection of its own.
    pub async fn client(&self) -> Client {
        let endpoint = tonic::transport::Endpoint::new(self.address.clone()).unwrap();
        // One failed update among thousands still has its details in the trailers.
        let channel = endpoint.http2_max_header_list_size(16 << 20).connect().await.unwrap();
        P4RuntimeClient::new(channel).max_decoding_message_size(64 << 20)
    }

    /// A client that is the primary of the default role, with election id 1.
    pub async fn primary(&self) -> (Client, Talk) {
        let mut client = self.client().await;
        let mut talk = Talk::open(&mut client).await;
        talk.arbitrate("", Some(1)).await;
        assert_eq!(talk.heard().await.status.unwrap().code, Code::Ok as i32);
        (client, talk)
    }

    /// What becomes of a frame.
    pub async fn process(&self, frame: &[u8]) -> Outcome {
        self.process_at(1, frame).await
    }

    /// What becomes of a frame at a tick.
    pub async fn process_at(&self, now: u32, frame: &[u8]) -> Outcome {
        self.device.lock().await.host.0.process(1, now, frame)
    }
}

/// A stream that a client has opened.
pub struct Talk {
    say: mpsc::Sender<v1::StreamMessageRequest>,
    hear: Streaming<v1::StreamMessageResponse>,
}

impl Talk {
    pub async fn open(client: &mut Client) -> Self {
        Self::try_open(client).await.unwrap()
    }

    pub async fn try_open(client: &mut Client) -> Result<Self, Status> {
        let (say, said) = mpsc::channel(1024);
        let hear = client.stream_channel(ReceiverStream::new(said)).await?.into_inner();
        Ok(Self { say, hear })
    }

    pub async fn say(&self, update: ask::Update) {
        self.say.send(v1::StreamMessageRequest { update: Some(update) }).await.unwrap();
    }

    /// False where too much waits to be sent.
    pub fn try_say(&self, update: ask::Update) -> bool {
        self.say.try_send(v1::StreamMessageRequest { update: Some(update) }).is_ok()
    }

    pub async fn arbitrate(&self, role: &str, election: Option<u128>) {
        self.arbitrate_at(1, role, election).await;
    }

    pub async fn arbitrate_at(&self, device_id: u64, role: &str, election: Option<u128>) {
        let role = (!role.is_empty()).then(|| v1::Role { name: role.to_owned(), ..v1::Role::default() });
        let update = v1::MasterArbitrationUpdate {
            device_id,
            role,
            election_id: election.map(id),
            ..v1::MasterArbitrationUpdate::default()
        };
        self.say(ask::Update::Arbitration(update)).await;
    }

    /// The next message, or what the stream ended with.
    pub async fn next(&mut self) -> Result<Option<told::Update>, Status> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.hear.message());
        let message = next.await.expect("no message comes")?;
        Ok(message.map(|m| m.update.unwrap()))
    }

    /// The next message, which is about arbitration.
    pub async fn heard(&mut self) -> v1::MasterArbitrationUpdate {
        match self.next().await {
            Ok(Some(told::Update::Arbitration(update))) => update,
            other => panic!("{other:?}"),
        }
    }

    /// The next message's status and election id.
    pub async fn standing(&mut self) -> (Code, Option<u128>) {
        let update = self.heard().await;
        let election = update.election_id.map(|e| u128::from(e.high) << 64 | u128::from(e.low));
        (Code::from_i32(update.status.unwrap().code), election)
    }

    /// The status of the next message about arbitration, however long it takes; none once the stream has ended.
    #[allow(dead_code, reason = "one of the tests that share this uses it")]
    pub async fn hear_any(&mut self) -> Option<Code> {
        loop {
            let message = self.hear.message().await.ok()??;
            if let Some(told::Update::Arbitration(update)) = message.update {
                return update.status.map(|status| Code::from_i32(status.code));
            }
        }
    }

    /// What the stream ends with.
    pub async fn end(&mut self) -> Code {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Code::Ok,
                Err(status) => return status.code(),
            }
        }
    }

    /// Nothing comes.
    pub async fn silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(100), self.hear.message()).await;
        assert!(next.is_err(), "{next:?}");
    }
}

pub fn id(election: u128) -> v1::Uint128 {
    v1::Uint128 { high: (election >> 64) as u64, low: election as u64 }
}

/// Writes as the primary with election id 1.
pub async fn write(client: &mut Client, updates: Vec<v1::Update>) -> Result<(), Status> {
    write_as(client, updates, v1::write_request::Atomicity::ContinueOnError).await
}

pub async fn write_as(
    client: &mut Client,
    updates: Vec<v1::Update>,
    atomicity: v1::write_request::Atomicity,
) -> Result<(), Status> {
    let request = v1::WriteRequest {
        device_id: 1,
        election_id: Some(id(1)),
        updates,
        atomicity: atomicity as i32,
        ..v1::WriteRequest::default()
    };
    client.write(request).await.map(|_| ())
}

/// Code and text of each update of a batch that failed.
pub fn errors(status: &Status) -> Vec<(Code, String)> {
    assert_eq!(status.code(), Code::Unknown, "{status:?}");
    let whole = rpc::Status::decode(status.details()).unwrap();
    assert_eq!((whole.code, whole.message.as_str()), (Code::Unknown as i32, status.message()));
    let one = |any: &prost_types::Any| {
        assert_eq!(any.type_url, "type.googleapis.com/p4.v1.Error");
        let error = v1::Error::decode(any.value.as_slice()).unwrap();
        (Code::from_i32(error.canonical_code), error.message)
    };
    whole.details.iter().map(one).collect()
}

/// Only the codes.
pub fn codes(result: Result<(), Status>) -> Vec<Code> {
    match result {
        Ok(()) => Vec::new(),
        Err(status) => errors(&status).into_iter().map(|(code, _)| code).collect(),
    }
}

/// Reads: the entities, and what the read ended with.
pub async fn read(client: &mut Client, asked: Vec<v1::entity::Entity>) -> (Vec<v1::Entity>, Option<Status>) {
    let entities = asked.into_iter().map(|e| v1::Entity { entity: Some(e) }).collect();
    let request = v1::ReadRequest { device_id: 1, entities, ..v1::ReadRequest::default() };
    let mut answer = match client.read(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return (Vec::new(), Some(status)),
    };
    let mut all = Vec::new();
    loop {
        match answer.message().await {
            Ok(Some(message)) => {
                assert!(message.encoded_len() <= 1 << 20, "{} bytes", message.encoded_len());
                all.extend(message.entities);
            }
            Ok(None) => return (all, None),
            Err(status) => return (all, Some(status)),
        }
    }
}

/// The table entries of a read that succeeds.
pub async fn entries(client: &mut Client, asked: v1::TableEntry) -> Vec<v1::TableEntry> {
    let (all, error) = read(client, vec![v1::entity::Entity::TableEntry(asked)]).await;
    assert!(error.is_none(), "{error:?}");
    let entry = |e: v1::Entity| match e.entity {
        Some(v1::entity::Entity::TableEntry(entry)) => entry,
        other => panic!("{other:?}"),
    };
    all.into_iter().map(entry).collect()
}
