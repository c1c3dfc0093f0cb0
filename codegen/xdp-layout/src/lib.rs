//! What the emitted XDP object and its loader agree on: maps, entries, indices.
//!
//! Numbers in maps are host integers. A width of up to 8, 16, 32, 64 bits takes 1, 2, 4, 8 bytes; a wider one takes
//! 16: low word, high word. All is a pure function of the pipeline, so nothing needs to travel beside the object.
//!
//! Arrays of up to 4 MiB are one map value each, the section `.data.<name>`; see [`mod@array`].
//!
//! | object | maps |
//! | --- | --- |
//! | table | `<table>`, with direct counters also `<table>_hits` (per CPU: packets, bytes; 64 bits each) |
//! | linear table | also `<table>_half` (one `u32`: the half of the array in force) |
//! | flow table | `<table>`: an array of buckets, page-aligned |
//! | ring | `<ring>`: `u32` = generation << 24 \| id at `(pool * 2 + generation % 2) * slots + slot`; `<pool_table>`: `u32` = 256 + generation, or 0 |
//! | counter | `<counter>`, by [`names::global`]: per CPU, packets and bytes |
//! | reasons and flow-table counts | `events`: per CPU `u64`, see [`Layout::events`] |

pub mod array;
pub mod data;
pub mod fold;
pub mod key;
pub mod names;

use array::ArrayLayout;
use data::DataLayout;
use key::{FieldPlace, LinearField};
use pipeline_ir::{ActionId, MatchKind, Pipeline, Table, TableId};

/// The whole agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// One for each of the pipeline's tables.
    pub tables: Vec<TableLayout>,
    /// Names of the cells of map `events`, in order: each drop reason as `drop.<reason>`, then
    /// `<flow table>.stored` and `<flow table>.not_stored` for each flow table.
    pub events: Vec<String>,
    /// What entries carry of hashes.
    pub folds: Vec<fold::Fold>,
}

/// A table's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// How it is searched.
    pub kind: TableKind,
    /// What an entry holds beside its key.
    pub data: DataLayout,
    /// Cells of `<table>_hits`; 0 without direct counters.
    pub counters: u32,
}

/// How a table is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// An array indexed by the key's low bits; [`DataLayout::key`] holds the whole key. Counter = slot.
    Slot {
        /// Bits of the index.
        bits: u8,
    },
    /// Sets of 4 ways. A set is `4 * words` 64-bit key words (way by way), then 4 data. Counter = set * 4 + way.
    Exact {
        /// Sets, a power of two.
        sets: u32,
        /// 64-bit words of a key; see [`key::words`].
        words: usize,
        /// Where each field lies in the key.
        fields: Vec<FieldPlace>,
    },
    /// An `LPM_TRIE`: 32 bits of prefix length, then the exact fields and the lpm field, each in whole bytes, network
    /// order. Counter = [`DataLayout::index`].
    Lpm {
        /// Bytes of each key field in the order of the trie's key, with the key's index.
        order: Vec<(usize, u32)>,
        /// Bytes of the trie's key, prefix length included.
        key_bytes: u32,
    },
    /// An array of two halves of `size` entries, best first, ended by an empty one: the fields, then the data.
    /// Counter = [`DataLayout::index`].
    Linear {
        /// A field's two numbers (value and mask, or low and high).
        fields: Vec<LinearField>,
        /// Where the data start.
        data_at: u32,
    },
}

impl TableLayout {
    fn of(p: &Pipeline, table: &Table, folds: &[ActionId]) -> Self {
        let (kind, data) = if let Some(bits) = table.slot_bits {
            (TableKind::Slot { bits }, DataLayout::of(p, table, (true, false), folds))
        } else if table.is_searched() {
            let (fields, data_at) = key::linear_fields(table);
            (TableKind::Linear { fields, data_at }, DataLayout::of(p, table, (false, true), folds))
        } else if table.is_prefix() {
            (lpm_kind(table), DataLayout::of(p, table, (false, true), folds))
        } else {
            (exact_kind(table), DataLayout::of(p, table, (false, false), folds))
        };
        let mut layout = Self { kind, data, counters: 0 };
        if table.counters.is_some() {
            layout.counters = layout.cells(table);
        }
        layout
    }

    fn cells(&self, table: &Table) -> u32 {
        match &self.kind {
            TableKind::Slot { bits } => 1 << bits,
            TableKind::Exact { sets, .. } => sets * 4,
            TableKind::Lpm { .. } | TableKind::Linear { .. } => table.size,
        }
    }

    /// The array of slots or sets.
    #[must_use]
    pub fn array(&self) -> Option<ArrayLayout> {
        let (bytes, elements) = match &self.kind {
            TableKind::Slot { bits } => (self.data.bytes, 1 << bits),
            TableKind::Exact { sets, words, .. } => (4 * (8 * *words as u32 + self.data.bytes), *sets),
            TableKind::Lpm { .. } | TableKind::Linear { .. } => return None,
        };
        Some(ArrayLayout { bytes, elements })
    }

