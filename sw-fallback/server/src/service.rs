//! The calls of P4Runtime.

use crate::arbitration::Client;
use crate::device::{Current, Device};
use crate::host::Host;
use crate::messages::Messages;
use crate::packets;
use crate::session::{Outgoing, Sessions};
use crate::status::{Failure, check_count};
use crate::wire;
use bytes::Bytes;
use p4runtime_proto::p4::v1;
use p4runtime_proto::p4::v1::p4_runtime_server::P4Runtime;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};
use v1::stream_message_request::Update as Asked;
use v1::stream_message_response::Update as Told;

/// The version of P4Runtime that is spoken.
const VERSION: &str = "1.5.0";

/// The service of one device.
#[derive(Debug)]
pub(crate) struct Service<H> {
    state: Arc<State<H>>,
}

#[derive(Debug)]
struct State<H> {
    id: u64,
    device: Arc<Mutex<Device<H>>>,
    current: Arc<Current>,
    sessions: Arc<Sessions>,
}

impl<H: Host> Service<H> {
    pub(crate) fn new(id: u64, device: Arc<Mutex<Device<H>>>, current: Arc<Current>, streams: usize) -> Self {
        let sessions = Arc::new(Sessions::new(id, streams));
        Self { state: Arc::new(State { id, device, current, sessions }) }
    }

    /// A Write of a message that is still bytes.
    pub(crate) async fn write_bytes(&self, bytes: Bytes) -> Result<Response<v1::WriteResponse>, Status> {
        self.write_request(&wire::Request::read(bytes)?).await
    }

    /// Updates are read before the device is held: several requests' on several threads, while another one's are written.
    async fn write_request(&self, request: &wire::Request) -> Result<Response<v1::WriteResponse>, Status> {
        let map = self.state.current.get();
        let mut changes = request.changes(&map)?;
        let mut device = self.state.device.lock().await;
        self.state.check_writer(request.device_id, &request.role, request.election_id.as_ref())?;
        check_count("updates", request.len())?;
        // What is saved takes writes, until it is committed.
        let now = device.map();
        if !Arc::ptr_eq(&map, &now) {
            changes = request.changes(&now)?;
        }
        device.write(request, changes)?;
        Ok(Response::new(v1::WriteResponse {}))
    }

    /// The open streams.
    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.state.sessions)
    }
}

impl<H> State<H> {
    fn check_device(&self, id: u64) -> Result<(), Failure> {
        if id == self.id {
            return Ok(());
        }
        let text = format!("there is no device {id}; this one is device {}", self.id);
        Err(Failure::new(Code::NotFound, text))
    }

    /// The checks of specification §12 and §14, in order. Made while the device is held: who was the primary when the
    /// request came need not be it any more.
    fn check_writer(&self, id: u64, role: &str, election: Option<&v1::Uint128>) -> Result<(), Failure> {
        self.check_device(id)?;
        self.sessions.may_write(role, election)
    }
}

#[tonic::async_trait]
impl<H: Host> P4Runtime for Service<H> {
    async fn write(&self, request: Request<v1::WriteRequest>) -> Result<Response<v1::WriteResponse>, Status> {
        self.write_request(&wire::Request::of(&request.into_inner())?).await
    }

    type ReadStream = Messages;

    async fn read(&self, request: Request<v1::ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let request = request.into_inner();
        self.state.check_device(request.device_id)?;
        let messages = self.state.device.lock().await.read(&request.entities)?;
        Ok(Response::new(messages))
    }

    async fn set_forwarding_pipeline_config(
        &self,
        request: Request<v1::SetForwardingPipelineConfigRequest>,
    ) -> Result<Response<v1::SetForwardingPipelineConfigResponse>, Status> {
        let request = request.into_inner();
        let mut device = Arc::clone(&self.state.device).lock_owned().await;
        self.state.check_writer(request.device_id, &request.role, request.election_id.as_ref())?;
        // A compiler may run: other calls wait for the device, but the connections stay alive.
        let done = tokio::task::spawn_blocking(move || device.set(request)).await;
        done.map_err(|e| Status::internal(format!("the pipeline's change ended early: {e}")))??;
        Ok(Response::new(v1::SetForwardingPipelineConfigResponse {}))
    }

