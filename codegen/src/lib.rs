//! Fits a verified pipeline to a target and emits its artefacts.

pub mod artifacts;
#[cfg(feature = "rust")]
#[path = "rust/bindings.rs"]
pub mod bindings;
pub mod fit;
#[cfg(feature = "rust")]
pub mod rust;

pub use artifacts::Artifacts;
#[cfg(feature = "p4")]
pub mod p4;
#[cfg(feature = "xdp")]
mod text;
#[cfg(feature = "xdp")]
pub mod ways;
#[cfg(feature = "xdp")]
pub mod xdp;

pub use fit::{Fitted, fit};
