//! P4Runtime and P4Info messages, with protobuf's text format.
//!
//! The `.proto` files under `proto/` follow the P4Runtime specification 1.5; byte fields are
//! [`bytes::Bytes`], which a batch of updates can share. [`guideway::v1::Bundle`] is what our own targets take as
//! device config.

pub mod pem;
pub mod schema;
pub mod text;
#[cfg(feature = "server-tls")]
pub mod tls;

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod messages {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

pub use messages::{google, guideway, p4};

/// The serialized descriptors of all messages: a `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
