//! What the demo found: checks, tables for people, one JSON object for programs.

use super::deployment::{POOLS, WEIGHTS};
use super::event::Event;
use super::load::{Kind, Outcome};
use super::metrics::Metrics;
use super::plane::DataPlane;
use super::switch::{Count, Status};
use crate::lab::{BACKENDS, MTU};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole report. Its JSON form:
///
/// | field | meaning |
/// | --- | --- |
/// | `ok` | every check held |
/// | `data_plane` | `xdp`, `native` or `dpdk` |
/// | `connections` | `total` made to the VIPs in the mixed load, and how many of them `failed` |
/// | `backends` | per backend: `name`, `connections` it answered, and its `ideal` share by weight |
/// | `events` | per event: `name`; `at`, seconds since the start; `seconds` until it was over or noticed; long `transfers` under way; connections `broken` that were not on a killed backend; of new `flows` those that `moved`, and `expected_moved`, the share that had to |
/// | `timeline` | `at`, and `what` happened |
/// | `drops` | per drop reason: packets dropped by the load balancer and by the backends' `decap` |
#[derive(Debug, Serialize)]
pub struct Report {
    /// Every check held.
    pub ok: bool,
    /// The data plane that ran.
    pub data_plane: String,
    /// The mixed load.
    pub connections: Connections,
    /// What each backend got.
    pub backends: Vec<Backend>,
    /// What happened to backends, controller and nodes.
    pub events: Vec<Event>,
    /// The same in the order of time, with what the controller told.
    pub timeline: Vec<Moment>,
    /// Packets dropped, by reason.
    pub drops: BTreeMap<String, u64>,
    /// What was checked.
    #[serde(skip)]
    pub checks: Vec<Check>,
    /// The VIPs' and the backends' counts in the load balancers, when all connections of the mix had been made.
    #[serde(skip)]
    pub counts: Vec<(String, Count)>,
}

/// A line of the timeline.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// Seconds since the start.
    pub at: f64,
    /// What happened.
    pub what: String,
}

/// How many connections.
#[derive(Debug, Serialize)]
pub struct Connections {
    /// Made.
    pub total: usize,
    /// Failed.
    pub failed: usize,
}

/// A backend's share.
#[derive(Debug, Serialize)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Connections that it answered.
    pub connections: usize,
    /// Connections that its weight entitles it to.
    pub ideal: f64,
}

/// One thing that had to hold.
#[derive(Clone, Debug)]
pub struct Check {
    /// It did.
    pub ok: bool,
    /// What, with the figures.
    pub text: String,
}

/// What the demo has seen.
#[derive(Debug)]
pub struct Findings<'a> {
    /// The data plane.
    pub plane: DataPlane,
    /// The mixed load.
    pub mixed: &'a [Outcome],
    /// Uploads of the client that sends full-sized segments.
    pub full_sized: &'a [Outcome],
    /// The events.
    pub events: Vec<Event>,
    /// What happened when.
    pub timeline: Vec<Moment>,
    /// What the load balancers counted after the load: entries of backends that go take their counts along.
    pub loaded: &'a [Metrics],
    /// The same at the end.
    pub balancers: Vec<Metrics>,
    /// What the backends' data planes counted.
    pub decaps: Vec<Status>,
}

impl Report {
    /// Judges what was seen.
    #[must_use]
    pub fn new(findings: Findings<'_>) -> Self {
        let failed = findings.mixed.iter().filter(|o| o.error.is_some()).count();
        let backends = shares(findings.mixed);
        let mut checks = vec![
            every_connection(findings.mixed),
            Check {
                ok: failed == 0,
                text: "clients saw the VIP, backends the clients' own addresses".into(),
            },
            fair(&backends),
            full_sized(findings.full_sized),
        ];
        checks.extend(findings.events.iter().flat_map(of_event));
        let mut drops: BTreeMap<String, u64> = BTreeMap::new();
        let of_balancers = findings.balancers.iter().map(Metrics::drops);
        for (reason, packets) in of_balancers.chain(findings.decaps.iter().map(Status::drops)).flatten() {
            *drops.entry(reason).or_default() += packets;
        }
        let counts = counts(findings.loaded);
        checks.push(all_counted(&counts, findings.loaded));
        Self {
            ok: checks.iter().all(|check| check.ok),
            data_plane: findings.plane.to_string(),
            connections: Connections { total: findings.mixed.len(), failed },
            backends,
            events: findings.events,
            timeline: findings.timeline,
            drops,
            checks,
            counts,
        }
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ok = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "\n{} connections through the {} data plane", self.connections.total, self.data_plane)?;
        writeln!(to, "\n  backend   weight   connections      ideal   deviation")?;
        for (backend, weight) in self.backends.iter().zip(WEIGHTS) {
            let Backend { name, connections, ideal } = backend;
            let deviation = (*connections as f64 / ideal - 1.0) * 100.0;
            writeln!(to, "  {name:<9} {weight:>6} {connections:>13} {ideal:>10.1} {deviation:>+10.1}%")?;
        }
        writeln!(to, "\n  counted by the load balancers       packets          bytes")?;
        for (name, count) in &self.counts {
            writeln!(to, "  {name:<30} {:>12} {:>14}", count.packets, count.bytes)?;
        }
        writeln!(to, "\n  dropped, by reason                  packets")?;
        let some: Vec<_> = self.drops.iter().filter(|(_, packets)| **packets > 0).collect();
        for (reason, packets) in &some {
            writeln!(to, "  {reason:<30} {packets:>12}")?;
        }
        if some.is_empty() {
            writeln!(to, "  none, for any of {} reasons", self.drops.len())?;
        }
        writeln!(to, "\n  timeline")?;
        for Moment { at, what } in &self.timeline {
            writeln!(to, "  {at:>7.1} s  {what}")?;
        }
        writeln!(to)?;
        for check in &self.checks {
            writeln!(to, "  {} {}", if check.ok { "ok    " } else { "FAILED" }, check.text)?;
        }
        Ok(())
    }
}

