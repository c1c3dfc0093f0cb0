//! `guideway trace`.

use crate::source::SourceArgs;
use crate::switch::entries;
use crate::switch::rings::Rings;
use crate::text::hex;
use crate::{Done, Refused};
use pipeline_ir::entry::WriteKind;
use pipeline_ir::eval::{Oracle, Verdict};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
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

/// The frames that an argument means.
fn frames(packet: &str) -> Result<Vec<Vec<u8>>, Refused> {
    if let Some(frame) = bytes_of(packet) {
        return Ok(vec![frame]);
    }
    let path = Path::new(packet);
    let neither = |e| Refused(format!("error: `{packet}` is neither a frame in hexadecimal nor a file: {e}"));
    let bytes = std::fs::read(path).map_err(neither)?;
    if let Some(frames) = captured(&bytes) {
        return Ok(frames);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    let frames: Option<Vec<_>> = lines.map(bytes_of).collect();
    frames.filter(|f| !f.is_empty()).ok_or_else(|| {
        Refused(format!(
            "error: {packet} is no capture of Ethernet (pcap) and no hexadecimal text, a frame a line"
        ))
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = hex
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    Some(pairs.map(|p| (p[0] << 4 | p[1]) as u8).collect())
}

/// The packets of a capture file (pcap, either byte order); none if it is none, or not of Ethernet.
fn captured(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    const ETHERNET: u32 = 1;
    let big = match bytes.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
        _ => return None,
    };
    let word = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    if word(20)? & 0xffff != ETHERNET {
        return None;
    }
    let mut frames = Vec::new();
    let mut at = 24;
    while let Some(length) = word(at + 8) {
        let end = (at + 16).checked_add(usize::try_from(length).ok()?)?;
        let Some(frame) = bytes.get(at + 16..end) else { break };
        frames.push(frame.to_vec());
        at = end;
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hexadecimal_with_or_without_gaps() {
        for text in ["0a0b", "0A 0b", "0a:0b"] {
            assert_eq!(bytes_of(text), Some(vec![10, 11]), "{text}");
        }
        for text in ["", "0a0", "0x0a", "a.pcap"] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }

    #[test]
    fn captures_of_both_byte_orders() {
        for big in [true, false] {
            let word = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
            let head = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1].map(word).concat();
            let packet =
                |bytes: &[u8]| [[1, 2, bytes.len() as u32, 99].map(word).concat(), bytes.to_vec()].concat();
            let file = [head, packet(&[1, 2, 3]), packet(&[4])].concat();
            assert_eq!(captured(&file).unwrap(), [vec![1, 2, 3], vec![4]]);
            assert_eq!(
                captured(&file[..file.len() - 1]).unwrap(),
                [vec![1, 2, 3]],
                "a cut packet is left out"
            );
        }
        assert_eq!(captured(b"no capture"), None);
    }
}
