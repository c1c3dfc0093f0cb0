//! Every registry keeps the same promises ([`conformance`]), also when its process is killed.
#![allow(clippy::unwrap_used, missing_docs)]

mod conformance;
mod file;
mod kill;
