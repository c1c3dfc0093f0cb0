//! Metrics in Prometheus' text form.
//!
//! Most are the data plane's own counters, read when they are asked for, so there is nothing to register and nothing to
//! forget; the text is written here.

use crate::layout::Layout;
use crate::plane::Counts;
use crate::status::{BUCKETS, Facts, unix_ms};
use control_core::node::Desired;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Writes metrics.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _infallible = write!(self.0, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _infallible = writeln!(self.0, "{end} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.value(name, &[], value);
    }
}

/// All metrics. Without counts, those of the agent.
pub(crate) fn text(
    facts: &Facts,
    ready: bool,
    desired: &Desired,
    counted: Option<&(Layout, Counts)>,
) -> String {
    let mut out = Text::default();
    agent(&mut out, facts, ready, desired);
    if let Some((_, counts)) = counted {
        services(&mut out, desired, counts);
        backends(&mut out, facts, desired, counts);
        counters(&mut out, counts);
    }
    out.0
}

fn seconds_since(ms: u64) -> f64 {
    unix_ms().saturating_sub(ms) as f64 / 1e3
}

fn agent(out: &mut Text, facts: &Facts, ready: bool, desired: &Desired) {
    out.one("guideway_agent_ready", "gauge", "Whether traffic may be sent here.", u8::from(ready));
    let help = "Whether the data plane holds what is desired.";
    out.one("guideway_agent_synced", "gauge", help, u8::from(facts.synced));
    let connected = u8::from(facts.controller.is_some());
    out.one("guideway_agent_controller_connected", "gauge", "Whether a controller is watched.", connected);
    let help = "Version of the snapshot in force.";
    out.one("guideway_agent_snapshot_version", "gauge", help, facts.version);
    if facts.heard_ms > 0 {
        let age = if facts.controller.is_some() { 0.0 } else { seconds_since(facts.heard_ms) };
        let help = "Since when no controller confirms the snapshot.";
        out.one("guideway_agent_snapshot_age_seconds", "gauge", help, age);
    } else if desired.accepted_ms() > 0 {
        let help = "Since when no controller confirms the snapshot.";
        out.one("guideway_agent_snapshot_age_seconds", "gauge", help, seconds_since(desired.accepted_ms()));
    }
    let help = "Snapshots that were refused.";
    out.one("guideway_agent_snapshots_refused_total", "counter", help, facts.refused);
    let help = "Updates that the data plane took.";
    out.one("guideway_agent_updates_total", "counter", help, facts.updates);
    let help = "Entries that somebody else had changed, and that were repaired.";
    out.one("guideway_agent_foreign_changes_total", "counter", help, facts.foreign);
    let help = "VIPs of a family that the data plane has no tables for.";
    out.one("guideway_agent_vips_left_out", "gauge", help, facts.left_out.vips);
    let help = "Pools that no VIP in the data plane uses, left out with them.";
    out.one("guideway_agent_pools_left_out", "gauge", help, facts.left_out.pools);
    out.family("guideway_agent_alarm", "gauge", "What is wrong.");
    for about in facts.alarms.keys() {
        out.value("guideway_agent_alarm", &[("about", about)], 1);
    }
    out.family(
        "guideway_table_generation",
        "gauge",
        "Of the pool's table in force, as the controller counts.",
    );
    for (number, pool) in &facts.pools {
        out.value("guideway_table_generation", &[("pool", &name(desired, *number))], pool.generation);
    }
    out.family("guideway_table_age_seconds", "gauge", "Since when the pool's table is in force.");
    for (number, pool) in &facts.pools {
        let age = seconds_since(pool.since_ms);
        out.value("guideway_table_age_seconds", &[("pool", &name(desired, *number))], age);
    }
    let family = "guideway_push_latency_seconds";
    out.family(family, "histogram", "From the acceptance of a change to its flip here.");
    let mut sum = 0;
    for (bound, count) in BUCKETS.iter().zip(&facts.pushes) {
        sum += count;
        let bound = (*bound as f64 / 1e3).to_string();
        out.value(&format!("{family}_bucket"), &[("le", &bound)], sum);
    }
    let all: u64 = facts.pushes.iter().sum();
    out.value(&format!("{family}_bucket"), &[("le", "+Inf")], all);
    out.value(&format!("{family}_sum"), &[], facts.push_sum_ms / 1e3);
    out.value(&format!("{family}_count"), &[], all);
}

fn name(desired: &Desired, pool: u32) -> String {
    desired.pools().get(&pool).map_or_else(|| pool.to_string(), |p| p.name.clone())
}

/// What a metric takes of a VIP's counts.
type Value = fn(&crate::plane::ServiceCount) -> u64;

