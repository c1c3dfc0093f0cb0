//! What a table takes of a stage's memory.
//!
//! An exact table lies in ways of SRAM: entries are packed side by side in a row, as many as bits, bytes and what
//! stands beside the keys allow. Action data stands beside the key or in memory of its own; all splits are tried,
//! and the one with the fewest blocks is taken. Other tables lie in TCAM; what stands beside the key has SRAM of its own.

use std::collections::BTreeSet;

use super::{Chip, Compare, Kind, Logical};

/// What a table, or a part of one, takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Entries for which there is room.
    pub entries: u64,
    /// Blocks of SRAM.
    pub sram: u64,
    /// Blocks of TCAM.
    pub tcam: u64,
    /// Map RAMs.
    pub maps: u64,
    /// Blocks of its counters.
    pub counter: u64,
}

/// What is left of a stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) sram: u64,
    pub(super) tcam: u64,
    pub(super) maps: u64,
    pub(super) counter: u64,
}

/// A way to lay a table out.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Entries packed together.
    pack: u64,
    /// Blocks side by side.
    width: u64,
    /// Bytes of action data in memory of its own.
    data: u64,
    /// Bits beside the key.
    beside: u64,
}

impl Memory {
    fn within(&self, left: &Left) -> bool {
        let counts = self.maps <= left.maps && self.counter <= left.counter;
        self.sram <= left.sram && self.tcam <= left.tcam && counts
    }
}

/// Bytes that a key takes.
pub(super) fn key_bytes(t: &Logical) -> u64 {
    let bytes = |range: bool| -> BTreeSet<&String> {
        let parts = t.key.iter().filter(|k| (k.compare == Compare::Range) == range);
        parts.flat_map(|k| &k.bytes).collect()
    };
    bytes(false).len() as u64 + 2 * bytes(true).len() as u64
}

/// Does it lie in TCAM?
pub(super) fn is_masked(t: &Logical) -> bool {
    t.kind == Kind::Match && t.key.iter().any(|k| k.compare != Compare::Exact)
}

/// What all of it takes, if nothing else were there.
pub(super) fn whole(t: &Logical, chip: &Chip, entries: u64) -> Memory {
    if t.kind != Kind::Match || t.key.is_empty() {
        return Memory::default();
    }
    if in_gateway(t, chip) {
        return Memory { entries, ..Memory::default() };
    }
    let all = forms(t, chip).into_iter().map(|form| with(t, chip, form, depth(t, chip, form, entries)));
    let all = all.chain(direct(t, chip, entries));
    all.min_by_key(|m| (m.sram, m.tcam)).unwrap_or_default()
}

/// The most entries of it, up to so many, that what is left of a stage has room for.
pub(super) fn part(t: &Logical, chip: &Chip, entries: u64, left: &Left) -> Option<Memory> {
    let all = whole(t, chip, entries);
    if all.within(left) {
        return Some(all);
    }
    let parts = forms(t, chip).into_iter().filter_map(|form| {
        let most = depth(t, chip, form, entries);
        let fits = |d: &u64| with(t, chip, form, *d).within(left);
        (1..=most.min(chip.sram.max(chip.tcam))).rev().find(fits).map(|d| with(t, chip, form, d))
    });
    parts.max_by_key(|m| (m.entries, std::cmp::Reverse(m.sram)))
}

/// A table that holds every value of its key and one action needs no match.
fn direct(t: &Logical, chip: &Chip, entries: u64) -> Option<Memory> {
    let bits: u32 = t.key.iter().map(|k| k.bits).sum();
    if is_masked(t) || t.actions != 1 || bits >= 40 || entries != 1 << bits {
        return None;
    }
    let data = data_bytes(t);
    let mut memory = Memory { entries, ..Memory::default() };
    add_data(&mut memory, chip, data);
    add_counters(&mut memory, t, chip);
    Some(memory)
}

/// A small table of constant entries is a gateway's.
fn in_gateway(t: &Logical, chip: &Chip) -> bool {
    let few = t.constant && t.entries <= chip.gateway_entries && t.counters_in_row.is_none();
    few && !is_masked(t) && 8 * key_bytes(t) <= chip.compare_bits && 8 * data_bytes(t) <= chip.immediate_bits
}

/// Every way to pack entries and to split their data.
fn forms(t: &Logical, chip: &Chip) -> Vec<Form> {
    let own = action_bits(t.actions, chip);
    let mut forms = Vec::new();
    for (data, immediate) in splits(t, chip) {
        let beside = own + immediate;
        if is_masked(t) {
            forms.push(Form { pack: 1, width: masked_width(t), data, beside });
            continue;
        }
        let beside = beside + t.counters_in_row.map_or(0, |_| chip.counter_bits);
        let (bits, bytes) = stored(t, chip);
        for pack in 1..=chip.pack {
            let width = [
                (pack * (bits + chip.version_bits + beside)).div_ceil(chip.row_bits),
                (pack * bytes).div_ceil(chip.row_bits / 8),
                (pack * beside).div_ceil(chip.overhead_bits),
                pack.div_ceil(chip.row_entries),
            ];
            let width = width.into_iter().max().unwrap_or(1).max(1);
            let twice = match width > pack {
                true => pack > 1 && width.is_multiple_of(pack),
                false => width > 1 && pack.is_multiple_of(width),
            };
            if !twice && width <= 8 {
                forms.push(Form { pack, width, data, beside });
            }
        }
    }
    forms
}

