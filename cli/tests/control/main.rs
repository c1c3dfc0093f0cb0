//! `guideway controller` and `guideway ctl`, as processes.
#![allow(clippy::unwrap_used)]

mod lab;
mod refused;
mod story;
