//! `cargo xtask bench xdp`.

use anyhow::{Result, ensure};
use clap::Parser;
use std::collections::BTreeMap;
use std::path::PathBuf;
use xdp_bench::count::Counter;
use xdp_bench::scenario::{SCENARIOS, Scenario, gated};

const EXAMPLES: &str = "Examples:
  cargo xtask bench xdp --counts                     instructions per packet, by the interpreter
  cargo xtask bench xdp --counts --hot 30 --only est1    and the source lines that cost most";

/// What the emitted XDP program of l4lb costs, beside programs that do less
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench xdp", bin_name = "cargo xtask bench xdp", after_help = EXAMPLES)]
struct Options {
    /// Instructions per packet only, which need no quiet machine
    #[arg(long)]
    counts: bool,
    /// With --counts: as many of the source lines that cost most
    #[arg(long, default_value_t = 0)]
    hot: usize,
    /// With --counts: C of one's own in place of the emitted l4lb.bpf.c
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// These scenarios, with commas between them
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    for name in &options.only {
        let known: Vec<&str> = SCENARIOS.iter().map(|s| s.name).collect();
        ensure!(
            known.contains(&name.as_str()),
            "there is no scenario {name}; there are: {}",
            known.join(", ")
        );
    }
    counts(&options)
}

fn counts(options: &Options) -> Result<()> {
    let wanted = |s: &&Scenario| options.only.is_empty() || options.only.iter().any(|n| n == s.name);
    let source = options.source.as_deref().map(std::fs::read_to_string).transpose()?;
    let mut counters: BTreeMap<bool, Counter> = BTreeMap::new();
    println!(
        "{:<10}{:>13}{:>10}{:>8}{:>8}{:>8}{:>9}{:>9}",
        "scenario", "instructions", "branches", "taken", "loads", "stores", "atomics", "helpers"
    );
    for scenario in gated().filter(wanted) {
        if let std::collections::btree_map::Entry::Vacant(new) = counters.entry(scenario.siphash) {
            new.insert(Counter::new(scenario.siphash, source.as_deref())?);
        }
        let counter = &counters[&scenario.siphash];
        let counts = counter.count(scenario)?;
        let columns =
            [counts.branches, counts.taken, counts.loads, counts.stores, counts.atomics, counts.helpers()];
        let [branches, taken, loads, stores, atomics, helpers] = columns.map(|c| counts.each(c));
        println!(
            "{:<10}{:>13.1}{branches:>10.1}{taken:>8.1}{loads:>8.1}{stores:>8.1}{atomics:>9.2}{helpers:>9.1}",
            scenario.name,
            counts.per_frame()
        );
        for line in counter.hot(&counts).iter().take(options.hot) {
            let each = counts.each(line.instructions);
            println!("{each:>23.1}  {}:{}  {}", line.file, line.line, line.text);
        }
    }
    Ok(())
}
