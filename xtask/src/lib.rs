//! Demo, tests, benches and checks of the workspace: the library behind `cargo xtask`.
//!
//! It depends on no other crate of this workspace: what it runs, it runs as a user would, through the
//! `guideway` binary and `cargo`. So a broken crate never keeps `cargo xtask` from building.
//!
//! - [`needs`] checks the machine's tools and installs those that are missing.
//! - [`tasks`] holds the small commands: `test`, `bless`, `judge`, `bench`, `ci`.
//! - [`tidy`] checks the workspace's invariants that no compiler checks.
//! - [`lab`] builds a network of namespaces, veth links and a kernel router, and takes it down.
//! - [`http`] is the small HTTP/1.1 server and client whose TCP sockets are the demo's traffic.
//! - [`demo`] puts them together: real connections, balanced by generated code.

pub mod demo;
pub mod http;
pub mod lab;
pub mod needs;
pub mod run;
pub mod sys;
pub mod tasks;
pub mod tidy;
