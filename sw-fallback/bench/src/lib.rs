//! What the emitted XDP program of `l4lb` costs. `docs/bench.md` says how it is measured and how to read it.

pub mod ceilings;
pub mod count;
pub mod frames;
pub mod interp;
pub mod scenario;
pub mod setup;
