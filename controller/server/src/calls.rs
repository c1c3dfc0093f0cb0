//! The service as HTTP sees it: what nodes are told is encoded once for all of them, so WatchNode sends bytes; all other calls
//! go the generated code's way.

use crate::Shared;
use crate::service::Service;
use crate::streams::Answers;
use bytes::{Buf as _, BufMut as _, Bytes};
use control_proto::v1::WatchNodeRequest;
use control_proto::v1::lb_control_plane_server::{LbControlPlaneServer, SERVICE_NAME};
use prost::Message as _;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service as Called, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};

const WATCH_NODE: &str = "/guideway.v1.LBControlPlane/WatchNode";

/// All calls.
#[derive(Clone)]
pub(crate) struct Calls {
    shared: Arc<Shared>,
    others: LbControlPlaneServer<Service>,
}

impl Calls {
    /// Takes requests of so many bytes.
    pub(crate) fn new(shared: Arc<Shared>, request_bytes: usize) -> Self {
        let others = LbControlPlaneServer::new(Service(Arc::clone(&shared)));
        Self { shared, others: others.max_decoding_message_size(request_bytes) }
    }
}

impl NamedService for Calls {
    const NAME: &'static str = SERVICE_NAME;
}

impl Called<http::Request<Body>> for Calls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != WATCH_NODE {
            return self.others.call(request);
        }
        let watch = WatchNode(Arc::clone(&self.shared));
        Box::pin(async move { Ok(Grpc::new(Encoded).server_streaming(watch, request).await) })
    }
}

struct WatchNode(Arc<Shared>);

impl ServerStreamingService<WatchNodeRequest> for WatchNode {
    type Response = Bytes;
    type ResponseStream = Answers<Bytes>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<WatchNodeRequest>) -> Self::Future {
        ready(self.0.watch_node().map(Response::new))
    }
}

/// Sends messages that are bytes already.
#[derive(Clone, Copy, Debug)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = WatchNodeRequest;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.reserve(bytes.len());
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = WatchNodeRequest;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<WatchNodeRequest>, Status> {
        let all = from.copy_to_bytes(from.remaining());
        WatchNodeRequest::decode(all).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
