//! Controllers over a registry in memory, spoken to by gRPC.
#![allow(clippy::unwrap_used)]

mod adopt;
mod drain;
mod health;
mod lab;
mod leaders;
mod overload;
mod watch;
