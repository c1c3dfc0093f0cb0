//! Pipelines in this process: generated Rust as a data plane.
//!
//! ```text
//! let mut plane = NativePlane::new(&verified, l4lb::Pipeline::new());
//! plane.write(&tables.check(&entry)?, WriteKind::Insert)?;
//! let out = plane.process(port, tick, frame);
//! ```
//!
//! [`Running`] puts it to work on devices, a thread a port:
//!
//! ```text
//! let running = Running::start(plane, vec![Port { number: 1, device }], None)?;
//! running.plane().write(..)
//! ```
//!
//! [`open_port`] and [`open_host_port`] make the devices from what a user writes.

mod entries;
mod flows;
mod memory;
mod open;
mod run;
mod shared;
mod worker;

pub use open::{open_host_port, open_port};
pub use run::{Event, HostPort, Port, PortCounts, Running};
pub use shared::SharedPlane;

use crate::plane::{Count, DataPlane, FlowReader, FlowRecord, Outcome, ReadBack, TestPlane, Verdict};
use entries::Held;
use flows::{Clock, Reader};
use pipeline_ir::entry::{
    CheckedEntry, CheckedFill, PoolEntry, SlotEntry, TableEntry, WriteError, WriteKind,
};
use pipeline_ir::verify::Verified;
use pipeline_ir::{CounterKind, FlowTableId, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::sync::Arc;
use sw_fallback_rt as rt;
use sw_fallback_rt::ring::AnyRing;

/// A program that can be made anew for another thread, whatever its type.
trait Forks: rt::Program {
    fn forked(&self) -> Box<dyn Forks + Send>;
}

impl<P: rt::Program + Send + 'static> Forks for P {
    fn forked(&self) -> Box<dyn Forks + Send> {
        Box::new(self.fork())
    }
}

/// A generated pipeline with what has been written to it.
pub struct NativePlane {
    verified: Verified,
    program: Box<dyn Forks + Send>,
    /// By table.
    held: Vec<Held>,
    packet: rt::Packet,
    /// Of the last packet of a test: there is no clock without threads.
    tick: Option<u32>,
}

impl std::fmt::Debug for NativePlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NativePlane").field("pipeline", &self.pipeline().name).finish_non_exhaustive()
    }
}

impl NativePlane {
    /// `program` was generated from this pipeline.
    #[must_use]
    pub fn new(verified: &Verified, program: impl rt::Program + Send + 'static) -> Self {
        let p = verified.pipeline();
        let held = (0..p.tables.len()).map(|i| Held::new(verified, TableId(i as u32))).collect();
        Self {
            verified: verified.clone(),
            program: Box::new(program),
            held,
            packet: rt::Packet::new(),
            tick: None,
        }
    }

    /// The same for another thread: flow tables are shared, entries are those of now, drops and named counters start
    /// at 0.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            verified: self.verified.clone(),
            program: self.program.forked(),
            held: self.held.clone(),
            packet: rt::Packet::new(),
            tick: None,
        }
    }

    /// Gives big flow tables huge pages, where the kernel has them: before the first packet, for a table takes them as it
    /// is filled. Speed for memory: a flow then costs 2 MB until others are beside it.
    pub fn use_huge_pages(&self) {
        for i in 0..self.pipeline().flow_tables.len() {
            if let Some(table) = self.program.flow_table(i) {
                memory::on_huge_pages(table.memory());
            }
        }
    }

    /// Nanoseconds of one tick of its clock.
    #[must_use]
    pub fn tick_ns(&self) -> u64 {
        self.program.tick_ns()
    }

    /// What becomes of a packet, which is changed to what leaves.
    #[inline]
    pub fn run(&mut self, port: u32, now: u32, packet: &mut rt::Packet) -> rt::Verdict {
        self.program.process(port, now, packet)
    }

    fn reader(&self, table: FlowTableId, clock: Clock) -> Option<Reader> {
        let declared = self.pipeline().flow_tables.get(table.index())?.clone();
        let table = self.program.flow_table(table.index())?.reader();
        Some(Reader { declared, table, clock, tick_ns: self.tick_ns() })
    }

    fn write_table(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<(), WriteError> {
        let index = entry.table().index();
        let (Some(declared), Some(table), Some(held)) = (
            self.verified.pipeline().tables.get(index),
            self.program.table_mut(index),
            self.held.get_mut(index),
        ) else {
            return Err(WriteError::NotFound);
        };
        if !declared.const_entries.is_empty() {
            return Err(WriteError::Const);
        }
        held.write(declared, table, entry, kind)
    }

    fn ring(&mut self, ring: RingId) -> Result<&mut dyn AnyRing, WriteError> {
        self.program.ring_mut(ring.index()).ok_or(WriteError::NotFound)
    }

    fn write_pool(&mut self, entry: PoolEntry, kind: WriteKind) -> Result<(), WriteError> {
        let ring = self.ring(entry.ring())?;
        entries::may_write(kind, ring.generation(entry.pool()).is_some())?;
        let generation = (kind != WriteKind::Delete).then_some(entry.generation());
        if ring.set_generation(entry.pool(), generation) { Ok(()) } else { Err(WriteError::Full) }
    }

    fn write_slot(&mut self, entry: SlotEntry, kind: WriteKind) -> Result<(), WriteError> {
        let (pool, generation) = (entry.pool().pool(), entry.pool().generation());
        let ring = self.ring(entry.pool().ring())?;
        entries::may_write(kind, ring.slot(pool, generation, entry.slot()).is_some())?;
        let id = (kind != WriteKind::Delete).then_some(entry.id());
        if ring.set_slot(pool, generation, entry.slot(), id) { Ok(()) } else { Err(WriteError::Full) }
    }
}

