//! The entry files that the demo gives to `guideway switch`: what goes to whom.
//!
//! Everything that depends on the tables of the built-in `l4lb` and `decap` pipelines is in this file.

use crate::lab::{BACKENDS, LB, MTU, Plan, VIP_PORT, VIP4, VIP6};
use anyhow::{Context, Result};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use toml::{Table, Value};

/// Weight of each backend, in the order of [`BACKENDS`].
pub const WEIGHTS: [u32; 4] = [100, 100, 100, 50];
/// Flags of a VIP: answer pings (2), tell clients when a packet is too big (4).
const FLAGS: u8 = 2 | 4;
/// Added to a backend's number for the id that IPv6 traffic knows it by.
const V6_IDS: u32 = 8;

/// One table entry.
#[derive(Debug, Serialize)]
struct Entry {
    table: &'static str,
    key: Table,
    action: &'static str,
    #[serde(skip_serializing_if = "Table::is_empty")]
    params: Table,
}

/// One pool's ring, computed by the switch.
#[derive(Debug, Serialize)]
struct Ring {
    ring: &'static str,
    pool: u16,
    generation: u32,
    backends: Vec<u32>,
    weights: Vec<u32>,
}

/// An entry file.
#[derive(Debug, Serialize)]
pub struct Entries {
    entry: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ring: Vec<Ring>,
}

impl Entries {
    /// The file's text.
    ///
    /// # Errors
    /// Never for what this module makes.
    pub fn text(&self) -> Result<String> {
        toml::to_string(self).context("writing the entries as TOML")
    }
}

/// The backend's index behind `id` in the load balancer's tables; none for an id that is no demo's.
#[must_use]
pub fn backend_of(id: u32) -> Option<usize> {
    let index = (id & 0x3fff) % V6_IDS;
    usize::try_from(index).ok().filter(|index| *index < BACKENDS.len())
}

/// The VIPs by their number in the tables.
pub const VIPS: [(u16, IpAddr); 2] = [(1, IpAddr::V4(VIP4)), (2, IpAddr::V6(VIP6))];

/// The load balancer's entries, with every backend but those named in `without`.
#[must_use]
pub fn load_balancer(plan: &Plan, generation: u32, without: &[&str]) -> Entries {
    let mut entry = vips();
    let mut ring = Vec::new();
    for (pool, family) in [(1, 0), (2, V6_IDS)] {
        let (mut backends, mut weights) = (Vec::new(), Vec::new());
        for ((name, weight), slot) in BACKENDS.iter().zip(WEIGHTS).zip(0..) {
            if !without.contains(name) {
                // Incarnation 1 of this slot.
                let id = 1 << 14 | (slot + family);
                entry.push(backend(plan, name, id, family == V6_IDS || plan.v4_in_v6(name)));
                backends.push(id);
                weights.push(weight);
            }
        }
        ring.push(Ring { ring: "ring", pool, generation, backends, weights });
    }
    Entries { entry, ring }
}

fn vips() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, address) in VIPS {
        let (port, any, ping) = match address {
            IpAddr::V4(_) => ("vip4", "vip4_any", "icmp"),
            IpAddr::V6(_) => ("vip6", "vip6_any", "icmpv6"),
        };
        let number = i64::from(number);
        let params = table(&[
            ("vip", number.into()),
            ("pool", number.into()),
            ("hash_key", 0.into()),
            ("flags", i64::from(FLAGS).into()),
            ("class", 0.into()),
        ]);
        let dst = ("dst", Value::String(address.to_string()));
        let key = table(&[dst.clone(), ("protocol", "tcp".into()), ("dst_port", i64::from(VIP_PORT).into())]);
        entries.push(Entry { table: port, key, action: "set_vip", params: params.clone() });
        let key = table(&[dst, ("protocol", ping.into())]);
        entries.push(Entry { table: any, key, action: "set_vip", params });
    }
    entries
}

