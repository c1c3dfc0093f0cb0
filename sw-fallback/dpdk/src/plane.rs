//! A program in SWX as a data plane.

use crate::error::DpdkError;
use crate::held::{Held, Name, Row, name};
use crate::layout::TableLayout;
use crate::maker::{Counts, Maker};
use crate::rings::Pools;
use crate::spec::{self, Spec};
use crate::sys::{Gone, Pipeline as Swx};
use pipeline_ir::entry::{
    CheckedEntry, CheckedFill, PoolEntry, SlotEntry, TableEntry, WriteError, WriteKind,
};
use pipeline_ir::flow::TICK_BITS;
use pipeline_ir::verify::Verified;
use pipeline_ir::{CounterKind, FlowTableId, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::Arc;
use sw_fallback::plane::{
    Count, DataPlane, FlowReader, FlowRecord, Outcome, ReadBack, TestPlane, Verdict, WriteWhole,
};

/// The output port that is the host's own stack.
const HOST: u32 = 254;
/// Ports are below this.
pub(crate) const PORTS: u32 = 254;
/// Bytes that stand in front of each frame.
const PREAMBLE: usize = 12;
/// Megabytes for all pipelines of a process, unless somebody has started DPDK's environment with another number.
pub const MEGABYTES: u32 = 1024;

/// A pipeline in SWX with what has been written to it.
pub struct DpdkPlane {
    verified: Verified,
    swx: Swx,
    inputs: u32,
    tables: Vec<Held>,
    rings: Vec<Pools>,
    counters: Names,
}

/// The registers of what is counted.
struct Names {
    drops: Vec<CString>,
    flows: Vec<[CString; 2]>,
    counters: Vec<Counts>,
}

/// What a packet left as.
pub(crate) enum Left<'a> {
    To {
        port: u32,
        frame: &'a [u8],
    },
    /// With the port that it came by; unchanged: as it came.
    Host {
        from: u32,
        frame: &'a [u8],
        unchanged: bool,
    },
    Dropped,
}

/// What stood before a write.
enum Before {
    /// Of a table, with what the cell had counted that an insert has set to 0.
    Row(usize, Name, Option<Row>, Option<(u32, Count)>),
    Pool(usize, u32, Option<u8>),
    /// A ring's slot: its cell, its word.
    Slot(usize, u32, u64),
}

impl std::fmt::Debug for DpdkPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DpdkPlane").field("pipeline", &self.verified.pipeline().name).finish_non_exhaustive()
    }
}

impl DpdkPlane {
    /// Loads a program that was made from this pipeline, with ports up to `highest`.
    ///
    /// # Errors
    /// [`DpdkError`].
    pub fn load(verified: &Verified, program: &str, highest: u32) -> Result<Self, DpdkError> {
        Self::load_of(Maker::Guideway, verified, program, highest)
    }

    /// Loads what p4c-dpdk has made of this pipeline's P4 for PNA. What a table's entries have counted can't be read there.
    ///
    /// # Errors
    /// [`DpdkError`].
    pub fn load_p4c(verified: &Verified, program: &str, highest: u32) -> Result<Self, DpdkError> {
        Self::load_of(Maker::P4c, verified, program, highest)
    }

    fn load_of(maker: Maker, verified: &Verified, program: &str, highest: u32) -> Result<Self, DpdkError> {
        if highest >= PORTS {
            return Err(DpdkError::PortNumber(highest));
        }
        let mut spec = spec::parse(program)?;
        maker.as_dpdk_has_it(&mut spec);
        let p = verified.pipeline();
        let mut tables = Vec::new();
        for (i, table) in (0..).zip(&p.tables) {
            let layout = TableLayout::new(p, table, &spec, maker)?;
            tables.push(Held::new(verified, TableId(i), table, layout));
        }
        let rings = p.rings.iter().map(|ring| Pools::new(ring, &spec, maker)).collect::<Result<_, _>>()?;
        let counters = Names::new(p, &spec, maker)?;
        let inputs = (highest + 1).next_power_of_two();
        let swx = Swx::build(&spec, inputs, MEGABYTES)?;
        let mut it = Self { verified: verified.clone(), swx, inputs, tables, rings, counters };
        it.write_source().map_err(|e| DpdkError::Refused {
            line: 0,
            what: "the entries of the source".into(),
            why: e.to_string(),
        })?;
        Ok(it)
    }

    fn write_source(&mut self) -> Result<(), WriteError> {
        for held in &mut self.tables {
            for row in &held.source {
                held.tell(&mut self.swx, &row.entry)?;
            }
            held.tell_all(&mut self.swx)?;
        }
        self.swx.commit().map_err(WriteError::Failed)
    }

