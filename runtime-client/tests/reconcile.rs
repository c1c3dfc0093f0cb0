//! Applying a plan to what is there gives what is wanted.
#![allow(clippy::unwrap_used)]

use p4runtime_proto::p4::v1 as proto;
use proptest::prelude::*;
use proto::field_match::{Exact, FieldMatchType, Lpm, Ternary};
use proto::{FieldMatch, TableAction, TableEntry, Update, action, entity, table_action, update};
use runtime_client::{Key, reconcile};
use std::collections::BTreeMap;

/// A value with zeros in front.
fn value() -> impl Strategy<Value = Vec<u8>> {
    (0..3usize, 0..3u8).prop_map(|(zeros, v)| [vec![0; zeros], vec![v]].concat())
}

fn field(field_id: u32) -> impl Strategy<Value = FieldMatch> {
    (value(), value(), 0..3).prop_map(move |(a, b, kind)| {
        let kind = match kind {
            0 => FieldMatchType::Exact(Exact { value: a.into() }),
            1 => FieldMatchType::Lpm(Lpm { value: a.into(), prefix_len: b[b.len() - 1].into() }),
            _ => FieldMatchType::Ternary(Ternary { value: a.into(), mask: b.into() }),
        };
        FieldMatch { field_id, field_match_type: Some(kind) }
    })
}

fn entry() -> impl Strategy<Value = TableEntry> {
    let fields = (field(1), field(2), any::<bool>(), any::<bool>());
    (1..3u32, fields, 0..2, 1..3u32, value(), 0..20).prop_map(
        |(table_id, f, priority, action_id, arg, rare)| {
            let mut r#match = if f.2 { vec![f.0, f.1] } else { vec![f.0] };
            if f.3 {
                r#match.reverse();
            }
            let params = vec![action::Param { param_id: 1, value: arg.into() }];
            let action = table_action::Type::Action(proto::Action { action_id, params });
            let is_default_action = rare == 0;
            if is_default_action {
                r#match.clear();
            }
            TableEntry {
                table_id,
                r#match,
                priority: if is_default_action { 0 } else { priority },
                action: Some(TableAction { r#type: Some(action) }),
                is_default_action,
                ..TableEntry::default()
            }
        },
    )
}

type Table = BTreeMap<Key, TableEntry>;

/// A server: every update must be legal.
fn apply(table: &mut Table, updates: Vec<Update>) {
    for update in updates {
        let kind = update.r#type();
        let Some(entity::Entity::TableEntry(entry)) = update.entity.unwrap().entity else { panic!() };
        let key = Key::of(&entry);
        let there = table.contains_key(&key);
        match kind {
            update::Type::Insert => assert!(!there && table.insert(key, entry).is_none()),
            update::Type::Modify => {
                assert!(there || entry.is_default_action);
                table.insert(key, entry);
            }
            update::Type::Delete => assert!(table.remove(&key).is_some()),
            update::Type::Unspecified => panic!(),
        }
    }
}

fn meaning(entry: &TableEntry) -> (u32, Option<u8>) {
    let Some(table_action::Type::Action(a)) = entry.action.clone().unwrap().r#type else { panic!() };
    (a.action_id, a.params[0].value.last().copied())
}

proptest! {
    #[test]
    fn a_plan_makes_what_is_there_what_is_wanted(
        desired in prop::collection::vec(entry(), 0..40),
        actual in prop::collection::vec(entry(), 0..40),
        can_modify: bool,
    ) {
        let keyed = |all: &[TableEntry]| all.iter().map(|e| (Key::of(e), e.clone())).collect::<Table>();
        let (wanted, mut table) = (keyed(&desired), keyed(&actual));
        let there: Vec<TableEntry> = table.values().cloned().collect();
        let plan = reconcile(&desired, &there);
        // Nothing is written twice, and nothing that is right already.
        let known = |e: &TableEntry| table.get(&Key::of(e)).map(meaning);
        prop_assert!(plan.modify.iter().all(|e| known(e) != Some(meaning(e))));
        apply(&mut table, plan.updates(can_modify));
        // A default entry that nobody wants stays as it is.
        table.retain(|key, e| !e.is_default_action || wanted.contains_key(key));
        let meant = |t: &Table| t.iter().map(|(k, e)| (k.clone(), meaning(e))).collect::<Vec<_>>();
        prop_assert_eq!(meant(&table), meant(&wanted));
        prop_assert!(reconcile(&desired, &table.into_values().collect::<Vec<_>>()).is_empty());
    }
}

#[test]
fn entries_of_the_program_stay() {
    let held = TableEntry { table_id: 1, is_const: true, ..TableEntry::default() };
    assert!(reconcile(&[], &[held]).is_empty());
}
