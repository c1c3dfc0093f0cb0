//! Real frames over a pair of virtual Ethernet devices, in a network namespace of the bench's own.

use super::{Effort, Fixture, OURS, Spread, establish};
use crate::programs::{Choice, Feed};
use crate::scenario::Scenario;
use crate::sys;
use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use sw_fallback::plane::DataPlane;

/// What came through.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Live {
    pub scenario: &'static str,
    /// Million packets per second through the program, by the clock on the wall, on one CPU that sends and receives too.
    pub wall: Spread,
    /// The same by the CPU time of the sending thread and of the kernel's thread for soft interrupts on its CPU.
    pub cpu: Spread,
    /// Of all frames that were sent, how many the program counted.
    pub counted: f64,
}

/// Runs `ip` in this thread's network namespace.
pub(crate) fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("iproute2's `ip`")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ip {arguments}: {}", words.trim());
    Ok(())
}

/// Sends a scenario's packets over veth, one CPU doing all of it. Nothing outlives the call.
///
/// # Errors
/// No right to namespaces, or the kernel refuses.
pub fn over_veth(scenarios: &[&'static Scenario], effort: Effort, cpu: usize) -> Result<Vec<Live>> {
    let inside = || -> Result<Vec<Live>> {
        sys::pin(cpu)?;
        sys::own_network()?;
        ip("link add out type veth peer name in")?;
        ip("link set out up")?;
        ip("link set in up")?;
        let mut fixture = Fixture::new(false, false, "in")?;
        fixture.plane().attach()?;
        // What is sent back must find somebody who takes it.
        let _sink = sys::attach(fixture.program("drop")?, sys::interface("out")?)?;
        let softirq = Softirq::of(cpu)?;
        let mut list = Vec::new();
        for scenario in scenarios {
            list.push(live(scenario, effort, &mut fixture, &softirq)?);
        }
        Ok(list)
    };
    // The namespace is the thread's: it goes with it.
    std::thread::scope(|scope| scope.spawn(inside).join()).map_err(|_| anyhow!("the thread ended"))?
}

/// The kernel's thread that takes over when soft interrupts are many.
struct Softirq(PathBuf);

impl Softirq {
    fn of(cpu: usize) -> Result<Self> {
        let name = format!("ksoftirqd/{cpu}\n");
        for process in std::fs::read_dir("/proc")? {
            let path = process?.path();
            if std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm == name) {
                return Ok(Self(path.join("schedstat")));
            }
        }
        anyhow::bail!("no thread {} in /proc", name.trim())
    }

    /// CPU time that it has had, ns.
    fn ns(&self) -> u64 {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
    }
}

fn live(
    scenario: &'static Scenario,
    effort: Effort,
    fixture: &mut Fixture,
    softirq: &Softirq,
) -> Result<Live> {
    let mut feed = Feed::new(scenario.shape)?;
    fixture.forget(OURS)?;
    if let crate::scenario::Flows::Established(flows) = scenario.flows {
        feed.feeds(fixture.program(OURS)?)?;
        establish(&mut feed, scenario.shape, 0, flows)?;
        feed.flows(Choice::Among(flows), 0)?;
    } else {
        feed.flows(Choice::Each, 1 << 28)?;
    }
    let out = sys::interface("out")?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    let frames = (effort.seconds * 2e6) as u32;
    let (mut sent, before) = (0u64, counted(fixture));
    for _ in 0..effort.rounds {
        let (start, cpu_start) = (Instant::now(), sys::thread_ns() + softirq.ns());
        feed.send(frames, out)?;
        wall.push(f64::from(frames) / start.elapsed().as_micros() as f64);
        cpu.push(f64::from(frames) * 1000.0 / (sys::thread_ns() + softirq.ns() - cpu_start) as f64);
        sent += u64::from(frames);
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    let seen = counted(fixture) - before;
    let counted = seen as f64 / sent as f64;
    Ok(Live { scenario: scenario.name, wall: Spread::of(wall), cpu: Spread::of(cpu), counted })
}

/// Packets that the tables' own counters know.
fn counted(fixture: &mut Fixture) -> u64 {
    let plane = fixture.plane();
    let tables = plane.pipeline().tables.len();
    let vips = (0..tables).filter(|i| plane.pipeline().tables[*i].name.starts_with("vip"));
    let entries = vips.flat_map(|i| plane.table_entries(pipeline_ir::TableId(i as u32)));
    entries.map(|(_, count)| count.packets).sum()
}
