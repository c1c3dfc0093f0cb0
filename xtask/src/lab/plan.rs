//! Who is who in the lab: nodes, addresses, routes and kernel settings, as plain data and text.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// MTU of every link, in bytes.
pub const MTU: u16 = 1500;
/// The IPv4 VIP.
pub const VIP4: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The IPv6 VIP.
pub const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xcafe, 0, 0, 0, 0, 0x10);
/// The VIP's TCP port.
pub const VIP_PORT: u16 = 80;
/// The nodes with a load balancer; the router shares flows out among them.
pub const LBS: [&str; 2] = ["lb1", "lb2"];
/// The node with the controller and the checkers.
pub const CTL: &str = "ctl";
/// The backends.
pub const BACKENDS: [&str; 4] = ["b1", "b2", "b3", "b4"];
/// The clients: IPv4, IPv6, and one (both) to which backends do not announce the smaller MSS.
pub const CLIENTS: [&str; 3] = ["c4", "c6", "mss"];
/// The router.
pub const ROUTER: &str = "router";

/// How many addresses a client has in each of its families.
const CLIENT_ADDRESSES: u16 = 4;

/// A node on the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// The number of its network, 1 to 99: `10.10.N.0/24` and `2001:db8:N::/64`.
    pub number: u16,
}

impl Node {
    /// Its `host`-th IPv4 address (1 is the router's).
    #[must_use]
    pub fn v4(&self, host: u16) -> Ipv4Addr {
        let byte = |n: u16| u8::try_from(n).unwrap_or(u8::MAX);
        Ipv4Addr::new(10, 10, byte(self.number), byte(host))
    }

    /// Its `host`-th IPv6 address (1 is the router's).
    #[must_use]
    pub fn v6(&self, host: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, self.number, 0, 0, 0, 0, host)
    }

    /// The MAC of its interface `eth0`.
    #[must_use]
    pub fn mac(&self) -> String {
        format!("02:67:77:00:{:02x}:02", self.number)
    }

    /// The MAC of the router's interface towards it.
    #[must_use]
    pub fn router_mac(&self) -> String {
        format!("02:67:77:00:{:02x}:01", self.number)
    }

    /// The addresses it opens connections from.
    #[must_use]
    pub fn sources(&self) -> Vec<IpAddr> {
        let hosts = 2..2 + CLIENT_ADDRESSES;
        match self.name {
            "c4" => hosts.map(|h| self.v4(h).into()).collect(),
            "c6" => hosts.map(|h| self.v6(h).into()).collect(),
            _ => vec![self.v4(2).into(), self.v6(2).into()],
        }
    }
}

/// The whole lab.
#[derive(Clone, Debug)]
pub struct Plan {
    nodes: Vec<Node>,
}

impl Default for Plan {
    fn default() -> Self {
        let numbered = |names: &[&'static str], first: u16| -> Vec<Node> {
            names.iter().zip(first..).map(|(&name, number)| Node { name, number }).collect()
        };
        let mut nodes = numbered(&LBS, 1);
        nodes.push(Node { name: CTL, number: 3 });
        nodes.extend(numbered(&CLIENTS, 4));
        nodes.extend(numbered(&BACKENDS, 11));
        Self { nodes }
    }
}

