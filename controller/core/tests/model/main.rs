//! The state: what commands do to it, and what they are refused for.
#![allow(clippy::unwrap_used)]

mod adopt;
mod clock;
mod ids;
mod lab;
mod random;
mod refused;
mod states;
