//! `ci`: everything that a change has to pass, in order of how fast it fails.

use super::{TestOptions, bless, dpdk, test};
use crate::needs;
use crate::run::{built, capture, cargo, run, workspace_root};
use crate::tidy;
use anyhow::{Context, Result};
use clap::Args;
use std::process::Command;
use std::time::Instant;

/// Options of `ci`.
#[derive(Args, Clone, Debug)]
pub struct CiOptions {
    /// Install what is missing without asking
    #[arg(long)]
    pub yes: bool,
}

type Step = (&'static str, fn(&CiOptions) -> Result<()>);

const STEPS: &[Step] = &[
    ("format", |_| quiet(&["fmt", "--all", "--check"])),
    ("tidy", |_| tidy::tidy()),
    ("clippy", |_| clippy()),
    ("tests", |options| test(&TestOptions { yes: options.yes, cargo: Vec::new() })),
    ("docs", |_| docs()),
    ("demo", |options| demo(options)),
    ("snapshots", |_| snapshots()),
];

/// Runs every step and stops at the first that fails.
///
/// # Errors
/// A step fails; the error has its output.
pub fn ci(options: &CiOptions) -> Result<()> {
    needs::ensure(needs::ALL, options.yes)?;
    let all = Instant::now();
    for (number, (name, step)) in (1..).zip(STEPS) {
        let start = Instant::now();
        eprintln!("[{number}/{}] {name}", STEPS.len());
        let passed = step(options);
        let verdict = if passed.is_ok() { "passed" } else { "FAILED" };
        eprintln!("[{number}/{}] {name} {verdict} after {:.1} s", STEPS.len(), start.elapsed().as_secs_f64());
        passed.with_context(|| format!("the step {name} failed"))?;
    }
    eprintln!("all {} steps passed in {:.0} s", STEPS.len(), all.elapsed().as_secs_f64());
    Ok(())
}

fn quiet(args: &[&str]) -> Result<()> {
    capture(&mut cargo(args), "").map(drop)
}

fn clippy() -> Result<()> {
    let all = ["clippy", "--workspace", "--all-targets", "--quiet"];
    quiet(&[&all, dpdk(), &["--", "-D", "warnings"]].concat())
}

fn docs() -> Result<()> {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
    capture(command.env("RUSTDOCFLAGS", "-D warnings"), "").map(drop)
}

/// Real connections through the native data plane, which every machine with namespaces has; a short run.
fn demo(options: &CiOptions) -> Result<()> {
    quiet(&["build", "--quiet", "--package", "guideway-cli"])?;
    let guideway = built("debug");
    // A process of its own: the demo may have to enter a user namespace before it has threads. By cargo, for the tests
    // may have built another binary in the place of ours.
    let mut command = cargo(["run", "--quiet", "--package", "xtask", "--"]);
    command
        .args(["demo", "--target", "native", "--connections", "480", "--slow", "--json", "--guideway"])
        .arg(guideway);
    command.args(options.yes.then_some("--yes"));
    capture(&mut command, "").map(drop)
}

/// What the emitters make now is what is in the repository.
fn snapshots() -> Result<()> {
    bless()?;
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(workspace_root()).args(args);
        command
    };
    let made = ["snapshots", "docs/targets.md", "docs/fit-accuracy.md"];
    run(git(&["diff", "--exit-code", "--stat", "--"]).args(made)).context(
        "emitted text differs from the snapshots: look at the difference, then `cargo xtask bless`",
    )?;
    let new = capture(&mut git(&["ls-files", "--others", "--exclude-standard", "--", "snapshots"]), "")?;
    anyhow::ensure!(new.is_empty(), "these snapshots are not in the repository:\n{new}");
    Ok(())
}