    /// Takes a frame in at a port, if there is such a port; it leaves in [`run`](Self::run).
    pub(crate) fn push(&mut self, port: u32, now: u32, frame: &[u8]) {
        let mut preamble = [0; PREAMBLE];
        let numbers = [frame.len() as u32, now & ((1 << TICK_BITS) - 1), 0];
        for (to, number) in preamble.chunks_exact_mut(4).zip(numbers) {
            to.copy_from_slice(&number.to_be_bytes());
        }
        if port < self.inputs {
            self.swx.push(port, &preamble, frame);
        }
    }

    /// Lets all frames through, and gives each to `take` as it leaves.
    pub(crate) fn run(&mut self, mut take: impl FnMut(Left<'_>)) -> Result<(), DpdkError> {
        self.swx.run()?;
        self.swx.take(|Gone { from, came, to, bytes }| {
            let frame = bytes.and_then(|bytes| bytes.split_at_checked(PREAMBLE));
            take(match frame.map(|(preamble, frame)| cut(preamble, frame)) {
                Some(frame) if to < PORTS => Left::To { port: to, frame },
                Some(frame) if to == HOST => Left::Host { from, frame, unchanged: frame == came },
                _ => Left::Dropped,
            });
        });
        Ok(())
    }

    fn write_one(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<Before, WriteError> {
        match entry {
            CheckedEntry::Table(e) => self.write_table(e, kind),
            CheckedEntry::Pool(e) => self.write_pool(*e, kind),
            CheckedEntry::Slot(e) => self.write_slot(*e, kind),
        }
    }

    fn write_table(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<Before, WriteError> {
        let index = entry.table().index();
        let held = self.tables.get_mut(index).ok_or(WriteError::NotFound)?;
        let name = name(entry);
        let before = held.rows.get(&name).cloned();
        held.write(entry, kind)?;
        if let Err(error) = held.tell(&mut self.swx, entry) {
            held.put(&name, before);
            return Err(error);
        }
        let cell = held.rows.get(&name).filter(|_| kind == WriteKind::Insert).map(|row| row.cell);
        let held = &self.tables[index];
        let counted = cell.map(|cell| (cell, self.cell_count(held, cell)));
        if let Some(cell) = cell {
            Self::set_count(&mut self.swx, held, cell, Count::default());
        }
        Ok(Before::Row(index, name, before, counted))
    }

    fn write_pool(&mut self, entry: PoolEntry, kind: WriteKind) -> Result<Before, WriteError> {
        let (index, pool) = (entry.ring().index(), entry.pool());
        let ring = self.rings.get_mut(index).ok_or(WriteError::NotFound)?;
        let before = ring.generations.get(pool as usize).copied().ok_or(WriteError::Full)?;
        may_write(kind, before.is_some())?;
        let after = (kind != WriteKind::Delete).then_some(entry.generation());
        ring.tell(&mut self.swx, pool, after)?;
        ring.set(pool, after);
        Ok(Before::Pool(index, pool, before))
    }

    fn write_slot(&mut self, entry: SlotEntry, kind: WriteKind) -> Result<Before, WriteError> {
        let pool = entry.pool();
        let index = pool.ring().index();
        let ring = self.rings.get_mut(index).ok_or(WriteError::NotFound)?;
        let cell =
            ring.cell(pool.pool(), pool.generation() % 2 == 1, entry.slot()).ok_or(WriteError::Full)?;
        let before = ring.word(&self.swx, cell);
        may_write(kind, before as u32 != 0 && (before >> 32) as u32 == u32::from(pool.generation()))?;
        let word = match kind {
            WriteKind::Delete => 0,
            _ => u64::from(pool.generation()) << 32 | u64::from(entry.id()),
        };
        ring.write(&mut self.swx, cell, word)?;
        Ok(Before::Slot(index, cell, before))
    }

    /// Puts what was written in force. If that fails, all is as before. Registers are in force without it.
    fn commit(&mut self, before: Vec<Before>) -> Result<(), WriteError> {
        let commits = |ring: usize| self.rings.get(ring).is_some_and(Pools::commits);
        if before.iter().all(|one| matches!(one, Before::Slot(ring, ..) if !commits(*ring))) {
            return Ok(());
        }
        let installed: Vec<_> = self.tables.iter().map(Held::installed).collect();
        let told = self.tables.iter_mut().try_for_each(|held| held.tell_all(&mut self.swx));
        let done = told.and_then(|()| self.swx.commit().map_err(WriteError::Failed));
        let Err(error) = done else { return Ok(()) };
        self.take_back(before);
        self.tables.iter_mut().zip(installed).for_each(|(held, installed)| held.forget(installed));
        Err(error)
    }

    /// Makes all as it was before these writes, of which none is in force but those of registers.
    fn take_back(&mut self, before: Vec<Before>) {
        self.swx.abort();
        for one in before.into_iter().rev() {
            match one {
                Before::Row(table, name, row, counted) => {
                    if let Some(held) = self.tables.get_mut(table) {
                        held.put(&name, row);
                    }
                    if let (Some(held), Some((cell, count))) = (self.tables.get(table), counted) {
                        Self::set_count(&mut self.swx, held, cell, count);
                    }
                }
                Before::Pool(ring, pool, generation) => {
                    if let Some(ring) = self.rings.get_mut(ring) {
                        ring.set(pool, generation);
                    }
                }
                Before::Slot(ring, cell, word) => {
                    if let Some(ring) = self.rings.get_mut(ring) {
                        ring.hold(&mut self.swx, cell, word);
                    }
                }
            }
        }
    }

    /// What a cell of a table's counters says.
    fn cell_count(&self, held: &Held, cell: u32) -> Count {
        let (packets, bytes) = &held.layout.counts;
        Count { packets: self.read(packets.as_ref(), cell), bytes: self.read(bytes.as_ref(), cell) }
    }

    fn set_count(swx: &mut Swx, held: &Held, cell: u32, count: Count) {
        let (packets, bytes) = &held.layout.counts;
        for (registers, value) in [(packets, count.packets), (bytes, count.bytes)] {
            if let Some(registers) = registers {
                swx.write_register(registers, cell, value);
            }
        }
    }

    fn read(&self, registers: Option<&CString>, cell: u32) -> u64 {
        registers.map_or(0, |name| self.swx.read_register(name, cell))
    }

    fn row_count(&self, held: &Held, row: &Row) -> Count {
        self.cell_count(held, row.cell)
    }
}

/// What may leave of a frame.
fn cut<'a>(preamble: &[u8], frame: &'a [u8]) -> &'a [u8] {
    let most = preamble.get(8..12).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes) as usize;
    match frame.get(..most) {
        Some(part) if most > 0 => part,
        _ => frame,
    }
}