    async fn get_forwarding_pipeline_config(
        &self,
        request: Request<v1::GetForwardingPipelineConfigRequest>,
    ) -> Result<Response<v1::GetForwardingPipelineConfigResponse>, Status> {
        let request = request.into_inner();
        self.state.check_device(request.device_id)?;
        let config = self.state.device.lock().await.get(request.response_type)?;
        Ok(Response::new(v1::GetForwardingPipelineConfigResponse { config: Some(config) }))
    }

    type StreamChannelStream = Channel<H>;

    async fn stream_channel(
        &self,
        request: Request<Streaming<v1::StreamMessageRequest>>,
    ) -> Result<Response<Self::StreamChannelStream>, Status> {
        let (client, receiver) = self.state.sessions.open()?;
        let guard = Guard { state: Arc::clone(&self.state), client };
        tokio::spawn(listen(Arc::clone(&self.state), client, request.into_inner()));
        Ok(Response::new(Channel { receiver, guard }))
    }

    async fn capabilities(
        &self,
        request: Request<v1::CapabilitiesRequest>,
    ) -> Result<Response<v1::CapabilitiesResponse>, Status> {
        let id = request.into_inner().device_id;
        if id != 0 {
            self.state.check_device(id)?;
        }
        let p4runtime_api_version = VERSION.to_owned();
        Ok(Response::new(v1::CapabilitiesResponse { p4runtime_api_version, experimental: None }))
    }
}

/// What a client hears. When it goes, the client has gone.
#[derive(Debug)]
pub(crate) struct Channel<H> {
    receiver: Receiver<Outgoing>,
    guard: Guard<H>,
}

impl<H> Stream for Channel<H> {
    type Item = Outgoing;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        match self.receiver.poll_recv(context) {
            Poll::Ready(None) => {
                let guard = &self.guard;
                Poll::Ready(guard.state.sessions.last_word(guard.client).map(Err))
            }
            other => other,
        }
    }
}

#[derive(Debug)]
struct Guard<H> {
    state: Arc<State<H>>,
    client: Client,
}

impl<H> Drop for Guard<H> {
    fn drop(&mut self) {
        self.state.sessions.close(self.client, None);
    }
}

/// Handles what a client says, until it ends or says something wrong.
async fn listen<H: Host>(
    state: Arc<State<H>>,
    client: Client,
    mut said: Streaming<v1::StreamMessageRequest>,
) {
    let mut end = None;
    while let Some(Ok(message)) = said.next().await {
        if !state.sessions.is_open(client) {
            return;
        }
        let heard = match message.update {
            Some(Asked::Arbitration(asked)) => {
                // Writes of the primary until now are done first.
                let _device = state.device.lock().await;
                state.sessions.arbitrate(client, &asked)
            }
            Some(Asked::Packet(packet)) => {
                packet_out(&state, client, packet).await;
                Ok(())
            }
            Some(Asked::DigestAck(ack)) => {
                let failure = Failure::invalid(format!("the P4Info has no digest {}", ack.digest_id));
                let details = v1::DigestListAckError { digest_list_ack: Some(ack) };
                state
                    .sessions
                    .tell(client, error(&failure, v1::stream_error::Details::DigestListAck(details)));
                Ok(())
            }
            Some(Asked::Other(other)) => {
                let failure =
                    Failure::new(Code::Unimplemented, "this architecture has no messages of its own");
                let details = v1::StreamOtherError { other: Some(other) };
                state.sessions.tell(client, error(&failure, v1::stream_error::Details::Other(details)));
                Ok(())
            }
            None => Err(Failure::invalid("a stream message without content")),
        };
        if let Err(failure) = heard {
            end = Some(failure);
            break;
        }
    }
    state.sessions.close(client, end);
}

fn error(failure: &Failure, details: v1::stream_error::Details) -> Told {
    Told::Error(v1::StreamError {
        canonical_code: failure.code as i32,
        message: failure.message.clone(),
        space: "guideway".to_owned(),
        code: 0,
        details: Some(details),
    })
}

async fn packet_out<H: Host>(state: &State<H>, client: Client, packet: v1::PacketOut) {
    let sent = if state.sessions.is_primary(client) {
        packets::send(&mut *state.device.lock().await, &packet)
    } else {
        Err(Failure::new(Code::PermissionDenied, "only the primary sends packets"))
    };
    if let Err(failure) = sent {
        let details = v1::PacketOutError { packet_out: Some(packet) };
        state.sessions.tell(client, error(&failure, v1::stream_error::Details::PacketOut(details)));
    }
}
