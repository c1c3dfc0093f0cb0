//! Fits a verified pipeline to a target and emits its artefacts.

pub mod artifacts;
#[cfg(feature = "rust")]
#[path = "rust/bindings.rs"]
pub mod bindings;
pub mod fit;
#[cfg(feature = "rust")]
pub mod rust;

pub use artifacts::Artifacts;
pub mod off;
#[cfg(feature = "p4")]
pub mod p4;
#[cfg(feature = "p4")]
pub mod steps;
#[cfg(feature = "p4")]
pub mod swx;
#[cfg(any(feature = "xdp", feature = "p4"))]
#[cfg_attr(not(feature = "xdp"), expect(dead_code, reason = "some of it is for C only"))]
mod text;
pub mod ways;
#[cfg(feature = "xdp")]
pub mod xdp;

pub use fit::{Fitted, fit};

/// What is emitted for a target, by the architecture that its file names; `None`: no emitter writes for it.
#[cfg(all(feature = "p4", feature = "xdp", feature = "rust"))]
#[must_use]
pub fn emit(fitted: &Fitted) -> Option<Artifacts> {
    let arch = fitted.target().arch.as_str();
    match EMITTERS.iter().find(|(name, _)| *name == arch) {
        Some((_, emit)) => Some(emit(fitted)),
        None => p4::writes(arch).then(|| p4::emit(fitted)),
    }
}

#[cfg(all(feature = "p4", feature = "xdp", feature = "rust"))]
type Emitter = fn(&Fitted) -> Artifacts;

/// Emitters of one architecture each.
#[cfg(all(feature = "p4", feature = "xdp", feature = "rust"))]
const EMITTERS: [(&str, Emitter); 3] = [("rust", rust::emit), ("swx", swx::emit), ("xdp", xdp::emit)];
