//! A table's maps and what stands in them.

use super::encode;
use super::error::XdpError;
use super::grace::Grace;
use super::search::{Search, Shape};
use super::sys::RawMap;
use crate::plane::Count;
use pipeline_ir::entry::{CheckedEntry, Entry, TableEntry, Tables, WriteError, WriteKind};
use pipeline_ir::{CounterKind, KeyValue, Pipeline, TableId};
use std::collections::BTreeMap;
use std::io;

/// What names an entry in its table.
type Name = (Vec<KeyValue>, i32);

/// An entry and where its counter is.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) entry: TableEntry,
    pub(super) cell: u32,
    /// Grows from entry to entry: among equal priorities the earlier wins.
    pub(super) age: u32,
}

/// A table in the kernel.
#[derive(Debug)]
pub(super) struct TableMaps {
    pub(super) shape: Shape,
    search: Search,
    hits: Option<RawMap>,
    entries: BTreeMap<Name, Placed>,
    next_age: u32,
}

fn failed(error: &io::Error) -> WriteError {
    WriteError::Failed(format!("the kernel refused a map access: {error}"))
}

impl TableMaps {
    /// A table whose maps are empty.
    pub(super) fn new(shape: Shape, search: Search, hits: Option<RawMap>) -> Self {
        Self { shape, search, hits, entries: BTreeMap::new(), next_age: 0 }
    }

    /// Takes over what stands in the maps.
    pub(super) fn adopt(&mut self, p: &Pipeline, tables: &Tables) -> Result<(), XdpError> {
        let odd = |why: String| XdpError::Entry { table: self.shape.table.name.clone(), error: why };
        let found = self.search.read(&self.shape).map_err(|e| odd(e.to_string()))?;
        for one in found {
            let Some((action, args)) = encode::action(&self.shape.layout.data, &self.shape.table, &one.data)
            else {
                continue;
            };
            let action = &p.actions[action.index()];
            let entry = Entry {
                table: self.shape.table.name.clone(),
                key: self.shape.table.keys.iter().zip(one.key).map(|(k, v)| (k.name.clone(), v)).collect(),
                priority: one.priority,
                action: action.name.clone(),
                params: action.params.iter().zip(args).map(|(v, x)| (p.var(*v).name.clone(), x)).collect(),
            };
            let CheckedEntry::Table(entry) = tables.check(&entry).map_err(|e| odd(e.to_string()))? else {
                continue;
            };
            self.next_age = self.next_age.max(one.age + 1);
            self.entries.insert(name_of(&entry), Placed { entry, cell: one.cell, age: one.age });
        }
        Ok(())
    }

    /// Writes an entry.
    pub(super) fn write(
        &mut self,
        entry: &TableEntry,
        kind: WriteKind,
        grace: &mut Grace,
    ) -> Result<(), WriteError> {
        if !self.shape.table.const_entries.is_empty() {
            return Err(WriteError::Const);
        }
        match kind {
            WriteKind::Insert => self.insert(entry, grace),
            WriteKind::Modify => self.modify(entry, grace),
            WriteKind::Delete => self.delete(entry, grace),
        }
    }

    /// Writes an entry of the source, when the program is loaded.
    pub(super) fn insert(&mut self, entry: &TableEntry, grace: &mut Grace) -> Result<(), WriteError> {
        let name = name_of(entry);
        if self.entries.contains_key(&name) {
            return Err(WriteError::Exists);
        }
        if self.entries.len() >= self.shape.table.size as usize {
            return Err(WriteError::Full);
        }
        let cell = self.search.free_cell(entry, &self.shape.layout)?;
        grace.wait();
        if let Some(hits) = &self.hits {
            hits.clear(cell).map_err(|e| failed(&e))?;
        }
        let placed = Placed { entry: entry.clone(), cell, age: self.next_age };
        self.entries.insert(name.clone(), placed.clone());
        let written = self.search.publish(&self.shape, &placed, &self.entries, grace);
        if let Err(error) = written {
            self.entries.remove(&name);
            self.search.give_back(cell);
            return Err(failed(&error));
        }
        self.next_age += 1;
        Ok(())
    }

    fn modify(&mut self, entry: &TableEntry, grace: &mut Grace) -> Result<(), WriteError> {
        let Some(old) = self.entries.get(&name_of(entry)).cloned() else { return Err(WriteError::NotFound) };
        let placed = Placed { entry: entry.clone(), cell: old.cell, age: old.age };
        self.entries.insert(name_of(entry), placed.clone());
        let written = self.search.replace(&self.shape, &placed, &self.entries, grace);
        written.map_err(|e| {
            self.entries.insert(name_of(entry), old);
            failed(&e)
        })
    }

    fn delete(&mut self, entry: &TableEntry, grace: &mut Grace) -> Result<(), WriteError> {
        let name = name_of(entry);
        let Some(old) = self.entries.remove(&name) else { return Err(WriteError::NotFound) };
        let written = self.search.remove(&self.shape, &old, &self.entries, grace);
        if let Err(error) = written {
            self.entries.insert(name, old);
            return Err(failed(&error));
        }
        self.search.give_back(old.cell);
        grace.freed();
        Ok(())
    }

    /// Takes every entry out; those of the source stay and have counted nothing.
    pub(super) fn clear(&mut self, grace: &mut Grace) -> Result<(), WriteError> {
        if self.shape.table.const_entries.is_empty() {
            let all: Vec<TableEntry> = self.entries.values().map(|p| p.entry.clone()).collect();
            self.next_age = 0;
            return all.iter().try_for_each(|entry| self.delete(entry, grace));
        }
        let Some(hits) = &self.hits else { return Ok(()) };
        self.entries.values().try_for_each(|p| hits.clear(p.cell)).map_err(|e| failed(&e))
    }

    /// The entry that has this one's key and priority.
    pub(super) fn find(&self, named: &TableEntry) -> Option<&TableEntry> {
        self.entries.get(&name_of(named)).map(|placed| &placed.entry)
    }

    /// What the entry with this one's key and priority has counted.
    pub(super) fn hits(&self, named: &TableEntry) -> Option<Count> {
        self.entries.get(&name_of(named)).map(|placed| self.count(placed.cell))
    }

    /// The entries with their counts.
    pub(super) fn list(&self) -> Vec<(TableEntry, Count)> {
        let counted = |placed: &Placed| (placed.entry.clone(), self.count(placed.cell));
        let mut placed: Vec<&Placed> = self.entries.values().collect();
        if !self.shape.table.const_entries.is_empty() {
            placed.sort_by_key(|p| p.age);
        }
        placed.into_iter().map(counted).collect()
    }

    fn count(&self, cell: u32) -> Count {
        let sum = self.hits.as_ref().and_then(|h| h.sum::<2>(cell).ok()).unwrap_or_default();
        count_of(self.shape.table.counters, sum)
    }
}

/// Packets and bytes, as far as they are counted.
pub(super) fn count_of(kind: Option<CounterKind>, [packets, bytes]: [u64; 2]) -> Count {
    match kind {
        None => Count::default(),
        Some(CounterKind::Both) => Count { packets, bytes },
        Some(CounterKind::Packets) => Count { packets, bytes: 0 },
        Some(CounterKind::Bytes) => Count { packets: 0, bytes },
    }
}

fn name_of(entry: &TableEntry) -> Name {
    (entry.key().to_vec(), entry.priority())
}

/// The table's id among those of the pipeline, from its index.
pub(super) fn table_id(index: usize) -> TableId {
    TableId(u32::try_from(index).unwrap_or(u32::MAX))
}

pub(super) type Entries = BTreeMap<Name, Placed>;
