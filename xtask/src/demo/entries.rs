//! What the backends' `decap` is given: whose tunnels it opens, and for which VIPs.
//!
//! Everything that depends on the tables of the built-in `decap` pipeline is in this file.

use crate::lab::{LBS, Plan, VIP4, VIP6};
use anyhow::{Context, Result};
use serde::Serialize;
use toml::{Table, Value};

/// One table entry.
#[derive(Debug, Serialize)]
struct Entry {
    table: &'static str,
    key: Table,
    action: &'static str,
}

/// An entry file.
#[derive(Debug, Serialize)]
pub struct Entries {
    entry: Vec<Entry>,
}

impl Entries {
    /// The file's text.
    ///
    /// # Errors
    /// Never for what this module makes.
    pub fn text(&self) -> Result<String> {
        toml::to_string(self).context("writing the entries as TOML")
    }
}

/// A backend's entries.
#[must_use]
pub fn backend_node(plan: &Plan) -> Entries {
    let mut entry = Vec::new();
    let mut add = |table, field: &str, value: String, action| {
        let key = Table::from_iter([(field.to_owned(), Value::String(value))]);
        entry.push(Entry { table, key, action });
    };
    for lb in LBS.map(|name| plan.node(name)) {
        add("outer4", "src", format!("{}/32", lb.v4(2)), "allow");
        add("outer6", "src", format!("{}/128", lb.v6(2)), "allow");
    }
    add("served4", "dst", VIP4.to_string(), "serve");
    add("served6", "dst", VIP6.to_string(), "serve");
    Entries { entry }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_pipeline_takes_the_file() {
        let source = include_str!("../../../pipeline/pipelines/decap.rs");
        let p = pipeline_syntax::compile_source("built-in", source, &[]).unwrap();
        let entries = backend_node(&Plan::default());
        let wanted = pipeline_entries::parse("demo.toml", &entries.text().unwrap(), &p).unwrap();
        assert_eq!(wanted.entries.len(), entries.entry.len());
    }

    #[test]
    fn backends_open_the_load_balancers_tunnels_only() {
        let text = backend_node(&Plan::default()).text().unwrap();
        assert_eq!(text.matches("outer").count(), 4);
        for address in ["10.10.1.2/32", "10.10.2.2/32", "203.0.113.10"] {
            assert!(text.contains(address), "{text}");
        }
    }
}
