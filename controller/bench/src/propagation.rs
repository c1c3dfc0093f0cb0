//! How long a change takes to be in force on the last node, and what changes and their absence cost.
//!
//! One controller over a file, agents and switches in processes of their own. Every backend is reported healthy by three
//! made-up checkers, which renew their reports as real ones do.

use crate::roles::{Process, now_ns};
use crate::site::{self, CHECKERS, Client, Reports};
use anyhow::{Context as _, Result, bail, ensure};
use control_proto::v1::{DrainBackendRequest, UndrainBackendRequest, UpdateBackendRequest};
use serde::Serialize;
use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Changes a day that the cost is told for.
const A_DAY: f64 = 1_500.0;
/// How long a flip may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// How large, how often.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Agents, each with a switch.
    pub agents: usize,
    /// Backends of the one pool.
    pub backends: u32,
    /// Changes that are measured.
    pub changes: u32,
    /// Between one change's last flip and the next change.
    pub pause: Duration,
    /// How long nothing changes.
    pub idle: Duration,
}

/// Percentiles, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Half of all are below.
    pub p50: f64,
    /// 99 of 100 are at or below.
    pub p99: f64,
    /// None is above.
    pub most: f64,
}

impl Spread {
    /// Of these, which are sorted here.
    #[must_use]
    pub fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let rank = (part * all.len() as f64).ceil() as usize;
            all.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(0.5), p99: at(0.99), most: at(1.0) }
    }
}

/// Processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Per cent of one CPU while nothing changes.
    pub idle_percent: f64,
    /// Milliseconds that a change costs beyond that.
    pub change_ms: f64,
    /// Of one CPU over a day with 1,500 changes: per cent that changes add.
    pub day_percent: f64,
    /// Mebibytes at the end.
    pub resident_mib: f64,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Changes.
    pub changes: usize,
    /// From the call to the last node's flip.
    pub from_call: Spread,
    /// From the answer, by when the registry has it, to the last node's flip; 0 if that came first.
    pub from_answer: Spread,
    /// From the call to the first node's flip.
    pub first: Spread,
    /// The call itself, to its answer.
    pub call: Spread,
    /// The controller.
    pub controller: Cost,
    /// All agents together.
    pub agents: Cost,
    /// All switches together, without packets.
    pub switches: Cost,
}

struct Fleet {
    controller: Process,
    switches: Process,
    agents: Vec<Process>,
    flips: Receiver<(usize, u64)>,
    client: Client,
    reports: JoinHandle<Result<()>>,
    _folder: TempDir,
}

/// Measures.
///
/// # Errors
/// A part does not start, or a change does not come into force.
pub async fn measure(size: Size, mut step: impl FnMut(&str)) -> Result<Outcome> {
    step("starting");
    let mut fleet = Fleet::start(size).await?;
    step("idle");
    let before = fleet.cpu()?;
    tokio::time::sleep(size.idle).await;
    let idle = share(before, fleet.cpu()?, size.idle);
    step("changes");
    let (mut call, mut answer, mut first, mut calls) = (vec![], vec![], vec![], vec![]);
    let (before, began) = (fleet.cpu()?, Instant::now());
    for n in 0..size.changes {
        let one = fleet.change(n, size).await.with_context(|| format!("change {n}"))?;
        let ms = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
        call.push(ms(one.called, one.last));
        answer.push(ms(one.answered, one.last));
        first.push(ms(one.called, one.first));
        calls.push(ms(one.called, one.answered));
        tokio::time::sleep(size.pause).await;
    }
    let busy = share(before, fleet.cpu()?, began.elapsed());
    ensure!(!fleet.reports.is_finished(), "the checkers' streams have ended");
    let each = began.elapsed().as_secs_f64() / f64::from(size.changes);
    let resident = fleet.resident()?;
    let cost = |at: usize| {
        let change_ms = (busy[at] - idle[at]).max(0.0) * each * 1e3;
        Cost {
            idle_percent: idle[at] * 100.0,
            change_ms,
            day_percent: change_ms / 1e3 * A_DAY / 86_400.0 * 100.0,
            resident_mib: resident[at] as f64 / f64::from(1 << 20),
        }
    };
    Ok(Outcome {
        changes: call.len(),
        from_call: Spread::of(call),
        from_answer: Spread::of(answer),
        first: Spread::of(first),
        call: Spread::of(calls),
        controller: cost(0),
        agents: cost(1),
        switches: cost(2),
    })
}

/// Of one CPU.
fn share(before: [Duration; 3], after: [Duration; 3], time: Duration) -> [f64; 3] {
    [0, 1, 2].map(|at| after[at].saturating_sub(before[at]).as_secs_f64() / time.as_secs_f64())
}

