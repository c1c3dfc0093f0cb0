//! `cargo xtask`: demo, tests, benches and checks of the workspace.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::process::ExitCode;
use xtask::{demo, http, tasks, tidy};

/// Demo, tests, benches and checks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  cargo xtask demo                    real connections through the emitted XDP program (as root)
  cargo xtask demo --keep             the same, and leaves the lab up to look inside
  cargo xtask demo --json --yes       for programs: no questions, one JSON object
  cargo xtask test                    every test of the workspace
  cargo xtask test -- -p p4           tests of one crate: what follows -- goes to cargo test
  cargo xtask bless                   accept the emitters' new output as snapshots
  cargo xtask bench                   lists the benches
  cargo xtask bench xdp               what the emitted XDP program costs
  cargo xtask bench p4runtime         entries per second, ring swaps under traffic
  cargo xtask ci                      everything that a change has to pass";

#[derive(Subcommand)]
enum Command {
    /// Balance real TCP connections in a lab of network namespaces
    Demo(demo::Options),
    /// Run every test of the workspace
    Test(tasks::TestOptions),
    /// Accept the emitters' new output as snapshots
    Bless,
    /// Let p4c and clang judge the emitted sources in snapshots
    Judge,
    /// Run a bench; without a name, list them
    Bench(tasks::BenchOptions),
    /// Check the workspace's invariants that no compiler checks
    Tidy,
    /// Run everything that a change has to pass
    Ci(tasks::CiOptions),
    /// Can an ordinary user have namespaces here? Tried in a process of its own
    #[command(hide = true)]
    LabRights,
    /// The HTTP server of a backend in the demo's lab
    #[command(hide = true)]
    LabServer {
        /// The backend's name
        #[arg(long)]
        name: String,
        /// Where to listen
        #[arg(long, required = true)]
        listen: Vec<SocketAddr>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo(options) => demo::demo(&options),
        Command::Test(options) => tasks::test(&options),
        Command::Bless => tasks::bless(),
        Command::Judge => tasks::judge(),
        Command::Bench(options) => tasks::bench(&options),
        Command::Tidy => tidy::tidy(),
        Command::Ci(options) => tasks::ci(&options),
        Command::LabRights => demo::plane::try_rights(),
        Command::LabServer { name, listen } => http::serve(&name, &listen),
    }
}
