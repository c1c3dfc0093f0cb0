//! A backend leaves, or comes back, while long transfers run and new flows arrive.

use super::load::{self, Job, Kind, Outcome};
use super::screen;
use crate::lab::{Lab, Plan};
use anyhow::{Result, bail};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// First source port of the flows that are made before and after; below the kernel's own range.
const FIRST_PORT: u16 = 20_000;
/// Flows from each client address, before and after.
const FLOWS: u16 = 50;
/// How long each long transfer takes, and how many there are.
const LONG: Duration = Duration::from_secs(6);
const TRANSFERS: usize = 64;

/// What an event did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happened.
    pub name: String,
    /// Long transfers on backends that stayed, and that broke. Has to be 0.
    pub broken: usize,
    /// New flows, of those made before and after, that now go to another backend.
    pub moved: usize,
    /// Those that had to move: the share of the backend that left.
    pub expected_moved: usize,
    /// Flows made before and after.
    #[serde(skip)]
    pub flows: usize,
    /// Long transfers on backends that stayed.
    #[serde(skip)]
    pub transfers: usize,
    /// Long transfers on the backend that left, and how many of them it took along.
    #[serde(skip)]
    pub left: (usize, usize),
    /// Why a flow or a transfer broke, for the first few.
    #[serde(skip)]
    pub errors: Vec<String>,
}

/// Which backend each flow got, by its source.
pub type Owners = BTreeMap<SocketAddr, String>;

/// Takes `leaving` out by `change` while long transfers run. Also returns who owned the new flows before.
///
/// # Errors
/// Interrupted, the change is refused, or a new flow fails.
pub fn leave(
    lab: &Lab,
    plan: &Plan,
    leaving: &str,
    change: impl FnOnce() -> Result<()>,
) -> Result<(Event, Owners)> {
    let before = owners(lab, plan)?;
    let mut transfers = load::start(lab, &long_transfers(plan), TRANSFERS)?;
    transfers.all_started()?;
    std::thread::sleep(Duration::from_millis(500));
    transfers.catch_up();
    let early = transfers.ended();
    change()?;
    let after = owners(lab, plan)?;
    transfers.catch_up();
    let outcomes = transfers.finish(&screen::bar(TRANSFERS, "long transfers"))?;
    if early > 0 {
        bail!("{early} long transfers had ended before {leaving} left: {:?}", errors(&outcomes));
    }
    if let Some(source) = after.iter().find(|(_, backend)| *backend == leaving).map(|(source, _)| source) {
        bail!("a new flow from {source} still goes to {leaving}");
    }
    Ok((judge(leaving, &before, &after, &outcomes), before))
}

fn judge(leaving: &str, before: &Owners, after: &Owners, outcomes: &[Outcome]) -> Event {
    let on_leaving = |o: &&Outcome| o.backend.as_deref() == Some(leaving);
    let broken = |o: &&Outcome| o.error.is_some();
    let stayed: Vec<Outcome> = outcomes.iter().filter(|o| !on_leaving(o)).cloned().collect();
    let left: Vec<&Outcome> = outcomes.iter().filter(on_leaving).collect();
    Event {
        name: format!("{leaving} leaves"),
        broken: stayed.iter().filter(broken).count(),
        moved: before.iter().filter(|(source, backend)| after.get(source) != Some(backend)).count(),
        expected_moved: before.values().filter(|backend| *backend == leaving).count(),
        flows: before.len(),
        transfers: stayed.len(),
        left: (left.len(), left.iter().filter(|o| o.error.is_some()).count()),
        errors: errors(&stayed),
    }
}

