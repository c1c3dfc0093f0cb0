//! A fleet of `guideway` processes: controllers, checkers, agents and switches, in a network of the test's own. One of them
//! fails, or what they stand on; packets go on through the data plane meanwhile, and nothing that was accepted is lost.
//!
//! Needs root; without it each test says that it is skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`. What stands on
//! etcd says so where there is none, unless `GUIDEWAY_REQUIRE` has the word `etcd`; the same with BMv2 and `bmv2`.
#![allow(clippy::unwrap_used)]

mod agents;
#[path = "../../../controller/registry/tests/registry/authority.rs"]
#[allow(dead_code, reason = "shared with the registry's tests")]
mod authority;
mod bmv2;
mod checkers;
mod clocks;
#[path = "../../../controller/registry/tests/registry/cluster.rs"]
#[allow(dead_code, reason = "shared with the registry's tests")]
mod cluster;
mod controllers;
mod etcd;
mod lab;
mod lost;
mod tls;
mod xdp;
