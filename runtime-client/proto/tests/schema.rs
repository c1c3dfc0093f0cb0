//! The index over a P4Info, on those of the cases, and what makes a message no P4Info.

#![allow(clippy::unwrap_used)]

use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::config::v1::action_ref::Scope;
use p4runtime_proto::p4::config::v1::counter_spec::Unit;
use p4runtime_proto::schema::{Kind, Schema, SchemaError};
use p4runtime_proto::text::from_text;

fn case(name: &str) -> P4Info {
    let path = format!("{}/../../snapshots/{name}/out/{name}.p4info.txtpb", env!("CARGO_MANIFEST_DIR"));
    from_text(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_part_is_found_by_id_and_by_name() {
    let schema = Schema::new(&case("count")).unwrap();
    let host = schema.table_named("host").unwrap();
    assert_eq!(schema.table(host.id), Some(host));
    assert_eq!(
        (host.size, host.is_const, host.idle_timeout, host.needs_priority()),
        (1024, false, false, false)
    );
    let src = host.field_named("src").unwrap();
    assert_eq!((src.id, src.bits, src.kind, host.field(1)), (1, 32, Kind::Exact, Some(src)));
    let unknown = schema.action_named("unknown").unwrap();
    assert_eq!(host.const_default, Some(unknown.id));
    assert_eq!(host.initial_default, Some((unknown.id, Vec::new())));
    let scopes: Vec<_> = host.actions.iter().map(|a| (schema.name(a.id).unwrap(), a.scope)).collect();
    let (both, default) = (Scope::TableAndDefault, Scope::DefaultOnly);
    assert_eq!(scopes, [("out", both), ("block", both), ("unknown", default)]);
    let out = schema.action_named("out").unwrap();
    assert_eq!(out.param_named("port").map(|p| (p.id, p.bits)), Some((1, 32)));
    assert_eq!(out.param(2), None);
    let direct = schema.direct_counter(host.direct_counter.unwrap()).unwrap();
    assert_eq!((direct.unit, direct.table), (Unit::Both, Some(host.id)));
    let drops = schema.counter_named("drop.blocked").unwrap();
    assert_eq!((drops.unit, drops.size, schema.counter_named("blocked")), (Unit::Packets, 1, Some(drops)));
    assert_eq!(schema.table_named("out"), None, "an action's name is no table's");
    assert_eq!(schema.tables().count() + schema.actions().count() + schema.counters().count(), 6);
}

#[test]
fn all_cases_have_a_schema() {
    for name in
        ["acl", "count", "decap", "keys", "l4lb", "moves", "nat", "pin", "police", "route", "spread", "vlan"]
    {
        let info = case(name);
        let schema = Schema::new(&info).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(schema.tables().count(), info.tables.len(), "{name}");
        for t in schema.tables() {
            assert!(schema.table_named(&t.alias).is_some(), "{name}: {}", t.name);
        }
    }
    let kinds: Vec<Kind> =
        Schema::new(&case("acl")).unwrap().tables().flat_map(|t| &t.fields).map(|f| f.kind).collect();
    assert!(kinds.contains(&Kind::Ternary), "{kinds:?}");
}

#[test]
fn what_is_no_p4info_is_refused() {
    let change = |what: fn(&mut P4Info)| {
        let mut info = case("count");
        what(&mut info);
        Schema::new(&info).unwrap_err()
    };
    let check = |what: fn(&mut P4Info), part: &str| {
        let text = change(what).to_string();
        assert!(text.contains(part), "{text}");
    };
    check(|i| i.tables[0].preamble = None, "a table without a preamble");
    check(|i| i.tables[0].preamble.as_mut().unwrap().id = 17_202_832, "id 17202832 to `out` and to `host`");
    check(|i| i.actions[1].preamble.as_mut().unwrap().name = "out".into(), "two of its actions `out`");
    check(|i| i.tables[0].match_fields[0].bitwidth = 0, "`host.src` has no width");
    check(|i| i.direct_counters[0].direct_table_id = 7, "`host_counter` refers to table 7");
    assert_eq!(
        change(|i| drop(i.actions.remove(0))),
        SchemaError::Dangling { of: "host".into(), what: "action", id: 17_202_832 }
    );
}