/// Brings `name` back by `change`: each flow goes where it went in `original`, before `name` left.
///
/// # Errors
/// Interrupted, the change is refused, or a new flow fails.
pub fn come_back(
    lab: &Lab,
    plan: &Plan,
    name: &str,
    original: &Owners,
    change: impl FnOnce() -> Result<()>,
) -> Result<Event> {
    let before = owners(lab, plan)?;
    change()?;
    let after = owners(lab, plan)?;
    let astray = after.iter().filter(|(source, backend)| original.get(source) != Some(backend)).count();
    let mut event = Event {
        name: format!("{name} comes back"),
        moved: before.iter().filter(|(source, backend)| after.get(source) != Some(backend)).count(),
        expected_moved: original.values().filter(|backend| *backend == name).count(),
        flows: before.len(),
        ..Event::default()
    };
    if astray > 0 {
        event.errors.push(format!("{astray} flows are not where they were before {name} left"));
    }
    Ok(event)
}

fn errors(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().filter_map(|o| o.error.clone()).take(5).collect()
}

/// Opens the same flows, from fixed ports, and tells which backend each of them got.
fn owners(lab: &Lab, plan: &Plan) -> Result<Owners> {
    let jobs: Vec<Job> = ["c4", "c6"]
        .into_iter()
        .flat_map(|client| plan.node(client).sources().into_iter().map(move |ip| (client, ip)))
        .flat_map(|(client, ip)| (FIRST_PORT..FIRST_PORT + FLOWS).map(move |port| (client, ip, port)))
        .map(|(client, ip, port)| Job { client, source: SocketAddr::new(ip, port), kind: Kind::Small })
        .collect();
    let outcomes = load::start(lab, &jobs, 16)?.finish(&screen::bar(jobs.len(), "new flows"))?;
    if outcomes.iter().any(|outcome| outcome.error.is_some()) {
        bail!("new flows failed: {:?}", errors(&outcomes));
    }
    Ok(outcomes.into_iter().filter_map(|o| Some((o.job.source, o.backend?))).collect())
}

fn long_transfers(plan: &Plan) -> Vec<Job> {
    let clients = ["c4", "c6"].map(|name| (name, plan.node(name).sources()));
    let job = |i: usize| {
        let (client, sources) = &clients[i % 2];
        let kind = if (i / 2).is_multiple_of(2) { Kind::LongDownload(LONG) } else { Kind::LongUpload(LONG) };
        Job { client, source: SocketAddr::new(sources[i / 4 % sources.len()], 0), kind }
    };
    (0..TRANSFERS).map(job).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn owners_of(names: &[&str]) -> Owners {
        let address = |i: usize| SocketAddr::new("10.0.0.1".parse().unwrap(), i as u16);
        names.iter().enumerate().map(|(i, name)| (address(i), (*name).to_owned())).collect()
    }

    fn transfer(backend: &str, error: Option<&str>) -> Outcome {
        let job = Job { client: "c4", source: "10.0.0.1:0".parse().unwrap(), kind: Kind::Small };
        Outcome { job, backend: Some(backend.into()), path: None, error: error.map(str::to_owned) }
    }

    #[test]
    fn counts_what_moved_and_what_broke() {
        let before = owners_of(&["b1", "b2", "b2", "b3"]);
        let after = owners_of(&["b1", "b1", "b3", "b1"]);
        let transfers = [
            transfer("b1", None),
            transfer("b3", Some("reset")),
            transfer("b2", Some("reset")),
            transfer("b2", None),
        ];
        let event = judge("b2", &before, &after, &transfers);
        assert_eq!((event.moved, event.expected_moved, event.flows), (3, 2, 4));
        assert_eq!((event.broken, event.transfers, event.left), (1, 2, (2, 1)));
        assert_eq!(event.errors, ["reset"]);
    }

    #[test]
    fn long_transfers_go_both_ways_in_both_families() {
        let jobs = long_transfers(&Plan::default());
        let count =
            |v4: bool, kind| jobs.iter().filter(|j| j.source.is_ipv4() == v4 && j.kind == kind).count();
        for v4 in [true, false] {
            assert_eq!(count(v4, Kind::LongDownload(LONG)), TRANSFERS / 4);
            assert_eq!(count(v4, Kind::LongUpload(LONG)), TRANSFERS / 4);
        }
    }
}
