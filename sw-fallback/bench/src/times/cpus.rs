//! The same program on two CPUs at once: what its shared memory costs.

use super::{Effort, Fixture, OURS, Spread, establish};
use crate::programs::{Choice, Feed};
use crate::scenario::{Flows, Scenario};
use crate::sys;
use anyhow::{Result, anyhow};
use serde::Serialize;
use std::os::fd::BorrowedFd;
use std::sync::Barrier;

/// A program on one CPU and on two.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct OnCpus {
    pub scenario: &'static str,
    pub program: String,
    /// ns per packet of the only CPU, and of each of two.
    pub one: f64,
    pub two: f64,
}

impl OnCpus {
    /// Million packets per second of both together, had they nothing else to do.
    #[must_use]
    pub fn together(&self) -> f64 {
        2000.0 / self.two
    }
}

/// Measures ours and `lru`. Each CPU has flows of its own; the tables are shared.
///
/// # Errors
/// The kernel refuses.
pub fn on_two_cpus(
    scenario: &'static Scenario,
    effort: Effort,
    fixture: &mut Fixture,
    cpus: [usize; 2],
) -> Result<Vec<OnCpus>> {
    let mut results = Vec::new();
    for name in ["lru", OURS] {
        fixture.forget(name)?;
        let programs = [fixture.program("drop")?, fixture.program(name)?];
        let mut spreads = Vec::new();
        for cpus in [&cpus[..1], &cpus] {
            let mut own = Vec::new();
            for round in 0..effort.rounds {
                let base = together(scenario, programs[0], cpus, effort, round)?;
                let with = together(scenario, programs[1], cpus, effort, round)?;
                own.push(with - base);
            }
            spreads.push(Spread::of(own).median);
        }
        let (scenario, program) = (scenario.name, name.to_owned());
        results.push(OnCpus { scenario, program, one: spreads[0], two: spreads[1] });
    }
    Ok(results)
}

/// ns per packet, the CPUs' mean, while all of them run.
fn together(
    scenario: &Scenario,
    program: BorrowedFd<'_>,
    cpus: &[usize],
    effort: Effort,
    round: usize,
) -> Result<f64> {
    let start = Barrier::new(cpus.len());
    let frames = (effort.seconds * 5e6) as u32;
    let one = |number: u32, cpu: usize| -> Result<f64> {
        // Everything that can fail comes before the barrier's wait, which all threads must reach.
        let prepared = sys::pin(cpu).map_err(anyhow::Error::from).and_then(|()| {
            let mut feed = Feed::new(scenario.shape)?;
            feed.feeds(program)?;
            let first = 1 << 28 | number << 27 | (round as u32) << 22;
            match scenario.flows {
                Flows::Established(flows) => {
                    establish(&mut feed, scenario.shape, number * flows, flows)?;
                    feed.flows(Choice::Among(flows), number * flows)?;
                }
                Flows::New | Flows::NewWhenFull => feed.flows(Choice::Each, first)?,
            }
            Ok(feed)
        });
        start.wait();
        Ok(prepared?.run(frames)?.ns)
    };
    let results: Vec<Result<f64>> = std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> =
            (0..).zip(cpus).map(|(number, cpu)| scope.spawn(move || one(number, *cpu))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(anyhow!("a thread ended")))).collect()
    });
    let mut sum = 0.0;
    for result in results {
        sum += result?;
    }
    Ok(sum / cpus.len() as f64)
}
