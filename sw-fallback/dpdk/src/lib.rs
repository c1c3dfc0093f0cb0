//! Pipelines in DPDK's software switch, SWX: a SmartNIC-class data plane that runs anywhere.
//!
//! [`spec`] reads the programs and is there always; the rest is behind the feature `dpdk`, which links libdpdk.
//!
//! ```text
//! let mut plane = DpdkPlane::load(&verified, &program, 1)?;
//! plane.write(&tables.check(&entry)?, WriteKind::Insert)?;
//! let out = plane.process(port, tick, frame);
//! ```

#[cfg(feature = "dpdk")]
mod error;
#[cfg(feature = "dpdk")]
mod held;
#[cfg(feature = "dpdk")]
mod layout;
#[cfg(feature = "dpdk")]
mod plane;
pub mod spec;
#[cfg(feature = "dpdk")]
mod sys;

#[cfg(feature = "dpdk")]
pub use error::DpdkError;
#[cfg(feature = "dpdk")]
pub use plane::DpdkPlane;
#[cfg(feature = "dpdk")]
pub use sys::start;
