//! Runs pipelines in software: XDP in the kernel, native in process.

pub mod devices;
pub mod native;
pub mod plane;
pub mod punt;
#[cfg(feature = "xdp")]
pub mod xdp;
