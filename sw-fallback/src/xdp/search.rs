//! The four ways in which a table is searched, as its maps are written.
//!
//! A reader never sees an entry before all of it is there: what makes it visible is written last, and cleared first.

use super::encode;
use super::grace::Grace;
use super::sys::{Pages, RawMap};
use super::table::{Entries, Placed};
use pipeline_ir::entry::{TableEntry, WriteError};
use pipeline_ir::{KeyValue, Table};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Release};
use xdp_layout::data::DataLayout;
use xdp_layout::fold::FoldEntry;
use xdp_layout::{TableKind, TableLayout, key, set_of};

const WAYS: usize = 4;

/// What a table's entries look like.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) table: Table,
    pub(super) layout: TableLayout,
    /// What its entries carry of a hash, by action.
    pub(super) folds: Vec<FoldEntry>,
}

impl Shape {
    fn fold(&self, placed: &Placed) -> Option<u32> {
        let fold = self.folds.iter().find(|f| f.action == placed.entry.action())?;
        let keys: Vec<u128> = placed.entry.key().iter().map(encode::exact).collect();
        Some(fold.of(&keys, placed.entry.args()))
    }
}

/// A table's maps by the way in which it is searched.
#[derive(Debug)]
pub(super) enum Search {
    Slot(Pages),
    Exact { pages: Pages, seed: u64 },
    Lpm { trie: RawMap, cells: Cells },
    Linear { array: RawMap, half: RawMap, ranks: Pages, cells: Cells },
}

/// Counter cells that are given out one by one.
#[derive(Debug)]
pub(super) struct Cells {
    used: BTreeSet<u32>,
    size: u32,
}

impl Cells {
    pub(super) fn new(size: u32) -> Self {
        Self { used: BTreeSet::new(), size }
    }
    fn take(&mut self) -> Option<u32> {
        let free = (0..self.size).find(|cell| !self.used.contains(cell))?;
        self.used.insert(free);
        Some(free)
    }
}

/// An entry as it stands in a map.
pub(super) struct Found {
    pub(super) key: Vec<KeyValue>,
    pub(super) priority: i32,
    pub(super) data: Vec<u8>,
    pub(super) cell: u32,
    pub(super) age: u32,
}

impl Search {
    /// Where an entry's counter will be. It is found out before anything is written.
    pub(super) fn free_cell(&mut self, entry: &TableEntry, layout: &TableLayout) -> Result<u32, WriteError> {
        match (self, &layout.kind) {
            (Self::Slot(pages), TableKind::Slot { bits }) => {
                let slot = slot_of(entry, *bits);
                let taken = read(pages, slot, 0, layout.data.bytes)[layout.data.action as usize] != 0;
                if taken { Err(WriteError::Exists) } else { Ok(slot) }
            }
            (Self::Exact { pages, seed }, TableKind::Exact { sets, words, fields }) => {
                let set = set_of(&exact_words(entry, fields, *words), *seed, *sets);
                let free = (0..WAYS).find(|way| pages.word(set, way * words + words - 1).load(Acquire) == 0);
                free.map(|way| set * WAYS as u32 + way as u32).ok_or(WriteError::Full)
            }
            (Self::Lpm { cells, .. } | Self::Linear { cells, .. }, _) => cells.take().ok_or(WriteError::Full),
            _ => Err(WriteError::Failed("the table's maps are of another layout".into())),
        }
    }

    /// A cell is not used any more.
    pub(super) fn give_back(&mut self, cell: u32) {
        if let Self::Lpm { cells, .. } | Self::Linear { cells, .. } = self {
            cells.used.remove(&cell);
        }
    }

    /// Makes a new entry visible.
    pub(super) fn publish(
        &mut self,
        shape: &Shape,
        new: &Placed,
        all: &Entries,
        grace: &mut Grace,
    ) -> io::Result<()> {
        if let (Self::Exact { pages, .. }, TableKind::Exact { words, fields, .. }) =
            (&*self, &shape.layout.kind)
        {
            let (set, way) = place(new.cell);
            store(pages, set, data_word(&shape.layout, *words, way), &data_of(shape, new), None);
            let key = exact_words(&new.entry, fields, *words);
            for (i, word) in key.iter().enumerate() {
                // The last word has the bit that says "used".
                pages.word(set, way * words + i).store(*word, Release);
            }
            return Ok(());
        }
        self.replace(shape, new, all, grace)
    }