/// When what happened, nanoseconds.
struct One {
    called: u64,
    answered: u64,
    first: u64,
    last: u64,
}

impl Fleet {
    async fn start(size: Size) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let controller = Process::start(&["controller", &file("registry.redb")])?;
        let mut switches = Process::start(&["switches", &size.agents.to_string()])?;
        let flips = listen(&mut switches)?;
        let address = controller.ready.first().context("the controller's address")?.clone();
        let mut client = site::client(&address)?;
        site::bind(&mut client, Ipv4Addr::new(203, 0, 113, 10), false).await?;
        site::register(&mut client, 1..size.backends + 1).await?;
        let reports = tokio::spawn(renew(client.clone(), size.backends));
        let mut agents = Vec::new();
        for (at, switch) in switches.ready.iter().enumerate() {
            let node = format!("lb{at}");
            agents.push(Process::start(&["agent", &node, &address, switch, &file(&node)])?);
        }
        let fleet = Self { controller, switches, agents, flips, client, reports, _folder: folder };
        fleet.all_flipped(0, size.agents)?;
        // Standby generations follow.
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(fleet)
    }

    /// One change of the ring: a drain, its end, another weight, and that back.
    async fn change(&mut self, n: u32, size: Size) -> Result<One> {
        let name = site::name(1 + n / 4 * 7 % size.backends);
        let number = 1 + n / 4 * 7 % size.backends;
        let pool = site::POOL.to_owned();
        let called = now_ns();
        match n % 4 {
            0 => {
                let request = DrainBackendRequest { pool, name, window_ms: 3_600_000, force: false };
                self.client.drain_backend(request).await?;
            }
            1 => {
                self.client.undrain_backend(UndrainBackendRequest { pool, name }).await?;
            }
            turn => {
                let backend = Some(site::spec(number, if turn == 2 { 50 } else { 100 }));
                self.client.update_backend(UpdateBackendRequest { backend }).await?;
            }
        }
        let answered = now_ns();
        let (first, last) = tokio::task::block_in_place(|| self.all_flipped(called, size.agents))?;
        Ok(One { called, answered, first, last })
    }

    /// When the first and the last switch flipped, after a time.
    fn all_flipped(&self, after: u64, switches: usize) -> Result<(u64, u64)> {
        let mut when = vec![None; switches];
        while when.iter().any(Option::is_none) {
            match self.flips.recv_timeout(PATIENCE) {
                Ok((at, ns)) if ns >= after => {
                    if let Some(when) = when.get_mut(at) {
                        *when = when.or(Some(ns));
                    }
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let missing = when.iter().filter(|when| when.is_none()).count();
                    bail!("{missing} switches did not flip within {PATIENCE:?}");
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the switches are gone"),
            }
        }
        let all = || when.iter().flatten().copied();
        Ok((all().min().unwrap_or_default(), all().max().unwrap_or_default()))
    }

    fn cpu(&self) -> Result<[Duration; 3]> {
        let mut agents = Duration::ZERO;
        for agent in &self.agents {
            agents += agent.cpu()?;
        }
        Ok([self.controller.cpu()?, agents, self.switches.cpu()?])
    }

    fn resident(&self) -> Result<[u64; 3]> {
        let mut agents = 0;
        for agent in &self.agents {
            agents += agent.resident()?;
        }
        Ok([self.controller.resident()?, agents, self.switches.resident()?])
    }
}

fn listen(switches: &mut Process) -> Result<Receiver<(usize, u64)>> {
    let lines = switches.lines.take().context("the switches' output")?;
    let (sender, flips) = channel();
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            let mut words = line.split_whitespace().skip(1).map(str::parse::<u64>);
            let (Some(Ok(at)), Some(Ok(ns))) = (words.next(), words.next()) else { continue };
            if sender.send((at as usize, ns)).is_err() {
                return;
            }
        }
    });
    Ok(flips)
}

/// Renews all reports every four seconds, a fortieth each tenth of a second.
async fn renew(mut client: Client, backends: u32) -> Result<()> {
    let mut streams = Vec::new();
    for checker in CHECKERS {
        streams.push(Reports::open(&mut client, checker).await?);
    }
    let names: Vec<String> = (1..=backends).map(site::name).collect();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        for part in names.chunks(names.len().div_ceil(40)) {
            tick.tick().await;
            for stream in &mut streams {
                stream.healthy(part).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let spread = Spread::of((1..=200).rev().map(f64::from).collect());
        assert_eq!(spread, Spread { p50: 100.0, p99: 198.0, most: 200.0 });
        assert_eq!(Spread::of(vec![3.0]), Spread { p50: 3.0, p99: 3.0, most: 3.0 });
    }
}
