//! Probes backends, liveness apart from readiness, and reports what it saw to the controller.
//!
//! - [`target`]: what is probed, and how. [`probe`]: one probe. [`vip`]: one through the VIP.
//! - [`board`]: what was found, and what of it is to be told now.
//! - [`workers`]: when each probe is made. [`Checker`]: the streams to the controller.
//!
//! A checker decides nothing: it says what its own last probe found and how often in a row. What that means with the
//! others' reports is the controller's to say.

pub mod board;
pub mod files;
mod link;
pub mod probe;
mod session;
pub mod target;
pub mod vip;
pub mod workers;

pub use link::{Checker, Dial, Options, Probed, Stopped};
