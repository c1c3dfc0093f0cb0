//! `guideway trace`.

use crate::frames::frames;
use crate::source::SourceArgs;
use crate::switch::entries;
use crate::text::hex;
use crate::{Done, Refused};
use guideway::serving::Rings;
use pipeline_entries::value::shown;
use pipeline_ir::Pipeline;
use pipeline_ir::entry::WriteKind;
use pipeline_ir::eval::{Oracle, TraceStep, Verdict};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Shows the way of packets through a pipeline: states, look-ups, verdict, bytes out.
///
/// The oracle runs them, the one that defines what a pipeline means: no target is needed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway trace --entries docs/lb.toml --packet \\\n    '020000000001 0200000000fe 0800 4500 0028 0001 4000 4006 f36f c0000201 cb00710a 1f90 0050 00000001 00000000 5002 2000 0000 0000'\n  guideway trace my_pipeline.rs --packet capture.pcap --port 2"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// A frame in hexadecimal, or a file: a capture (pcap), else hexadecimal text.
    #[arg(long, value_name = "HEX|FILE")]
    packet: String,
    /// The entries of its tables, TOML or JSON.
    #[arg(long)]
    entries: Option<PathBuf>,
    /// The port where the packets come in.
    #[arg(long, default_value_t = 1)]
    port: u32,
    /// The tick at which the first comes; each further packet of a capture comes in its own.
    #[arg(long, default_value_t = 0)]
    tick: u32,
    /// Prints one JSON object a packet: {"verdict", "port", "reason", "bytes", "steps"}.
    #[arg(long)]
    json: bool,
}

/// The clock of the host's data planes.
const TICK_NS: u64 = 1 << 26;

pub(crate) fn run(args: &Args) -> Done {
    let verified = args.source.read()?.verified()?;
    let mut oracle = Oracle::new(&verified, TICK_NS);
    if let Some(path) = &args.entries {
        let wanted = entries::read(path, verified.pipeline())?;
        for entry in &wanted.entries {
            oracle
                .write(entry, WriteKind::Insert)
                .map_err(|e| Refused(format!("error: {}: {e}", path.display())))?;
        }
        let mut rings = Rings::new(verified.pipeline());
        for ring in &wanted.rings {
            let fill = rings.fill(ring, ring.generation)?;
            oracle.fill(&fill);
            oracle.write(&rings.pool_entry(ring.ring, ring.pool, ring.generation)?, WriteKind::Insert)?;
        }
    }
    for (i, frame) in frames(&args.packet)?.iter().enumerate() {
        let tick = args.tick.wrapping_add(u32::try_from(i).unwrap_or(u32::MAX));
        let out = oracle.process(args.port, tick, frame);
        let (verdict, port, reason) = match &out.verdict {
            Verdict::Forward { port } => ("forward", json!(port), Value::Null),
            Verdict::Pass => ("pass", Value::Null, Value::Null),
            Verdict::Drop(reason) => ("drop", Value::Null, json!(reason)),
        };
        let steps: Vec<String> = out.trace.iter().map(|step| told(verified.pipeline(), step)).collect();
        if args.json {
            let bytes = hex(&out.bytes);
            println!(
                "{}",
                json!({"verdict": verdict, "port": port, "reason": reason, "bytes": bytes, "steps": steps})
            );
            continue;
        }
        println!("packet {i}: {} bytes in at port {}", frame.len(), args.port);
        for step in steps {
            println!("  {step}");
        }
        if !out.bytes.is_empty() {
            println!("  {} bytes out: {}", out.bytes.len(), hex(&out.bytes));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A step as people write its values: addresses, MACs and numbers as in an entry file.
fn told(p: &Pipeline, step: &TraceStep) -> String {
    let fields = |fields: &[(String, u128)], width: &dyn Fn(&str) -> Option<u8>| -> String {
        let one = |(name, value): &(String, u128)| match width(name) {
            Some(width) => format!(" {name}={}", shown(name, width, *value)),
            None => format!(" {name}={value}"),
        };
        fields.iter().map(one).collect()
    };
    match step {
        TraceStep::Applied { table, key, hit, action, data } => {
            let table_of = p.tables.iter().find(|t| t.name == *table);
            let keys = table_of.map(|t| t.keys.as_slice()).unwrap_or_default();
            let actions = table_of.map(|t| t.actions.as_slice()).unwrap_or_default();
            let action_of = actions.iter().map(|a| &p.actions[a.index()]).find(|a| a.name == *action);
            let params = action_of.map(|a| a.params.as_slice()).unwrap_or_default();
            let of_key = |name: &str| keys.iter().find(|k| k.name == name).map(|k| k.width);
            let of_data =
                |name: &str| params.iter().map(|v| p.var(*v)).find(|v| v.name == name).map(|v| v.ty.width());
            let how = if *hit { "hit" } else { "miss" };
            format!("table {table}{}: {how}, {action}{}", fields(key, &of_key), fields(data, &of_data))
        }
        TraceStep::Found { table, key, live } => {
            let keys = p.flow_tables.iter().find(|t| t.name == *table).map(|t| t.keys.as_slice());
            let keys = keys.unwrap_or_default();
            let of_key = |name: &str| keys.iter().find(|k| k.name == name).map(|k| k.width);
            let found = live.map_or_else(|| "none".to_owned(), |id| format!("live, id {id}"));
            format!("flow {table}{}: {found}", fields(key, &of_key))
        }
        other => other.to_string(),
    }
}
