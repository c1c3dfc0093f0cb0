//! Runs pipelines in software: XDP in the kernel, native in process.

pub mod plane;
pub mod xdp;
