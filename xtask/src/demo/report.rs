//! What the demo found: checks, tables for people, one JSON object for programs.

use super::deployment::{POOLS, WEIGHTS};
use super::event::Event;
use super::load::{Kind, Outcome};
use super::plane::DataPlane;
use super::switch::{Count, Row, Status};
use crate::lab::{BACKENDS, MTU};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole report. Its JSON form:
///
/// | field | meaning |
/// | --- | --- |
/// | `ok` | every check held |
/// | `data_plane` | `xdp` or `native` |
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
    /// The backends' names by their ids in the data plane.
    pub ids: &'a BTreeMap<u32, String>,
    /// The load balancers' statuses after the load: entries of backends that go take their counts along.
    pub loaded: &'a [Status],
    /// All statuses at the end.
    pub ended: Vec<Status>,
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
        for status in &findings.ended {
            for (reason, packets) in status.drops() {
                *drops.entry(reason).or_default() += packets;
            }
        }
        let counts = counts(findings.loaded, findings.ids);
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

fn rows(status: &Status) -> impl Iterator<Item = (&String, &Row)> {
    status.tables.iter().flat_map(|(table, rows)| rows.iter().map(move |row| (table, row)))
}

/// The counts of VIPs and backends: all their nodes, tables and ids together.
fn counts(statuses: &[Status], ids: &BTreeMap<u32, String>) -> Vec<(String, Count)> {
    let sum = |wanted: &dyn Fn(&str, &BTreeMap<String, String>) -> bool| {
        let rows = statuses.iter().flat_map(rows);
        rows.filter(|(table, row)| wanted(table, &row.key)).fold(Count::default(), |sum, (_, row)| Count {
            packets: sum.packets + row.count.packets,
            bytes: sum.bytes + row.count.bytes,
        })
    };
    let vips = POOLS.iter().map(|(_, vip)| {
        let text = vip.to_string();
        let count = sum(&|table, key| table.starts_with("vip") && key.get("dst") == Some(&text));
        (format!("VIP {vip}"), count)
    });
    let backends = BACKENDS.iter().map(|name| {
        let of = |key: &BTreeMap<String, String>| ids.get(&key.get("backend")?.parse().ok()?);
        let is_it = |key: &BTreeMap<String, String>| of(key).is_some_and(|own| own == name);
        ((*name).to_owned(), sum(&|table, key| table == "backend" && is_it(key)))
    });
    vips.chain(backends).collect()
}

/// Every VIP and backend has counted packets, and every node has.
fn all_counted(counts: &[(String, Count)], nodes: &[Status]) -> Check {
    let counted = counts.iter().filter(|(_, count)| count.packets > 0).count();
    let forwarded = |s: &Status| -> u64 {
        rows(s).filter(|(table, _)| *table == "backend").map(|(_, row)| row.count.packets).sum()
    };
    let packets: Vec<String> = nodes.iter().map(|status| forwarded(status).to_string()).collect();
    Check {
        ok: counted == counts.len() && !nodes.is_empty() && nodes.iter().all(|node| forwarded(node) > 0),
        text: format!(
            "{counted} of {} VIPs and backends have counted packets; the nodes forwarded {}",
            counts.len(),
            packets.join(" and ")
        ),
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
