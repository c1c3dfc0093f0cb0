//! The pipelines that come with Guideway: as source, and as the macro expands them.

#[rustfmt::skip] // generated text cites their lines
#[path = "../pipelines/decap.rs"]
mod decap_rs;
#[rustfmt::skip]
#[path = "../pipelines/l4lb.rs"]
mod l4lb_rs;

pub use decap_rs::decap;
pub use l4lb_rs::l4lb;

/// A layer-4 load balancer: IPv4 and IPv6, TCP and UDP, flow affinity, Maglev rings, IPIP.
pub const L4LB: &str = include_str!("../pipelines/l4lb.rs");
/// What a backend runs: takes the load balancer's outer header off.
pub const DECAP: &str = include_str!("../pipelines/decap.rs");
/// Each with its name.
pub const ALL: [(&str, &str); 2] = [("l4lb", L4LB), ("decap", DECAP)];