/// Bits and bytes of a key that are stored: what its place stands for is not, as far as it is whole bytes; of a key of one field,
/// all of it. So p4c-barefoot 1.2.5.16 was seen to pack them.
fn stored(t: &Logical, chip: &Chip) -> (u64, u64) {
    let mut bits: u64 = t.key.iter().map(|k| u64::from(k.bits)).sum();
    let mut sizes: Vec<u64> = t.key.iter().flat_map(|k| sizes(k.bits)).collect();
    sizes.sort_unstable();
    let (mut left, mut bytes) = (chip.ghost_bits, sizes.len() as u64);
    for size in sizes {
        if left >= size {
            left -= size;
            bits -= size;
            bytes -= 1;
        }
    }
    (if t.key.len() == 1 { bits - left.min(bits) } else { bits }, bytes)
}

/// The bits of each byte of a field.
fn sizes(bits: u32) -> impl Iterator<Item = u64> {
    let rest = bits % 8;
    std::iter::repeat_n(8, (bits / 8) as usize).chain((rest > 0).then_some(u64::from(rest)))
}

/// Blocks of TCAM side by side: eleven bytes in two of them.
fn masked_width(t: &Logical) -> u64 {
    let bytes = key_bytes(t).max(1);
    let (pairs, rest) = ((bytes - 1) / 11, (bytes - 1) % 11 + 1);
    2 * pairs + if rest > 6 { 2 } else { 1 }
}

/// How the data of the biggest action is split: bytes in memory of its own, bits beside the key.
fn splits(t: &Logical, chip: &Chip) -> Vec<(u64, u64)> {
    let all = data_bytes(t);
    let bits: u64 = t.data.iter().map(|a| a.iter().map(|b| u64::from(*b)).sum()).max().unwrap_or(0);
    let mut splits = vec![(all, 0)];
    let mut own = all;
    while own > 0 {
        own = match own {
            17.. => own.next_power_of_two() / 2,
            _ => own.next_power_of_two() / 2 * u64::from(own > 1),
        };
        let beside = if own == 0 { bits } else { 8 * (all - own.min(all)) };
        if beside > chip.immediate_bits {
            break;
        }
        splits.push((own, beside));
    }
    splits
}

/// Bytes of the biggest action's data.
fn data_bytes(t: &Logical) -> u64 {
    let bytes = |a: &Vec<u32>| a.iter().map(|b| u64::from(b.div_ceil(8))).sum::<u64>();
    t.data.iter().map(bytes).max().unwrap_or(0)
}

/// Bits that tell an entry's action.
fn action_bits(actions: u32, chip: &Chip) -> u64 {
    match actions {
        0 | 1 => 0,
        _ if u64::from(actions) <= chip.short_actions => u64::from((actions - 1).ilog2() + 1),
        _ => 6,
    }
}

/// Blocks one behind the other that so many entries take.
fn depth(t: &Logical, chip: &Chip, form: Form, entries: u64) -> u64 {
    if is_masked(t) {
        return (rows(t, chip, entries)).div_ceil(chip.tcam_rows).max(1);
    }
    entries.div_ceil(form.pack * chip.sram_rows).max(1)
}

/// Rows of TCAM that entries take: a range takes several.
fn rows(t: &Logical, chip: &Chip, entries: u64) -> u64 {
    let ranges = t.key.iter().filter(|k| k.compare == Compare::Range);
    let most =
        ranges.map(|k| (2 * u64::from(k.bits.div_ceil(4)) - 1).min(chip.range_rows)).max().unwrap_or(1);
    let ranged = entries * chip.range_percent / 100;
    if most > 1 { ranged * most + entries - ranged } else { entries }
}

/// What a form takes at a depth; an exact table has so many ways at least.
fn with(t: &Logical, chip: &Chip, form: Form, depth: u64) -> Memory {
    let mut memory = Memory::default();
    if is_masked(t) {
        memory.tcam = depth * form.width;
        memory.entries = depth * chip.tcam_rows;
        if form.beside > 0 {
            let bits = form.beside.next_power_of_two().max(8);
            memory.sram += memory.entries.div_ceil(chip.sram_rows * (chip.row_bits / bits).max(1));
        }
    } else {
        let bits: u64 = t.key.iter().map(|k| u64::from(k.bits)).sum();
        let small = bits.saturating_sub(chip.ghost_bits);
        let all = if small <= 8 { (1u64 << small).div_ceil(form.pack).next_power_of_two() } else { u64::MAX };
        let depth = if all <= depth.max(chip.ways) { all } else { depth.max(chip.ways) };
        memory.entries = depth * form.pack * chip.sram_rows;
        memory.sram = depth * form.width;
    }
    add_data(&mut memory, chip, form.data);
    add_counters(&mut memory, t, chip);
    if is_masked(t) {
        // Each row has its data and its counter, but an entry may take several.
        memory.entries = memory.entries * 100 / rows(t, chip, 100);
    }
    memory
}

/// Action data in memory of its own.
fn add_data(memory: &mut Memory, chip: &Chip, bytes: u64) {
    if bytes > 0 {
        let row = chip.row_bits / 8;
        let (in_row, width) =
            if bytes > row { (1, bytes.div_ceil(row)) } else { (row / bytes.next_power_of_two(), 1) };
        memory.sram += memory.entries.div_ceil(chip.sram_rows * in_row) * width;
    }
}

/// A counter in each entry, and a spare block.
fn add_counters(memory: &mut Memory, t: &Logical, chip: &Chip) {
    if let Some(in_row) = t.counters_in_row {
        let blocks = memory.entries.div_ceil(chip.sram_rows * u64::from(in_row)) + 1;
        memory.sram += blocks;
        memory.maps += blocks;
        memory.counter += blocks;
    }
}
