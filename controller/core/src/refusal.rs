//! Why something is not done, as gRPC tells it.

use std::fmt;

/// The gRPC status that a refusal is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It can't be right, whatever else is there.
    InvalidArgument,
    /// It is about something that isn't there.
    NotFound,
    /// It is there already, and different.
    AlreadyExists,
    /// It can't be done as things are: no room, still in use, the last one.
    FailedPrecondition,
    /// Too much at once.
    ResourceExhausted,
}

/// Nothing was changed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As gRPC has it.
    pub code: Code,
    /// For people: what is wrong, and what helps.
    pub text: String,
}

impl Refusal {
    /// A refusal with its words.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(Code::NotFound, text)
    }

    pub(crate) fn exists(text: impl Into<String>) -> Self {
        Self::new(Code::AlreadyExists, text)
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, text)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}
