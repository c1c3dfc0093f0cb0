//! What the emitted XDP program of `l4lb` costs. `docs/bench.md` says how it is measured and how to read it.

pub mod ceilings;
pub mod compile;
pub mod count;
pub mod frames;
pub mod interp;
pub mod programs;
pub mod report;
pub mod scenario;
pub mod setup;
pub mod sys;
pub mod times;
