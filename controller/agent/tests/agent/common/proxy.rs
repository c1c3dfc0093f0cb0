//! A P4Runtime server that passes everything on, until it has passed on so many writes.

use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use p4runtime_proto::p4::v1::p4_runtime_server::{P4Runtime, P4RuntimeServer};
use p4runtime_proto::p4::v1::*;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// It ends with this.
pub struct Proxy {
    pub address: String,
    left: Arc<AtomicUsize>,
    /// Writes that were passed on.
    passed: Arc<AtomicUsize>,
    _end: oneshot::Sender<()>,
}

impl Proxy {
    pub async fn start(to: &str) -> Self {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{to}")).unwrap();
        let channel = channel.http2_max_header_list_size(16 << 20).connect().await.unwrap();
        let client = P4RuntimeClient::new(channel).max_decoding_message_size(64 << 20);
        let (left, passed) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicUsize::new(0)));
        let pass = Pass { client, left: Arc::clone(&left), passed: Arc::clone(&passed) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (end, ended) = oneshot::channel::<()>();
        let service = P4RuntimeServer::new(pass).max_decoding_message_size(64 << 20);
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), async {
            let _dropped = ended.await;
        }));
        Self { address, left, passed, _end: end }
    }

    /// Passes on so many writes from now on; the next one is never answered.
    pub fn allow(&self, writes: usize) {
        self.passed.store(0, Ordering::SeqCst);
        self.left.store(writes, Ordering::SeqCst);
    }

    /// Whether a write waits for ever.
    pub fn is_stuck(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0 && self.passed.load(Ordering::SeqCst) == usize::MAX
    }
}

struct Pass {
    client: P4RuntimeClient<Channel>,
    left: Arc<AtomicUsize>,
    passed: Arc<AtomicUsize>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl P4Runtime for Pass {
    type ReadStream = Answers<ReadResponse>;
    type StreamChannelStream = Answers<StreamMessageResponse>;

    async fn write(&self, request: Request<WriteRequest>) -> Result<Response<WriteResponse>, Status> {
        let take = |left: usize| match left {
            usize::MAX => Some(usize::MAX),
            left => left.checked_sub(1),
        };
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            self.passed.store(usize::MAX, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        self.client.clone().write(request.into_inner()).await
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let answer = self.client.clone().read(request.into_inner()).await?.into_inner();
        Ok(Response::new(Box::pin(answer)))
    }

    async fn set_forwarding_pipeline_config(
        &self,
        request: Request<SetForwardingPipelineConfigRequest>,
    ) -> Result<Response<SetForwardingPipelineConfigResponse>, Status> {
        self.client.clone().set_forwarding_pipeline_config(request.into_inner()).await
    }

    async fn get_forwarding_pipeline_config(
        &self,
        request: Request<GetForwardingPipelineConfigRequest>,
    ) -> Result<Response<GetForwardingPipelineConfigResponse>, Status> {
        self.client.clone().get_forwarding_pipeline_config(request.into_inner()).await
    }

    async fn stream_channel(
        &self,
        request: Request<Streaming<StreamMessageRequest>>,
    ) -> Result<Response<Self::StreamChannelStream>, Status> {
        let (to, from) = mpsc::channel(64);
        let mut said = request.into_inner();
        tokio::spawn(async move {
            while let Some(Ok(message)) = said.next().await {
                if to.send(message).await.is_err() {
                    return;
                }
            }
        });
        let answer = self.client.clone().stream_channel(ReceiverStream::new(from)).await?;
        Ok(Response::new(Box::pin(answer.into_inner())))
    }

    async fn capabilities(
        &self,
        request: Request<CapabilitiesRequest>,
    ) -> Result<Response<CapabilitiesResponse>, Status> {
        self.client.clone().capabilities(request.into_inner()).await
    }
}
