//! `guideway trace`.

use crate::frames::frames;
use crate::source::SourceArgs;
use crate::switch::entries;
use crate::switch::rings::Rings;
use crate::text::hex;
use crate::{Done, Refused};
use pipeline_ir::entry::WriteKind;
use pipeline_ir::eval::{Oracle, Verdict};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Shows the way of packets through a pipeline: states, look-ups, verdict, bytes out.
///
/// The oracle runs them, the one that defines what a pipeline means: no target is needed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway trace --packet 0200000000010200000000020800450000... --entries entries.toml\n  guideway trace my_pipeline.rs --packet capture.pcap --port 2"
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
        let steps: Vec<String> = out.trace.iter().map(ToString::to_string).collect();
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