fn may_write(kind: WriteKind, present: bool) -> Result<(), WriteError> {
    match (kind, present) {
        (WriteKind::Insert, true) => Err(WriteError::Exists),
        (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
        _ => Ok(()),
    }
}

impl Names {
    fn new(p: &Pipeline, spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let needed = |name: &str| {
            maker.number(name, spec).ok_or_else(|| DpdkError::Lacks(format!("regarray `{name}`")))
        };
        let drops = p.reasons.iter().map(|r| needed(&format!("drop_{}", r.name)));
        let flow = |name: &str| -> Result<[CString; 2], DpdkError> {
            Ok([needed(&format!("{name}_stored"))?, needed(&format!("{name}_not_stored"))?])
        };
        Ok(Self {
            drops: drops.collect::<Result<_, _>>()?,
            flows: p.flow_tables.iter().map(|t| flow(&t.name)).collect::<Result<_, _>>()?,
            counters: p.counters.iter().map(|k| maker.counter(&k.name, k.kind, spec)).collect(),
        })
    }
}

impl DataPlane for DpdkPlane {
    fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        let before = self.write_one(entry, kind)?;
        self.commit(vec![before])
    }

    /// All that is not refused is in force at once.
    fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
        let mut before = Vec::new();
        let one = |(entry, kind): &(CheckedEntry, WriteKind)| {
            before.push(self.write_one(entry, *kind)?);
            Ok(())
        };
        let mut results: Vec<Result<(), WriteError>> = batch.iter().map(one).collect();
        if let Err(error) = self.commit(before) {
            results.iter_mut().filter(|r| r.is_ok()).for_each(|r| *r = Err(error.clone()));
        }
        results
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let pool = fill.pool();
        let index = pool.ring().index();
        let ring = self.rings.get_mut(index).ok_or(WriteError::NotFound)?;
        let mut before = Vec::with_capacity(fill.slots().len());
        for (slot, id) in (0..).zip(fill.slots()) {
            let cell = ring.cell(pool.pool(), pool.generation() % 2 == 1, slot).ok_or(WriteError::Full)?;
            let word = u64::from(pool.generation()) << 32 | u64::from(*id);
            before.push(Before::Slot(index, cell, ring.word(&self.swx, cell)));
            ring.write(&mut self.swx, cell, word)?;
        }
        self.commit(before)
    }

    fn counters(&self) -> BTreeMap<String, Count> {
        let p = self.pipeline();
        let packets = |name: &CString| Count { packets: self.swx.read_register(name, 0), bytes: 0 };
        let mut all = BTreeMap::new();
        for (reason, registers) in p.reasons.iter().zip(&self.counters.drops) {
            all.insert(format!("drop.{}", reason.name), packets(registers));
        }
        for (table, [stored, not_stored]) in p.flow_tables.iter().zip(&self.counters.flows) {
            all.insert(format!("{}.stored", table.name), packets(stored));
            all.insert(format!("{}.not_stored", table.name), packets(not_stored));
        }
        for (counter, (packets, bytes)) in p.counters.iter().zip(&self.counters.counters) {
            for cell in 0..counter.size {
                let (packets, bytes) = (self.read(packets.as_ref(), cell), self.read(bytes.as_ref(), cell));
                let count = shown(Some(counter.kind), Count { packets, bytes });
                if (packets, bytes) != (0, 0) {
                    all.insert(format!("{}[{cell}]", counter.name), count);
                }
            }
        }
        all
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        let Some(held) = self.tables.get(table.index()) else { return Vec::new() };
        held.list().map(|row| (row.entry.clone(), self.row_count(held, row))).collect()
    }

    /// SWX tells nobody which keys a learner holds.
    fn flows(&self, _table: FlowTableId) -> Vec<FlowRecord> {
        Vec::new()
    }
}

