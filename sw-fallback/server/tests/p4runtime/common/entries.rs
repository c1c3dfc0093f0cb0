//! Entries by name.

use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1;
use p4runtime_proto::schema::{Kind, Schema, encode};
use v1::field_match::{Exact, FieldMatchType, Lpm, Optional, Range, Ternary};
use v1::update::Type;

/// A field's value.
#[derive(Clone, Copy, Debug)]
pub enum V {
    Is(u128),
    Prefix(u128, i32),
    Mask(u128, u128),
    Within(u128, u128),
}

/// Makes messages by name.
pub struct Names(pub Schema);

impl Names {
    pub fn new(info: &P4Info) -> Self {
        Self(Schema::new(info).unwrap())
    }

    pub fn key(&self, table: &str, key: &[(&str, V)]) -> v1::TableEntry {
        let table = self.0.table_named(table).unwrap();
        let one = |(name, value): &(&str, V)| {
            let field = table.field_named(name).unwrap();
            let kind = match (*value, field.kind) {
                (V::Is(v), Kind::Optional) => FieldMatchType::Optional(Optional { value: encode(v) }),
                (V::Is(v), _) => FieldMatchType::Exact(Exact { value: encode(v) }),
                (V::Prefix(v, prefix_len), _) => FieldMatchType::Lpm(Lpm { value: encode(v), prefix_len }),
                (V::Mask(v, m), _) => FieldMatchType::Ternary(Ternary { value: encode(v), mask: encode(m) }),
                (V::Within(l, h), _) => FieldMatchType::Range(Range { low: encode(l), high: encode(h) }),
            };
            v1::FieldMatch { field_id: field.id, field_match_type: Some(kind) }
        };
        v1::TableEntry {
            table_id: table.id,
            r#match: key.iter().map(one).collect(),
            ..v1::TableEntry::default()
        }
    }

    pub fn does(&self, name: &str, params: &[(&str, u128)]) -> Option<v1::TableAction> {
        let action = self.0.action_named(name).unwrap();
        let one = |(name, value): &(&str, u128)| v1::action::Param {
            param_id: action.param_named(name).unwrap().id,
            value: encode(*value),
        };
        let action = v1::Action { action_id: action.id, params: params.iter().map(one).collect() };
        Some(v1::TableAction { r#type: Some(v1::table_action::Type::Action(action)) })
    }

    pub fn host(&self, src: u128, port: u128) -> v1::TableEntry {
        let action = self.does("out", &[("port", port)]);
        v1::TableEntry { action, ..self.key("host", &[("src", V::Is(src))]) }
    }

    pub fn slot(&self, pool: u128, generation: u128, slot: u128, id: u128) -> v1::TableEntry {
        let key = [("pool", V::Is(pool)), ("generation", V::Is(generation)), ("slot", V::Is(slot))];
        v1::TableEntry { action: self.does("set_ring", &[("id", id)]), ..self.key("ring", &key) }
    }

    pub fn pool(&self, pool: u128, generation: u128) -> v1::TableEntry {
        let action = self.does("set_generation", &[("generation", generation)]);
        v1::TableEntry { action, ..self.key("pool", &[("pool", V::Is(pool))]) }
    }
}

pub fn update(kind: Type, entry: v1::TableEntry) -> v1::Update {
    let entity = v1::Entity { entity: Some(v1::entity::Entity::TableEntry(entry)) };
    v1::Update { r#type: kind as i32, entity: Some(entity) }
}

pub fn insert(entry: v1::TableEntry) -> v1::Update {
    update(Type::Insert, entry)
}
pub fn modify(entry: v1::TableEntry) -> v1::Update {
    update(Type::Modify, entry)
}
pub fn delete(entry: v1::TableEntry) -> v1::Update {
    update(Type::Delete, entry)
}
