//! One pipeline on several threads, as one data plane.

use super::NativePlane;
use super::flows::Clock;
use crate::plane::{Count, DataPlane, FlowReader, FlowRecord, ReadBack};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::{FlowTableId, KeyValue, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A thread's plane. The thread takes it for one batch at a time, and lets others before it.
#[derive(Debug)]
pub(super) struct Cell {
    plane: Mutex<NativePlane>,
    /// Who waits for it beside its thread.
    wanted: AtomicUsize,
}

impl Cell {
    /// For its own thread.
    pub(super) fn work(&self) -> MutexGuard<'_, NativePlane> {
        // A lock is not fair: a busy thread would take it again before whoever waits has woken up.
        let mut patience = 100;
        while self.wanted.load(Ordering::Relaxed) > 0 && patience > 0 {
            std::thread::sleep(Duration::from_micros(20));
            patience -= 1;
        }
        self.plane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For everybody else.
    fn with<T>(&self, what: impl FnOnce(&mut NativePlane) -> T) -> T {
        self.wanted.fetch_add(1, Ordering::Relaxed);
        let mut plane = self.plane.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.fetch_sub(1, Ordering::Relaxed);
        what(&mut plane)
    }
}

/// The planes of all threads. A write reaches one after the other: for an instant, two ports may see different
/// entries. Counts are summed.
#[derive(Debug)]
pub struct SharedPlane {
    cells: Vec<Arc<Cell>>,
    /// Shares the flow tables and nothing else: reading them keeps no thread waiting.
    view: NativePlane,
    /// When its clock was at 0.
    since: Instant,
}

impl SharedPlane {
    /// For so many threads (at least one). Nothing has been counted in `plane` yet.
    pub(super) fn new(plane: NativePlane, threads: usize) -> Self {
        let view = plane.fork();
        let mut planes: Vec<NativePlane> = (1..threads).map(|_| plane.fork()).collect();
        planes.push(plane);
        let cell = |plane| Arc::new(Cell { plane: Mutex::new(plane), wanted: AtomicUsize::new(0) });
        Self { cells: planes.into_iter().map(cell).collect(), view, since: Instant::now() }
    }

    pub(super) fn cells(&self) -> &[Arc<Cell>] {
        &self.cells
    }

    /// When its clock was at 0.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Nanoseconds of one tick of its clock.
    #[must_use]
    pub fn tick_ns(&self) -> u64 {
        self.view.tick_ns()
    }

    /// Runs another pipeline, whose clock has the same ticks, from each thread's next packet on. Flows are those of the new
    /// one, counts start at 0.
    pub fn replace(&mut self, plane: &NativePlane) {
        self.view = plane.fork();
        for cell in &self.cells {
            cell.with(|old| *old = plane.fork());
        }
    }

    /// Does the same to each; they hold the same, so the first refusal is everybody's.
    fn each(&self, change: impl Fn(&mut NativePlane) -> Result<(), WriteError>) -> Result<(), WriteError> {
        self.cells.iter().try_for_each(|cell| cell.with(&change))
    }
}

/// Entries that are written while a thread waits: some tens of microseconds.
const CHUNK: usize = 512;

fn add(to: &mut Count, more: Count) {
    to.packets += more.packets;
    to.bytes += more.bytes;
}

impl DataPlane for SharedPlane {
    fn pipeline(&self) -> &Pipeline {
        self.view.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.each(|plane| plane.write(entry, kind))
    }

    /// Each thread is kept from its packets for 512 entries at a time.
    fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
        let mut results = Vec::with_capacity(batch.len());
        for chunk in batch.chunks(CHUNK) {
            let mut done = Vec::new();
            for cell in &self.cells {
                done = cell.with(|plane| plane.write_all(chunk));
            }
            results.append(&mut done);
        }
        results
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.each(|plane| plane.fill_ring(fill))
    }

    fn counters(&self) -> BTreeMap<String, Count> {
        let mut all = BTreeMap::new();
        for cell in &self.cells {
            for (name, count) in cell.with(|plane| plane.counters()) {
                add(all.entry(name).or_default(), count);
            }
        }
        all
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        let mut lists = self.cells.iter().map(|cell| cell.with(|plane| plane.table_entries(table)));
        let mut first = lists.next().unwrap_or_default();
        let name = |e: &TableEntry| (e.key().to_vec(), e.priority());
        for list in lists {
            let mut more: BTreeMap<(Vec<KeyValue>, i32), Count> =
                list.iter().map(|(e, count)| (name(e), *count)).collect();
            for (entry, count) in &mut first {
                add(count, more.remove(&name(entry)).unwrap_or_default());
            }
        }
        first
    }

    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.view.flows(table)
    }
}

/// All hold the same: the first one's.
impl ReadBack for SharedPlane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.cells.first()?.with(|plane| plane.table_entry(named))
    }

    fn hits(&self, named: &TableEntry) -> Option<Count> {
        let mut all = None;
        for cell in &self.cells {
            add(all.get_or_insert_default(), cell.with(|plane| plane.hits(named))?);
        }
        all
    }

    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        self.cells.first()?.with(|plane| plane.generation(ring, pool))
    }

    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        self.cells.first()?.with(|plane| plane.slot(ring, pool, odd, slot))
    }

    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        self.cells.first().map(|cell| cell.with(|plane| plane.slots(ring, pool, odd))).unwrap_or_default()
    }

    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        Some(Arc::new(self.view.reader(table, Clock::Runs(self.since))?))
    }
}
