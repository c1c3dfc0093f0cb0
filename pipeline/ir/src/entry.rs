//! Proof 3: a table entry that may be written.
//!
//! The control plane's tables of a pipeline are its [`tables`](crate::Pipeline::tables) and two for each ring, all
//! matched exactly:
//!
//! | table | key | action | default, in no entry |
//! | --- | --- | --- | --- |
//! | the pool table | `pool` | `set_generation {generation: 8 bits}` | `no_<pool table>` |
//! | the ring | `pool`, `generation` (8 bits), `slot` | `set_<ring> {id}` | `no_<ring>` |
//!
//! A table with entries in the source takes no others. Tables with ternary, range or optional fields need a
//! priority above 0, others none; an entry is named by its key and its priority together.

mod check;
mod error;
mod values;
mod write;

pub use check::{Tables, needs_priority, prefix_mask};
pub use error::EntryError;
pub use write::{WriteError, WriteKind};

use crate::{ActionId, KeyValue, Ring, RingId, TableId};

/// Names in the control-plane tables of a ring.
pub mod ring_names {
    /// Key field: the pool's number.
    pub const POOL: &str = "pool";
    /// Key field of the ring, parameter of the pool table: 8 bits.
    pub const GENERATION: &str = "generation";
    /// Key field: the slot's number.
    pub const SLOT: &str = "slot";
    /// Parameter: what a slot holds.
    pub const ID: &str = "id";
    /// Action of the pool table.
    pub const SET_GENERATION: &str = "set_generation";
}

impl Ring {
    /// The action of the ring's own table: `set_<ring>`.
    #[must_use]
    pub fn set_action(&self) -> String {
        format!("set_{}", self.name)
    }
    /// The default action of the pool table: `no_<pool table>`.
    #[must_use]
    pub fn no_generation_action(&self) -> String {
        format!("no_{}", self.pool_table)
    }
    /// The default action of the ring's own table: `no_<ring>`.
    #[must_use]
    pub fn no_slot_action(&self) -> String {
        format!("no_{}", self.name)
    }
}

/// A write that has not been checked: names and numbers as a user gave them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Entry {
    pub table: String,
    /// By field name; fields that are absent match all where their kind allows it. An
    /// [`Exact`](KeyValue::Exact) value serves every kind.
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

/// One generation of a pool's ring, whole, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct RingFill {
    /// The ring's name.
    pub ring: String,
    pub pool: u32,
    pub generation: u8,
    /// An id for each slot, in order.
    pub slots: Vec<u32>,
}

/// One generation of a pool's ring, checked: every slot has an id that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFill {
    pub(crate) pool: PoolEntry,
    pub(crate) slots: Vec<u32>,
}

impl CheckedFill {
    /// Ring, pool and generation.
    #[must_use]
    pub fn pool(&self) -> PoolEntry {
        self.pool
    }
    /// An id for each slot, in order.
    #[must_use]
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }
    /// The same as single slots.
    pub fn entries(&self) -> impl Iterator<Item = SlotEntry> {
        let slots = self.slots.iter().enumerate();
        slots.map(|(slot, id)| SlotEntry { pool: self.pool, slot: slot as u32, id: *id })
    }
}
