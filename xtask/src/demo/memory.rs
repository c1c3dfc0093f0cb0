//! The demo where no network can be made: clients and backends are TCP stacks of one process, with the native programs
//! between them. It is a program of its own, whose report is the demo's.

use super::Options;
use crate::run::{cargo, run as run_command};
use anyhow::{Context, Result, bail};

/// Runs it. `why`: what stands against better ones.
///
/// # Errors
/// It can't be built, or not every check held.
pub fn run(options: &Options, why: Option<&anyhow::Error>) -> Result<()> {
    if let Some(why) = why {
        eprintln!("note: {why:#}");
    }
    if options.keep {
        bail!("--keep has nothing to leave up: in memory, the lab ends with its process");
    }
    eprintln!("data plane native, in memory: the emitted Rust runs between TCP stacks of one process");
    let mut command = cargo(["run", "--package", "sw-fallback", "--no-default-features"]);
    command.args(["--example", "in_memory", "--", "--connections", &options.connections.to_string()]);
    if options.json {
        command.arg("--json");
    }
    run_command(&mut command).context("the demo in memory")
}
