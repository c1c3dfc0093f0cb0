//! The server as a client sees it: real calls over a loopback socket, a native plane behind. Rules are named after the
//! specification's sections.
#![allow(clippy::unwrap_used)]

mod arbitration;
mod common;
mod config;
mod flows;
mod idle;
mod mutations;
mod packets;
mod read;
mod rings;
mod silent;
mod stream;
mod tls;
mod unix;
mod write;
