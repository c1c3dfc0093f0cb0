//! Pipelines in DPDK's software switch, SWX: a SmartNIC-class data plane that runs anywhere.
//!
//! [`spec`] reads the programs and is there always; the rest is behind the feature `dpdk`, which links libdpdk.
//!
//! ```text
//! let mut plane = DpdkPlane::load(&verified, &program, 1)?;
//! plane.write(&tables.check(&entry)?, WriteKind::Insert)?;
//! let out = plane.process(port, tick, frame);
//! ```
//!
//! `Running` puts it to work on devices: one thread for all ports.

#[cfg(feature = "dpdk")]
mod error;
#[cfg(feature = "dpdk")]
mod held;
#[cfg(feature = "dpdk")]
mod layout;
#[cfg(feature = "dpdk")]
mod maker;
#[cfg(feature = "dpdk")]
mod plane;
#[cfg(feature = "dpdk")]
mod rings;
#[cfg(feature = "dpdk")]
mod run;
#[cfg(feature = "dpdk")]
mod shared;
pub mod spec;
#[cfg(feature = "dpdk")]
mod sys;
#[cfg(feature = "dpdk")]
mod worker;

#[cfg(feature = "dpdk")]
pub use error::DpdkError;
#[cfg(feature = "dpdk")]
pub use plane::{DpdkPlane, MEGABYTES};
#[cfg(feature = "dpdk")]
pub use run::Running;
#[cfg(feature = "dpdk")]
pub use shared::SharedPlane;
#[cfg(feature = "dpdk")]
pub use sys::start;
