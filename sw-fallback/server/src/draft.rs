//! The entries of a config that is saved and not in force yet: what is written after VERIFY_AND_SAVE is kept here, by the
//! rules of a data plane, until COMMIT puts all of it in force at once.

use pipeline_ir::entry::{
    CheckedEntry, CheckedFill, PoolEntry, SlotEntry, TableEntry, Tables, WriteError, WriteKind,
};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{FlowTableId, KeyValue, Pipeline, RingId, TableId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use sw_fallback::plane::{Count, DataPlane, FlowReader, FlowRecord, ReadBack};

/// Ring, pool, and whether the generation is odd.
type Side = (RingId, u32, bool);

/// Entries that no packet sees.
#[derive(Debug)]
pub(crate) struct Draft {
    pipeline: Verified,
    names: Tables,
    tables: Vec<Held>,
    pools: BTreeMap<(RingId, u32), u8>,
    rings: BTreeMap<Side, Vec<(u8, u32)>>,
}

/// A table's entries.
#[derive(Debug, Default)]
struct Held {
    source: Vec<TableEntry>,
    written: BTreeMap<(Vec<KeyValue>, i32), TableEntry>,
    /// Taken slots of a table that has slots.
    slots: BTreeSet<u32>,
}

impl Draft {
    /// A pipeline with no entries but its own.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn new(pipeline: &Pipeline) -> Result<Self, String> {
        let pipeline = verify(pipeline.clone()).map_err(|all| format!("{all:?}"))?;
        let held = |at: usize| {
            let own = (0..).map_while(|n| TableEntry::of_source(&pipeline, TableId(at as u32), n));
            Held { source: own.collect(), ..Held::default() }
        };
        let tables = (0..pipeline.pipeline().tables.len()).map(held).collect();
        let names = Tables::new(pipeline.pipeline());
        Ok(Self { pipeline, names, tables, pools: BTreeMap::new(), rings: BTreeMap::new() })
    }

    fn write_table(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<(), WriteError> {
        let at = entry.table().index();
        let (Some(declared), Some(held)) = (self.pipeline.pipeline().tables.get(at), self.tables.get_mut(at))
        else {
            return Err(WriteError::NotFound);
        };
        if !declared.const_entries.is_empty() {
            return Err(WriteError::Const);
        }
        let (name, slot) = ((entry.key().to_vec(), entry.priority()), self.names.slot(entry));
        let there = held.written.contains_key(&name);
        let taken = there || slot.is_some_and(|slot| held.slots.contains(&slot));
        if kind == WriteKind::Insert && !taken && held.written.len() >= declared.size as usize {
            return Err(WriteError::Full);
        }
        may_write(kind, if kind == WriteKind::Insert { taken } else { there })?;
        if kind == WriteKind::Delete {
            held.written.remove(&name);
            held.slots.retain(|taken| Some(*taken) != slot);
        } else {
            held.written.insert(name, entry.clone());
            held.slots.extend(slot);
        }
        Ok(())
    }

    fn write_pool(&mut self, e: PoolEntry, kind: WriteKind) -> Result<(), WriteError> {
        let name = (e.ring(), e.pool());
        may_write(kind, self.pools.contains_key(&name))?;
        match kind {
            WriteKind::Delete => self.pools.remove(&name),
            _ => self.pools.insert(name, e.generation()),
        };
        Ok(())
    }

    fn write_slot(&mut self, e: SlotEntry, kind: WriteKind) -> Result<(), WriteError> {
        let (ring, pool, generation) = (e.pool().ring(), e.pool().pool(), e.pool().generation());
        let size = self.pipeline.pipeline().rings.get(ring.index()).map_or(0, |r| r.slots);
        let side = self.rings.entry((ring, pool, generation % 2 == 1));
        let slots = side.or_insert_with(|| vec![(0, 0); size as usize]);
        let slot = slots.get_mut(e.slot() as usize).ok_or(WriteError::NotFound)?;
        may_write(kind, slot.0 == generation && slot.1 != 0)?;
        *slot = if kind == WriteKind::Delete { (0, 0) } else { (generation, e.id()) };
        Ok(())
    }
}

fn may_write(kind: WriteKind, there: bool) -> Result<(), WriteError> {
    match (kind, there) {
        (WriteKind::Insert, true) => Err(WriteError::Exists),
        (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
        _ => Ok(()),
    }
}

impl DataPlane for Draft {
    fn pipeline(&self) -> &Pipeline {
        self.pipeline.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        match entry {
            CheckedEntry::Table(e) => self.write_table(e, kind),
            CheckedEntry::Pool(e) => self.write_pool(*e, kind),
            CheckedEntry::Slot(e) => self.write_slot(*e, kind),
        }
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let (pool, generation) = (fill.pool(), fill.pool().generation());
        let slots = fill.slots().iter().map(|id| (generation, *id)).collect();
        self.rings.insert((pool.ring(), pool.pool(), generation % 2 == 1), slots);
        Ok(())
    }

    /// Nothing has been counted.
    fn counters(&self) -> BTreeMap<String, Count> {
        BTreeMap::new()
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        let held = self.tables.get(table.index());
        let all = held.into_iter().flat_map(|held| held.source.iter().chain(held.written.values()));
        all.map(|entry| (entry.clone(), Count::default())).collect()
    }

    fn flows(&self, _table: FlowTableId) -> Vec<FlowRecord> {
        Vec::new()
    }
}

impl ReadBack for Draft {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        let held = self.tables.get(named.table().index())?;
        let own = held.source.iter().find(|e| e.key() == named.key() && e.priority() == named.priority());
        own.or_else(|| held.written.get(&(named.key().to_vec(), named.priority()))).cloned()
    }

    /// Nobody hits it.
    fn hits(&self, named: &TableEntry) -> Option<Count> {
        self.table_entry(named).map(|_| Count::default())
    }

    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        self.pools.get(&(ring, pool)).copied()
    }

    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        let slots = self.rings.get(&(ring, pool, odd))?;
        slots.get(slot as usize).copied().filter(|(_, id)| *id != 0)
    }

    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        self.rings.get(&(ring, pool, odd)).cloned().unwrap_or_default()
    }

    fn flow_reader(&self, _table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        Some(Arc::new(NoFlows))
    }
}

/// The flows that packets have made which nobody has met.
#[derive(Debug)]
struct NoFlows;

impl FlowReader for NoFlows {
    fn buckets(&self) -> u32 {
        0
    }
    fn read(&self, _buckets: Range<u32>) -> Vec<FlowRecord> {
        Vec::new()
    }
    fn now(&self) -> Option<u32> {
        None
    }
    fn tick_ns(&self) -> u64 {
        1 << 26
    }
}
