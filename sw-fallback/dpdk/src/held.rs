//! What stands in a table: for reading back, and for what SWX doesn't know of (ages, cells, equal keys).

use crate::layout::TableLayout;
use crate::sys::{Entry, Pipeline};
use pipeline_ir::entry::{TableEntry, WriteError, WriteKind};
use pipeline_ir::expr::Type;
use pipeline_ir::verify::Verified;
use pipeline_ir::{KeyValue, Table, TableId};
use std::collections::{BTreeMap, BTreeSet};

/// An entry's key and priority.
pub(crate) type Name = (Vec<KeyValue>, i32);

/// An entry with what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) entry: TableEntry,
    /// Its cell among the table's counters.
    pub(crate) cell: u32,
    /// How many were inserted before it: among equals the oldest wins.
    age: u64,
}

/// The entries of a table.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) layout: TableLayout,
    declared: Table,
    pub(crate) source: Vec<Row>,
    pub(crate) rows: BTreeMap<Name, Row>,
    cells: Vec<u32>,
    slots: BTreeSet<u32>,
    inserted: u64,
    /// What SWX holds of a table with masks, and whether that must be looked at.
    installed: Vec<Entry>,
    stale: bool,
}

pub(crate) fn name(entry: &TableEntry) -> Name {
    (entry.key().to_vec(), entry.priority())
}

impl Held {
    /// With the entries of the source, of which SWX has none yet.
    pub(crate) fn new(verified: &Verified, id: TableId, declared: &Table, layout: TableLayout) -> Self {
        let source = (0..declared.const_entries.len()).filter_map(|n| TableEntry::of_source(verified, id, n));
        let row = |(n, entry)| Row { entry, cell: n as u32, age: n as u64 };
        let source: Vec<Row> = source.enumerate().map(row).collect();
        let cells = (source.len() as u32..declared.size.max(source.len() as u32)).rev().collect();
        Self {
            layout,
            declared: declared.clone(),
            inserted: source.len() as u64,
            source,
            rows: BTreeMap::new(),
            cells,
            slots: BTreeSet::new(),
            installed: Vec::new(),
            stale: true,
        }
    }

    pub(crate) fn find(&self, named: &TableEntry) -> Option<&Row> {
        let same = |r: &&Row| r.entry.key() == named.key() && r.entry.priority() == named.priority();
        self.source.iter().find(same).or_else(|| self.rows.get(&name(named)))
    }

    /// All rows, those of the source first.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Row> {
        self.source.iter().chain(self.rows.values())
    }

    /// Changes what is held; SWX is told by [`tell`](Self::tell), and for masks by [`tell_all`](Self::tell_all).
    ///
    /// # Errors
    /// [`WriteError`]; nothing has changed.
    pub(crate) fn write(&mut self, entry: &TableEntry, kind: WriteKind) -> Result<(), WriteError> {
        if !self.declared.const_entries.is_empty() {
            return Err(WriteError::Const);
        }
        let name = name(entry);
        match (kind, self.rows.get_mut(&name)) {
            (WriteKind::Insert, Some(_)) => return Err(WriteError::Exists),
            (WriteKind::Modify | WriteKind::Delete, None) => return Err(WriteError::NotFound),
            (WriteKind::Modify, Some(row)) => row.entry = entry.clone(),
            (WriteKind::Delete, Some(_)) => self.put(&name, None),
            (WriteKind::Insert, None) => {
                if self.slot(entry).is_some_and(|slot| self.slots.contains(&slot)) {
                    return Err(WriteError::Exists);
                }
                let cell = *self.cells.last().ok_or(WriteError::Full)?;
                self.inserted += 1;
                self.put(&name, Some(Row { entry: entry.clone(), cell, age: self.inserted }));
            }
        }
        self.stale = true;
        Ok(())
    }

    /// Puts a row in a name's place, or none.
    pub(crate) fn put(&mut self, name: &Name, row: Option<Row>) {
        if let Some(old) = self.rows.remove(name) {
            self.cells.push(old.cell);
            if let Some(slot) = self.slot(&old.entry) {
                self.slots.remove(&slot);
            }
        }
        if let Some(row) = row {
            // The next one, but where an entry comes back.
            match self.cells.last() {
                Some(last) if *last == row.cell => drop(self.cells.pop()),
                _ => self.cells.retain(|cell| *cell != row.cell),
            }
            self.slots.extend(self.slot(&row.entry));
            self.rows.insert(name.clone(), row);
        }
        self.stale = true;
    }

    fn slot(&self, entry: &TableEntry) -> Option<u32> {
        match (self.declared.slot_bits, entry.key().first()) {
            (Some(bits), Some(KeyValue::Exact(v))) => Some((v & Type::Bits(bits).mask()) as u32),
            _ => None,
        }
    }

    fn made(&self, row: &Row, priority: u32) -> Result<Entry, WriteError> {
        let action = self.declared.actions.iter().position(|a| *a == row.entry.action());
        let action = action.ok_or_else(|| WriteError::Failed("another table's action".into()))?;
        self.layout.make(row.entry.key(), priority, action, row.entry.args(), row.cell)
    }

    /// Tells SWX what a name stands for now, in a table without masks: the next commit puts it in force.
    pub(crate) fn tell(&self, pipeline: &mut Pipeline, entry: &TableEntry) -> Result<(), WriteError> {
        if self.layout.wild {
            return Ok(());
        }
        let done = match self.find(entry) {
            Some(row) => pipeline.add(&self.layout.name, &mut self.made(row, 0)?),
            None => {
                let mut named = self.layout.make(entry.key(), 0, 0, &[], 0)?;
                pipeline.delete(&self.layout.name, &mut named)
            }
        };
        done.map_err(WriteError::Failed)
    }

    /// Tells SWX what has changed in a table with masks: their ranks, the highest first, and one entry for each key.
    pub(crate) fn tell_all(&mut self, pipeline: &mut Pipeline) -> Result<(), WriteError> {
        if !self.layout.wild || !self.stale {
            return Ok(());
        }
        let mut rows: Vec<&Row> = self.list().collect();
        rows.sort_by_key(|row| (free_bits(row), std::cmp::Reverse(row.entry.priority()), row.age));
        let mut wanted: Vec<Entry> = Vec::new();
        for row in rows {
            let entry = self.made(row, wanted.len() as u32)?;
            if !wanted.iter().any(|w| w.key == entry.key && w.mask == entry.mask) {
                wanted.push(entry);
            }
        }
        for old in &mut self.installed {
            if !wanted.iter().any(|w| w.key == old.key && w.mask == old.mask) {
                pipeline.delete(&self.layout.name, old).map_err(WriteError::Failed)?;
            }
        }
        for new in &mut wanted {
            if !self.installed.contains(new) {
                pipeline.add(&self.layout.name, new).map_err(WriteError::Failed)?;
            }
        }
        (self.installed, self.stale) = (wanted, false);
        Ok(())
    }

    /// SWX has forgotten what it was told: a table with masks is looked at anew.
    pub(crate) fn forget(&mut self, installed: Vec<Entry>) {
        (self.installed, self.stale) = (installed, true);
    }

    pub(crate) fn installed(&self) -> Vec<Entry> {
        self.installed.clone()
    }
}

/// Bits of prefixes that don't matter: the longest prefix wins.
fn free_bits(row: &Row) -> u32 {
    let free = row.entry.key().iter().map(|value| match value {
        KeyValue::Lpm { prefix, .. } => 128 - u32::from(*prefix).min(128),
        _ => 0,
    });
    free.sum()
}
