//! Where a pipeline lies in a chip of match-action stages: which tables in which stage, and how much memory each takes.
//!
//! What is placed are [`Logical`] tables: a table, a condition, or the steps between two tables. Each waits for what it
//! reads. [`place`] fills one stage after the other, the table with the longest chain behind it first, and
//! goes on in the next stage with what found no room. Every number comes from the target's file ([`Chip`]).

mod chip;
mod depend;
pub mod draw;
mod faults;
mod layout;
mod place;
#[cfg(feature = "p4")]
mod read;

pub use chip::Chip;
pub use layout::Memory;
pub use place::place;
#[cfg(feature = "p4")]
pub use read::tables as of_program;

use super::Fitted;
pub(super) use faults::{faults, uses};
use pipeline_ir::Loc;
use std::collections::BTreeSet;

/// What a stage's logical table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table with a key.
    Match,
    /// A condition.
    Condition,
    /// Steps without a key.
    Steps,
}

/// How a key's part is compared, as far as memory goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// In SRAM, by hash.
    Exact,
    /// In TCAM, under a mask.
    Masked,
    /// In TCAM, by nibbles; an entry takes several rows.
    Range,
}

/// A part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The field.
    pub field: String,
    /// Its bits.
    pub bits: u32,
    /// The bytes that it lies in, by name; parts of one byte share it.
    pub bytes: BTreeSet<String>,
    /// How it is compared.
    pub compare: Compare,
}

/// What the scheduler places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logical {
    /// As the pipeline calls it; conditions and steps by their line.
    pub name: String,
    /// Where it stands in the pipeline.
    pub at: Loc,
    /// Is it egress that asks it?
    pub egress: bool,
    /// What it is.
    pub kind: Kind,
    /// Its key; conditions have the fields that they look at.
    pub key: Vec<KeyPart>,
    /// Entries.
    pub entries: u64,
    /// They are the program's own, and never change.
    pub constant: bool,
    /// Actions that an entry can have.
    pub actions: u32,
    /// Bits of each parameter, by action.
    pub data: Vec<Vec<u32>>,
    /// Entries whose counters share a row of memory; none: it doesn't count.
    pub counters_in_row: Option<u32>,
    /// Arrays that it uses.
    pub arrays: Vec<usize>,
    /// Fields that decide: keys and conditions.
    pub looks: BTreeSet<String>,
    /// Fields that its actions read.
    pub reads: BTreeSet<String>,
    /// Fields that its actions write.
    pub writes: BTreeSet<String>,
    /// The tables above it, from the outside in, and which of their branches it is in.
    pub path: Vec<(usize, u32)>,
}

/// Memory that steps reach by index, in one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Its name.
    pub name: String,
    /// Where it stands in the pipeline.
    pub at: Loc,
    /// Cells.
    pub cells: u64,
    /// Cells in a row of memory.
    pub in_row: u32,
    /// Is it changed by what packets carry? Else it only counts.
    pub computes: bool,
}

/// What is to be placed, in the order in which it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The logical tables.
    pub tables: Vec<Logical>,
    /// The arrays.
    pub arrays: Vec<Array>,
}

/// A table, or a part of one, in a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into [`Placement::tables`].
    pub table: usize,
    /// What it takes here.
    pub memory: Memory,
    /// It is a condition that shares a table's place, or there is nothing of its own to look up.
    pub shares: bool,
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// What lies in it.
    pub placed: Vec<Placed>,
    /// Blocks of its arrays, by index into [`Placement::arrays`].
    pub arrays: Vec<(usize, u64)>,
}

/// Where everything lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What was placed.
    pub tables: Vec<Logical>,
    /// Arrays.
    pub arrays: Vec<Array>,
    /// The stages; more than the chip has where the pipeline does not fit.
    pub stages: Vec<Stage>,
    /// Have all tables a place, or was it clear before that they need too many stages?
    pub whole: bool,
    /// The longest chain of tables that wait for each other, first one first.
    pub chain: Vec<usize>,
    /// What can't be placed in any stage, and why.
    pub stuck: Option<Stuck>,
}

/// Why a table can't be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The table.
    pub table: usize,
    /// The limit in its way.
    pub limit: &'static str,
    /// What it takes of it.
    pub needs: u64,
    /// The array that takes it, if it is one.
    pub array: Option<usize>,
}

impl Stage {
    /// Blocks of SRAM.
    #[must_use]
    pub fn sram(&self) -> u64 {
        self.placed.iter().map(|p| p.memory.sram).sum::<u64>() + self.arrays.iter().map(|a| a.1).sum::<u64>()
    }
    /// Blocks of TCAM.
    #[must_use]
    pub fn tcam(&self) -> u64 {
        self.placed.iter().map(|p| p.memory.tcam).sum()
    }
    /// Logical tables.
    #[must_use]
    pub fn tables(&self) -> u64 {
        self.placed.iter().filter(|p| !p.shares).count() as u64
    }
}

impl Placement {
    /// Blocks of SRAM in all stages.
    #[must_use]
    pub fn sram(&self) -> u64 {
        self.stages.iter().map(Stage::sram).sum()
    }
    /// Blocks of TCAM in all stages.
    #[must_use]
    pub fn tcam(&self) -> u64 {
        self.stages.iter().map(Stage::tcam).sum()
    }
    /// Does it fit the chip?
    #[must_use]
    pub fn fits(&self, chip: &Chip) -> bool {
        self.stuck.is_none() && self.stages.len() as u64 <= chip.stages
    }
}

/// Places what the P4 emitter writes of a pipeline; none where the target has no stages, or no P4 is written for it.
#[cfg(feature = "p4")]
pub(super) fn of(fitted: &Fitted) -> Option<Placement> {
    let chip = Chip::of(fitted.target())?;
    let program = crate::p4::program(fitted)?;
    let p = fitted.pipeline();
    let tables = p.tables.iter().map(|t| (t.name.as_str(), t.at));
    let rings = p.rings.iter().flat_map(|r| [(r.name.as_str(), r.at), (r.pool_table.as_str(), r.at)]);
    let flows = p.flow_tables.iter().map(|t| (t.name.as_str(), t.at));
    let counters = p.counters.iter().map(|c| (c.name.as_str(), c.at));
    let known: std::collections::BTreeMap<&str, Loc> =
        tables.chain(rings).chain(flows).chain(counters).collect();
    Some(place(&of_program(&program, &|name| known.get(name).copied()), &chip))
}

/// Without the P4 emitter nothing is placed.
#[cfg(not(feature = "p4"))]
pub(super) fn of(_: &Fitted) -> Option<Placement> {
    None
}
