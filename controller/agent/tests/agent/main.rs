//! Agents between a controller and a data plane: the controller is a fake that says what a test wants, the data plane is our
//! P4Runtime server over the native l4lb, and what becomes of packets is seen in it.
#![allow(clippy::unwrap_used)]

mod audit;
mod bad;
mod changes;
mod common;
mod faults;
mod halves;
mod http;
mod servers;
