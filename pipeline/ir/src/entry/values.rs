//! The check of entries that come as numbers: ids in place of names, values in the order of their table and action.

use super::check::{Checked, POOLS, SLOTS, below, canonical, check_id, check_priority, fits, match_all};
use super::{EntryError, PoolEntry, SlotEntry, TableEntry, Tables, ring_names};
use crate::{ActionId, KeyValue, Ring, RingId, Table, TableId};

impl Tables {
    /// As [`check`](Self::check), with a value for each key field (none: it matches all) and for each parameter of the
    /// action, in order.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do.
    pub fn check_values(
        &self,
        id: TableId,
        key: &[Option<KeyValue>],
        priority: i32,
        action: ActionId,
        args: &[u128],
    ) -> Checked<TableEntry> {
        let table = self.writable(id)?;
        let key = self.key_of(table, key, priority)?;
        self.check_action(table, action)?;
        let params = &self.actions[action.index()].params;
        if args.len() != params.len() {
            let (table, name) = (table.name.clone(), self.actions[action.index()].name.clone());
            return Err(EntryError::Count { table, name, given: args.len(), want: params.len() });
        }
        for (param, value) in params.iter().zip(args) {
            let (name, ty) = &self.vars[param.index()];
            fits(&table.name, name, *value, ty.width())?;
        }
        Ok(TableEntry { table: id, key, priority, action, args: args.to_vec() })
    }

    /// What names an entry, its key and priority, as one that may be deleted or looked up: the action is the table's
    /// default, which neither looks at.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do.
    pub fn check_name(&self, id: TableId, key: &[Option<KeyValue>], priority: i32) -> Checked<TableEntry> {
        let Some(table) = self.tables.get(id.index()) else { return Err(unknown()) };
        let key = self.key_of(table, key, priority)?;
        Ok(TableEntry { table: id, key, priority, action: table.default, args: Vec::new() })
    }

    /// The generation that a pool shall have in force.
    ///
    /// # Errors
    /// There is no such pool.
    pub fn check_pool_values(&self, id: RingId, pool: u128, generation: u8) -> Checked<PoolEntry> {
        let ring = self.ring(id)?;
        let pool = below(&ring.pool_table, ring_names::POOL, pool, ring.pools, POOLS)?;
        Ok(PoolEntry { ring: id, pool, generation })
    }

    /// A slot of a ring and what it shall hold.
    ///
    /// # Errors
    /// There is no such pool or slot, or the id is 0 or too wide.
    pub fn check_slot_values(
        &self,
        id: RingId,
        (pool, generation, slot): (u128, u8, u128),
        held: u128,
    ) -> Checked<SlotEntry> {
        let ring = self.ring(id)?;
        let pool = below(&ring.name, ring_names::POOL, pool, ring.pools, POOLS)?;
        let slot = below(&ring.name, ring_names::SLOT, slot, ring.slots, SLOTS)?;
        let held = check_id(ring, slot, held)?;
        Ok(SlotEntry { pool: PoolEntry { ring: id, pool, generation }, slot, id: held })
    }

    fn ring(&self, id: RingId) -> Checked<&Ring> {
        self.rings.get(id.index()).ok_or_else(unknown)
    }

    fn writable(&self, id: TableId) -> Checked<&Table> {
        match self.tables.get(id.index()) {
            None => Err(unknown()),
            Some(table) if !table.const_entries.is_empty() => {
                Err(EntryError::Const { table: table.name.clone() })
            }
            Some(table) => Ok(table),
        }
    }

    fn key_of(&self, table: &Table, key: &[Option<KeyValue>], priority: i32) -> Checked<Vec<KeyValue>> {
        if key.len() != table.keys.len() {
            let (table, name, want) = (table.name.clone(), "key".to_owned(), table.keys.len());
            return Err(EntryError::Count { table, name, given: key.len(), want });
        }
        let values = table.keys.iter().zip(key).map(|(k, given)| match given.or_else(|| match_all(k)) {
            Some(value) => canonical(&table.name, k, value),
            None => Err(EntryError::MissingField { table: table.name.clone(), field: k.name.clone() }),
        });
        let values = values.collect::<Checked<_>>()?;
        check_priority(table, priority)?;
        Ok(values)
    }
}

/// An id that is another pipeline's.
fn unknown() -> EntryError {
    EntryError::UnknownTable { table: "of another pipeline".to_owned(), hint: String::new() }
}
