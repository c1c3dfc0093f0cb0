//! A plane that a thread works with while others write and read it.

use crate::plane::DpdkPlane;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::{FlowTableId, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use sw_fallback::plane::{Count, DataPlane, FlowReader, FlowRecord, ReadBack, WriteWhole};

/// The plane. Its thread takes it for one batch at a time, and lets others before it; no packet is under way then.
#[derive(Debug)]
pub(crate) struct Cell {
    plane: Mutex<DpdkPlane>,
    /// Who waits for it beside its thread.
    wanted: AtomicUsize,
}

impl Cell {
    pub(crate) fn new(plane: DpdkPlane) -> Self {
        Self { plane: Mutex::new(plane), wanted: AtomicUsize::new(0) }
    }

    /// For its own thread.
    pub(crate) fn work(&self) -> MutexGuard<'_, DpdkPlane> {
        // A lock is not fair: a busy thread would take it again before whoever waits has woken up.
        let mut patience = 100;
        while self.wanted.load(Ordering::Relaxed) > 0 && patience > 0 {
            std::thread::sleep(Duration::from_micros(20));
            patience -= 1;
        }
        self.plane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For everybody else.
    pub(crate) fn with<T>(&self, what: impl FnOnce(&mut DpdkPlane) -> T) -> T {
        self.wanted.fetch_add(1, Ordering::Relaxed);
        let mut plane = self.plane.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.fetch_sub(1, Ordering::Relaxed);
        what(&mut plane)
    }
}

/// The plane of a switch at work. A batch of writes is in force at once: no packet meets half of it.
#[derive(Debug)]
pub struct SharedPlane {
    pub(crate) cell: Arc<Cell>,
    pub(crate) pipeline: Pipeline,
}

impl DataPlane for SharedPlane {
    fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.cell.with(|plane| plane.write(entry, kind))
    }
    fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
        self.cell.with(|plane| plane.write_all(batch))
    }
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.cell.with(|plane| plane.fill_ring(fill))
    }
    fn counters(&self) -> BTreeMap<String, Count> {
        self.cell.with(|plane| plane.counters())
    }
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.cell.with(|plane| plane.table_entries(table))
    }
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.cell.with(|plane| plane.flows(table))
    }
}

impl WriteWhole for SharedPlane {
    fn write_whole(
        &mut self,
        batch: &[(CheckedEntry, WriteKind)],
    ) -> Result<(), (Option<usize>, WriteError)> {
        self.cell.with(|plane| plane.write_whole(batch))
    }
}

impl ReadBack for SharedPlane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.cell.with(|plane| plane.table_entry(named))
    }
    fn hits(&self, named: &TableEntry) -> Option<Count> {
        self.cell.with(|plane| plane.hits(named))
    }
    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        self.cell.with(|plane| plane.generation(ring, pool))
    }
    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        self.cell.with(|plane| plane.slot(ring, pool, odd, slot))
    }
    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        self.cell.with(|plane| plane.slots(ring, pool, odd))
    }
    fn whole(&mut self) -> Option<&mut dyn WriteWhole> {
        Some(self)
    }
    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        self.cell.with(|plane| plane.flow_reader(table))
    }
}
