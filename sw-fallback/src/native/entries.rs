//! Entries of a table: what was written, so that it can be read back.

use pipeline_ir::entry::{TableEntry, WriteError, WriteKind};
use pipeline_ir::verify::Verified;
use pipeline_ir::{KeyValue, Table, TableId};
use std::collections::BTreeMap;
use sw_fallback_rt::table::{AnyTable, Match, TableError};

/// What a table holds, by key and priority; those of the source apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    source: Vec<TableEntry>,
    written: BTreeMap<(Vec<KeyValue>, i32), TableEntry>,
}

impl Held {
    pub(super) fn new(verified: &Verified, table: TableId) -> Self {
        let count = verified.pipeline().tables.get(table.index()).map_or(0, |t| t.const_entries.len());
        let source = (0..count).filter_map(|n| TableEntry::of_source(verified, table, n)).collect();
        Self { source, written: BTreeMap::new() }
    }

    pub(super) fn write(
        &mut self,
        declared: &Table,
        table: &mut dyn AnyTable,
        entry: &TableEntry,
        kind: WriteKind,
    ) -> Result<(), WriteError> {
        let (key, priority) = (fields(declared, entry), entry.priority());
        let (action, args) = (entry.action().0, entry.args());
        let done = match kind {
            WriteKind::Insert => table.insert(&key, priority, action, args),
            WriteKind::Modify => table.modify(&key, priority, action, args),
            WriteKind::Delete => table.delete(&key, priority),
        };
        done.map_err(refusal)?;
        let name = (entry.key().to_vec(), priority);
        match kind {
            WriteKind::Insert | WriteKind::Modify => self.written.insert(name, entry.clone()),
            WriteKind::Delete => self.written.remove(&name),
        };
        Ok(())
    }

    /// The entry that has this one's key and priority.
    pub(super) fn find(&self, named: &TableEntry) -> Option<&TableEntry> {
        let same = |e: &&TableEntry| e.key() == named.key() && e.priority() == named.priority();
        let written = || self.written.get(&(named.key().to_vec(), named.priority()));
        self.source.iter().find(same).or_else(written)
    }

    /// Packets and bytes of the entry that has this one's key and priority.
    pub(super) fn count(
        &self,
        declared: &Table,
        table: &dyn AnyTable,
        named: &TableEntry,
    ) -> Option<(u64, u64)> {
        let entry = self.find(named)?;
        Some(table.count(&fields(declared, entry), entry.priority()).unwrap_or_default())
    }

    /// Each entry with its packets and bytes.
    pub(super) fn list<'a>(
        &'a self,
        declared: &'a Table,
        table: &'a dyn AnyTable,
    ) -> impl Iterator<Item = (TableEntry, (u64, u64))> + 'a {
        self.source.iter().chain(self.written.values()).map(move |entry| {
            let counts = table.count(&fields(declared, entry), entry.priority());
            (entry.clone(), counts.unwrap_or_default())
        })
    }
}

fn refusal(error: TableError) -> WriteError {
    match error {
        TableError::Exists => WriteError::Exists,
        TableError::NotFound => WriteError::NotFound,
        TableError::Full => WriteError::Full,
        TableError::Shape => WriteError::Failed("the entry is of another pipeline".to_owned()),
    }
}

/// Must it be there, or must it not?
pub(super) fn may_write(kind: WriteKind, present: bool) -> Result<(), WriteError> {
    match (kind, present) {
        (WriteKind::Insert, true) => Err(WriteError::Exists),
        (WriteKind::Modify | WriteKind::Delete, false) => Err(WriteError::NotFound),
        _ => Ok(()),
    }
}

fn fields(declared: &Table, entry: &TableEntry) -> Vec<Match> {
    let widths = declared.keys.iter().map(|k| k.width);
    entry.key().iter().zip(widths).map(|(value, width)| field(*value, width)).collect()
}

fn field(value: KeyValue, width: u8) -> Match {
    match value {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => Match::Exact(v),
        KeyValue::Optional(None) => Match::Any,
        KeyValue::Lpm { value, prefix } => {
            let all = sw_fallback_rt::bits::mask(width.into());
            Match::Prefix { value, mask: sw_fallback_rt::table::prefix(all, width, prefix), length: prefix }
        }
        KeyValue::Ternary { value, mask } => Match::Masked { value, mask },
        KeyValue::Range { low, high } => Match::Range { low, high },
    }
}