impl DataPlane for NativePlane {
    fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        match entry {
            CheckedEntry::Table(e) => self.write_table(e, kind),
            CheckedEntry::Pool(e) => self.write_pool(*e, kind),
            CheckedEntry::Slot(e) => self.write_slot(*e, kind),
        }
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let (pool, generation) = (fill.pool().pool(), fill.pool().generation());
        let ring = self.ring(fill.pool().ring())?;
        for (slot, id) in (0..).zip(fill.slots()) {
            if !ring.set_slot(pool, generation, slot, Some(*id)) {
                return Err(WriteError::Full);
            }
        }
        Ok(())
    }

    fn counters(&self) -> BTreeMap<String, Count> {
        let packets = |packets| Count { packets, bytes: 0 };
        let p = self.pipeline();
        let mut all = BTreeMap::new();
        for (reason, n) in p.reasons.iter().zip(self.program.drops()) {
            all.insert(format!("drop.{}", reason.name), packets(*n));
        }
        for (i, table) in p.flow_tables.iter().enumerate() {
            let (stored, not_stored) = self.program.flow_table(i).map_or((0, 0), |t| t.counts());
            all.insert(format!("{}.stored", table.name), packets(stored));
            all.insert(format!("{}.not_stored", table.name), packets(not_stored));
        }
        for (i, counter) in p.counters.iter().enumerate() {
            let cells = self.program.counter(i).map_or(&[][..], rt::Counter::cells);
            for (cell, counts) in cells.iter().enumerate().filter(|(_, c)| **c != (0, 0)) {
                all.insert(format!("{}[{cell}]", counter.name), count(Some(counter.kind), *counts));
            }
        }
        all
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        let (Some(declared), Some(any), Some(held)) = (
            self.pipeline().tables.get(table.index()),
            self.program.table(table.index()),
            self.held.get(table.index()),
        ) else {
            return Vec::new();
        };
        held.list(declared, any).map(|(entry, counts)| (entry, count(declared.counters, counts))).collect()
    }

    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.reader(table, Clock::Stands(None)).map_or_else(Vec::new, |r| r.read(0..r.buckets()))
    }
}

impl ReadBack for NativePlane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.held.get(named.table().index())?.find(named).cloned()
    }

    fn hits(&self, named: &TableEntry) -> Option<Count> {
        let index = named.table().index();
        let declared = self.pipeline().tables.get(index)?;
        let counts = self.held.get(index)?.count(declared, self.program.table(index)?, named)?;
        Some(count(declared.counters, counts))
    }

    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        self.program.ring(ring.index())?.generation(pool)
    }

    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        let words = self.program.ring(ring.index())?.words(pool, odd);
        Some(slot_of(*words.get(slot as usize)?, odd)).filter(|(_, id)| *id != 0)
    }

    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        let words = self.program.ring(ring.index()).map_or(&[][..], |r| r.words(pool, odd));
        words.iter().map(|word| slot_of(*word, odd)).collect()
    }

    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        Some(Arc::new(self.reader(table, Clock::Stands(self.tick))?))
    }
}

/// Generation and id of a ring's word; id 0 where it is free.
fn slot_of(word: u32, odd: bool) -> (u8, u32) {
    let generation = (word >> 24) as u8;
    (generation, if (generation % 2 == 1) == odd { word & 0xff_ffff } else { 0 })
}

impl TestPlane for NativePlane {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        self.tick = Some(now);
        self.packet.fill(frame);
        let verdict = match self.program.process(port, now, &mut self.packet) {
            rt::Verdict::Forward(port) => Verdict::Forward { port },
            rt::Verdict::Pass => Verdict::Pass,
            rt::Verdict::Drop(reason) => {
                let reason = self.pipeline().reasons.get(usize::from(reason));
                let name = reason.map_or(String::new(), |r| r.name.clone());
                return Outcome { verdict: Verdict::Drop(name), bytes: Vec::new() };
            }
        };
        Outcome { verdict, bytes: self.packet.frame().to_vec() }
    }
}

/// What a counter of this kind shows.
fn count(kind: Option<CounterKind>, (packets, bytes): (u64, u64)) -> Count {
    match kind {
        None => Count::default(),
        Some(CounterKind::Packets) => Count { packets, bytes: 0 },
        Some(CounterKind::Bytes) => Count { packets: 0, bytes },
        Some(CounterKind::Both) => Count { packets, bytes },
    }
}

#[cfg(test)]
mod tests;
