//! What the demo's operator wants, as `guideway ctl apply` reads it.

use crate::lab::{BACKENDS, Plan, VIP_PORT, VIP4, VIP6};
use std::fmt::Write;
use std::net::IpAddr;

/// Weight of each backend, in the order of [`BACKENDS`].
pub const WEIGHTS: [u32; 4] = [100, 100, 100, 50];
/// A pool for each VIP: IPv6 packets reach IPv6 addresses only.
pub const POOLS: [(&str, IpAddr); 2] = [("web4", IpAddr::V4(VIP4)), ("web6", IpAddr::V6(VIP6))];

/// Where a backend's packets and probes go: its address in the pool of `vip`.
fn address(plan: &Plan, backend: &str, vip: IpAddr) -> IpAddr {
    let node = plan.node(backend);
    if vip.is_ipv6() || plan.v4_in_v6(backend) { node.v6(2).into() } else { node.v4(2).into() }
}

/// The file. Backends are alive when they take a TCP connection, and ready when their page is there. The VIPs have the class of
/// the shortest time-outs (a flow that has been closed is forgotten after 10 s), so that a drain needn't take a minute.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let mut text = "pools:\n".to_owned();
    for (pool, vip) in POOLS {
        let at = if vip.is_ipv6() { format!("[{vip}]") } else { vip.to_string() };
        // Writing to a String can't fail.
        let _ok = writeln!(
            text,
            "  {pool}:\n    liveness: tcp\n    readiness: http:///\n    vips:\n      - {{vip: \"{at}:{VIP_PORT}/tcp\", \
             echo: true, too_big: true, timeout_class: 2}}\n    backends:"
        );
        for (name, weight) in BACKENDS.iter().zip(WEIGHTS) {
            let address = address(plan, name, vip);
            let _ok = writeln!(
                text,
                "      {name}: {{address: \"{address}\", port: {VIP_PORT}, weight: {weight}}}"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_is_in_both_pools() {
        let text = text(&Plan::default());
        assert_eq!(text.matches("weight").count(), POOLS.len() * BACKENDS.len());
        // IPv4 reaches b4 in IPv6.
        assert_eq!(text.matches("2001:db8:").count(), BACKENDS.len() + 2);
        assert!(text.contains("vip: \"[2001:db8:cafe::10]:80/tcp\""), "{text}");
        assert!(text.contains("b2: {address: \"10.10.12.2\", port: 80, weight: 100}"), "{text}");
    }
}
