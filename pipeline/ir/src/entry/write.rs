//! How an entry is written, and why it was not.

use super::{TableEntry, needs_priority};
use crate::TableId;
use crate::verify::Verified;

impl TableEntry {
    /// Entry number `index` of those that the source writes into a table.
    #[must_use]
    pub fn of_source(verified: &Verified, table: TableId, index: usize) -> Option<Self> {
        let entries = &verified.pipeline().tables.get(table.index())?.const_entries;
        let entry = entries.get(index)?;
        let rank = i32::try_from(entries.len() - index).unwrap_or(i32::MAX);
        let priority = if needs_priority(verified.pipeline().tables.get(table.index())?) { rank } else { 0 };
        let (key, args) = (entry.keys.clone(), entry.args.clone());
        Some(Self { table, key, priority, action: entry.action, args })
    }
}

/// What a write does with its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// Adds it; it must be new.
    Insert,
    /// Replaces its action and parameters; it must exist. Its counters and its age among equals stay.
    Modify,
    /// Removes it; it must exist. The action is not looked at.
    Delete,
}

/// Why a data plane refused a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Inserted, but there already. In a slot table: another entry holds the slot.
    Exists,
    /// Modified or deleted, but not there.
    NotFound,
    /// No room for another entry.
    Full,
    /// The table's entries are written in the source.
    Const,
    /// The data plane failed; what it said.
    Failed(String),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Exists => "the entry exists already",
            Self::NotFound => "there is no such entry",
            Self::Full => "the table is full",
            Self::Const => "the table's entries are written in the source",
            Self::Failed(why) => why,
        })
    }
}

impl std::error::Error for WriteError {}
