//! A ring's maps: the generation in force of each pool, and the slots of two generations.

use super::grace::Grace;
use super::sys::Pages;
use pipeline_ir::entry::{CheckedFill, PoolEntry, SlotEntry, WriteError, WriteKind};
use std::sync::atomic::Ordering::{Acquire, Release};

/// A ring in the kernel.
#[derive(Debug)]
pub(super) struct RingMaps {
    pub(super) slots_per_ring: u32,
    pub(super) pools: Pages,
    pub(super) slots: Pages,
}

/// Set in a pool's cell that has a generation.
const IN_FORCE: u32 = 256;
const ID: u32 = 0xff_ffff;

impl RingMaps {
    fn first(&self, pool: PoolEntry) -> u32 {
        (pool.pool() * 2 + u32::from(pool.generation() % 2)) * self.slots_per_ring
    }

    /// Writes a pool's generation in force.
    pub(super) fn write_pool(
        &self,
        e: PoolEntry,
        kind: WriteKind,
        grace: &mut Grace,
    ) -> Result<(), WriteError> {
        let cell = self.pools.number(e.pool());
        let there = cell.load(Acquire) != 0;
        let next = IN_FORCE + u32::from(e.generation());
        match (kind, there) {
            (WriteKind::Insert, true) => Err(WriteError::Exists),
            (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
            (kind, _) => {
                cell.store(if kind == WriteKind::Delete { 0 } else { next }, Release);
                grace.freed();
                Ok(())
            }
        }
    }

    /// Writes one slot. What the other generation of the same parity had there is replaced.
    pub(super) fn write_slot(&self, e: SlotEntry, kind: WriteKind) -> Result<(), WriteError> {
        let generation = u32::from(e.pool().generation());
        let cell = self.slots.number(self.first(e.pool()) + e.slot());
        let old = cell.load(Acquire);
        let there = old & ID != 0 && old >> 24 == generation;
        match (kind, there) {
            (WriteKind::Insert, true) => Err(WriteError::Exists),
            (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
            (kind, _) => {
                cell.store(if kind == WriteKind::Delete { 0 } else { generation << 24 | e.id() }, Release);
                Ok(())
            }
        }
    }

    /// Writes a whole generation. Who still reads the one that it replaces is waited for.
    pub(super) fn fill(&self, fill: &CheckedFill, grace: &mut Grace) {
        grace.wait();
        let generation = u32::from(fill.pool().generation()) << 24;
        for (index, id) in (self.first(fill.pool())..).zip(fill.slots()) {
            self.slots.number(index).store(generation | id, Release);
        }
    }

    /// Generation and id of a slot of the odd or even generations.
    pub(super) fn slot(&self, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        let first = (pool * 2 + u32::from(odd)) * self.slots_per_ring;
        let word = (slot < self.slots_per_ring).then(|| self.slots.number(first + slot).load(Acquire))?;
        (word & ID != 0).then_some(((word >> 24) as u8, word & ID))
    }

    /// Generation and id of each slot of the odd or even generations; id 0 where a slot is empty.
    pub(super) fn words(&self, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        let first = (pool * 2 + u32::from(odd)) * self.slots_per_ring;
        let words = (first..first + self.slots_per_ring).map(|i| self.slots.number(i).load(Acquire));
        words.map(|word| ((word >> 24) as u8, word & ID)).collect()
    }

    /// The ids of a generation; 0 where a slot is empty.
    pub(super) fn read(&self, pool: u32, generation: u8) -> Vec<u32> {
        let first = (pool * 2 + u32::from(generation % 2)) * self.slots_per_ring;
        let cells = (first..first + self.slots_per_ring).map(|i| self.slots.number(i).load(Acquire));
        cells.map(|c| if c >> 24 == u32::from(generation) { c & ID } else { 0 }).collect()
    }

    /// The generation in force of a pool.
    pub(super) fn generation(&self, pool: u32) -> Option<u8> {
        let cell = self.pools.number(pool).load(Acquire);
        (cell != 0).then_some(cell as u8)
    }
}
