//! DPDK: all that is `unsafe` is in here.
#![allow(unsafe_code)]

mod build;
mod eal;
mod ffi;
mod hash;
mod pipeline;
mod ports;

pub use eal::start;
pub(crate) use pipeline::{Entry, Gone, Pipeline};
