//! What P4Runtime costs: our server with our client, and our client with BMv2. `docs/bench.md` says how it is measured.

pub mod bmv2;
pub mod entries;
pub mod judge;
pub mod lab;
pub mod swap;
pub mod sys;
pub mod traffic;
pub mod writes;
