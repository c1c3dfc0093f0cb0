//! What an event of the story did to connections: those that were open, and those that are made before, meanwhile and after.

use super::load::{self, Job, Kind, Outcome, Running};
use super::report::Check;
use super::screen;
use crate::lab::{Lab, Plan};
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

/// First source port of the flows that are made before and after; below the kernel's own range.
const FIRST_PORT: u16 = 20_000;
/// Flows from each client address, before and after.
const FLOWS: u16 = 50;
/// First source port of the long transfers.
const FIRST_LONG_PORT: u16 = 21_000;
/// How many long transfers run during an event.
pub const TRANSFERS: usize = 64;

/// What an event did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Event {
    /// What happened.
    pub name: String,
    /// When, in seconds since the demo's start.
    pub at: f64,
    /// How long it took until it was over, or was noticed; none where there is nothing to wait for.
    pub seconds: Option<f64>,
    /// Long transfers that ran when it happened, without those on a killed backend.
    pub transfers: usize,
    /// Connections, long or new, that broke and were not on a killed backend. Has to be 0.
    pub broken: usize,
    /// New flows made before and after.
    pub flows: usize,
    /// Those of them that now go to another backend.
    pub moved: usize,
    /// Those that had to move: the share of the backend that left.
    pub expected_moved: usize,
    /// What else had to hold.
    #[serde(skip)]
    pub checks: Vec<Check>,
    /// Why connections broke, for the first few.
    #[serde(skip)]
    pub errors: Vec<String>,
}

/// Which backend each flow got, by its source.
pub type Owners = BTreeMap<SocketAddr, String>;

/// What was seen around an event.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    /// Who takes its new flows along.
    pub leaving: Option<&'a str>,
    /// Whether it was killed: its own connections may break then, until the event is over.
    pub killed: bool,
    /// Who had each flow before.
    pub before: &'a [Outcome],
    /// New flows while the event was under way.
    pub meanwhile: Vec<Outcome>,
    /// New flows when it was over.
    pub after: &'a [Outcome],
    /// Long transfers.
    pub transfers: Vec<Outcome>,
}

impl Seen<'_> {
    /// What it did.
    #[must_use]
    pub fn judge(&self, name: String, at: f64) -> Event {
        let (before, after) = (owners(self.before), owners(self.after));
        let dead = self.leaving.filter(|_| self.killed);
        let excused = |backend: Option<&String>| dead.is_some() && backend.map(String::as_str) == dead;
        let broken = |o: &&Outcome| o.error.is_some();
        let long: Vec<&Outcome> = self.transfers.iter().filter(|o| !excused(o.backend.as_ref())).collect();
        // Who would have answered is known by who did before.
        let new = self.meanwhile.iter().filter(|o| !excused(before.get(&o.job.source)));
        let failed: Vec<&Outcome> =
            long.iter().copied().chain(new).chain(self.after).filter(broken).collect();
        let moved =
            |(source, owner): &(&SocketAddr, &String)| after.get(source).is_some_and(|now| now != *owner);
        Event {
            name,
            at,
            transfers: long.len(),
            broken: failed.len(),
            flows: before.len(),
            moved: before.iter().filter(moved).count(),
            expected_moved: before.values().filter(|owner| Some(owner.as_str()) == self.leaving).count(),
            errors: errors(failed.into_iter()),
            ..Event::default()
        }
    }

    /// Connections of the killed backend that it took along: long ones, and new ones that were refused.
    #[must_use]
    pub fn taken_along(&self) -> (usize, usize) {
        let before = owners(self.before);
        let lost = |all: &[Outcome], is_own: &dyn Fn(&Outcome) -> bool| {
            all.iter().filter(|o| o.error.is_some() && is_own(o)).count()
        };
        let own = |backend: Option<&String>| backend.map(String::as_str) == self.leaving;
        (
            lost(&self.transfers, &|o| own(o.backend.as_ref())),
            lost(&self.meanwhile, &|o| own(before.get(&o.job.source))),
        )
    }
}

/// Who answered each flow.
#[must_use]
pub fn owners(outcomes: &[Outcome]) -> Owners {
    let good = outcomes.iter().filter(|o| o.error.is_none());
    good.filter_map(|o| Some((o.job.source, o.backend.clone()?))).collect()
}

/// Why connections failed, for the first few.
pub fn errors<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<String> {
    outcomes.filter_map(|o| o.error.clone()).take(5).collect()
}