    /// Writes an entry's action over the one that stands there.
    pub(super) fn replace(
        &mut self,
        shape: &Shape,
        new: &Placed,
        all: &Entries,
        grace: &mut Grace,
    ) -> io::Result<()> {
        match (self, &shape.layout.kind) {
            (Self::Slot(pages), TableKind::Slot { .. }) => {
                store(pages, new.cell, 0, &data_of(shape, new), Some(action_word(&shape.layout.data)));
                Ok(())
            }
            (Self::Exact { pages, .. }, TableKind::Exact { words, .. }) => {
                let (set, way) = place(new.cell);
                let last = Some(action_word(&shape.layout.data));
                store(pages, set, data_word(&shape.layout, *words, way), &data_of(shape, new), last);
                Ok(())
            }
            (Self::Lpm { trie, .. }, TableKind::Lpm { order, .. }) => {
                trie.set(&encode::trie_key(&shape.table, order, new.entry.key()), &data_of(shape, new))
            }
            (Self::Linear { array, half, ranks, .. }, _) => {
                let rank = u64::from(new.entry.priority().cast_unsigned()) << 32 | u64::from(new.age);
                ranks.word(new.cell, 0).store(rank, Release);
                rewrite(array, half, shape, all, grace)
            }
            _ => Err(io::Error::other("the table's maps are of another layout")),
        }
    }

    /// Takes an entry out; `all` are those that stay.
    pub(super) fn remove(
        &mut self,
        shape: &Shape,
        old: &Placed,
        all: &Entries,
        grace: &mut Grace,
    ) -> io::Result<()> {
        match (self, &shape.layout.kind) {
            (Self::Slot(pages), TableKind::Slot { .. }) => {
                pages.word(old.cell, action_word(&shape.layout.data)).store(0, Release);
                Ok(())
            }
            (Self::Exact { pages, .. }, TableKind::Exact { words, .. }) => {
                let (set, way) = place(old.cell);
                for word in (0..*words).rev() {
                    pages.word(set, way * words + word).store(0, Release);
                }
                Ok(())
            }
            (Self::Lpm { trie, .. }, TableKind::Lpm { order, .. }) => {
                trie.delete(&encode::trie_key(&shape.table, order, old.entry.key()))
            }
            (Self::Linear { array, half, .. }, _) => rewrite(array, half, shape, all, grace),
            _ => Err(io::Error::other("the table's maps are of another layout")),
        }
    }

    /// Every entry that stands in the maps; cells in use are taken note of.
    pub(super) fn read(&mut self, shape: &Shape) -> io::Result<Vec<Found>> {
        let mut found = match (&*self, &shape.layout.kind) {
            (Self::Slot(pages), TableKind::Slot { .. }) => read_slots(pages, &shape.layout),
            (Self::Exact { pages, .. }, TableKind::Exact { words, fields, .. }) => {
                read_sets(pages, &shape.layout, *words, fields)
            }
            (Self::Lpm { trie, .. }, TableKind::Lpm { order, .. }) => {
                let mut found = Vec::new();
                for key in trie.keys()? {
                    let data = trie.get(&key)?;
                    let cell = encode::index(&shape.layout.data, &data);
                    let key = encode::trie_fields(&shape.table, order, &key);
                    found.push(Found { key, priority: 0, data, cell, age: 0 });
                }
                found
            }
            (Self::Linear { array, half, ranks, .. }, TableKind::Linear { fields, data_at }) => {
                read_half(array, half, ranks, shape, fields, *data_at)?
            }
            _ => return Err(io::Error::other("the table's maps are of another layout")),
        };
        if let Self::Lpm { cells, .. } | Self::Linear { cells, .. } = self {
            cells.used = found.iter().map(|f| f.cell).collect();
        }
        found.sort_by_key(|f| f.age);
        Ok(found)
    }
}

fn place(cell: u32) -> (u32, usize) {
    (cell / WAYS as u32, cell as usize % WAYS)
}

/// The slot of an entry of a slot table.
fn slot_of(entry: &TableEntry, bits: u8) -> u32 {
    entry.key().first().map_or(0, encode::exact) as u32 & ((1u32 << bits) - 1)
}

/// The words of an exact entry's key.
pub(super) fn exact_words(entry: &TableEntry, fields: &[key::FieldPlace], words: usize) -> Vec<u64> {
    let values: Vec<u128> = entry.key().iter().map(encode::exact).collect();
    key::words(fields, words, &values)
}

fn data_of(shape: &Shape, placed: &Placed) -> Vec<u8> {
    let key = shape.layout.data.key.map(|_| placed.entry.key().first().map_or(0, encode::exact) as u32);
    let action = (placed.entry.action(), placed.entry.args());
    let mut bytes = encode::data(&shape.layout.data, &shape.table, action, key, placed.cell);
    if let (Some(at), Some(fold)) = (shape.layout.data.fold_of(action.0), shape.fold(placed)) {
        bytes[at as usize..at as usize + 4].copy_from_slice(&fold.to_ne_bytes());
    }
    bytes
}

