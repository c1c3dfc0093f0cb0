//! `cargo xtask bench p4runtime`.

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use p4runtime_bench::bmv2::{self, Beside};
use p4runtime_bench::lab::{Switch, World};
use p4runtime_bench::swap::{self, Effort, Swaps};
use p4runtime_bench::traffic::Load;
use p4runtime_bench::writes::{self, Bench, Memory, Rate};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  cargo xtask bench p4runtime                           everything, on xdp and native
  cargo xtask bench p4runtime --target xdp --part swap  rings that take each other's place under traffic
  cargo xtask bench p4runtime --json                    one JSON object";

/// What P4Runtime costs: our server with our client, and our client with BMv2
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench p4runtime", bin_name = "cargo xtask bench p4runtime", after_help = EXAMPLES)]
struct Options {
    /// These targets, with commas between them
    #[arg(long, value_delimiter = ',', default_value = "xdp,native")]
    target: Vec<String>,
    /// These parts: rates, swap, memory, bmv2
    #[arg(long, value_delimiter = ',', default_value = "rates,swap,memory,bmv2")]
    part: Vec<String>,
    /// How often each call is measured; the median counts
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Rings that take each other's place
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=200))]
    swaps: u8,
    /// Frames per second meanwhile
    #[arg(long, default_value_t = 20_000)]
    pace: u32,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// The `guideway` command to serve with
    #[arg(long)]
    guideway: PathBuf,
}

const PARTS: [&str; 4] = ["rates", "swap", "memory", "bmv2"];

fn main() -> Result<()> {
    let options = Options::parse();
    for part in &options.part {
        if !PARTS.contains(&part.as_str()) {
            bail!("there is no part {part}; there are: {}", PARTS.join(", "));
        }
    }
    // Before there are threads: all of them are in it.
    let world = World::make()?;
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    rt.block_on(run(&options, &world))
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.part.iter().any(|p| p == part)
    }
}

async fn run(options: &Options, world: &World) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}")?);
    let mut result = json!({});
    for target in &options.target {
        let name = target.clone();
        let mut tick = |what: &str| {
            bar.set_message(format!("{name}: {what}"));
            bar.tick();
        };
        if options.wants("rates") || options.wants("memory") {
            tick("starting");
            let switch = Switch::start(&options.guideway, world, target, &[])?;
            let (session, names) = switch.session().await?;
            let bench =
                Bench { session: &session, names: &names, server: switch.process(), rounds: options.rounds };
            if options.wants("rates") {
                let rates = bench.rates(&mut tick).await?;
                show(options, &bar, &rate_lines(target, &rates));
                result[target]["rates"] = serde_json::to_value(&rates)?;
            }
            if options.wants("memory") {
                tick("a million entries");
                let memory = writes::memory(&bench).await?;
                show(options, &bar, &memory_line(target, memory));
                result[target]["memory"] = serde_json::to_value(memory)?;
            }
        }
        if options.wants("swap") {
            tick("swaps under traffic");
            let switch = Switch::start(&options.guideway, world, target, &[])?;
            let load = Load { pace: options.pace, lasting: 1000 };
            let swaps = swap::swaps(&switch, Effort { swaps: options.swaps, load }).await;
            let swaps = swaps.with_context(|| format!("swaps on {target}"))?;
            show(options, &bar, &swap_lines(target, &swaps));
            result[target]["swap"] = serde_json::to_value(&swaps)?;
        }
    }
    if options.wants("bmv2") {
        match bmv2::missing() {
            Some(program) => eprintln!("BMv2 is left out: {program} is not on PATH"),
            None => {
                let mut tick = |what: &str| {
                    bar.set_message(what.to_owned());
                    bar.tick();
                };
                let beside = bmv2::beside(options.rounds, &mut tick).await.context("BMv2")?;
                show(options, &bar, &bmv2_lines(&beside));
                result["bmv2"] = serde_json::to_value(&beside)?;
            }
        }
    }
    bar.finish_and_clear();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    }
    Ok(())
}

/// Shows a part of the tables, unless a program reads us.
fn show(options: &Options, bar: &ProgressBar, text: &str) {
    if !options.json {
        bar.suspend(|| println!("{text}"));
    }
}

fn rate_lines(target: &str, rates: &[Rate]) -> String {
    let mut text = format!(
        "{target:<10}{:<8}{:>8}{:>14}{:>26}{:>10}{:>10}\n",
        "", "entries", "entries/s", "least .. most", "client ns", "server ns"
    );
    for r in rates {
        let range = format!("{:.0} .. {:.0}", r.per_second.least, r.per_second.most);
        let (rate, client, server) = (r.per_second.median, r.client_ns, r.server_ns);
        text += &format!(
            "{:<10}{:<8}{:>8}{rate:>14.0}{range:>26}{client:>10.0}{server:>10.0}\n",
            r.table, r.call, r.entries
        );
    }
    text
}

fn memory_line(target: &str, m: Memory) -> String {
    format!(
        "{target:<10}{} ring slots: {:.1} bytes each in the server, {:.0} in the client; {:.0} entries/s\n",
        m.entries, m.server, m.client, m.per_second
    )
}

fn swap_lines(target: &str, swaps: &Swaps) -> String {
    let spread = |of: fn(&swap::Times) -> f64| {
        let s = writes::Spread::of(swaps.times.iter().map(of).collect());
        format!("{:.1} ms ({:.1} .. {:.1})", s.median, s.least, s.most)
    };
    let v = swaps.frames;
    format!(
        "{target:<10}{} swaps: effect after {}, written after {}, flipped within {}\n\
         {:<10}{} frames ({:.0}/s): {} lost, {} misdirected, {} strange\n",
        swaps.times.len(),
        spread(|t| t.effect),
        spread(|t| t.written),
        spread(|t| t.flipped),
        "",
        v.sent,
        swaps.pace,
        v.lost,
        v.misdirected,
        v.strange
    )
}

fn bmv2_lines(b: &Beside) -> String {
    let mut text = "BMv2: updates of a write, writes at once, entries/s\n".to_owned();
    for (updates, at_once, rate) in &b.plain {
        text += &format!("{:<10}{updates:>8}{at_once:>4}{:>12.0}\n", "plain", rate.median);
    }
    text += &format!(
        "{:<22}{:>12.0}    {:.2} of the best plain one (bar 0.80)\n",
        "ours", b.ours.median, b.ratio
    );
    text
}
