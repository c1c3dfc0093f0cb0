//! `guideway targets`.

use crate::Done;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists the targets, or tells what one provides and where its limits are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  guideway targets\n  guideway targets tofino")]
pub(crate) struct Args {
    /// Tell all about this one.
    name: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    if let Some(name) = &args.name {
        let target = hw_targets::target(name)?;
        if args.json {
            println!("{}", all(&target));
        } else {
            print!("{}", told(&target));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let targets = hw_targets::names().map(hw_targets::target).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        let rows = targets
            .iter()
            .map(|t| json!({"name": t.name, "title": t.title, "arch": t.arch, "emits": t.emits}));
        println!("{}", rows.collect::<Value>());
        return Ok(ExitCode::SUCCESS);
    }
    for t in targets {
        println!("{:<8} {}{}", t.name, t.title, if t.emits { "" } else { " (fit only)" });
    }
    Ok(ExitCode::SUCCESS)
}

fn all(t: &hw_targets::Target) -> Value {
    let limits: serde_json::Map<String, Value> =
        t.limits.iter().map(|(n, l)| (n.clone(), json!({"value": l.value, "source": l.source}))).collect();
    json!({"name": t.name, "title": t.title, "arch": t.arch, "emits": t.emits, "tick_ns": t.tick_ns,
        "provides": t.provides, "limits": limits})
}

fn told(t: &hw_targets::Target) -> String {
    let mut text =
        format!("{}: {}\narchitecture {}, a tick of {} ns\n\nprovides\n", t.name, t.title, t.arch, t.tick_ns);
    for word in &t.provides {
        let meaning = hw_targets::VOCABULARY.iter().find(|(w, _)| w == word).map_or("", |(_, m)| m);
        text.push_str(&format!("  {word:<22} {meaning}\n"));
    }
    text.push_str("\nlimits\n");
    for (name, limit) in &t.limits {
        text.push_str(&format!("  {name:<22} {} ({})\n", limit.value, limit.source));
    }
    text
}
