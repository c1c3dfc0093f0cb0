//! The service as HTTP sees it: Write is read from its bytes, all other calls go the generated code's way.

use crate::host::Host;
use crate::service::Service;
use bytes::{Buf as _, Bytes};
use p4runtime_proto::p4::v1::WriteResponse;
use p4runtime_proto::p4::v1::p4_runtime_server::{P4RuntimeServer, SERVICE_NAME};
use prost::Message as _;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service as Answers, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

const WRITE: &str = "/p4.v1.P4Runtime/Write";

/// All calls.
#[derive(Debug)]
pub(crate) struct Calls<H: Host> {
    service: Arc<Service<H>>,
    others: P4RuntimeServer<Service<H>>,
    request_bytes: usize,
}

impl<H: Host> Calls<H> {
    /// Takes requests of so many bytes.
    pub(crate) fn new(service: Service<H>, request_bytes: usize) -> Self {
        let service = Arc::new(service);
        let others = P4RuntimeServer::from_arc(Arc::clone(&service))
            .max_decoding_message_size(request_bytes)
            .max_encoding_message_size(usize::MAX);
        Self { service, others, request_bytes }
    }
}

impl<H: Host> Clone for Calls<H> {
    fn clone(&self) -> Self {
        let service = Arc::clone(&self.service);
        Self { service, others: self.others.clone(), request_bytes: self.request_bytes }
    }
}

impl<H: Host> NamedService for Calls<H> {
    const NAME: &'static str = SERVICE_NAME;
}

impl<H: Host> Answers<http::Request<Body>> for Calls<H> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != WRITE {
            return self.others.call(request);
        }
        let (write, limit) = (Write(Arc::clone(&self.service)), self.request_bytes);
        Box::pin(async move {
            let grpc = Grpc::new(Whole).max_decoding_message_size(limit);
            Ok({ grpc }.unary(write, request).await)
        })
    }
}

struct Write<H>(Arc<Service<H>>);

impl<H: Host> UnaryService<Bytes> for Write<H> {
    type Response = WriteResponse;
    type Future = BoxFuture<Response<WriteResponse>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.write_bytes(request.into_inner()).await })
    }
}

/// Takes messages as they are.
#[derive(Clone, Copy, Debug)]
struct Whole;

impl Codec for Whole {
    type Encode = WriteResponse;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Whole {
    type Item = WriteResponse;
    type Error = Status;
    fn encode(&mut self, answer: WriteResponse, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer.encode(to).map_err(|e| Status::internal(e.to_string()))
    }
}

impl Decoder for Whole {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
