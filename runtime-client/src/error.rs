//! What can go wrong, in words that say where.

use crate::NameError;
use crate::tls::explain;
use p4runtime_proto::google::rpc;
use p4runtime_proto::p4::v1 as proto;
use prost::Message as _;
use std::time::Duration;
use thiserror::Error;
use tonic::{Code, Status};

/// Why a call of a session failed as a whole.
#[derive(Clone, Debug, Error)]
pub enum ClientError {
    /// No connection came about.
    #[error("can't reach a P4Runtime server at {address}: {reason}")]
    Connect {
        /// Where.
        address: String,
        /// What the last try met.
        reason: String,
    },
    /// The connection broke during a call: whether it took effect is open.
    #[error("the connection broke in the middle of {call}: {reason}")]
    Lost {
        /// Which call.
        call: &'static str,
        /// What was seen.
        reason: String,
    },
    /// The server answered no.
    #[error("{call} was refused: {code:?}: {message}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// The status code.
        code: Code,
        /// What the server said.
        message: String,
    },
    /// Another client is the primary one, so this one may not write.
    #[error("another client is the primary one, with election id {}; this one has {own}", shown(*.primary))]
    NotPrimary {
        /// The primary client's election id, if there is a primary one.
        primary: Option<u128>,
        /// This session's.
        own: u128,
    },
    /// The server's kind can't do that.
    #[error("{profile} can't do that: {what}")]
    Unsupported {
        /// The profile's title.
        profile: String,
        /// What is not there.
        what: String,
    },
    /// No answer.
    #[error("{call} got no answer within {after:?}")]
    Timeout {
        /// Which call.
        call: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The server runs no pipeline, or one whose P4Info can't be used.
    #[error("the server's pipeline: {0}")]
    Pipeline(String),
    /// A name or a value is not of this pipeline.
    #[error(transparent)]
    Name(#[from] NameError),
    /// TLS can't be had with what was given.
    #[error("{0}")]
    Tls(String),
    /// Not a usable profile.
    #[error("profile `{name}`: {reason}")]
    Profile {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
}

fn shown(id: Option<u128>) -> String {
    id.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

/// Why one update of a write had no effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}: {}{}", .code.description_short(), if .message.is_empty() { String::new() } else { format!(": {}", .message) })]
pub struct UpdateError {
    /// Which one, from 0, in the order of the call.
    pub index: usize,
    /// The update in words: what was to be done, table, entry.
    pub what: String,
    /// The status code.
    pub code: Code,
    /// What the server said.
    pub message: String,
}

/// A code's name, as the specification spells it.
trait Spelled {
    fn description_short(&self) -> &'static str;
}

impl Spelled for Code {
    fn description_short(&self) -> &'static str {
        match self {
            Code::Ok => "OK",
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// The fate of each update of a write, if the status tells (specification §12.3): one for each, in order.
pub(crate) fn details(status: &Status, updates: usize) -> Option<Vec<proto::Error>> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let all = details.iter().map(|any| proto::Error::decode(any.value.as_ref()));
    let all: Vec<proto::Error> = all.collect::<Result<_, _>>().ok()?;
    (all.len() == updates && updates > 0).then_some(all)
}

/// An error and what is behind it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    explain(text)
}

/// A call's status as an error.
pub(crate) fn failed(call: &'static str, status: &Status) -> ClientError {
    let message = status.message().to_owned();
    let message = match std::error::Error::source(status) {
        Some(cause) if message.is_empty() || cause.to_string().contains(&message) => causes(cause),
        Some(cause) => format!("{message}: {}", causes(cause)),
        None => message,
    };
    match status.code() {
        Code::Unavailable => ClientError::Lost { call, reason: message },
        // What the transport says when a connection ends below a call.
        Code::Unknown if std::error::Error::source(status).is_some() => {
            ClientError::Lost { call, reason: message }
        }
        Code::Cancelled if std::error::Error::source(status).is_some() => {
            ClientError::Lost { call, reason: message }
        }
        code => ClientError::Refused { call, code, message },
    }
}

/// Whether a message was too large for one side's limit, so that nothing of it was looked at.
pub(crate) fn too_large(status: &Status) -> bool {
    matches!(status.code(), Code::ResourceExhausted | Code::OutOfRange)
        && ["larger than max", "message length too large"].iter().any(|part| status.message().contains(part))
}
