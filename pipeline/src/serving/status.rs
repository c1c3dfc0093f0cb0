//! The status file: counts, entries, flows.

use super::Refused;
use pipeline_entries::value::{shown, shown_key};
use pipeline_ir::entry::TableEntry;
use pipeline_ir::flow::state;
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use sw_fallback::plane::{Count, DataPlane};

/// Everything that a data plane counts and holds.
#[must_use]
pub fn of(plane: &dyn DataPlane) -> Value {
    let p = plane.pipeline();
    let counters: Map<String, Value> = plane
        .counters()
        .into_iter()
        .map(|(n, c)| (n, json!({"packets": c.packets, "bytes": c.bytes})))
        .collect();
    let tables = (0u32..).zip(&p.tables).map(|(i, table)| {
        let mut rows = plane.table_entries(TableId(i));
        rows.sort_by(|a, b| (a.0.key(), a.0.priority()).cmp(&(b.0.key(), b.0.priority())));
        (table.name.clone(), rows.iter().map(|(e, c)| row(p, e, *c)).collect())
    });
    let tables: Map<String, Value> = tables.collect();
    let flows = (0u32..).zip(&p.flow_tables).map(|(i, table)| {
        let mut states: BTreeMap<&str, u64> = BTreeMap::new();
        for flow in plane.flows(FlowTableId(i)) {
            *states.entry(state_name(flow.state)).or_default() += 1;
        }
        (table.name.clone(), json!(states))
    });
    let flows: Map<String, Value> = flows.collect();
    json!({"counters": counters, "tables": tables, "flows": flows})
}

fn state_name(s: u8) -> &'static str {
    match s {
        state::NEW => "new",
        state::TCP => "tcp",
        state::UDP => "udp",
        state::CLOSING => "closing",
        _ => "unknown",
    }
}

fn row(p: &Pipeline, e: &TableEntry, count: Count) -> Value {
    let table = &p.tables[e.table().index()];
    let action = &p.actions[e.action().index()];
    let key: Map<String, Value> = table
        .keys
        .iter()
        .zip(e.key())
        .map(|(k, v)| (k.name.clone(), shown_key(&k.name, k.width, v).into()))
        .collect();
    let params: Map<String, Value> = action
        .params
        .iter()
        .zip(e.args())
        .map(|(v, x)| (p.var(*v).name.clone(), shown(&p.var(*v).name, p.var(*v).ty.width(), *x).into()))
        .collect();
    json!({
        "key": key, "priority": e.priority(), "action": action.name, "params": params,
        "packets": count.packets, "bytes": count.bytes,
    })
}

/// Writes it, with `more` behind, beside its place, then puts it there: nobody reads half of it.
///
/// # Errors
/// The file can't be written.
pub fn write(plane: &dyn DataPlane, more: Map<String, Value>, path: &Path) -> Result<(), Refused> {
    let failed = |e| Refused(format!("error: can't write the status {}: {e}", path.display()));
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut all = of(plane);
    if let Value::Object(all) = &mut all {
        all.extend(more);
    }
    std::fs::write(&beside, format!("{all:#}\n")).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
