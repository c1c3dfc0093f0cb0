//! A ring's pools and slots.

use std::collections::BTreeMap;

use crate::Ring;
use crate::entry::{CheckedFill, PoolEntry, SlotEntry, WriteError, WriteKind};

#[derive(Clone, Debug)]
pub(super) struct RingState {
    slots_per_pool: u32,
    /// By pool: the generation in force.
    pools: BTreeMap<u32, u8>,
    /// By pool, parity of the generation, and slot: the generation and the id.
    slots: BTreeMap<(u32, u8, u32), (u8, u32)>,
}

/// What a selection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    NoPool,
    NoSlot { generation: u8, slot: u32 },
    Id { generation: u8, slot: u32, id: u32 },
}

impl RingState {
    pub(super) fn new(ring: &Ring) -> Self {
        Self { slots_per_pool: ring.slots, pools: BTreeMap::new(), slots: BTreeMap::new() }
    }

    pub(super) fn write_pool(&mut self, e: PoolEntry, kind: WriteKind) -> Result<(), WriteError> {
        let present = self.pools.contains_key(&e.pool());
        may_write(kind, present)?;
        match kind {
            WriteKind::Insert | WriteKind::Modify => self.pools.insert(e.pool(), e.generation()),
            WriteKind::Delete => self.pools.remove(&e.pool()),
        };
        Ok(())
    }

    /// An entry of the other generation with the same parity counts as absent, and gives way.
    pub(super) fn write_slot(&mut self, e: SlotEntry, kind: WriteKind) -> Result<(), WriteError> {
        let generation = e.pool().generation();
        let place = (e.pool().pool(), generation & 1, e.slot());
        let present = self.slots.get(&place).is_some_and(|held| held.0 == generation);
        may_write(kind, present)?;
        match kind {
            WriteKind::Insert | WriteKind::Modify => self.slots.insert(place, (generation, e.id())),
            WriteKind::Delete => self.slots.remove(&place),
        };
        Ok(())
    }

    pub(super) fn fill(&mut self, fill: &CheckedFill) {
        for e in fill.entries() {
            let generation = e.pool().generation();
            self.slots.insert((e.pool().pool(), generation & 1, e.slot()), (generation, e.id()));
        }
    }

    pub(super) fn select(&self, pool: u128, hash: u32) -> Selected {
        let known = u32::try_from(pool).ok().and_then(|pool| Some((pool, *self.pools.get(&pool)?)));
        let Some((pool, generation)) = known else {
            return Selected::NoPool;
        };
        let slot = hash % self.slots_per_pool;
        match self.slots.get(&(pool, generation & 1, slot)) {
            Some((held, id)) if *held == generation => Selected::Id { generation, slot, id: *id },
            _ => Selected::NoSlot { generation, slot },
        }
    }
}

fn may_write(kind: WriteKind, present: bool) -> Result<(), WriteError> {
    match (kind, present) {
        (WriteKind::Insert, true) => Err(WriteError::Exists),
        (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
        _ => Ok(()),
    }
}
