//! Errors as gRPC knows them: one status per call, and in it one error per update (specification §10).

use crate::host::HostError;
use p4runtime_proto::google::rpc;
use p4runtime_proto::p4::v1;
use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};

/// Why one update, or one entity of a read, failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }
    /// The same, saying first what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let code = match error {
            HostError::Invalid(_) => Code::InvalidArgument,
            HostError::Unsupported(_) => Code::Unimplemented,
            HostError::Failed(_) => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// Bytes of details that are sent at most: what is longer would hide the whole status from most clients.
const DETAILS: usize = 4 << 20;
/// The type of the details, as `Any` names it.
const ERROR: &str = "type.googleapis.com/p4.v1.Error";

/// The status of a batch: OK if nothing failed, else UNKNOWN with one `p4.v1.Error` per element, in order.
pub(crate) fn of_batch(what: &str, results: &[Result<(), Failure>]) -> Result<(), Status> {
    let failed = results.iter().filter(|r| r.is_err()).count();
    let Some((at, first)) = results.iter().enumerate().find_map(|(i, r)| Some((i, r.as_ref().err()?))) else {
        return Ok(());
    };
    let count = results.len();
    let message = format!("{failed} of {count} {what} failed; number {at} (from 0): {}", first.message);
    let details: Vec<Any> = results.iter().map(detail).collect();
    let status = rpc::Status { code: Code::Unknown as i32, message: message.clone(), details };
    let bytes = status.encode_to_vec();
    if bytes.len() > DETAILS {
        let message = format!("{message} (no details: there are too many; write smaller batches)");
        return Err(Status::unknown(message));
    }
    Err(Status::with_details(Code::Unknown, message, bytes.into()))
}

fn detail(result: &Result<(), Failure>) -> Any {
    let error = match result {
        Ok(()) => v1::Error::default(),
        Err(failure) => v1::Error {
            canonical_code: failure.code as i32,
            message: failure.message.clone(),
            space: "guideway".to_owned(),
            ..v1::Error::default()
        },
    };
    Any { type_url: ERROR.to_owned(), value: error.encode_to_vec() }
}