fn services(out: &mut Text, desired: &Desired, counts: &Counts) {
    let known: BTreeMap<(u128, u8, u16), &str> = desired
        .services()
        .iter()
        .map(|s| {
            let dst = match s.address {
                IpAddr::V4(a) => a.to_bits().into(),
                IpAddr::V6(a) => a.to_bits(),
            };
            let pool = desired.pools().get(&s.pool).map_or("", |p| p.name.as_str());
            ((dst, s.protocol, s.port), pool)
        })
        .collect();
    let metrics: [(&str, &str, Value); 2] = [
        ("guideway_vip_packets_total", "Packets to a VIP.", |s| s.count.packets),
        ("guideway_vip_bytes_total", "Bytes of frames to a VIP.", |s| s.count.bytes),
    ];
    for (metric, help, value) in metrics {
        out.family(metric, "counter", help);
        for s in &counts.services {
            let address = if s.table.starts_with("vip4") {
                IpAddr::V4((s.dst as u32).into()).to_string()
            } else {
                IpAddr::V6(s.dst.into()).to_string()
            };
            let protocol = match s.protocol {
                6 => "tcp",
                17 => "udp",
                _ => "icmp",
            };
            let port = s.port.map_or_else(|| "any".to_owned(), |p| p.to_string());
            let pool = known.get(&(s.dst, s.protocol, s.port.unwrap_or(0))).copied().unwrap_or("");
            let labels = [("vip", address.as_str()), ("protocol", protocol), ("port", &port), ("pool", pool)];
            out.value(metric, &labels, value(s));
        }
    }
}

fn backends(out: &mut Text, facts: &Facts, desired: &Desired, counts: &Counts) {
    let mut all = Vec::new();
    for pool in desired.pools().values() {
        all.extend(pool.backends.iter().map(|(id, b)| (*id, pool.name.as_str(), b.name.as_str())));
    }
    let mut family = |metric: &str, kind: &str, help: &str, value: &dyn Fn(u32) -> Option<u64>| {
        out.family(metric, kind, help);
        for (id, pool, backend) in &all {
            if let Some(value) = value(*id) {
                out.value(metric, &[("pool", pool), ("backend", backend)], value);
            }
        }
    };
    let count = |id: u32| counts.backends.get(&id);
    let help = "Packets sent to a backend.";
    family("guideway_backend_packets_total", "counter", help, &|id| count(id).map(|c| c.packets));
    let help = "Bytes of frames for a backend, as they came in.";
    family("guideway_backend_bytes_total", "counter", help, &|id| count(id).map(|c| c.bytes));
    let help = "ICMP errors about the tunnel to a backend.";
    let errors = |id: u32| facts.signals.get(&id).map(|signals| signals.seen);
    family("guideway_backend_icmp_errors_total", "counter", help, &errors);
    if let Some(flows) = &facts.flows {
        let help = "Flows that stay with a backend.";
        family("guideway_backend_active_flows", "gauge", help, &|id| {
            Some(flows.get(&id).copied().unwrap_or(0))
        });
    }
}

fn counters(out: &mut Text, counts: &Counts) {
    let dropped = |name: &str| name.strip_prefix("drop.").map(str::to_owned);
    out.family("guideway_drops_total", "counter", "Packets that were dropped, by reason.");
    for c in &counts.counters {
        if let Some(reason) = dropped(&c.counter) {
            out.value("guideway_drops_total", &[("reason", &reason)], c.packets);
        }
    }
    let what = [
        ("stored", "guideway_flows_stored_total", "Flows that a flow table took: new ones."),
        (
            "not_stored",
            "guideway_flows_not_stored_total",
            "Packets of flows that no table had room for: by the ring.",
        ),
    ];
    for (suffix, metric, help) in what {
        out.family(metric, "counter", help);
        for c in &counts.counters {
            if let Some((table, rest)) = c.counter.rsplit_once('.')
                && rest == suffix
            {
                out.value(metric, &[("table", table)], c.packets);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_histograms_add_up() {
        let mut out = Text::default();
        out.value("x", &[("a", "q\"\\\n")], 1);
        assert_eq!(out.0, "x{a=\"q\\\"\\\\\\n\"} 1\n");
        let mut facts = Facts { push_sum_ms: 3007.0, ..Facts::default() };
        (facts.pushes[1], facts.pushes[9]) = (1, 1);
        facts.alarms.insert("next hops".into(), "web-1".into());
        let text = text(&facts, true, &Desired::default(), None);
        for line in [
            "guideway_agent_ready 1",
            "guideway_push_latency_seconds_bucket{le=\"0.005\"} 0",
            "guideway_push_latency_seconds_bucket{le=\"0.01\"} 1",
            "guideway_push_latency_seconds_bucket{le=\"5\"} 2",
            "guideway_push_latency_seconds_bucket{le=\"+Inf\"} 2",
            "guideway_push_latency_seconds_sum 3.007",
            "guideway_agent_alarm{about=\"next hops\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
