//! What generated Rust stands on: packets, tables, hashes, checksums, flow tables, rings, counters.
//!
//! A generated pipeline is a struct of these parts with one method, `process`. It allocates nothing per packet. One
//! such struct serves one thread; threads share flow tables and limiters, whose words are atomic, and have tables,
//! rings and counters each of their own.
#![no_std]

extern crate alloc;

pub mod bits;
pub mod checksum;
pub mod counter;
pub mod flow;
pub mod hash;
pub mod limiter;
pub mod packet;
pub mod program;
pub mod ring;
pub mod table;

pub use bits::{Bits, get, put, shl, shr};
pub use checksum::{Sum, adjust};
pub use counter::Counter;
pub use flow::{Cursor, Flows, Limits};
pub use hash::{crc32, half_sip_hash};
pub use limiter::Limiter;
pub use packet::{Context, NOWHERE, Packet, Parser, Verdict};
pub use program::Program;
pub use ring::{Ring, Selected};
pub use table::{Action, Exact, Key, Linear, Lpm, Slots, Table};
