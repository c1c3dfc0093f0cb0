//! `cargo xtask demo`: real connections, balanced by generated code, in a lab of network namespaces.
//!
//! The order: needs, rights, build, compile, lab, control plane, servers, data planes, load, story, report. Every step is
//! a guard or is undone by one, so an error or Ctrl-C at any place leaves nothing behind.

pub mod balancer;
pub mod control;
pub mod deployment;
pub mod entries;
pub mod event;
pub mod interrupt;
pub mod load;
pub mod memory;
pub mod metrics;
pub mod metronome;
pub mod plane;
pub mod report;
pub mod screen;
pub mod stage;
pub mod story;
pub mod switch;

use crate::lab::{self, Plan};
use crate::needs;
use crate::run::{built, cargo, run as run_command};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use load::{Job, Kind};
use plane::DataPlane;
use report::{Findings, Report};
use screen::say;
use stage::Stage;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

/// Connections of one client at a time.
const AT_ONCE: usize = 24;
/// Uploads of full-sized segments.
const FULL_SIZED: usize = 16;

/// Options of the demo.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Install what is missing without asking
    #[arg(long)]
    pub yes: bool,
    /// Leave the lab up at the end and print how to look inside
    #[arg(long)]
    pub keep: bool,
    /// Print one JSON object on standard output instead of the report
    #[arg(long)]
    pub json: bool,
    /// Use this data plane (default: xdp where it can be loaded, else native, in memory where no network can be made)
    #[arg(long, value_enum, visible_alias = "data-plane")]
    pub target: Option<DataPlane>,
    /// How many connections the mixed load makes
    #[arg(long, default_value_t = 2400, value_parser = clap::value_parser!(u32).range(8..=100_000))]
    pub connections: u32,
    /// For slow machines: a drain may last 60 s, and a dead backend be noticed after 40 s
    #[arg(long)]
    pub slow: bool,
    /// Use this guideway binary instead of building one
    #[arg(long, value_name = "FILE")]
    pub guideway: Option<PathBuf>,
    /// Take down a lab that --keep left, and do nothing else
    #[arg(long, value_name = "LAB")]
    pub down: Option<String>,
}

/// Runs the demo. It has to be called while the process has only one thread.
///
/// # Errors
/// A step fails, a check doesn't hold, or the user stops it.
pub fn demo(options: &Options) -> Result<()> {
    if let Some(tag) = &options.down {
        if !lab::tear_down(tag) {
            bail!("there is no lab {tag}; `ip netns list` shows what there is");
        }
        return Ok(());
    }
    let choice = plane::choose(options.target)?;
    if choice.plane == DataPlane::Memory {
        return memory::run(options, None);
    }
    if options.keep {
        choice.may_keep()?;
    }
    if let Err(error) = plane::can_take_rights(&choice) {
        if options.target.is_some() {
            return Err(error);
        }
        return memory::run(options, Some(&error));
    }
    needs::ensure(choice.plane.needs(), options.yes)?;
    let guideway = match &options.guideway {
        Some(file) => {
            file.canonicalize().with_context(|| format!("no guideway binary at {}", file.display()))?
        }
        None => build(choice.plane)?,
    };
    plane::take_rights(&choice)?;
    interrupt::install()?;
    let start = Instant::now();
    for tag in lab::reap() {
        say(start, &format!("removed the lab {tag} of a demo that was killed"));
    }
    say(start, &choice.told());
    let report = perform(options, choice.plane, &guideway, start).map_err(interrupt::cause)?;
    if options.json {
        report.checks.iter().filter(|check| !check.ok).for_each(|check| eprintln!("FAILED {}", check.text));
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.text());
    }
    if !report.ok {
        bail!("the demo ran to its end, but not every check held");
    }
    Ok(())
}

fn build(plane: DataPlane) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--release", "--package", "guideway-cli"];
    if plane == DataPlane::Dpdk {
        ensure!(needs::dpdk(), "{}", needs::NO_DPDK);
        arguments.extend(["--features", "guideway-cli/dpdk"]);
    }
    eprintln!("building guideway (cargo {})", arguments.join(" "));
    let mut command = cargo(arguments);
    run_command(command.stdout(std::io::stderr()))?;
    let file = built("release");
    file.canonicalize().with_context(|| format!("cargo made no {}", file.display()))
}

fn perform(
    options: &Options,
    plane: DataPlane,
    guideway: &std::path::Path,
    start: Instant,
) -> Result<Report> {
    let mut stage = Stage::set(plane, guideway, start)?;
    let total = options.connections as usize;
    say(start, &format!("{total} connections: small requests, downloads and uploads of 1 MB, IPv4 and IPv6"));
    let jobs = load::mixed(&stage.plan, total);
    let mixed = load::start(&stage.lab, &jobs, AT_ONCE)?.finish(&screen::bar(total, "connections"))?;
    say(start, &format!("{FULL_SIZED} uploads by a client that sends full-sized segments"));
    let full_sized =
        load::start(&stage.lab, &full_sized(&stage.plan), 2)?.finish(&screen::bar(FULL_SIZED, "uploads"))?;
    let loaded = metrics(&stage)?;
    let patience = story::Patience::new(options.slow);
    let (events, timeline) = story::play(&mut stage, story::Clock::new(start), patience)?;
    let report = Report::new(Findings {
        plane,
        mixed: &mixed,
        full_sized: &full_sized,
        events,
        timeline,
        loaded: &loaded,
        balancers: metrics(&stage)?,
        decaps: stage.decaps.iter_mut().map(switch::Switch::status).collect::<Result<_>>()?,
    });
    say(start, "done");
    if options.keep {
        stage.keep()?;
    }
    Ok(report)
}

fn metrics(stage: &Stage) -> Result<Vec<metrics::Metrics>> {
    stage.balancers.iter().map(balancer::Balancer::metrics).collect()
}

fn full_sized(plan: &Plan) -> Vec<Job> {
    let sources = plan.node("mss").sources();
    let job = |i: usize| Job {
        client: "mss",
        source: SocketAddr::new(sources[i % sources.len()], 0),
        kind: Kind::Upload,
    };
    (0..FULL_SIZED).map(job).collect()
}