    /// Size of the map's values, and how many there are.
    #[must_use]
    pub fn map(&self, table: &Table) -> (u32, u32) {
        match (&self.kind, self.array()) {
            (_, Some(array)) => array.map(),
            (TableKind::Linear { data_at, .. }, _) => (data_at + self.data.bytes, table.size * 2),
            _ => (self.data.bytes, table.size),
        }
    }
}

/// The actions of a table whose entries carry a fold.
fn fold_actions(folds: &[fold::Fold], table: TableId) -> Vec<ActionId> {
    folds.iter().flat_map(|f| &f.entries).filter(|e| e.table == table).map(|e| e.action).collect()
}

fn exact_kind(table: &Table) -> TableKind {
    let (words, fields) = key::exact_fields(table);
    // A quarter of a way per entry on average: one chance in a thousand that a seed leaves a set too full.
    let sets = (u64::from(table.size) * 8).next_power_of_two().clamp(8, 1 << 22) as u32;
    TableKind::Exact { sets, words, fields }
}

fn lpm_kind(table: &Table) -> TableKind {
    let bytes = |i: usize| u32::from(table.keys[i].width).div_ceil(8);
    let exact = (0..table.keys.len()).filter(|&i| table.keys[i].kind == MatchKind::Exact);
    let lpm = (0..table.keys.len()).filter(|&i| table.keys[i].kind == MatchKind::Lpm);
    let order: Vec<_> = exact.chain(lpm).map(|i| (i, bytes(i))).collect();
    let key_bytes = 4 + order.iter().map(|o| o.1).sum::<u32>();
    TableKind::Lpm { order, key_bytes }
}

impl Layout {
    /// How an entry of this table with this action computes its fold, if it carries one.
    #[must_use]
    pub fn fold(&self, table: TableId, action: ActionId) -> Option<&fold::FoldEntry> {
        self.folds.iter().flat_map(|f| &f.entries).find(|e| e.table == table && e.action == action)
    }

    /// The layout of a pipeline.
    #[must_use]
    pub fn of(p: &Pipeline) -> Self {
        let mut events: Vec<String> = p.reasons.iter().map(|r| format!("drop.{}", r.name)).collect();
        for flow in &p.flow_tables {
            events.push(format!("{}.stored", flow.name));
            events.push(format!("{}.not_stored", flow.name));
        }
        let folds = fold::folds(p);
        let tables = p.tables.iter().enumerate();
        let tables =
            tables.map(|(i, t)| TableLayout::of(p, t, &fold_actions(&folds, TableId(i as u32)))).collect();
        Self { tables, events, folds }
    }
}

/// The set of an exact table that a key belongs to; the emitted C computes the same.
#[must_use]
pub fn set_of(words: &[u64], seed: u64, sets: u32) -> u32 {
    let mut h = seed;
    for word in words {
        h = (h ^ word).wrapping_mul(SET_MULTIPLIER);
    }
    ((h >> 32) as u32) & (sets - 1)
}

/// Odd multiplier of [`set_of`]: 2^64 divided by the golden ratio.
pub const SET_MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The position tables of CRC-32 (IEEE 802.3): `tables[k][b]` is what byte `b` with `k` bytes after it adds.
#[must_use]
pub fn crc32_tables(positions: usize) -> Vec<[u32; 256]> {
    let mut tables: Vec<[u32; 256]> = Vec::with_capacity(positions);
    for k in 0..positions {
        let mut row = [0u32; 256];
        for (b, cell) in row.iter_mut().enumerate() {
            *cell = match tables.get(k.wrapping_sub(1)) {
                None => {
                    (0..8).fold(b as u32, |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
                }
                Some(last) => (last[b] >> 8) ^ tables[0][(last[b] & 0xff) as usize],
            };
        }
        tables.push(row);
    }
    tables
}

/// What the CRC's start value and final inversion add for data of `bytes` bytes: the CRC of that many zeros.
#[must_use]
pub fn crc32_of_zeros(bytes: usize) -> u32 {
    let table = crc32_tables(1);
    !(0..bytes).fold(u32::MAX, |c, _| (c >> 8) ^ table[0][(c & 0xff) as usize])
}

/// Bytes that a number of `width` bits takes in a map.
#[must_use]
pub fn bytes_of(width: u8) -> u32 {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        33..=64 => 8,
        _ => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_tables_give_the_crc() {
        let data = b"123456789";
        let tables = crc32_tables(data.len());
        let linear = data.iter().rev().enumerate().fold(0, |c, (k, b)| c ^ tables[k][usize::from(*b)]);
        assert_eq!(linear ^ crc32_of_zeros(data.len()), 0xcbf4_3926);
    }
}
