//! Probes through the VIP: a connection to the VIP, in packets that are encapsulated to one backend as the load balancer does it.
//! A backend that decapsulates and has the VIP answers straight to the checker, from the VIP. One that has not is silent,
//! however well it answers on its own address.
//!
//! What the checker sends: `outer(checker → backend) | inner(checker → VIP) | TCP`; IPv4 in IPv4, IPv6 in IPv6, IPv4 in IPv6. A
//! backend's allow-list must have the checker's address: packets come from there, not from a load balancer. The host's own TCP
//! can't send that way without routes for each backend, so the connection is kept here (`Stream`), over raw sockets; its
//! port has a socket whose filter drops everything, so that the host's TCP resets nothing.

mod connection;
#[cfg(test)]
mod connection_tests;
mod packet;
mod raw;
mod stream;

pub use packet::{Segment, parse};
pub use raw::Through;
pub(crate) use stream::Stream;