impl Plan {
    /// The node of that name; the first load balancer's for an unknown one.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        self.nodes.iter().find(|node| node.name == name).copied().unwrap_or(self.nodes[0])
    }

    /// Every namespace, the router first.
    pub(super) fn names(&self) -> Vec<&'static str> {
        std::iter::once(ROUTER).chain(self.nodes.iter().map(|node| node.name)).collect()
    }

    /// The interfaces of node `name`: `eth0`, on the router one per node, named after it.
    pub(super) fn interfaces(&self, name: &str) -> Vec<String> {
        if name == ROUTER {
            self.nodes.iter().map(|node| node.name.to_owned()).collect()
        } else {
            vec!["eth0".into()]
        }
    }

    /// The `ip` commands that make every link, run on the host.
    pub(super) fn links(&self, tag: &str) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let Node { name, .. } = node;
            let (mac, far) = (node.mac(), node.router_mac());
            // Writing to a String can't fail.
            let _ok = writeln!(
                text,
                "link add eth0 netns {tag}-{name} mtu {MTU} address {mac} numrxqueues 2 numtxqueues 2 type veth \
                 peer name {name} netns {tag}-{ROUTER} mtu {MTU} address {far} numrxqueues 2 numtxqueues 2"
            );
        }
        text
    }

    /// The `ip` commands, run inside node `name`, that give it addresses and routes. Run again, they bring back what a
    /// link takes along that goes down.
    pub(super) fn addresses(&self, name: &str) -> String {
        let mut lines = vec!["link set lo up".to_owned()];
        if name == ROUTER {
            lines.extend(self.nodes.iter().flat_map(|node| {
                let (v4, v6, name) = (node.v4(1), node.v6(1), node.name);
                [
                    format!("link set {name} up"),
                    format!("addr replace {v4}/24 dev {name}"),
                    format!("addr replace {v6}/64 dev {name} nodad"),
                ]
            }));
            let hops = |address: &dyn Fn(Node) -> String| -> String {
                LBS.iter().map(|name| format!(" nexthop via {}", address(self.node(name)))).collect()
            };
            lines.push(format!("route replace {VIP4}/32{}", hops(&|node| node.v4(2).to_string())));
            lines.push(format!("route replace {VIP6}/128{}", hops(&|node| node.v6(2).to_string())));
        } else {
            lines.extend(self.end_node(self.node(name)));
        }
        lines.join("\n") + "\n"
    }

    fn end_node(&self, node: Node) -> Vec<String> {
        let mut lines = vec!["link set eth0 up".to_owned()];
        let hosts = if CLIENTS.contains(&node.name) { 2..2 + CLIENT_ADDRESSES } else { 2..3 };
        for host in hosts {
            lines.push(format!("addr replace {}/24 dev eth0", node.v4(host)));
            lines.push(format!("addr replace {}/64 dev eth0 nodad", node.v6(host)));
        }
        let (v4, v6) = (node.v4(1), node.v6(1));
        if BACKENDS.contains(&node.name) {
            let (mss4, mss6) = (self.mss4(node.name), MTU - 40 - 60);
            let mss = self.node("mss");
            lines.extend([
                format!("addr replace {VIP4}/32 dev lo"),
                format!("addr replace {VIP6}/128 dev lo nodad"),
                format!("route replace default via {v4} advmss {mss4}"),
                format!("route replace ::/0 via {v6} advmss {mss6}"),
                // Nobody tells the client `mss` to leave room: its segments come full-sized.
                format!("route replace {}/24 via {v4}", mss.v4(0)),
                format!("route replace {}/64 via {v6}", mss.v6(0)),
            ]);
        } else {
            lines.extend([format!("route replace default via {v4}"), format!("route replace ::/0 via {v6}")]);
        }
        lines
    }

    /// True when IPv4 traffic reaches backend `name` in IPv6.
    #[must_use]
    pub fn v4_in_v6(&self, name: &str) -> bool {
        name == "b4"
    }

    /// What backend `name` advertises as MSS to IPv4 clients: link less outer, inner and TCP headers.
    fn mss4(&self, name: &str) -> u16 {
        let outer = if self.v4_in_v6(name) { 40 } else { 20 };
        MTU - outer - 40
    }

    /// Kernel settings of node `name`, `(path below /proc/sys/net, value)`.
    pub(super) fn settings(&self, name: &str) -> Vec<(String, &'static str)> {
        let mut settings = Vec::new();
        for scope in ["all", "default"] {
            settings.push((format!("ipv6/conf/{scope}/disable_ipv6"), "0"));
            settings.push((format!("ipv6/conf/{scope}/accept_ra"), "0"));
            settings.push((format!("ipv6/conf/{scope}/accept_dad"), "0"));
            // Answers come from backends, requests go to the load balancer: no path is symmetric.
            settings.push((format!("ipv4/conf/{scope}/rp_filter"), "0"));
            if name == ROUTER {
                // What goes to a node whose link is down goes to the other one.
                settings.push((format!("ipv4/conf/{scope}/ignore_routes_with_linkdown"), "1"));
                settings.push((format!("ipv6/conf/{scope}/ignore_routes_with_linkdown"), "1"));
            }
            if BACKENDS.contains(&name) {
                settings.push((format!("ipv4/conf/{scope}/arp_ignore"), "1"));
                settings.push((format!("ipv4/conf/{scope}/arp_announce"), "2"));
            }
        }
        // Path MTU is learned from the load balancer's ICMP alone, and nothing is remembered per peer.
        settings.push(("ipv4/tcp_mtu_probing".into(), "0"));
        settings.push(("ipv4/tcp_no_metrics_save".into(), "1"));
        // A new namespace may start with its maker's forwarding. Elsewhere it would send packets out a second time:
        // on native, the host's stack hears what the switch does.
        let forwards = if name == ROUTER { "1" } else { "0" };
        settings.push(("ipv4/ip_forward".into(), forwards));
        settings.push(("ipv6/conf/all/forwarding".into(), forwards));
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_address_is_unique() {
        let plan = Plan::default();
        let numbers: BTreeSet<u16> = plan.nodes.iter().map(|node| node.number).collect();
        assert_eq!(numbers.len(), plan.nodes.len());
        assert_eq!(plan.nodes.len(), LBS.len() + 1 + CLIENTS.len() + BACKENDS.len());
    }

    #[test]
    fn advertised_mss_leaves_room_for_the_outer_header() {
        let plan = Plan::default();
        for (backend, mss) in [("b1", 1440), ("b4", 1420)] {
            let text = plan.addresses(backend);
            assert!(text.contains(&format!(
                "route replace default via 10.10.{}.1 advmss {mss}",
                plan.node(backend).number
            )));
            assert!(text.contains("advmss 1400"), "{text}");
            assert!(
                text.contains("route replace 10.10.6.0/24 via")
                    && !text.contains("10.10.6.0/24 via 10.10.11.1 advmss")
            );
        }
    }

    #[test]
    fn only_the_router_knows_the_ways_to_the_vip() {
        let plan = Plan::default();
        let text = plan.addresses(ROUTER);
        assert!(
            text.contains("route replace 203.0.113.10/32 nexthop via 10.10.1.2 nexthop via 10.10.2.2"),
            "{text}"
        );
        assert!(!plan.addresses("c4").contains("203.0.113.10"));
        assert!(!plan.links("t").contains("dev lo"));
    }
}
