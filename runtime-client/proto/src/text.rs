//! Protobuf's text format, as in `.p4info.txtpb` files.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use thiserror::Error;

use crate::DESCRIPTORS;
use crate::p4::config::v1::P4Info;

/// The descriptors of all messages.
pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("the build script checked the descriptors"));

/// Why a text is not the message that it should be.
#[derive(Clone, Debug, Error)]
#[error("no {message}: {reason}")]
pub struct TextError {
    /// The message's full name.
    pub message: String,
    /// What is wrong, and where.
    pub reason: String,
}

/// The text of a P4Info.
pub fn to_text(info: &P4Info) -> String {
    to_text_as(&p4info(), info)
}

/// The P4Info that a text stands for.
///
/// # Errors
/// The text is not in the text format, or has unknown or ill-typed fields.
pub fn from_text(text: &str) -> Result<P4Info, TextError> {
    from_text_as(&p4info(), text)
}

/// The text of a message of a type.
pub fn to_text_as(descriptor: &MessageDescriptor, message: &impl Message) -> String {
    let mut dynamic = DynamicMessage::new(descriptor.clone());
    match dynamic.transcode_from(message) {
        Ok(()) => dynamic.to_text_format_with_options(&FormatOptions::new().pretty(true)),
        // The bytes of a message always decode as its own type.
        Err(_) => String::new(),
    }
}

/// The message of a type that a text stands for.
///
/// # Errors
/// The text is not in the text format, or has unknown or ill-typed fields.
pub fn from_text_as<M: Message + Default>(
    descriptor: &MessageDescriptor,
    text: &str,
) -> Result<M, TextError> {
    let error = |reason: String| TextError { message: descriptor.full_name().to_owned(), reason };
    let dynamic =
        DynamicMessage::parse_text_format(descriptor.clone(), text).map_err(|e| error(e.to_string()))?;
    dynamic.transcode_to().map_err(|e| error(e.to_string()))
}

fn p4info() -> MessageDescriptor {
    POOL.get_message_by_name("p4.config.v1.P4Info").expect("the message is in the compiled files")
}
