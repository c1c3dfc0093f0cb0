//! Probes through the VIP: a SYN to the VIP, encapsulated to one backend as the load balancer does it. A backend that decapsulates
//! and has the VIP answers straight to the checker, from the VIP. One that has not is silent, however well it answers on its
//! own address.
//!
//! What the checker sends: `outer(checker → backend) | inner(checker → VIP) | SYN`, then, once the answer is there, an
//! encapsulated RST, so that the backend keeps no half-open connection. The checker's own stack sees an answer that it
//! never asked for and resets it too, by the way a client's packet takes. IPv4 in IPv4, IPv6 in IPv6, IPv4 in IPv6. A
//! backend's allow-list must have the checker's address: packets come from there, not from a load balancer.

mod packet;
mod raw;

pub use packet::{Answer, Reply, parse};
pub use raw::Through;
