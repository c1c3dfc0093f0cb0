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

/// Updates of a batch, or entities of a read, at most: each has its error in the answer, in order, some 55 bytes of trailers
/// without a text. So many go into 8 MiB, which clients can be told to take.
pub(crate) const MOST: usize = 131_072;
/// Bytes of texts in one answer: the errors after that have only their code.
const TEXTS: usize = 1 << 20;
/// Characters of one text.
const TEXT: usize = 400;
/// The type of the details, as `Any` names it.
const ERROR: &str = "type.googleapis.com/p4.v1.Error";

/// The status of a batch: OK if nothing failed, else UNKNOWN with one `p4.v1.Error` per element, in order.
pub(crate) fn of_batch(what: &str, results: &[Result<(), Failure>]) -> Result<(), Status> {
    let failed = results.iter().filter(|r| r.is_err()).count();
    let Some((at, first)) = results.iter().enumerate().find_map(|(i, r)| Some((i, r.as_ref().err()?))) else {
        return Ok(());
    };
    let count = results.len();
    let message = format!("{failed} of {count} {what} failed; number {at} (from 0): {}", cut(&first.message));
    let mut room = TEXTS;
    let details: Vec<Any> = results.iter().map(|result| detail(result, &mut room)).collect();
    let status = rpc::Status { code: Code::Unknown as i32, message: message.clone(), details };
    Err(Status::with_details(Code::Unknown, message, status.encode_to_vec().into()))
}

/// Refuses what could not be answered.
pub(crate) fn check_count(what: &str, count: usize) -> Result<(), Status> {
    if count <= MOST {
        return Ok(());
    }
    // In the words in which servers say that of bytes: clients then cut a batch in two.
    Err(Status::resource_exhausted(format!(
        "the request has {count} {what}, larger than max {MOST}: each has its error in the answer; send several requests"
    )))
}

/// The beginning of a text that a client has made long.
fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT).map_or(text, |(end, _)| &text[..end])
}

fn detail(result: &Result<(), Failure>, room: &mut usize) -> Any {
    let error = match result {
        Ok(()) => v1::Error::default(),
        Err(failure) => {
            let text = cut(&failure.message);
            *room = room.saturating_sub(text.len());
            let told = *room > 0;
            v1::Error {
                canonical_code: failure.code as i32,
                message: if told { text.to_owned() } else { String::new() },
                space: if told { "guideway".to_owned() } else { String::new() },
                ..v1::Error::default()
            }
        }
    };
    Any { type_url: ERROR.to_owned(), value: error.encode_to_vec() }
}
