//! The small commands: `test`, `bless`, `judge`, `bench`, `ci`.

mod bench;
mod captures;
mod ci;
mod judge;

pub use bench::{BenchOptions, bench};
pub use ci::{CiOptions, ci};
pub use judge::judge;

use crate::needs;
use crate::run::{cargo, run};
use anyhow::Result;
use clap::Args;

/// Options of `test`.
#[derive(Args, Clone, Debug, Default)]
pub struct TestOptions {
    /// Install what is missing without asking
    #[arg(long)]
    pub yes: bool,
    /// Arguments for cargo test, instead of --workspace
    #[arg(last = true)]
    pub cargo: Vec<String>,
}

/// Runs every test of the workspace, doc tests too. The output ends with cargo's own result lines.
///
/// # Errors
/// A tool is missing and can't be installed, or a test fails.
pub fn test(options: &TestOptions) -> Result<()> {
    needs::ensure(needs::ALL, options.yes)?;
    let mut command = cargo(["test"]);
    if options.cargo.is_empty() {
        // A failure hides no other.
        command.args(["--workspace", "--no-fail-fast"]).args(dpdk())
    } else {
        command.args(&options.cargo)
    };
    run(&mut command)
}

/// What has cargo build the target `dpdk` too, where libdpdk is installed: features of three crates, so that all others are
/// built once.
fn dpdk() -> &'static [&'static str] {
    match needs::dpdk() {
        true => &["--features", "dpdk-switch/dpdk,guideway-cli/dpdk,snapshots/dpdk"],
        false => &[],
    }
}

/// Writes the emitters' output over the snapshots, what a chip's compiler reports (where it is on PATH) and what `fit` says beside it,
/// and what packets cost now over the ceilings.
///
/// # Errors
/// An emitter or a test fails for a reason other than a changed snapshot.
pub fn bless() -> Result<()> {
    for test in [
        &["test", "--package", "snapshots", "--test", "golden", "--test", "reject", "--test", "targets"][..],
        // What the compiler says first, since the page is made of it.
        &["test", "--package", "snapshots", "--test", "accuracy", "the_compiler_reports_what_is_recorded"],
        &["test", "--package", "snapshots", "--test", "accuracy", "the_page_is_what_fit_says"],
        &["test", "--package", "xdp-bench", "--test", "gate"],
    ] {
        run(cargo(test).env("GUIDEWAY_BLESS", "1"))?;
    }
    Ok(())
}
