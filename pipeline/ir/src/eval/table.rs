//! A table's entries, and which of them matches.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Count;
use crate::entry::{TableEntry, WriteError, WriteKind};
use crate::expr::Type;
use crate::{ActionId, KeyValue, Table};

/// What a lookup gives.
pub(super) struct Found {
    pub(super) hit: bool,
    pub(super) action: ActionId,
    pub(super) args: Vec<u128>,
}

/// Key and priority: what names an entry.
type Name = (Vec<KeyValue>, i32);

#[derive(Clone, Debug)]
pub(super) struct TableState {
    table: Table,
    rows: BTreeMap<Name, Row>,
    /// In tables with slots: those that are taken.
    slots: BTreeSet<u32>,
    inserted: u64,
}

#[derive(Clone, Debug)]
struct Row {
    entry: TableEntry,
    count: Count,
    /// How many entries were inserted before it.
    age: u64,
}

impl TableState {
    pub(super) fn new(table: &Table) -> Self {
        Self { table: table.clone(), rows: BTreeMap::new(), slots: BTreeSet::new(), inserted: 0 }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&TableEntry, Count)> {
        self.rows.values().map(|row| (&row.entry, row.count))
    }

    pub(super) fn write(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<(), WriteError> {
        let name = (entry.key().to_vec(), entry.priority());
        let slot = self.slot(entry);
        match (kind, self.rows.get_mut(&name)) {
            (WriteKind::Insert, Some(_)) => return Err(WriteError::Exists),
            (WriteKind::Modify | WriteKind::Delete, None) => return Err(WriteError::NotFound),
            (WriteKind::Modify, Some(row)) => row.entry = entry.clone(),
            (WriteKind::Delete, Some(_)) => {
                self.rows.remove(&name);
                self.slots.retain(|taken| Some(*taken) != slot);
            }
            (WriteKind::Insert, None) => {
                if slot.is_some_and(|slot| self.slots.contains(&slot)) {
                    return Err(WriteError::Exists);
                }
                if self.rows.len() >= self.table.size as usize {
                    return Err(WriteError::Full);
                }
                self.slots.extend(slot);
                self.inserted += 1;
                let row = Row { entry: entry.clone(), count: Count::default(), age: self.inserted };
                self.rows.insert(name, row);
            }
        }
        Ok(())
    }

    fn slot(&self, entry: &TableEntry) -> Option<u32> {
        match (self.table.slot_bits, entry.key().first()) {
            (Some(bits), Some(KeyValue::Exact(v))) => Some((v & Type::Bits(bits).mask()) as u32),
            _ => None,
        }
    }

    /// Looks a key up, without counting. `params`: how many the default action has.
    pub(super) fn find(&self, key: &[u128], params: usize) -> Found {
        match self.best(key) {
            Some(row) => Found { hit: true, action: row.entry.action(), args: row.entry.args().to_vec() },
            None => Found { hit: false, action: self.table.default, args: vec![0; params] },
        }
    }

    /// Is the action that the key leads to another than the default?
    pub(super) fn knows(&self, key: &[u128]) -> bool {
        self.best(key).is_some_and(|row| row.entry.action() != self.table.default)
    }

    /// Counts a packet on the entry that the key leads to.
    pub(super) fn count(&mut self, key: &[u128], frame: usize) {
        let Some(kind) = self.table.counters else { return };
        let Some(row) = self.best(key) else { return };
        let name = (row.entry.key().to_vec(), row.entry.priority());
        if let Some(row) = self.rows.get_mut(&name) {
            row.count.add(kind, frame);
        }
    }

    /// The entry with the highest priority; then with the longest prefix; then the one inserted first.
    fn best(&self, key: &[u128]) -> Option<&Row> {
        let exact = (key.iter().map(|v| KeyValue::Exact(*v)).collect(), 0);
        if let Some(row) = self.rows.get(&exact) {
            return Some(row);
        }
        let widths = self.table.keys.iter().map(|k| k.width);
        let matching = self.rows.values().filter(|row| {
            row.entry.key().iter().zip(key).zip(widths.clone()).all(|((k, v), w)| matches(*k, *v, w))
        });
        matching.min_by_key(|row| (Reverse((row.entry.priority(), prefix(row.entry.key()))), row.age))
    }
}

fn prefix(key: &[KeyValue]) -> u8 {
    let prefixes = key.iter().map(|k| if let KeyValue::Lpm { prefix, .. } = k { *prefix } else { 0 });
    prefixes.max().unwrap_or(0)
}

fn matches(key: KeyValue, value: u128, width: u8) -> bool {
    match key {
        KeyValue::Exact(v) => v == value,
        // Compares what is left when all but the prefix is shifted out.
        KeyValue::Lpm { value: v, prefix } => {
            let rest = u32::from(width - prefix);
            v.checked_shr(rest).unwrap_or(0) == value.checked_shr(rest).unwrap_or(0)
        }
        KeyValue::Ternary { value: v, mask } => value & mask == v,
        KeyValue::Range { low, high } => (low..=high).contains(&value),
        KeyValue::Optional(v) => v.is_none_or(|v| v == value),
    }
}
