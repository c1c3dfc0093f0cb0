//! Runs stories on data planes and compares what they did.

use crate::entries::EntryText;
use crate::packet;
use crate::story::{Change, Step, Stories, Story};
use anyhow::{Context, Result, bail, ensure};
use pipeline_ir::entry::{Tables, WriteError, WriteKind};
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use sw_fallback::plane::{Count, FlowRecord, Outcome, TestPlane, Verdict};

/// All that can be seen of a story on one data plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What became of each packet.
    pub outcomes: Vec<Outcome>,
    /// Writes that were refused: the step, and why.
    pub refused: Vec<String>,
    /// Named counters in the end.
    pub counters: BTreeMap<String, Count>,
    /// Each table's entries with their counts, sorted.
    pub entries: Vec<(String, Count)>,
    /// Each flow table's content; none where the data plane can't be asked.
    pub flows: Option<Vec<Vec<FlowRecord>>>,
}

/// Writes what stands before every story.
///
/// # Errors
/// If an entry is not legal, or refused.
pub fn prepare(stories: &Stories, plane: &mut dyn TestPlane) -> Result<()> {
    let pipeline = plane.pipeline().clone();
    let tables = Tables::new(&pipeline);
    let insert = |entry: &EntryText| anyhow::Ok((entry.check(&pipeline, &tables)?, WriteKind::Insert));
    let batch: Vec<_> = stories.entry.iter().map(insert).collect::<Result<_>>()?;
    for result in plane.write_all(&batch) {
        result?;
    }
    for ring in &stories.ring {
        plane.fill_ring(&ring.check(&pipeline, &tables)?)?;
    }
    Ok(())
}

/// Runs a story on a data plane that has been prepared.
///
/// # Errors
/// If a step can't be done: malformed packets, writes that are refused.
pub fn run(story: &Story, plane: &mut dyn TestPlane) -> Result<Seen> {
    let pipeline = plane.pipeline().clone();
    let tables = Tables::new(&pipeline);
    let (mut outcomes, mut refused) = (Vec::new(), Vec::new());
    let mut now = 0;
    for (i, step) in story.step.iter().enumerate() {
        let at = || format!("{}: step {}", story.about, i + 1);
        now = step.now.unwrap_or(now);
        let results = write(&step.before, &pipeline, &tables, plane).with_context(at)?;
        let errors = results.into_iter().filter_map(Result::err);
        refused.extend(errors.map(|e| format!("step {}: {e}", i + 1)));
        let frame = packet::bytes(&step.packet).with_context(at)?;
        outcomes.push(plane.process(step.port.unwrap_or(1), now, &frame));
    }
    Ok(Seen { outcomes, refused, ..look(&pipeline, plane) })
}

/// The outer error: a change makes no sense; the inner ones: the data plane refuses it as things stand. Entries that follow
/// each other are one batch.
fn write(
    changes: &[Change],
    pipeline: &Pipeline,
    tables: &Tables,
    plane: &mut dyn TestPlane,
) -> Result<Vec<Result<(), WriteError>>> {
    let (mut results, mut batch) = (Vec::new(), Vec::new());
    for change in changes {
        let (entry, kind) = match change {
            Change::Insert(e) => (e, WriteKind::Insert),
            Change::Modify(e) => (e, WriteKind::Modify),
            Change::Delete(e) => (e, WriteKind::Delete),
            Change::Ring(ring) => {
                results.extend(plane.write_all(&std::mem::take(&mut batch)));
                results.push(plane.fill_ring(&ring.check(pipeline, tables)?));
                continue;
            }
        };
        batch.push((entry.check(pipeline, tables)?, kind));
    }
    results.extend(plane.write_all(&batch));
    Ok(results)
}

