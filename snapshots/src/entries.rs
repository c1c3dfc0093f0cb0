//! Table entries as stories write them: those of entry files, and rings by their slots.

use anyhow::{Context, Result, anyhow};
use pipeline_entries::Node;
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, RingFill, Tables};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// An entry as in an entry file; a delete may leave the action out.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct EntryText(pub Table);

impl EntryText {
    /// Checks the entry against the pipeline's tables.
    ///
    /// # Errors
    /// If a value can't be read or the entry is not legal.
    pub fn check(&self, pipeline: &Pipeline, tables: &Tables) -> Result<CheckedEntry> {
        let mut text = self.0.clone();
        let whole = text.contains_key("action");
        if !whole {
            text.insert("action".into(), "".into());
        }
        let node = Node::from(&Value::Table(text));
        let entry = pipeline_entries::entry(&node).map_err(|fault| anyhow!(fault.message));
        let mut entry = entry.with_context(|| self.0.to_string())?;
        if !whole {
            any_action(pipeline, &mut entry);
        }
        tables.check(&entry).with_context(|| self.0.to_string())
    }
}

/// All slots of one generation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RingText {
    /// The ring.
    pub ring: String,
    /// The pool.
    pub pool: u32,
    /// The generation.
    pub generation: u8,
    /// What the slots hold, over and over.
    pub ids: Vec<u32>,
}

impl RingText {
    /// The checked fill.
    ///
    /// # Errors
    /// If there is no such ring, or the ids don't fit.
    pub fn check(&self, pipeline: &Pipeline, tables: &Tables) -> Result<CheckedFill> {
        let ring = pipeline.rings.iter().find(|r| r.name == self.ring).context("no such ring")?;
        let slots = self.ids.iter().copied().cycle().take(ring.slots as usize).collect();
        let fill = RingFill { ring: self.ring.clone(), pool: self.pool, generation: self.generation, slots };
        Ok(tables.check_ring(fill)?)
    }
}

/// A delete names no action: any of the table's serves.
fn any_action(pipeline: &Pipeline, entry: &mut Entry) {
    if let Some((_, table)) = pipeline.table_named(&entry.table)
        && let Some(action) =
            table.actions.iter().map(|a| &pipeline.actions[a.index()]).find(|a| !a.default_only)
    {
        entry.action.clone_from(&action.name);
        entry.params = action.params.iter().map(|p| (pipeline.var(*p).name.clone(), 0)).collect();
    } else if let Some(ring) = pipeline.rings.iter().find(|r| r.pool_table == entry.table) {
        debug_assert_eq!(ring.pool_table, entry.table);
        entry.action = "set_generation".to_owned();
        entry.params = vec![("generation".to_owned(), 0)];
    } else {
        entry.action = format!("set_{}", entry.table);
        entry.params = vec![("id".to_owned(), 0)];
    }
}
