//! A ring in SWX: which generation is in force in each pool, and who owns which slot.

use crate::error::DpdkError;
use crate::layout::{TableLayout, registers};
use crate::maker::Maker;
use crate::spec::Spec;
use crate::sys::Pipeline as Swx;
use pipeline_ir::KeyValue;
use pipeline_ir::entry::WriteError;
use std::ffi::CString;

/// A ring.
pub(crate) struct Pools {
    layout: TableLayout,
    slots: Slots,
    pub(crate) generations: Vec<Option<u8>>,
    slot_bits: u32,
    pub(crate) count: u32,
}

/// The owners: a word a cell, the generation above 32 bits of id; 0: nobody.
enum Slots {
    /// In force at once.
    Registers(CString),
    /// By pool, generation and slot: in force with the next commit.
    Table { layout: TableLayout, words: Vec<u64> },
}

impl Pools {
    pub(crate) fn new(ring: &pipeline_ir::Ring, spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let slot_bits = ring.slots.next_power_of_two().trailing_zeros();
        let slots = match (maker, registers(spec, &ring.name)) {
            (Maker::Guideway, Some(name)) => Slots::Registers(name),
            (Maker::Guideway, None) => return Err(DpdkError::Lacks(format!("regarray `{}`", ring.name))),
            (Maker::P4c, _) => {
                let cells = (ring.pools as usize * 2) << slot_bits;
                Slots::Table { layout: TableLayout::of_slots(ring, spec, maker)?, words: vec![0; cells] }
            }
        };
        Ok(Self {
            layout: TableLayout::of_pools(&ring.pool_table, ring.pool_width, spec, maker)?,
            slots,
            generations: vec![None; ring.pools as usize],
            slot_bits,
            count: ring.slots,
        })
    }

    pub(crate) fn cell(&self, pool: u32, odd: bool, slot: u32) -> Option<u32> {
        let there = (pool as usize) < self.generations.len() && slot < self.count;
        there.then_some((pool * 2 + u32::from(odd)) << self.slot_bits | slot)
    }

    pub(crate) fn set(&mut self, pool: u32, generation: Option<u8>) {
        if let Some(place) = self.generations.get_mut(pool as usize) {
            *place = generation;
        }
    }

    /// Tells SWX which generation is in force: the next commit makes it so.
    pub(crate) fn tell(&self, swx: &mut Swx, pool: u32, generation: Option<u8>) -> Result<(), WriteError> {
        let args = [u128::from(generation.unwrap_or(0))];
        let mut entry = self.layout.make(&[KeyValue::Exact(pool.into())], 0, 0, &args, 0)?;
        let done = match generation {
            Some(_) => swx.add(&self.layout.name, &mut entry),
            None => swx.delete(&self.layout.name, &mut entry),
        };
        done.map_err(WriteError::Failed)
    }

    /// Whether slots wait for a commit.
    pub(crate) fn commits(&self) -> bool {
        matches!(self.slots, Slots::Table { .. })
    }

    pub(crate) fn word(&self, swx: &Swx, cell: u32) -> u64 {
        match &self.slots {
            Slots::Registers(name) => swx.read_register(name, cell),
            Slots::Table { words, .. } => words.get(cell as usize).copied().unwrap_or(0),
        }
    }

    /// Gives a cell another word.
    pub(crate) fn write(&mut self, swx: &mut Swx, cell: u32, word: u64) -> Result<(), WriteError> {
        let before = self.word(swx, cell);
        if let Slots::Table { layout, .. } = &self.slots {
            let (pool, slot) = (cell >> self.slot_bits >> 1, cell & ((1 << self.slot_bits) - 1));
            let entry = |word: u64| {
                let key = [pool, (word >> 32) as u32, slot].map(|n| KeyValue::Exact(n.into()));
                layout.make(&key, 0, 0, &[u128::from(word as u32)], 0)
            };
            if before != 0 && before >> 32 != word >> 32 {
                swx.delete(&layout.name, &mut entry(before)?).map_err(WriteError::Failed)?;
            }
            if word != 0 {
                swx.add(&layout.name, &mut entry(word)?).map_err(WriteError::Failed)?;
            }
        }
        self.hold(swx, cell, word);
        Ok(())
    }

    /// As [`write`](Self::write), where SWX knows it already: what it was told was taken back.
    pub(crate) fn hold(&mut self, swx: &mut Swx, cell: u32, word: u64) {
        match &mut self.slots {
            Slots::Registers(name) => swx.write_register(name, cell, word),
            Slots::Table { words, .. } => {
                if let Some(place) = words.get_mut(cell as usize) {
                    *place = word;
                }
            }
        }
    }
}
