//! Ids, aliases and text of P4Info, against what p4c 1.2 gave for the same names.

#![allow(clippy::unwrap_used)]

use p4::info::{Builder, Error, Kind, NewAction, NewTable, Unit, hash};

/// Name, kind and p4c's id.
const IDS: [(&str, Kind, u32); 12] = [
    ("NoAction", Kind::Action, 21_257_015),
    ("MyIngress.drop", Kind::Action, 25_652_968),
    ("ingress.ecmp_group", Kind::Table, 38_446_407),
    ("ingress.ecmp_nhop", Kind::Table, 41_627_831),
    ("ingress.flowlet", Kind::Table, 42_150_575),
    ("ingress.forward", Kind::Table, 43_289_378),
    ("ingress.new_flowlet", Kind::Table, 43_789_109),
    ("ingress.flowlet_id", Kind::Register, 384_519_412),
    ("ingress.flowlet_lasttime", Kind::Register, 375_147_533),
    ("ingress.stats", Kind::Counter, 304_134_966),
    ("dash_ingress.outbound.acl.stage1_counter", Kind::DirectCounter, 324_963_620),
    ("dash_ingress.outbound.acl.stage1", Kind::Table, 49_209_582),
];

fn action(name: &str, id: Option<u32>) -> NewAction {
    NewAction { name: name.into(), id, ..NewAction::default() }
}

#[test]
fn ids_are_those_of_p4c() {
    for (name, kind, id) in IDS {
        assert_eq!(kind.prefix() | (hash(name) & 0xff_ffff), id, "{name}");
    }
}

#[test]
fn ids_given_by_the_user_are_kept_and_stepped_over() {
    let mut builder = Builder::new("v1model");
    let taken = 0x0100_0000 | (hash("c.free") & 0xff_ffff);
    builder.action(action("c.free", None)).action(action("c.own", Some(taken & 0xff_ffff)));
    let info = builder.build().unwrap();
    assert_eq!(info.action("c.own").unwrap().preamble.id, taken);
    assert_eq!(info.action("c.free").unwrap().preamble.id, taken + 1);
}

#[test]
fn aliases_are_the_shortest_suffix_that_is_unique() {
    let cases =
        [("c.a.x", "a.x"), ("c.b.x", "b.x"), ("c.y", "y"), ("z", "z"), ("d.z", "d.z"), ("c.longz", "longz")];
    let mut builder = Builder::new("v1model");
    for (name, _) in cases {
        builder.action(action(name, None));
    }
    // An object of another kind with the same name does not make the suffix ambiguous.
    builder.counter("c.y", None, Unit::Both, 1);
    let info = builder.build().unwrap();
    for (name, alias) in cases {
        assert_eq!(info.action(name).unwrap().preamble.alias, alias);
    }
}

#[test]
fn objects_that_do_not_fit_together_are_errors() {
    let check = |build: &dyn Fn(&mut Builder), expected: &str| {
        let mut builder = Builder::new("v1model");
        build(&mut builder);
        assert_eq!(builder.build().unwrap_err().to_string(), expected);
    };
    let table = |default: &str| NewTable {
        name: "t".into(),
        default_action: Some((default.into(), vec![])),
        ..NewTable::default()
    };
    check(&|b| _ = b.action(action("a", None)).action(action("a", None)), "a is declared twice");
    check(&|b| _ = b.table(table("a")), "a is not declared");
    check(&|b| _ = b.table(NewTable { name: "t".into(), ..NewTable::default() }), "NoAction is not declared");
    check(
        &|b| _ = b.action(action("a", Some(0x0200_0001))),
        "a: id 0x02000001 has not the prefix of its kind",
    );
    check(&|b| _ = b.action(action("a", Some(0))), "a: id 0x00000000 has not the prefix of its kind");
    check(
        &|b| _ = b.action(action("a", Some(7))).action(action("b", Some(0x0100_0007))),
        "b: id 0x01000007 is taken",
    );
    check(&|b| _ = b.direct_counter("c", None, Unit::Both), "c counts for 0 tables instead of one");
    assert_eq!(Error::Full { name: "x".into() }.to_string(), "x: no id is left");
}

#[test]
fn text_is_laid_out_as_p4c_does() {
    let mut builder = Builder::new("v1model");
    builder.counter("ingress.stats", None, Unit::Packets, 65_536).register(
        "ingress.flowlet_id",
        None,
        16,
        8192,
    );
    let expected = include_str!("info.txtpb");
    assert_eq!(builder.build().unwrap().to_text(), expected);
}