/// What a counter of this kind shows.
fn shown(kind: Option<CounterKind>, count: Count) -> Count {
    match kind {
        None => Count::default(),
        Some(CounterKind::Packets) => Count { bytes: 0, ..count },
        Some(CounterKind::Bytes) => Count { packets: 0, ..count },
        Some(CounterKind::Both) => count,
    }
}

impl WriteWhole for DpdkPlane {
    fn write_whole(
        &mut self,
        batch: &[(CheckedEntry, WriteKind)],
    ) -> Result<(), (Option<usize>, WriteError)> {
        let mut before = Vec::with_capacity(batch.len());
        for (at, (entry, kind)) in batch.iter().enumerate() {
            match self.write_one(entry, *kind) {
                Ok(one) => before.push(one),
                Err(error) => {
                    self.take_back(before);
                    return Err((Some(at), error));
                }
            }
        }
        self.commit(before).map_err(|error| (None, error))
    }
}

impl ReadBack for DpdkPlane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.tables.get(named.table().index())?.find(named).map(|row| row.entry.clone())
    }

    fn hits(&self, named: &TableEntry) -> Option<Count> {
        let held = self.tables.get(named.table().index())?;
        Some(self.row_count(held, held.find(named)?))
    }

    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        *self.rings.get(ring.index())?.generations.get(pool as usize)?
    }

    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        let ring = self.rings.get(ring.index())?;
        let word = ring.word(&self.swx, ring.cell(pool, odd, slot)?);
        Some(((word >> 32) as u8, word as u32)).filter(|(_, id)| *id != 0)
    }

    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        let slots = self.rings.get(ring.index()).map_or(0, |r| r.count);
        (0..slots).map(|slot| self.slot(ring, pool, odd, slot).unwrap_or_default()).collect()
    }

    fn whole(&mut self) -> Option<&mut dyn WriteWhole> {
        Some(self)
    }

    fn flow_reader(&self, _table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        None
    }
}

impl TestPlane for DpdkPlane {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let drops = |it: &Self| -> Vec<u64> {
            it.counters.drops.iter().map(|name| it.swx.read_register(name, 0)).collect()
        };
        let before = drops(self);
        let taken = port < self.inputs;
        self.push(port, now, frame);
        let mut seen = None;
        let ran = self.run(|left| {
            seen = match left {
                Left::To { port, frame } => Some((Verdict::Forward { port }, frame.to_vec())),
                Left::Host { frame, .. } => Some((Verdict::Pass, frame.to_vec())),
                Left::Dropped => None,
            };
        });
        if let Some((verdict, bytes)) = seen {
            return Outcome { verdict, bytes };
        }
        let counted = before.iter().zip(drops(self)).position(|(before, after)| *before != after);
        let reason = counted.and_then(|i| self.pipeline().reasons.get(i));
        let name = match (reason, taken, ran) {
            (Some(reason), ..) => reason.name.clone(),
            (None, true, Ok(())) => "dropped without a reason".to_owned(),
            (None, false, _) => format!("there is no port {port}"),
            (None, _, Err(error)) => error.to_string(),
        };
        Outcome { verdict: Verdict::Drop(name), bytes: Vec::new() }
    }
}
