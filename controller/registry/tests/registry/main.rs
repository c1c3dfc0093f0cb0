//! Every registry keeps the same promises ([`conformance`]), also when its process is killed.
//!
//! Those over etcd start Debian's `etcd` on loopback. Where there is none, they say that they are skipped; with `etcd` in
//! `GUIDEWAY_REQUIRE` they fail.
#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod authority;
mod child;
mod cluster;
mod conformance;
mod etcd;
mod faults;
mod file;
mod kill;
