//! What one node is to forward: snapshots of the controller, checked, merged, and kept on disk.
//!
//! ```text
//! NodeSnapshot (all, then what changed) ── merge ──► Desired ── to_snapshot ──► disk, OfferTables
//! ```
//!
//! [`merge`] trusts nobody: what the controller says is refused as a whole if any part of it can't be right, so that the
//! node keeps what it has.

mod check;
mod desired;
mod disk;
mod refusal;

#[cfg(test)]
mod tests;

pub use check::{MAX_CLASS, merge};
pub use desired::{Backend, Desired, Family, Pool, Service, flags};
pub use disk::{DiskError, decode, encode};
pub use refusal::Refusal;

/// Bits of a backend's id that are its place in the data plane's table; those above tell incarnations apart.
pub const SLOT_BITS: u32 = 14;

/// Whether a message of a stream is the first one, which holds everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first message of a stream.
    Whole,
    /// One of those that follow: the pools that changed.
    Changes,
}
