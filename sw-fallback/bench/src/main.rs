//! `cargo xtask bench xdp`.

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use xdp_bench::compile;
use xdp_bench::count::Counter;
use xdp_bench::report;
use xdp_bench::scenario::{SCENARIOS, Scenario, gated};
use xdp_bench::sys;
use xdp_bench::times::{Effort, Fixture, Times, captured, latency, measure, on_two_cpus, over_veth};

const EXAMPLES: &str = "Examples:
  cargo xtask bench xdp                              everything, some minutes
  cargo xtask bench xdp --only est1,syn --rounds 9   two scenarios, on one CPU
  cargo xtask bench xdp --only est1 --json           one JSON object
  cargo xtask bench xdp --part compile               how long the compiler takes
  cargo xtask bench xdp --pcap in.pcap --entries docs/lb.toml   the frames of a capture
  cargo xtask bench xdp --counts                     instructions per packet, by the interpreter
  cargo xtask bench xdp --counts --only est1 --hot 30    and the source lines that cost most

Only ratios of one run mean something; docs/bench.md says how to read them.";

/// What the emitted XDP program of l4lb costs, beside programs that do less
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench xdp", bin_name = "cargo xtask bench xdp", after_help = EXAMPLES)]
struct Options {
    /// These scenarios, with commas between them; only the times on one CPU then, unless --part says more
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// These parts: times, cpus, veth, latency, compile
    #[arg(long, value_delimiter = ',')]
    part: Vec<String>,
    /// How often each program is measured; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each program runs in a round
    #[arg(long, default_value_t = 0.3)]
    seconds: f64,
    /// The CPU to measure on, instead of the last one
    #[arg(long)]
    cpu: Option<usize>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Instructions per packet only, which need no quiet machine
    #[arg(long)]
    counts: bool,
    /// With --counts: as many of the source lines that cost most
    #[arg(long, default_value_t = 0)]
    hot: usize,
    /// With --counts: C of one's own in place of the emitted l4lb.bpf.c
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// The frames of a capture instead of scenarios, each of 64 bytes, with the entries of --entries
    #[arg(long, value_name = "FILE", requires = "entries")]
    pcap: Option<PathBuf>,
    /// With --pcap: an entry file for l4lb, of which the ports are `1@lo`
    #[arg(long, value_name = "FILE", requires = "pcap")]
    entries: Option<PathBuf>,
}

const PARTS: [&str; 5] = ["times", "cpus", "veth", "latency", "compile"];
/// Pings, and packets per second beside them.
const PINGS: usize = 2000;
const LOADS: [u32; 2] = [0, 100_000];

fn main() -> Result<()> {
    let options = Options::parse();
    let known: Vec<&str> = SCENARIOS.iter().map(|s| s.name).collect();
    for name in &options.only {
        ensure!(
            known.contains(&name.as_str()),
            "there is no scenario {name}; there are: {}",
            known.join(", ")
        );
    }
    for part in &options.part {
        ensure!(PARTS.contains(&part.as_str()), "there is no part {part}; there are: {}", PARTS.join(", "));
    }
    ensure!(options.rounds > 0 && options.seconds > 0.0, "--rounds and --seconds must be more than 0");
    if let (Some(pcap), Some(entries)) = (&options.pcap, &options.entries) {
        sys::pin(options.cpu.or_else(|| sys::cpus().last().copied()).unwrap_or(0))?;
        let captured = captured(pcap, entries, options.rounds)?;
        println!("{}", serde_json::to_string(&captured)?);
        return Ok(());
    }
    if options.counts { counts(&options) } else { bench(&options) }
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        match self.part.is_empty() {
            true => part == "times" || self.only.is_empty(),
            false => self.part.iter().any(|p| p == part),
        }
    }

    fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> {
        SCENARIOS.iter().filter(|s| self.only.is_empty() || self.only.iter().any(|n| n == s.name))
    }

    fn effort(&self) -> Effort {
        Effort { rounds: self.rounds, seconds: self.seconds }
    }

    /// Shows a part of the tables, unless a program reads us.
    fn show(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }
}

