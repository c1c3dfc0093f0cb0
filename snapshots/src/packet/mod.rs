//! Packets as text and as bytes, in a notation that reads like scapy's.
//!
//! ```text
//! eth / ip4(src=10.0.0.1, dst=10.200.1.1) / tcp(sport=1000, dport=80, flags=S) / 20
//! eth / ip4(dst=10.200.1.1) / icmp(type=3, code=4, rest=1400) / ip4(src=10.200.1.1, dst=10.0.0.1) / l4
//! eth / vlan(id=7) / ip6 / udp / "hello" / pad=4
//! eth / ip4(options=01010100) / tcp / cut=40
//! ```
//!
//! Layers: `eth vlan mpls arp ip4 ip6 ext tcp udp icmp icmp6 l4`; the table of their fields is `SPECS` in
//! `layers.rs`. A field that is not given has a default; lengths, checksums, header words and the number of
//! the next layer are computed, from what stands in the text after them. Payload: a number of bytes (`20`: the
//! pattern 0, 1, 2, ...), `"text"`, or `hex:00ff`. At the end: `pad=N` adds N zero bytes that no length counts,
//! `cut=N` keeps the frame's first N bytes. In an expected packet `inner` stands for the received frame from
//! its byte 14 on, `inner=N` from its byte N on, `inner=N..M` for its bytes N to M - 1.

mod build;
mod decode;
mod layers;
mod text;

use layers::Spec;

/// A packet as the notation says it.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    layers: Vec<Layer>,
    /// Zero bytes after all that lengths count.
    pad: usize,
    /// The frame ends after this many bytes.
    cut: Option<usize>,
}

#[derive(Clone, Debug)]
enum Layer {
    Header(Header),
    /// So many bytes 0, 1, 2, ...
    Pattern(usize),
    Text(String),
    Hex(Vec<u8>),
    /// The received frame from the first byte on, to before the second.
    Inner(usize, Option<usize>),
}

#[derive(Clone, Debug)]
struct Header {
    spec: &'static Spec,
    /// What was given, in the order of the fields.
    values: Vec<Option<u128>>,
    options: Vec<u8>,
}

/// Text that is no packet, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct NotationError {
    /// 1-based.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// The bytes of a packet in the notation.
///
/// # Errors
/// If the text is no packet; `inner` needs [`bytes_with`].
pub fn bytes(text: &str) -> Result<Vec<u8>, NotationError> {
    text::parse(text)?.bytes(None)
}

/// The same for an expected packet; `received` is what `inner` stands for.
///
/// # Errors
/// If the text is no packet.
pub fn bytes_with(text: &str, received: &[u8]) -> Result<Vec<u8>, NotationError> {
    text::parse(text)?.bytes(Some(received))
}

/// The shortest notation of these bytes that the notation's defaults allow.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    decode::decode(bytes).to_string()
}

#[cfg(test)]
mod tests;
