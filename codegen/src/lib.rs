//! Fits a verified pipeline to a target and emits its artefacts.

pub mod artifacts;
pub mod fit;

pub use artifacts::Artifacts;
#[cfg(any(feature = "xdp", feature = "p4"))]
mod text;
#[cfg(feature = "xdp")]
pub mod xdp;

pub use fit::{Fitted, fit};