fn bench(options: &Options) -> Result<()> {
    let cpus = sys::cpus();
    let cpu = options.cpu.or_else(|| cpus.last().copied()).unwrap_or(0);
    sys::pin(cpu)?;
    if sys::Hardware::open().is_none() {
        eprintln!(
            "no hardware counters here: instructions are counted by the interpreter, missed branches not at all"
        );
    }
    let mut result = json!({});
    if options.wants("times") {
        let (times, instructions) = times(options)?;
        options.show(&report::ratios(&times, &instructions));
        result["times"] = serde_json::to_value(&times)?;
        result["instructions"] = serde_json::to_value(&instructions)?;
        for t in &times {
            result["ratios"][t.scenario] = json!({
                "lru": t.ratio("lru"), "encap": t.ratio("encap"), "bar": report::bar(t.scenario),
            });
        }
    }
    if options.wants("cpus") {
        two_cpus(options, &cpus, &mut result)?;
    }
    if options.wants("veth") {
        eprintln!("real frames over veth");
        let names = ["est1", "est100k", "syn"];
        let scenarios: Vec<&Scenario> = SCENARIOS.iter().filter(|s| names.contains(&s.name)).collect();
        let live = over_veth(&scenarios, options.effort(), cpu)?;
        options.show(&report::live(&live));
        result["veth"] = serde_json::to_value(&live)?;
    }
    if options.wants("latency") {
        eprintln!("round trips");
        let list = latency(PINGS, &LOADS, cpu)?;
        options.show(&report::latency(&list));
        result["latency_us"] = serde_json::to_value(&list)?;
    }
    if options.wants("compile") {
        let compile = compile::compile(21)?;
        options.show(&report::compile(&compile));
        result["compile_ms"] = serde_json::to_value(&compile)?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    }
    Ok(())
}

fn two_cpus(options: &Options, cpus: &[usize], result: &mut serde_json::Value) -> Result<()> {
    let [first, second, ..] = *cpus else {
        eprintln!("one CPU here: nothing to compare it with");
        return Ok(());
    };
    let mut fixture = Fixture::new(false, false, "lo")?;
    let mut list = Vec::new();
    for scenario in SCENARIOS.iter().filter(|s| ["est1k", "est100k", "syn"].contains(&s.name)) {
        eprintln!("two CPUs: {}", scenario.name);
        list.extend(on_two_cpus(scenario, options.effort(), &mut fixture, [first, second])?);
    }
    options.show(&report::cpus(&list));
    result["cpus"] = serde_json::to_value(&list)?;
    Ok(())
}

fn times(options: &Options) -> Result<(Vec<Times>, BTreeMap<String, f64>)> {
    let mut fixture: Option<Fixture> = None;
    let mut list = Vec::new();
    for scenario in options.scenarios() {
        if fixture.as_ref().is_some_and(|f| !f.is_for(scenario.siphash)) {
            fixture = None;
        }
        let fixture = match &mut fixture {
            Some(fixture) => fixture,
            none => none.insert(Fixture::new(scenario.siphash, scenario.shape.ipv6, "lo")?),
        };
        fixture.family(scenario.shape.ipv6)?;
        eprint!("{}:", scenario.name);
        let times = measure(scenario, options.effort(), fixture, |round| eprint!(" {}", round + 1))?;
        eprintln!();
        options.show(&report::costs(&times));
        list.push(times);
    }
    drop(fixture);
    let mut instructions = BTreeMap::new();
    let mut counters = BTreeMap::new();
    for scenario in gated().filter(|s| list.iter().any(|t| t.scenario == s.name)) {
        let counts = counter(&mut counters, scenario, None)?.count(scenario)?;
        instructions.insert(scenario.name.to_owned(), counts.per_frame());
    }
    Ok((list, instructions))
}

/// The counter with a scenario's hash.
fn counter<'a>(
    counters: &'a mut BTreeMap<bool, Counter>,
    scenario: &Scenario,
    source: Option<&str>,
) -> Result<&'a Counter> {
    use std::collections::btree_map::Entry::{Occupied, Vacant};
    Ok(match counters.entry(scenario.siphash) {
        Occupied(known) => known.into_mut(),
        Vacant(new) => new.insert(Counter::new(scenario.siphash, source)?),
    })
}

fn counts(options: &Options) -> Result<()> {
    let source = options.source.as_deref().map(std::fs::read_to_string).transpose()?;
    let mut counters = BTreeMap::new();
    println!(
        "{:<10}{:>13}{:>10}{:>8}{:>8}{:>8}{:>9}{:>9}",
        "scenario", "instructions", "branches", "taken", "loads", "stores", "atomics", "helpers"
    );
    for scenario in gated().filter(|s| options.scenarios().any(|o| o.name == s.name)) {
        let counter = counter(&mut counters, scenario, source.as_deref())?;
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
