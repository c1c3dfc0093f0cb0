//! Fits a verified pipeline to a target and emits its artefacts.

pub mod artifacts;
pub mod fit;

pub use artifacts::Artifacts;
pub use fit::{Fitted, fit};
