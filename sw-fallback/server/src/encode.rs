//! What the data plane holds, as messages.

use crate::decode::Note;
use crate::map::{Map, Object, RingMap, TableMap};
use p4runtime_proto::p4::v1;
use p4runtime_proto::schema::{Field, encode};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, PoolEntry, SlotEntry, TableEntry, prefix_mask};
use std::time::Duration;
use sw_fallback::plane::Count;
use v1::field_match::FieldMatchType;

/// An entry as it is read.
pub(crate) fn entry(map: &Map, id: u32, held: &CheckedEntry, note: Option<&Note>) -> v1::TableEntry {
    let mut entry = match (map.object(id), held) {
        (Some(Object::Table(table)), CheckedEntry::Table(e)) => of_table(table, e),
        (Some(Object::Pool(ring)), CheckedEntry::Pool(e)) => of_pool(ring, *e),
        (Some(Object::Slot(ring)), CheckedEntry::Slot(e)) => of_slot(ring, *e),
        _ => v1::TableEntry { table_id: id, ..v1::TableEntry::default() },
    };
    if let Some(note) = note {
        entry.metadata = note.metadata.clone();
        entry.idle_timeout_ns = note.idle_timeout_ns;
        set_controller_metadata(&mut entry, note.controller_metadata);
    }
    entry
}

#[allow(deprecated, reason = "old clients use it")]
fn set_controller_metadata(entry: &mut v1::TableEntry, value: u64) {
    entry.controller_metadata = value;
}

/// The default entry of a table.
pub(crate) fn default_entry(map: &Map, id: u32) -> v1::TableEntry {
    let default = map.object(id).map_or(0, Object::default);
    let params = map.schema.action(default).map_or(&[][..], |a| &a.params);
    let params = params.iter().map(|p| (p.id, 0)).collect::<Vec<_>>();
    v1::TableEntry {
        table_id: id,
        action: action(default, &params),
        is_default_action: true,
        ..v1::TableEntry::default()
    }
}

/// A counter's two numbers.
pub(crate) fn data(count: Count) -> v1::CounterData {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    v1::CounterData { byte_count: signed(count.bytes), packet_count: signed(count.packets) }
}

/// Time since the last hit.
pub(crate) fn since_hit(since: Duration) -> v1::table_entry::IdleTimeout {
    v1::table_entry::IdleTimeout { elapsed_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) }
}

pub(crate) fn action(action_id: u32, params: &[(u32, u128)]) -> Option<v1::TableAction> {
    let params = params
        .iter()
        .map(|(param_id, value)| v1::action::Param { param_id: *param_id, value: encode(*value) });
    let action = v1::Action { action_id, params: params.collect() };
    Some(v1::TableAction { r#type: Some(v1::table_action::Type::Action(action)) })
}

pub(crate) fn exact(field: &Field, value: u128) -> v1::FieldMatch {
    let exact = v1::field_match::Exact { value: encode(value) };
    v1::FieldMatch { field_id: field.id, field_match_type: Some(FieldMatchType::Exact(exact)) }
}

/// A field's value; none if it matches all.
fn field(field: &Field, value: KeyValue) -> Option<v1::FieldMatch> {
    use v1::field_match as m;
    let all = u128::MAX >> (128 - field.bits.clamp(1, 128));
    let matched = match value {
        KeyValue::Exact(v) => FieldMatchType::Exact(m::Exact { value: encode(v) }),
        KeyValue::Lpm { prefix: 0, .. } | KeyValue::Ternary { mask: 0, .. } | KeyValue::Optional(None) => {
            return None;
        }
        KeyValue::Range { low: 0, high } if high == all => return None,
        KeyValue::Lpm { value, prefix } => {
            let value = encode(value & prefix_mask(field.bits.min(128) as u8, prefix));
            FieldMatchType::Lpm(m::Lpm { value, prefix_len: prefix.into() })
        }
        KeyValue::Ternary { value, mask } => {
            FieldMatchType::Ternary(m::Ternary { value: encode(value & mask), mask: encode(mask) })
        }
        KeyValue::Range { low, high } => {
            FieldMatchType::Range(m::Range { low: encode(low), high: encode(high) })
        }
        KeyValue::Optional(Some(v)) => FieldMatchType::Optional(m::Optional { value: encode(v) }),
    };
    Some(v1::FieldMatch { field_id: field.id, field_match_type: Some(matched) })
}

fn of_table(table: &TableMap, e: &TableEntry) -> v1::TableEntry {
    let known = table.actions.iter().find(|a| a.action == e.action());
    let params: Vec<_> =
        known.map_or(&[][..], |a| &a.params).iter().zip(e.args()).map(|(p, v)| (p.id, *v)).collect();
    v1::TableEntry {
        table_id: table.id,
        r#match: table.fields.iter().zip(e.key()).filter_map(|(f, v)| field(f, *v)).collect(),
        action: action(known.map_or(0, |a| a.id), &params),
        priority: e.priority(),
        is_const: table.is_const,
        ..v1::TableEntry::default()
    }
}

fn of_ring(ring: &RingMap, key: &[u128], value: u128) -> v1::TableEntry {
    v1::TableEntry {
        table_id: ring.id,
        r#match: ring.fields.iter().zip(key).map(|(f, v)| exact(f, *v)).collect(),
        action: action(ring.action, &[(ring.param.id, value)]),
        ..v1::TableEntry::default()
    }
}

fn of_pool(ring: &RingMap, e: PoolEntry) -> v1::TableEntry {
    of_ring(ring, &[e.pool().into()], e.generation().into())
}

fn of_slot(ring: &RingMap, e: SlotEntry) -> v1::TableEntry {
    let key = [e.pool().pool().into(), e.pool().generation().into(), e.slot().into()];
    of_ring(ring, &key, e.id().into())
}
