//! The XDP data plane: an object loaded into the kernel, its maps written by `xdp_layout`, its program on interfaces.
//!
//! [`XdpPlane::load`] asks the kernel what it can do, adopts what is pinned, makes the maps and lets the verifier
//! look at the program; no interface is touched. Entries are written then, so that the first packet finds them, and
//! [`XdpPlane::attach`] puts the program on every interface or on none, in place of the one before it without a gap.
//! What is pinned outlives this process: traffic goes on, and the next start adopts entries, flows and counts.

pub mod attach;
pub mod clang;
pub mod early;
mod elf;
mod encode;
pub mod error;
mod flows;
mod grace;
mod holder;
mod image;
mod inside;
mod load;
mod pins;
mod plane;
mod probe;
mod renew;
mod ring;
mod search;
mod seed;
mod sys;
mod table;
mod test_run;
mod verifier;

pub use attach::Port;
pub use error::XdpError;
pub use inside::Inside;
pub use plane::XdpPlane;
pub use sys::bpf_calls;
pub use test_run::{FRAME_BYTES, PROLOGUE, Runner};

use pipeline_ir::entry::CheckedEntry;
use std::path::PathBuf;

/// How a program is loaded.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where packets come and go.
    pub ports: Vec<Port>,
    /// Where to pin; without it, everything ends with this process.
    pub pin_dir: Option<PathBuf>,
    /// Adopt nothing of what is pinned.
    pub flush: bool,
    /// Adopt flows and counts only: tables and rings begin empty, in maps of their own.
    pub empty: bool,
    /// For [`TestPlane`](crate::plane::TestPlane): clock and ports are what a test says. Nothing is pinned then.
    pub testing: bool,
    /// The object of the prologue that runs before the program in tests; see [`PROLOGUE`].
    pub prologue: Option<Vec<u8>>,
    /// Entries that are going to be written, so that the hash seeds of exact tables suit them.
    pub entries: Vec<CheckedEntry>,
}

/// The folder of a pipeline on an interface, unless the user chooses another.
#[must_use]
pub fn default_pin_dir(pipeline: &str, interface: &str) -> PathBuf {
    let interface = interface.replace('%', "%25").replace('.', "%2E");
    PathBuf::from(format!("/sys/fs/bpf/guideway/{pipeline}-{interface}"))
}