fn backend(plan: &Plan, name: &str, id: u32, outer_is_v6: bool) -> Entry {
    let (lb, node) = (plan.node(LB), plan.node(name));
    let (action, src, dst) = if outer_is_v6 {
        ("ipip6", lb.v6(2).to_string(), node.v6(2).to_string())
    } else {
        ("ipip4", lb.v4(2).to_string(), node.v4(2).to_string())
    };
    let params = table(&[
        ("src", src.into()),
        ("spread", 0.into()),
        ("dst", dst.into()),
        ("port", 1.into()),
        ("dst_mac", lb.router_mac().into()),
        ("src_mac", lb.mac().into()),
        ("mtu", i64::from(MTU).into()),
    ]);
    Entry { table: "backend", key: table(&[("backend", i64::from(id).into())]), action, params }
}

fn table(fields: &[(&str, Value)]) -> Table {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// A backend's entries: whose tunnels it opens, and for which VIPs.
#[must_use]
pub fn backend_node(plan: &Plan) -> Entries {
    let lb = plan.node(LB);
    let mut entry = Vec::new();
    let mut add = |name, field: &str, value: String, action| {
        let key = table(&[(field, value.into())]);
        entry.push(Entry { table: name, key, action, params: Table::new() });
    };
    let prefix = |address: &dyn std::fmt::Display, bits: u8| format!("{address}/{bits}");
    add("outer4", "src", prefix(&lb.v4(2), Ipv4Addr::BITS as u8), "allow");
    add("outer6", "src", prefix(&lb.v6(2), Ipv6Addr::BITS as u8), "allow");
    add("served4", "dst", VIP4.to_string(), "serve");
    add("served6", "dst", VIP6.to_string(), "serve");
    Entries { entry, ring: Vec::new() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_pipelines_take_the_files() {
        let check = |source: &str, entries: &Entries, rings: usize| {
            let p = pipeline_syntax::compile_source("built-in", source, &[]).unwrap();
            let wanted = pipeline_entries::parse("demo.toml", &entries.text().unwrap(), &p).unwrap();
            assert_eq!((wanted.entries.len(), wanted.rings.len()), (entries.entry.len(), rings));
        };
        let plan = Plan::default();
        let l4lb = include_str!("../../../pipeline/pipelines/l4lb.rs");
        check(l4lb, &load_balancer(&plan, 1, &[]), 2);
        check(l4lb, &load_balancer(&plan, 2, &["b2"]), 2);
        check(include_str!("../../../pipeline/pipelines/decap.rs"), &backend_node(&plan), 0);
    }

    #[test]
    fn a_backend_that_leaves_is_in_neither_table_nor_ring() {
        let plan = Plan::default();
        let file: Table = load_balancer(&plan, 2, &["b2"]).text().unwrap().parse().unwrap();
        for ring in file["ring"].as_array().unwrap() {
            assert_eq!(ring["generation"].as_integer(), Some(2));
            let ids: Vec<u32> = ring["backends"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_integer().unwrap() as u32)
                .collect();
            let indices: Vec<usize> = ids.iter().filter_map(|id| backend_of(*id)).collect();
            assert_eq!(indices, [0, 2, 3]);
        }
        let text = load_balancer(&plan, 1, &[]).text().unwrap();
        let b2 = plan.node("b2").v4(2).to_string();
        assert!(text.contains(&b2) && !file.to_string().contains(&b2));
    }

    #[test]
    fn v4_reaches_b4_in_v6() {
        let plan = Plan::default();
        assert_eq!(backend(&plan, "b4", 1, true).action, "ipip6");
        let text = load_balancer(&plan, 1, &[]).text().unwrap();
        assert_eq!(text.matches("\"ipip4\"").count(), 3);
        assert_eq!(text.matches("\"ipip6\"").count(), 5);
    }

    #[test]
    fn backends_open_the_load_balancers_tunnels_only() {
        let text = backend_node(&Plan::default()).text().unwrap();
        assert!(text.contains("10.10.1.2/32") && text.contains("203.0.113.10") && !text.contains("ring"));
    }
}
