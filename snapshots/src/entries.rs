//! Table entries as stories write them.

use anyhow::{Context, Result, bail};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, RingFill, Tables};
use pipeline_ir::{KeyValue, Pipeline};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};
use toml::{Table, Value};

/// An entry: names and values.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EntryText {
    /// The table.
    pub table: String,
    /// Key fields: a number, an address, `address/bits`, `{ value, mask }` or `{ low, high }`.
    #[serde(default)]
    pub key: Table,
    /// Higher wins.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The action; a delete may leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub params: Table,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_zero(n: &i32) -> bool {
    *n == 0
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

impl EntryText {
    /// Checks the entry against the pipeline's tables.
    ///
    /// # Errors
    /// If a value can't be read or the entry is not legal.
    pub fn check(&self, pipeline: &Pipeline, tables: &Tables) -> Result<CheckedEntry> {
        let key = self.key.iter().map(|(n, v)| Ok((n.clone(), key_value(v).context(n.clone())?)));
        let params = self.params.iter().map(|(n, v)| Ok((n.clone(), number(v).context(n.clone())?)));
        let mut entry = Entry {
            table: self.table.clone(),
            key: key.collect::<Result<_>>()?,
            priority: self.priority,
            action: self.action.clone(),
            params: params.collect::<Result<_>>()?,
        };
        if entry.action.is_empty() {
            any_action(pipeline, &mut entry);
        }
        tables.check(&entry).with_context(|| format!("{self:?}"))
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

fn key_value(value: &Value) -> Result<KeyValue> {
    match value {
        Value::Table(t) => {
            let get = |name: &str| t.get(name).map(number).transpose();
            match (get("value")?, get("mask")?, get("low")?, get("high")?) {
                (Some(value), Some(mask), None, None) => Ok(KeyValue::Ternary { value, mask }),
                (None, None, Some(low), Some(high)) => Ok(KeyValue::Range { low, high }),
                _ => bail!("neither {{ value, mask }} nor {{ low, high }}"),
            }
        }
        Value::String(s) if s.contains('/') => {
            let (address, bits) = s.split_once('/').context("no prefix")?;
            let value = number(&Value::String(address.to_owned()))?;
            Ok(KeyValue::Lpm { value, prefix: bits.parse()? })
        }
        other => Ok(KeyValue::Exact(number(other)?)),
    }
}

fn number(value: &Value) -> Result<u128> {
    match value {
        Value::Integer(n) => Ok(u128::try_from(*n)?),
        Value::String(s) => text_number(s).with_context(|| format!("`{s}` is no number and no address")),
        other => bail!("`{other}` is no number"),
    }
}

fn text_number(s: &str) -> Option<u128> {
    if let Some(digits) = s.strip_prefix("0x") {
        return u128::from_str_radix(digits, 16).ok();
    }
    if let Ok(a) = s.parse::<Ipv4Addr>() {
        return Some(u32::from(a).into());
    }
    if let Ok(a) = s.parse::<Ipv6Addr>() {
        return Some(a.into());
    }
    let bytes: Option<Vec<u8>> = s.split(':').map(|g| u8::from_str_radix(g, 16).ok()).collect();
    let bytes = bytes.filter(|b| b.len() == 6)?;
    Some(bytes.iter().fold(0, |v, b| v << 8 | u128::from(*b)))
}
