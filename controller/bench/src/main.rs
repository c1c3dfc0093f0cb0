//! `cargo xtask bench consistency` and `cargo xtask bench control`.

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use control_bench::consistency::{self, Cell, Row, Size};
use control_bench::propagation::{self, Cost, Outcome, Spread};
use control_bench::roles;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// What the control plane does to connections, and how fast
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand, Debug)]
enum Bench {
    /// Connections that changes break, with and without a flow table
    Consistency {
        /// Connections to each of two VIPs
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
        flows: u32,
        /// Backends at the beginning
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(4..=4_000))]
        backends: u32,
        /// One JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// From an accepted change to the last node's flip, and what changes cost
    Control {
        /// Agents, each with a switch
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=64))]
        agents: u8,
        /// Backends of one pool
        #[arg(long, default_value_t = 750, value_parser = clap::value_parser!(u32).range(2..=4_000))]
        backends: u32,
        /// Changes that are measured
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        changes: u32,
        /// Milliseconds between one change's last flip and the next change
        #[arg(long, default_value_t = 400)]
        pause: u64,
        /// Seconds without a change, for idle CPU
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
        idle: u64,
        /// One JSON object instead of lines
        #[arg(long)]
        json: bool,
    },
    /// A part of `control`
    #[command(hide = true)]
    Role {
        #[command(subcommand)]
        role: Role,
    },
}

#[derive(Subcommand, Debug)]
enum Role {
    Controller { registry: PathBuf },
    Switches { count: usize },
    Agent { node: String, controller: String, switch: String, state: PathBuf },
}

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match options.bench {
        Bench::Consistency { flows, backends, json } => {
            runtime.block_on(consistency(Size { flows, backends }, json))
        }
        Bench::Control { agents, backends, changes, pause, idle, json } => {
            let agents = agents.into();
            let (pause, idle) = (Duration::from_millis(pause), Duration::from_secs(idle));
            let size = propagation::Size { agents, backends, changes, pause, idle };
            runtime.block_on(control(size, json))
        }
        Bench::Role { role: Role::Controller { registry } } => runtime.block_on(roles::controller(&registry)),
        Bench::Role { role: Role::Switches { count } } => runtime.block_on(roles::switches(count)),
        Bench::Role { role: Role::Agent { node, controller, switch, state } } => {
            runtime.block_on(roles::agent(&node, &controller, &switch, &state))
        }
    }
}

async fn consistency(size: Size, as_json: bool) -> Result<()> {
    if !as_json {
        println!(
            "| change | with a flow table: broken (expected) | without: broken (expected) | by weights |"
        );
        println!("| --- | ---: | ---: | ---: |");
    }
    let show = |row: &Row| {
        if !as_json {
            println!("{}", line(row));
        }
    };
    let rows = consistency::measure(size, show).await?;
    if as_json {
        let all = json!({"flows": size.flows, "backends": size.backends, "changes": rows});
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    let right = |cell: &Cell| cell.broken == cell.expected && cell.dropped == 0 && cell.strange == 0;
    let wrong: Vec<&str> =
        rows.iter().filter(|r| !right(&r.with) || !right(&r.without)).map(|r| r.change).collect();
    ensure!(wrong.is_empty(), "not what the rings say: {}", wrong.join(", "));
    Ok(())
}

fn line(row: &Row) -> String {
    let cell = |c: &Cell| match c.with_their_backend {
        0 => format!("{} ({})", c.broken, c.expected),
        own => format!("{} ({}), {own} with their backend", c.broken, c.expected),
    };
    let by_weight = format!("{:.0}, {:.0}", row.with.by_weight, row.without.by_weight);
    format!("| {} | {} | {} | {by_weight} |", row.change, cell(&row.with), cell(&row.without))
}

/// What a change may take, milliseconds.
const BAR: f64 = 100.0;

async fn control(size: propagation::Size, as_json: bool) -> Result<()> {
    let done = propagation::measure(size, |step| eprintln!("{step} ...")).await?;
    if as_json {
        let all =
            json!({"agents": size.agents, "backends": size.backends, "bar_p99_ms": BAR, "measured": done});
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print!("{}", lines(size, &done));
    }
    Ok(())
}

fn lines(size: propagation::Size, done: &Outcome) -> String {
    let spread =
        |name: &str, s: Spread| format!("{name:<34}{:>8.1}{:>8.1}{:>8.1} ms\n", s.p50, s.p99, s.most);
    let cost = |name: &str, c: Cost| {
        format!(
            "{name:<22}{:>8.2} %{:>10.1} ms{:>16.4} %{:>10.0} MiB\n",
            c.idle_percent, c.change_ms, c.day_percent, c.resident_mib
        )
    };
    let mut text = format!(
        "{} changes, {} agents, {} backends\n{:<34}{:>8}{:>8}{:>8}\n",
        done.changes, size.agents, size.backends, "", "p50", "p99", "most"
    );
    text += &spread("from the call to the first flip", done.first);
    text += &spread("from the call to the last flip", done.from_call);
    text += &spread("from the answer to the last flip", done.from_answer);
    text += &spread("the call", done.call);
    text += &format!(
        "\n{:<22}{:>10}{:>13}{:>18}{:>14}\n",
        "CPU, of one", "idle", "a change", "1,500 a day add", "memory"
    );
    text += &cost("controller", done.controller);
    text += &cost(&format!("{} agents", size.agents), done.agents);
    text += &cost(&format!("{} switches", size.agents), done.switches);
    text
}