/// What a data plane shows of itself.
#[must_use]
pub fn look(pipeline: &Pipeline, plane: &dyn TestPlane) -> Seen {
    let mut entries = Vec::new();
    for i in 0..pipeline.tables.len() {
        entries
            .extend(plane.table_entries(TableId(i as u32)).into_iter().map(|(e, c)| (format!("{e:?}"), c)));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let flows = (0..pipeline.flow_tables.len()).map(|i| plane.flows(FlowTableId(i as u32))).collect();
    Seen {
        outcomes: Vec::new(),
        refused: Vec::new(),
        counters: plane.counters(),
        entries,
        flows: Some(flows),
    }
}

/// Compares what was seen with what the story expects.
///
/// # Errors
/// The first difference, in words.
pub fn expect(story: &Story, pipeline: &Pipeline, seen: &Seen) -> Result<()> {
    ensure!(seen.refused.is_empty(), "{}: refused: {}", story.about, seen.refused.join("; "));
    for (i, (step, outcome)) in story.step.iter().zip(&seen.outcomes).enumerate() {
        expect_step(step, outcome).with_context(|| format!("{}: step {}", story.about, i + 1))?;
    }
    for (name, packets) in &story.counters {
        let got = counted(name, seen).with_context(|| format!("{}: no counter {name}", story.about))?;
        ensure!(got == *packets, "{}: {name} is {got}, not {packets}", story.about);
    }
    for (name, states) in &story.states {
        let table = pipeline.flow_tables.iter().position(|t| t.name == *name).context(name.clone())?;
        let flows = seen.flows.as_ref().and_then(|f| f.get(table)).context("no flows")?;
        let names = flows.iter().map(|f| ["free", "new", "tcp", "udp", "closing"][usize::from(f.state % 5)]);
        let got = names.collect::<Vec<_>>().join(" ");
        ensure!(got == *states, "{}: {name} holds `{got}`, not `{states}`", story.about);
    }
    Ok(())
}

fn counted(name: &str, seen: &Seen) -> Option<u64> {
    match seen.counters.get(name) {
        Some(count) => Some(count.packets),
        None => name.ends_with(']').then_some(0),
    }
}

fn expect_step(step: &Step, outcome: &Outcome) -> Result<()> {
    let got = verdict(&outcome.verdict);
    if let Some(expected) = &step.verdict {
        ensure!(got == *expected, "{got}, not {expected}, for {}", step.packet);
    }
    let Some(out) = &step.out else { return Ok(()) };
    let received = packet::bytes(&step.packet)?;
    let expected =
        if out == "same" { received } else { packet::bytes_with(out, &received).context("out")? };
    if expected != outcome.bytes {
        bail!("other bytes\nexpected {}\ngot      {}", packet::text(&expected), packet::text(&outcome.bytes));
    }
    Ok(())
}

/// A verdict as stories write it.
#[must_use]
pub fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Forward { port } => format!("forward {port}"),
        Verdict::Pass => "pass".to_owned(),
        Verdict::Drop(reason) => format!("drop {reason}"),
    }
}

/// What differs between two data planes, in words; empty if nothing does.
#[must_use]
pub fn differences(oracle: &Seen, other: &Seen) -> String {
    let mut text = String::new();
    for (i, (a, b)) in oracle.outcomes.iter().zip(&other.outcomes).enumerate() {
        if a != b {
            let show = |o: &Outcome| format!("{} {}", verdict(&o.verdict), packet::text(&o.bytes));
            let _ = writeln!(text, "step {}:\n  oracle {}\n  other  {}", i + 1, show(a), show(b));
        }
    }
    if oracle.refused != other.refused {
        let _ = writeln!(text, "refused writes\n  oracle {:?}\n  other  {:?}", oracle.refused, other.refused);
    }
    for (name, a) in &oracle.counters {
        let b = other.counters.get(name);
        if b != Some(a) {
            let _ = writeln!(text, "counter {name}: oracle {a:?}, other {b:?}");
        }
    }
    for name in other.counters.keys().filter(|n| !oracle.counters.contains_key(*n)) {
        let _ = writeln!(text, "counter {name}: not in the oracle");
    }
    if oracle.entries != other.entries {
        for (a, b) in oracle.entries.iter().zip(&other.entries).filter(|(a, b)| a != b) {
            let _ = writeln!(text, "entry\n  oracle {a:?}\n  other  {b:?}");
        }
        let _ = writeln!(text, "entries: oracle {}, other {}", oracle.entries.len(), other.entries.len());
    }
    if let (Some(a), Some(b)) = (&oracle.flows, &other.flows)
        && a != b
    {
        let _ = writeln!(text, "flows\n  oracle {a:?}\n  other  {b:?}");
    }
    text
}
