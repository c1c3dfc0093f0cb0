//! What P4Runtime reads, in the words of data planes.

use anyhow::{Context as _, Result, bail};
use p4runtime_proto::p4::v1::{CounterData, TableEntry as Message};
use pipeline_ir::entry::{CheckedEntry, TableEntry, Tables};
use pipeline_ir::verify::Verified;
use pipeline_ir::{CounterKind, Pipeline, TableId};
use runtime_client::{Counted, Key, Names};
use std::collections::BTreeMap;
use sw_fallback::plane::Count;

/// Cells by name, as [`DataPlane::counters`](sw_fallback::plane::DataPlane::counters) has them.
pub(crate) fn counters(pipeline: &Pipeline, cells: Vec<Counted>) -> BTreeMap<String, Count> {
    let mut counters = BTreeMap::new();
    for cell in cells {
        let counted = Count { packets: cell.packets, bytes: cell.bytes };
        match pipeline.counters.iter().any(|c| c.name == cell.counter) {
            false => drop(counters.insert(cell.counter, counted)),
            true if counted == Count::default() => {}
            true => drop(counters.insert(format!("{}[{}]", cell.counter, cell.index), counted)),
        }
    }
    counters
}

/// Direct counts as the table has them.
pub(crate) fn count(data: Option<&CounterData>, kind: CounterKind) -> Count {
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let (packets, bytes) = data.map_or((0, 0), |d| (number(d.packet_count), number(d.byte_count)));
    match kind {
        CounterKind::Packets => Count { packets, bytes: 0 },
        CounterKind::Bytes => Count { packets: 0, bytes },
        CounterKind::Both => Count { packets, bytes },
    }
}

/// Makes entries of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read<'a> {
    pub(crate) verified: &'a Verified,
    pub(crate) names: &'a Names,
}

impl Read<'_> {
    /// An entry of a table, with its direct counts.
    pub(crate) fn entry(&self, table: TableId, message: &Message) -> Result<(TableEntry, Count)> {
        let pipeline = self.verified.pipeline();
        let declared = &pipeline.tables[table.index()];
        let entry = match message.is_const {
            true => self.of_source(table, message)?,
            false => match Tables::new(pipeline).check(&self.names.named(message)?)? {
                CheckedEntry::Table(entry) => entry,
                other => bail!("{}: {other:?} is no entry of a table", declared.name),
            },
        };
        let counted = declared.counters.map(|kind| count(message.counter_data.as_ref(), kind));
        Ok((entry, counted.unwrap_or_default()))
    }

    fn of_source(&self, table: TableId, message: &Message) -> Result<TableEntry> {
        for entry in (0..).map_while(|i| TableEntry::of_source(self.verified, table, i)) {
            let own = self.names.checked_table(self.verified.pipeline(), &entry)?;
            if Key::of(&own) == Key::of(message) {
                return Ok(entry);
            }
        }
        Err(anyhow::anyhow!("{}", self.names.show(message))).context("the source has no such entry")
    }
}
