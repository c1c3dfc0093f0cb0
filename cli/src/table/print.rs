//! Tables and entries as text and as JSON.

use p4runtime_proto::p4::config::v1::action_ref::Scope;
use p4runtime_proto::p4::v1::TableEntry;
use p4runtime_proto::schema::{Action, Field, Kind, Schema, Table};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::Names;
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// The actions of a table that entries may have.
fn actions<'a>(schema: &'a Schema, table: &'a Table) -> impl Iterator<Item = &'a Action> {
    let own = table.actions.iter().filter(|a| a.scope != Scope::DefaultOnly);
    own.filter_map(|a| schema.action(a.id))
}

/// A table with its key and actions, widths in bits.
pub(super) fn table(schema: &Schema, table: &Table) -> String {
    let field = |f: &Field| match f.kind {
        Kind::Exact => format!("{}: {}", f.name, f.bits),
        kind => format!("{}: {} {}", f.name, f.bits, kind.name()),
    };
    let fields = |all: &[Field]| all.iter().map(field).collect::<Vec<_>>().join(", ");
    let actions: Vec<String> =
        actions(schema, table).map(|a| format!("{}({})", a.name, fields(&a.params))).collect();
    format!("{} {{ {} }} -> {}", table.name, fields(&table.fields), actions.join(" | "))
}

pub(super) fn tables(schema: &Schema, as_json: bool) {
    if !as_json {
        for t in schema.tables() {
            let read_only = match (t.is_flow_table(), t.is_const) {
                (true, _) => ": flows, as packets make them (`guideway flows`)",
                (_, true) => ": stated by the pipeline",
                _ => "",
            };
            println!("{}, at most {}{read_only}", table(schema, t), t.size);
        }
        return;
    }
    let field = |f: &Field| json!({"name": f.name, "bits": f.bits, "match": f.kind.name()});
    let param = |f: &Field| json!({"name": f.name, "bits": f.bits});
    let action =
        |a: &Action| json!({"name": a.name, "params": a.params.iter().map(param).collect::<Vec<_>>()});
    let one = |t: &Table| {
        let key: Vec<Value> = t.fields.iter().map(field).collect();
        let actions: Vec<Value> = actions(schema, t).map(action).collect();
        json!({
            "name": t.name, "id": t.id, "size": t.size, "key": key, "actions": actions,
            "const": t.is_const, "flows": t.is_flow_table(),
        })
    };
    println!("{}", Value::from(schema.tables().map(one).collect::<Vec<_>>()));
}

/// Entries with what they have counted.
pub(super) fn entries(names: &Names, all: &[(TableEntry, Entry)], as_json: bool) {
    let mut out = std::io::stdout().lock();
    if as_json {
        let one = |(message, entry): &(TableEntry, Entry)| {
            let mut one = object(names, entry);
            if let Some(data) = &message.counter_data {
                one.insert("packets".into(), data.packet_count.into());
                one.insert("bytes".into(), data.byte_count.into());
            }
            Value::Object(one)
        };
        let all: Vec<Value> = all.iter().map(one).collect();
        let _closed = writeln!(out, "{}", Value::from(all));
        return;
    }
    for (message, _) in all {
        let counted = message.counter_data.as_ref();
        let counted = counted.map(|c| format!("  {} packets, {} bytes", c.packet_count, c.byte_count));
        // Whoever reads may have enough, as `head` does.
        if writeln!(out, "{}{}", names.show(message), counted.unwrap_or_default()).is_err() {
            return;
        }
    }
}

/// Entries as a file that can be given again.
pub(super) fn file(names: &Names, all: &[Entry], as_json: bool) {
    let mut out = std::io::stdout().lock();
    if as_json {
        let all: Vec<Value> = all.iter().map(|e| Value::Object(object(names, e))).collect();
        let _closed = writeln!(out, "{}", json!({"entry": all}));
        return;
    }
    for entry in all {
        let one = object(names, entry);
        let mut text = "[[entry]]\n".to_owned();
        for (name, value) in &one {
            let value = match value {
                Value::Object(fields) => {
                    let fields: Vec<String> = fields.iter().map(|(n, v)| format!("{n} = {v}")).collect();
                    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
                }
                other => other.to_string(),
            };
            text.push_str(&format!("{name} = {value}\n"));
        }
        if writeln!(out, "{text}").is_err() {
            return;
        }
    }
}

/// An entry in the form of entry files; what matches all is left out.
pub(super) fn object(names: &Names, entry: &Entry) -> Map<String, Value> {
    let mut one = Map::new();
    one.insert("table".into(), entry.table.clone().into());
    let shown = names.shown_key(entry).into_iter().zip(&entry.key);
    let key = shown.filter(|(_, (name, value))| !all(names, &entry.table, name, *value));
    one.insert("key".into(), Value::Object(key.map(|((name, text), _)| (name, plain(text))).collect()));
    if entry.priority != 0 {
        one.insert("priority".into(), entry.priority.into());
    }
    one.insert("action".into(), entry.action.clone().into());
    let params = names.shown_params(entry).into_iter().map(|(name, text)| (name, plain(text)));
    one.insert("params".into(), Value::Object(params.collect()));
    one
}

/// A number that every reader holds stands as such.
fn plain(text: String) -> Value {
    match text.parse::<u32>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

fn all(names: &Names, table: &str, name: &str, value: KeyValue) -> bool {
    let field = names.schema().table_named(table).and_then(|t| t.field_named(name));
    let most = field.map_or(0, |f| u128::MAX >> 128u32.saturating_sub(f.bits).min(127));
    match value {
        KeyValue::Lpm { prefix: 0, .. } | KeyValue::Ternary { mask: 0, .. } | KeyValue::Optional(None) => {
            true
        }
        KeyValue::Range { low, high } => (low, high) == (0, most),
        _ => false,
    }
}