/// The word of an entry's data that has the action.
fn action_word(data: &DataLayout) -> usize {
    data.action as usize / 8
}

/// The first word of a way's data in a set.
fn data_word(layout: &TableLayout, words: usize, way: usize) -> usize {
    WAYS * words + way * layout.data.bytes as usize / 8
}

/// Writes words of an element, one of them last.
fn store(pages: &Pages, index: u32, first: usize, bytes: &[u8], last: Option<usize>) {
    let words: Vec<u64> =
        bytes.chunks_exact(8).map(|c| u64::from_ne_bytes(c.try_into().unwrap_or_default())).collect();
    let order = (0..words.len()).filter(|i| Some(*i) != last).chain(last);
    for i in order {
        pages.word(index, first + i).store(words[i], Release);
    }
}

fn read(pages: &Pages, index: u32, first: usize, bytes: u32) -> Vec<u8> {
    (0..bytes as usize / 8).flat_map(|i| pages.word(index, first + i).load(Acquire).to_ne_bytes()).collect()
}

/// Writes the half that is not in force, then puts it in force.
fn rewrite(array: &RawMap, half: &RawMap, shape: &Shape, all: &Entries, grace: &mut Grace) -> io::Result<()> {
    let TableKind::Linear { fields, data_at } = &shape.layout.kind else { return Ok(()) };
    grace.wait();
    let next = 1 - half_in_force(half)?;
    let mut best: Vec<&Placed> = all.values().collect();
    best.sort_by_key(|p| (Reverse(p.entry.priority()), p.age));
    let first = next * shape.table.size;
    for (index, placed) in (first..).zip(&best) {
        let mut bytes = encode::linear_fields(&shape.table, fields, *data_at, placed.entry.key());
        bytes.extend(data_of(shape, placed));
        array.set(&index.to_ne_bytes(), &bytes)?;
    }
    if best.len() < shape.table.size as usize {
        array.clear(first + best.len() as u32)?;
    }
    half.set(&0u32.to_ne_bytes(), &next.to_ne_bytes())?;
    grace.freed();
    Ok(())
}

fn half_in_force(half: &RawMap) -> io::Result<u32> {
    let value = half.get(&0u32.to_ne_bytes())?;
    Ok(u32::from_ne_bytes(value.try_into().unwrap_or_default()) & 1)
}

fn read_slots(pages: &Pages, layout: &TableLayout) -> Vec<Found> {
    let one = |cell| {
        let data = read(pages, cell, 0, layout.data.bytes);
        let key = vec![KeyValue::Exact(encode::slot_key(&layout.data, &data).into())];
        Found { key, priority: 0, data, cell, age: 0 }
    };
    (0..pages.len()).map(one).filter(|f| f.data[layout.data.action as usize] != 0).collect()
}

fn read_sets(pages: &Pages, layout: &TableLayout, words: usize, fields: &[key::FieldPlace]) -> Vec<Found> {
    let mut found = Vec::new();
    for cell in 0..pages.len() * WAYS as u32 {
        let (set, way) = place(cell);
        let key: Vec<u64> = (0..words).map(|i| pages.word(set, way * words + i).load(Acquire)).collect();
        if key.last().is_none_or(|w| *w == 0) {
            continue;
        }
        let key = encode::exact_values(fields, &key).into_iter().map(KeyValue::Exact).collect();
        let data = read(pages, set, data_word(layout, words, way), layout.data.bytes);
        found.push(Found { key, priority: 0, data, cell, age: 0 });
    }
    found
}

fn read_half(
    array: &RawMap,
    half: &RawMap,
    ranks: &Pages,
    shape: &Shape,
    fields: &[key::LinearField],
    data_at: u32,
) -> io::Result<Vec<Found>> {
    let first = half_in_force(half)? * shape.table.size;
    let mut found = Vec::new();
    for index in first..first + shape.table.size {
        let bytes = array.get(&index.to_ne_bytes())?;
        let data = bytes[data_at as usize..].to_vec();
        if data[shape.layout.data.action as usize] == 0 {
            break;
        }
        let cell = encode::index(&shape.layout.data, &data);
        if cell >= ranks.len() {
            return Err(io::Error::other("an entry's counter is out of range"));
        }
        let rank = ranks.word(cell, 0).load(Acquire);
        let key = encode::linear_key(&shape.table, fields, &bytes);
        found.push(Found { key, priority: (rank >> 32) as u32 as i32, data, cell, age: rank as u32 });
    }
    Ok(found)
}
