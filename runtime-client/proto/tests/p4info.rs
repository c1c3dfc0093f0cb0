//! What `p4::info` writes, read through the real message definitions.

#![allow(clippy::unwrap_used)]

use p4::info::{Builder, MatchType, NewAction, NewTable, P4Info, Scope, Unit};
use p4runtime_proto::p4::config::v1 as proto;
use p4runtime_proto::text::{from_text, to_text};
use prost::Message as _;

/// Binary and text decode to the same message, which prints and reads back as itself.
fn check(info: &P4Info) -> proto::P4Info {
    let binary = proto::P4Info::decode(info.to_bytes().as_slice()).unwrap();
    assert_eq!(binary, from_text(&info.to_text()).unwrap());
    assert_eq!(binary.encode_to_vec(), info.to_bytes(), "canonical bytes");
    assert_eq!(binary, from_text(&to_text(&binary)).unwrap());
    binary
}

fn full() -> P4Info {
    let mut builder = Builder::new("v1model");
    builder
        .table(NewTable {
            name: "ingress.ring".into(),
            keys: vec![
                ("pool".into(), 16, MatchType::Exact),
                ("a".into(), 128, MatchType::Lpm),
                ("b".into(), 300, MatchType::Ternary),
                ("c".into(), 1, MatchType::Range),
                ("d".into(), 9, MatchType::Optional),
            ],
            actions: vec![
                ("ingress.set".into(), Scope::TableOnly),
                ("ingress.none".into(), Scope::TableAndDefault),
                ("NoAction".into(), Scope::DefaultOnly),
            ],
            default_action: Some(("ingress.set".into(), vec![vec![0], vec![0xff, b'"', 7, 200]])),
            const_default_action: true,
            direct_counter: Some("ingress.hits".into()),
            size: 65_537,
            idle_timeout: true,
            const_entries: true,
            ..NewTable::default()
        })
        .action(NewAction {
            name: "ingress.set".into(),
            params: vec![("port".into(), 9), ("mac".into(), 48)],
            annotations: vec!["@brief(\"it's \\ a\ttest\")".into(), "@x".into()],
            ..NewAction::default()
        })
        .action(NewAction { name: "ingress.none".into(), ..NewAction::default() })
        .no_action()
        .counter("ingress.drops", None, Unit::Packets, 32)
        .counter("ingress.bytes", None, Unit::Bytes, 1)
        .direct_counter("ingress.hits", None, Unit::Both)
        .register("ingress.flows", None, 128, 1 << 20);
    builder.build().unwrap()
}

#[test]
fn every_field_decodes_as_itself() {
    let info = check(&full());
    assert_eq!(info.pkg_info.unwrap().arch, "v1model");
    let table = &info.tables[0];
    assert_eq!(table.size, 65_537);
    assert!(table.is_const_table && table.has_initial_entries);
    assert_eq!(table.idle_timeout_behavior(), proto::table::IdleTimeoutBehavior::NotifyControl);
    assert_eq!(table.direct_resource_ids, [info.direct_counters[0].preamble.as_ref().unwrap().id]);
    assert_eq!(info.direct_counters[0].direct_table_id, table.preamble.as_ref().unwrap().id);
    let default = table.initial_default_action.as_ref().unwrap();
    assert_eq!(default.action_id, table.const_default_action_id);
    assert_eq!(default.arguments[1].value.as_ref(), [0xff, b'"', 7, 200]);
    let scopes: Vec<_> = table.action_refs.iter().map(|a| a.scope()).collect();
    use proto::action_ref::Scope::{DefaultOnly, TableAndDefault, TableOnly};
    assert_eq!(scopes, [TableOnly, TableAndDefault, DefaultOnly]);
    let widths: Vec<_> = table.match_fields.iter().map(|f| f.bitwidth).collect();
    assert_eq!(widths, [16, 128, 300, 1, 9]);
    use proto::match_field::{Match, MatchType};
    let kinds: Vec<_> = table.match_fields.iter().map(|f| f.r#match.clone().unwrap()).collect();
    let expected =
        [MatchType::Exact, MatchType::Lpm, MatchType::Ternary, MatchType::Range, MatchType::Optional];
    assert_eq!(kinds, expected.map(|kind| Match::MatchType(kind as i32)));
    assert_eq!(info.actions[0].preamble.as_ref().unwrap().annotations[0], "@brief(\"it's \\ a\ttest\")");
    assert_eq!(info.actions[0].params[1].bitwidth, 48);
    assert_eq!(info.counters[0].spec.unwrap().unit(), proto::counter_spec::Unit::Packets);
    assert_eq!(info.registers[0].size, 1 << 20);
}

#[test]
fn empty_ones_decode_too() {
    let info = check(&Builder::new("psa").build().unwrap());
    assert_eq!(info.pkg_info.unwrap().arch, "psa");
    assert_eq!(info.type_info, None);
}

#[test]
fn text_errors_name_the_message() {
    let error = from_text("tables { nonsense: 1 }").unwrap_err();
    assert!(error.to_string().starts_with("no p4.config.v1.P4Info: "), "{error}");
}
