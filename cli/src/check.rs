//! `guideway check`.

use crate::source::SourceArgs;
use crate::{Done, diagnostics};
use pipeline_ir::Pipeline;
use serde_json::json;
use std::process::ExitCode;

/// Checks a pipeline: does it mean something?
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway check my_pipeline.rs\n  guideway check --set RING_SLOTS=65536 --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Prints one JSON object: {"ok", "pipeline", "diagnostics": [{"code", "title", "message", "help", "line", ...}]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let source = args.source.read()?;
    if !args.json {
        println!("{}", summary(source.verified()?.pipeline()));
        return Ok(ExitCode::SUCCESS);
    }
    let (name, found) = match source.checked() {
        Ok(verified) => (Some(verified.pipeline().name.clone()), diagnostics::json(&Default::default())),
        Err(found) => (None, diagnostics::json(&found)),
    };
    let ok = name.is_some();
    println!("{}", json!({"ok": ok, "pipeline": name, "diagnostics": found}));
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(p: &Pipeline) -> String {
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let parts = [
        count(p.tables.len(), "table"),
        count(p.flow_tables.len(), "flow table"),
        count(p.rings.len(), "ring"),
        count(p.counters.len(), "counter"),
        count(p.reasons.len(), "drop reason"),
    ];
    format!("{}: sound; {}", p.name, parts.join(", "))
}
