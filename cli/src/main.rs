//! The `guideway` command: checks pipelines, compiles them to targets, and runs them in software.
//!
//! Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command line is wrong.

mod capture;
mod check;
mod compile;
mod control;
mod counters;
mod diagnostics;
mod fit;
mod flows;
mod frames;
mod load;
mod log;
mod made;
mod packet_out;
mod programs;
mod remote;
mod source;
mod switch;
mod table;
mod targets;
mod text;
mod trace;

use clap::{Parser, Subcommand};
pub(crate) use guideway::serving::Refused;
use std::process::ExitCode;

/// One pipeline, every data plane: P4, XDP, native.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "GUIDEWAY_LOG=debug tells the steps on standard error; so does CRATE=LEVEL, as in sw_fallback=trace."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Compile(compile::Args),
    Fit(fit::Args),
    Targets(targets::Args),
    Trace(trace::Args),
    Switch(switch::Args),
    Load(load::Args),
    Table(table::Args),
    Counters(counters::Args),
    Flows(flows::Args),
    PacketOut(packet_out::Args),
    Capture(capture::Args),
    Checker(control::checker::Args),
    Registry(control::registry::Args),
    Agent(control::agent::Args),
    Controller(control::controller::Args),
    Ctl(control::ctl::Args),
}

type Done = Result<ExitCode, Refused>;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = log::start().and_then(|()| match command {
        Command::Check(args) => check::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Fit(args) => fit::run(&args),
        Command::Targets(args) => targets::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Switch(args) => switch::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Table(args) => table::run(&args),
        Command::Counters(args) => counters::run(&args),
        Command::Flows(args) => flows::run(&args),
        Command::PacketOut(args) => packet_out::run(&args),
        Command::Capture(args) => capture::run(&args),
        Command::Checker(args) => control::checker::run(&args),
        Command::Registry(args) => control::registry::run(&args),
        Command::Agent(args) => control::agent::run(&args),
        Command::Controller(args) => control::controller::run(&args),
        Command::Ctl(args) => control::ctl::run(&args),
    });
    done.unwrap_or_else(|Refused(text)| {
        eprintln!("{text}");
        ExitCode::FAILURE
    })
}
