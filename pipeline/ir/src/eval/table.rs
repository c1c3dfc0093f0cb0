//! A table's entries, and which of them matches.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Count, WriteError, WriteKind};
use crate::entry::TableEntry;
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
    rows: BTreeMap<Name, (TableEntry, Count)>,
    /// In tables with slots: who holds which.
    slots: BTreeMap<u32, Name>,
}

impl TableState {
    pub(super) fn new(table: &Table) -> Self {
        Self { table: table.clone(), rows: BTreeMap::new(), slots: BTreeMap::new() }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&TableEntry, Count)> {
        self.rows.values().map(|(entry, count)| (entry, *count))
    }

    pub(super) fn write(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<(), WriteError> {
        let name = (entry.key().to_vec(), entry.priority());
        let table = || self.table.name.clone();
        let slot = self.slot(entry);
        match (kind, self.rows.get_mut(&name)) {
            (WriteKind::Insert, Some(_)) => return Err(WriteError::AlreadyExists { table: table() }),
            (WriteKind::Modify | WriteKind::Delete, None) => {
                return Err(WriteError::NotFound { table: table() });
            }
            (WriteKind::Modify, Some(row)) => row.0 = entry.clone(),
            (WriteKind::Delete, Some(_)) => {
                self.rows.remove(&name);
                if let Some(slot) = slot {
                    self.slots.remove(&slot);
                }
            }
            (WriteKind::Insert, None) => {
                if let Some(slot) = slot.filter(|s| self.slots.contains_key(s)) {
                    return Err(WriteError::SlotTaken { table: table(), slot });
                }
                if self.rows.len() >= self.table.size as usize {
                    return Err(WriteError::Full { table: table(), size: self.table.size });
                }
                if let Some(slot) = slot {
                    self.slots.insert(slot, name.clone());
                }
                self.rows.insert(name, (entry.clone(), Count::default()));
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
            Some((entry, _)) => Found { hit: true, action: entry.action(), args: entry.args().to_vec() },
            None => Found { hit: false, action: self.table.default, args: vec![0; params] },
        }
    }

    /// Is the action that the key leads to another than the default?
    pub(super) fn knows(&self, key: &[u128]) -> bool {
        self.best(key).is_some_and(|(entry, _)| entry.action() != self.table.default)
    }

    /// Counts a packet on the entry that the key leads to.
    pub(super) fn count(&mut self, key: &[u128], frame: usize) {
        let Some(kind) = self.table.counters else { return };
        let Some((entry, _)) = self.best(key) else { return };
        let name = (entry.key().to_vec(), entry.priority());
        if let Some(row) = self.rows.get_mut(&name) {
            row.1.add(kind, frame);
        }
    }

    /// The entry with the highest priority; then the longest prefix; then the least key.
    fn best(&self, key: &[u128]) -> Option<&(TableEntry, Count)> {
        let exact = (key.iter().map(|v| KeyValue::Exact(*v)).collect(), 0);
        if let Some(row) = self.rows.get(&exact) {
            return Some(row);
        }
        let widths = self.table.keys.iter().map(|k| k.width);
        let matching = self.rows.values().filter(|(entry, _)| {
            entry.key().iter().zip(key).zip(widths.clone()).all(|((k, v), w)| matches(*k, *v, w))
        });
        matching.min_by_key(|(entry, _)| Reverse((entry.priority(), prefix(entry.key()))))
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