/// Opens the same flows, from fixed ports, and closes them.
///
/// # Errors
/// Interrupted.
pub fn new_flows(lab: &Lab, plan: &Plan) -> Result<Vec<Outcome>> {
    let jobs: Vec<Job> = ["c4", "c6"]
        .into_iter()
        .flat_map(|client| plan.node(client).sources().into_iter().map(move |ip| (client, ip)))
        .flat_map(|(client, ip)| (FIRST_PORT..FIRST_PORT + FLOWS).map(move |port| (client, ip, port)))
        .map(|(client, ip, port)| Job { client, source: SocketAddr::new(ip, port), kind: Kind::Last })
        .collect();
    load::start(lab, &jobs, 16)?.finish(&screen::bar(jobs.len(), "new flows"))
}

/// Starts long transfers of that duration, and waits until each has got an answer. Each `wave` has ports of its own.
///
/// # Errors
/// Interrupted.
pub fn start_transfers(lab: &Lab, plan: &Plan, wave: u16, long: Duration) -> Result<Running> {
    let mut running = load::start(lab, &long_transfers(plan, wave, long), TRANSFERS)?;
    running.all_started()?;
    Ok(running)
}

/// The clients' ports of a wave of long transfers.
#[must_use]
pub fn ports(wave: u16) -> Range<u16> {
    let first = FIRST_LONG_PORT + wave * 100;
    first..first + TRANSFERS as u16
}

fn long_transfers(plan: &Plan, wave: u16, long: Duration) -> Vec<Job> {
    let clients = ["c4", "c6"].map(|name| (name, plan.node(name).sources()));
    let job = |(i, port): (usize, u16)| {
        let (client, sources) = &clients[i % 2];
        let kind = if (i / 2).is_multiple_of(2) { Kind::LongDownload(long) } else { Kind::LongUpload(long) };
        Job { client, source: SocketAddr::new(sources[i / 4 % sources.len()], port), kind }
    };
    ports(wave).enumerate().map(|(i, port)| job((i, port))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Outcomes of flows 1, 2, ...: a backend's name; `!` after it: it broke; `!` alone: nobody answered.
    fn outcomes(names: &[&str]) -> Vec<Outcome> {
        let one = |(port, name): (u16, &&str)| {
            let backend = Some(name.trim_end_matches('!').to_owned()).filter(|n| !n.is_empty());
            let source = SocketAddr::new("10.0.0.1".parse().unwrap(), port);
            let error = name.ends_with('!').then(|| format!("reset {port}"));
            Outcome { job: Job { client: "c4", source, kind: Kind::Small }, backend, path: None, error }
        };
        (1..).zip(names).map(one).collect()
    }

    #[test]
    fn counts_what_moved_and_what_broke() {
        let (before, after) = (outcomes(&["b1", "b2", "b2", "b3"]), outcomes(&["b1", "b1", "b3", "b1"]));
        let seen = |killed| Seen {
            leaving: Some("b2"),
            killed,
            before: &before,
            meanwhile: outcomes(&["b1", "!", "b3", "b3"]),
            after: &after,
            transfers: outcomes(&["b1", "b3!", "b2!", "b2"]),
        };
        let event = seen(true).judge("b2 is killed".into(), 1.0);
        assert_eq!((event.moved, event.expected_moved, event.flows), (3, 2, 4));
        assert_eq!((event.broken, event.transfers), (1, 2));
        assert_eq!(event.errors, ["reset 2"]);
        assert_eq!(seen(true).taken_along(), (1, 1));
        let event = seen(false).judge("b2 is drained".into(), 1.0);
        assert_eq!((event.broken, event.transfers), (3, 4), "a drain excuses nothing");
    }

    #[test]
    fn nothing_is_excused_when_it_is_over() {
        let before = outcomes(&["b1", "b2"]);
        for (after, broken, moved) in [(["b1", "b1"], 0, 1), (["b1", "!"], 1, 0), (["!", "b1"], 1, 1)] {
            let after = outcomes(&after);
            let seen =
                Seen { leaving: Some("b2"), killed: true, before: &before, after: &after, ..Seen::default() };
            let event = seen.judge(String::new(), 0.0);
            assert_eq!((event.broken, event.moved), (broken, moved), "{after:?}");
        }
    }

    #[test]
    fn long_transfers_go_both_ways_in_both_families_from_ports_of_their_own() {
        let long = Duration::from_secs(1);
        let jobs = long_transfers(&Plan::default(), 1, long);
        let count =
            |v4: bool, kind| jobs.iter().filter(|j| j.source.is_ipv4() == v4 && j.kind == kind).count();
        for v4 in [true, false] {
            assert_eq!(count(v4, Kind::LongDownload(long)), TRANSFERS / 4);
            assert_eq!(count(v4, Kind::LongUpload(long)), TRANSFERS / 4);
        }
        assert!(jobs.iter().all(|job| ports(1).contains(&job.source.port())));
        assert!(ports(0).end <= ports(1).start && FIRST_PORT + FLOWS <= ports(0).start);
    }
}
