//! Entry files: what the control plane would write, as TOML or JSON.
//!
//! ```toml
//! [[entry]]
//! table = "vip4"
//! key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
//! action = "set_vip"
//! params = { vip = 1, pool = 1, hash_key = 0, flags = 6, class = 0 }
//!
//! [[ring]]                      # the slots are computed from the weights
//! ring = "ring"                 # may be left out where the pipeline has one
//! pool = 1
//! generation = 1                # 1 if left out
//! backends = [16384, 16385]
//! weights = [100, 50]           # all the same if left out
//! ```
//!
//! A value is a number or [text](value): an address, a MAC, `0x..`, a protocol's name; in a key also `10.0.0.0/8`,
//! `10.0.0.0 & 0xff0000ff`, `80..=443`. `priority` belongs to tables with ternary, range or optional fields.

mod faults;
mod file;
mod node;
pub mod value;

pub use faults::{Fault, Faults};
pub use file::{RingSpec, Wanted, entry, parse, read};
pub use node::{Kind, Node};
