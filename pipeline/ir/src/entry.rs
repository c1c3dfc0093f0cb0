//! Proof 3: a table entry that may be written.
//!
//! The control plane's tables of a pipeline are its [`tables`](crate::Pipeline::tables) and two for each ring: the
//! pool table (`pool` → action `set_generation {generation: 8 bits}`) and the ring's own (`pool`, `generation`,
//! `slot` → action `set_<id>`...); see [`Tables`].

use crate::{ActionId, KeyValue, RingId, TableId};

/// A write that has not been checked: names and numbers as a user gave them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Entry {
    pub table: String,
    /// By field name; fields that are absent match all where their kind allows it.
    pub key: Vec<(String, KeyValue)>,
    /// Higher wins; only for tables with ternary, range or optional keys, where it must be above 0.
    pub priority: i32,
    pub action: String,
    pub params: Vec<(String, u128)>,
}

/// An entry of one of the pipeline's objects, checked. Only `Tables::check` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedEntry {
    /// Of a table.
    Table(TableEntry),
    /// Of a ring's pool table: the generation in force.
    Pool(PoolEntry),
    /// Of a ring: one slot.
    Slot(SlotEntry),
}

/// An entry of a table: keys in the table's order, masked and canonical; parameters in the action's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableEntry {
    pub(crate) table: TableId,
    pub(crate) key: Vec<KeyValue>,
    pub(crate) priority: i32,
    pub(crate) action: ActionId,
    pub(crate) args: Vec<u128>,
}

impl TableEntry {
    /// The table.
    #[must_use]
    pub fn table(&self) -> TableId {
        self.table
    }
    /// A value for each key field, in order.
    #[must_use]
    pub fn key(&self) -> &[KeyValue] {
        &self.key
    }
    /// Higher wins; 0 where the table needs none.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.priority
    }
    /// The action.
    #[must_use]
    pub fn action(&self) -> ActionId {
        self.action
    }
    /// A value for each parameter, in order.
    #[must_use]
    pub fn args(&self) -> &[u128] {
        &self.args
    }
}

/// The generation in force of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolEntry {
    pub(crate) ring: RingId,
    pub(crate) pool: u32,
    pub(crate) generation: u8,
}

impl PoolEntry {
    /// The ring.
    #[must_use]
    pub fn ring(&self) -> RingId {
        self.ring
    }
    /// Pool number, below the ring's `pools`.
    #[must_use]
    pub fn pool(&self) -> u32 {
        self.pool
    }
    /// Generation: 8 bits.
    #[must_use]
    pub fn generation(&self) -> u8 {
        self.generation
    }
}

/// One slot of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotEntry {
    pub(crate) pool: PoolEntry,
    pub(crate) slot: u32,
    pub(crate) id: u32,
}

impl SlotEntry {
    /// Ring, pool and generation.
    #[must_use]
    pub fn pool(&self) -> PoolEntry {
        self.pool
    }
    /// Slot number, below the ring's `slots`.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.slot
    }
    /// What the slot holds: at most 24 bits.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }
}