fn every_connection(outcomes: &[Outcome]) -> Check {
    let errors: Vec<&String> = outcomes.iter().filter_map(|o| o.error.as_ref()).collect();
    let count = |kind| outcomes.iter().filter(|o| o.job.kind == kind).count();
    let mut text = format!(
        "{} of {} connections succeeded: {} small, {} downloads and {} uploads of 1 MB",
        outcomes.len() - errors.len(),
        outcomes.len(),
        count(Kind::Small),
        count(Kind::Download),
        count(Kind::Upload)
    );
    for error in errors.iter().take(5) {
        text += &format!("\n           {error}");
    }
    Check { ok: errors.is_empty() && !outcomes.is_empty(), text }
}

fn shares(outcomes: &[Outcome]) -> Vec<Backend> {
    let answered = outcomes.iter().filter(|o| o.backend.is_some()).count();
    let sum: u32 = WEIGHTS.iter().sum();
    let share = |(name, weight): (&&str, u32)| Backend {
        name: (*name).to_owned(),
        connections: outcomes.iter().filter(|o| o.backend.as_deref() == Some(name)).count(),
        ideal: answered as f64 * f64::from(weight) / f64::from(sum),
    };
    BACKENDS.iter().zip(WEIGHTS).map(share).collect()
}

/// Random sources make a binomial count: six standard deviations are no chance.
fn fair(backends: &[Backend]) -> Check {
    let off = |b: &&Backend| (b.connections as f64 - b.ideal).abs() > 6.0 * b.ideal.sqrt();
    let unfair: Vec<&str> = backends.iter().filter(off).map(|b| b.name.as_str()).collect();
    let text = if unfair.is_empty() {
        "every backend has its share".to_owned()
    } else {
        format!("not their share: {}", unfair.join(", "))
    };
    Check { ok: unfair.is_empty(), text }
}

fn full_sized(outcomes: &[Outcome]) -> Check {
    let good = outcomes.iter().filter(|o| o.error.is_none()).count();
    let mut learned: Vec<u32> = outcomes.iter().filter_map(|o| Some(o.path?.path_mtu)).collect();
    learned.sort_unstable();
    learned.dedup();
    let sizes: Vec<String> = learned.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{good} of {} uploads by the client that sends full-sized segments succeeded: ICMP \"too big\" taught \
         it a path MTU of {} instead of {MTU} bytes",
        outcomes.len(),
        if sizes.is_empty() { "none".to_owned() } else { sizes.join(" or ") }
    );
    for error in outcomes.iter().filter_map(|o| o.error.as_ref()).take(3) {
        text += &format!("\n           {error}");
    }
    let taught = !learned.is_empty() && learned.iter().all(|mtu| *mtu < u32::from(MTU));
    Check { ok: good == outcomes.len() && taught, text }
}

fn of_event(event: &Event) -> Vec<Check> {
    let Event { name, broken, moved, expected_moved, flows, transfers, checks, errors, .. } = event;
    let mut text = format!("{name}: {broken} connections broke; {transfers} long transfers were under way");
    for error in errors {
        text += &format!("\n           {error}");
    }
    let mut all = vec![Check { ok: *broken == 0 && *transfers > 0, text }];
    let text = format!("{name}: {moved} of {flows} new flows moved, {expected_moved} had to");
    all.push(Check { ok: moved == expected_moved && *flows > 0, text });
    all.extend(checks.iter().cloned());
    all
}

/// The counts of VIPs and backends, over all nodes.
fn counts(nodes: &[Metrics]) -> Vec<(String, Count)> {
    let sum = |what: &str, name: &str| {
        let counts = nodes.iter().map(|node| node.count(what, what, name));
        counts.fold(Count::default(), |sum, count| Count {
            packets: sum.packets + count.packets,
            bytes: sum.bytes + count.bytes,
        })
    };
    let vips = POOLS.iter().map(|(_, vip)| (format!("VIP {vip}"), sum("vip", &vip.to_string())));
    let backends = BACKENDS.iter().map(|name| ((*name).to_owned(), sum("backend", name)));
    vips.chain(backends).collect()
}

/// Every VIP and backend has counted packets, and every node has.
fn all_counted(counts: &[(String, Count)], nodes: &[Metrics]) -> Check {
    let counted = counts.iter().filter(|(_, count)| count.packets > 0).count();
    let packets: Vec<String> = nodes.iter().map(|node| node.forwarded().to_string()).collect();
    Check {
        ok: counted == counts.len() && !nodes.is_empty() && nodes.iter().all(|node| node.forwarded() > 0),
        text: format!(
            "{counted} of {} VIPs and backends have counted packets; the nodes forwarded {} of them",
            counts.len(),
            packets.join(" and ")
        ),
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
