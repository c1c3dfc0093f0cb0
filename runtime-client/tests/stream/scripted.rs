//! A server that says on its stream what it was told to say, once the client has sent a packet.

use p4runtime_proto::p4::v1::p4_runtime_server::{P4Runtime, P4RuntimeServer};
use p4runtime_proto::p4::v1::{self, stream_message_request as said, stream_message_response::Update};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

pub(crate) struct Scripted {
    pub(crate) address: String,
    heard: mpsc::UnboundedReceiver<said::Update>,
}

impl Scripted {
    pub(crate) async fn start(script: Vec<Update>) -> Self {
        let (to, heard) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serves = tonic::transport::Server::builder()
            .add_service(P4RuntimeServer::new(Service { script, to }))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serves);
        Self { address, heard }
    }

    /// What a client said next.
    pub(crate) async fn heard(&mut self) -> Option<said::Update> {
        self.heard.recv().await
    }
}

struct Service {
    script: Vec<Update>,
    to: mpsc::UnboundedSender<said::Update>,
}

type Answer<T> = Result<Response<T>, Status>;
type Told = ReceiverStream<Result<v1::StreamMessageResponse, Status>>;

#[tonic::async_trait]
impl P4Runtime for Service {
    type StreamChannelStream = Told;

    async fn stream_channel(&self, request: Request<Streaming<v1::StreamMessageRequest>>) -> Answer<Told> {
        let (tell, told) = mpsc::channel(16);
        let (script, to, mut says) = (self.script.clone(), self.to.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Some(Ok(message)) = says.next().await {
                let Some(update) = message.update else { continue };
                let answers = match &update {
                    said::Update::Arbitration(asked) => vec![Update::Arbitration(asked.clone())],
                    said::Update::Packet(_) => script.clone(),
                    _ => Vec::new(),
                };
                let _test_ended = to.send(update);
                for update in answers {
                    let _gone = tell.send(Ok(v1::StreamMessageResponse { update: Some(update) })).await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(told)))
    }

    type ReadStream = ReceiverStream<Result<v1::ReadResponse, Status>>;

    async fn read(&self, _: Request<v1::ReadRequest>) -> Answer<Self::ReadStream> {
        Err(Status::unimplemented("it has a stream only"))
    }
    async fn write(&self, _: Request<v1::WriteRequest>) -> Answer<v1::WriteResponse> {
        Err(Status::unimplemented("it has a stream only"))
    }
    async fn set_forwarding_pipeline_config(
        &self,
        _: Request<v1::SetForwardingPipelineConfigRequest>,
    ) -> Answer<v1::SetForwardingPipelineConfigResponse> {
        Err(Status::unimplemented("it has a stream only"))
    }
    async fn get_forwarding_pipeline_config(
        &self,
        _: Request<v1::GetForwardingPipelineConfigRequest>,
    ) -> Answer<v1::GetForwardingPipelineConfigResponse> {
        Err(Status::unimplemented("it has a stream only"))
    }
    async fn capabilities(&self, _: Request<v1::CapabilitiesRequest>) -> Answer<v1::CapabilitiesResponse> {
        Err(Status::unimplemented("it has a stream only"))
    }
}
