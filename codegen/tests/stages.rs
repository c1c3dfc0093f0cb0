//! Placing tables in stages, on programs made for it.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "p4")]

use codegen::fit::Chip;
use codegen::fit::most::{self, Most, Sized};
use codegen::fit::stages::{Placement, draw, of_program, place};
use codegen::off::off;
use pipeline_ir::Loc;
use pipeline_ir::verify::{Verified, verify};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A program of these objects and statements around one header and ten variables.
fn program(objects: &str, apply: &str) -> String {
    let vars: String = (0..10).map(|i| format!("bit<16> v{i};")).collect();
    format!(
        "header ip4_t {{ bit<32> src; bit<32> dst; bit<8> ttl; bit<8> protocol; bit<16> port; }}
        struct headers_t {{ ip4_t ip4; }}
        struct metadata_t {{ {vars} }}
        control ingress(inout headers_t h, inout metadata_t meta) {{ {objects} apply {{ {apply} }} }}
        control rest(packet_out p, inout headers_t h, in metadata_t meta) {{ apply {{ p.emit(h); }} }}"
    )
}

/// A table of this key whose action sets a variable.
fn table(name: &str, key: &str, sets: &str, size: u32) -> String {
    format!(
        "action set_{name}(bit<16> x) {{ {sets} = x; }} action no_{name}() {{ }}
        table {name} {{ key = {{ {key} }} actions = {{ set_{name}; @defaultonly no_{name}; }}
        const default_action = no_{name}(); size = {size}; }}"
    )
}

fn chip(name: &str) -> Chip {
    Chip::of(&hw_targets::target(name).unwrap()).unwrap()
}

fn placed(objects: &str, apply: &str) -> Placement {
    let program = p4::parse(&program(objects, apply)).unwrap();
    place(&of_program(&program, &|_| None), &chip("tofino"))
}

/// Stages, SRAM and TCAM in all.
fn check(objects: &str, apply: &str, expected: (usize, u64, u64)) {
    let p = placed(objects, apply);
    assert_eq!(p.stuck, None, "{apply}");
    assert_eq!(
        (p.stages.len(), p.sram(), p.tcam()),
        expected,
        "{apply}\n{}",
        draw::text(&p, &chip("tofino"))
    );
}

const OUT: &str = "h.ip4.ttl = (bit<8>) meta.v9; h.ip4.port = meta.v0 + meta.v1;";

#[test]
fn an_exact_table_has_four_ways() {
    let small = table("t", "h.ip4.dst: exact;", "h.ip4.port", 64);
    check(&small, "t.apply();", (1, 4, 0));
}

#[test]
fn bits_that_a_cast_leaves_out_lie_in_no_entry() {
    let table = |x: &str| table("t", "h.ip4.dst: exact;", "h.ip4.port", 24_576).replace("(bit<16> x)", x);
    let cast = table("(bit<32> x)").replace("= x", "= (bit<16>) x");
    check(&table("(bit<16> x)"), "t.apply();", (1, 8, 0));
    check(&cast, "t.apply();", (1, 8, 0));
    // All 32 bits: half of them have blocks of their own.
    check(&table("(bit<32> x)"), "t.apply();", (1, 11, 0));
}

#[test]
fn a_gateway_holds_a_few_constant_entries() {
    let blocks = |target: &str, entries: usize| {
        let entries: String = (0..entries).map(|i| format!("{i}: set_t({i}); ")).collect();
        let list = format!("const entries = {{ {entries}}}");
        let table = table("t", "h.ip4.ttl: exact;", "h.ip4.port", 1).replace("size = 1;", &list);
        let program = p4::parse(&program(&table, "t.apply();")).unwrap();
        place(&of_program(&program, &|_| None), &chip(target)).sram()
    };
    assert_eq!([1, 2].map(|n| blocks("tofino", n)), [0, 1]);
    assert_eq!([1, 4, 5].map(|n| blocks("tofino2", n)), [0, 0, 1]);
}

#[test]
fn entries_share_rows() {
    // 32 bits less ten of the place, 4 of the version and 16 of data: three in a row, 1,024 rows a block.
    let big = table("t", "h.ip4.dst: exact;", "h.ip4.port", 65_536 / 4 * 3);
    check(&big, "t.apply();", (1, 16, 0));
}

#[test]
fn what_lies_under_masks_takes_tcam() {
    let lpm = table("t", "h.ip4.dst: lpm;", "h.ip4.port", 1024);
    check(&lpm, "t.apply();", (1, 1, 2));
    let wide = table("t", "h.ip4.dst: ternary; h.ip4.src: ternary;", "h.ip4.port", 512);
    check(&wide, "t.apply();", (1, 1, 2));
}

#[test]
fn a_range_takes_rows() {
    // A quarter are ranges of four nibbles: seven rows each.
    let range = table("t", "h.ip4.port: range;", "meta.v0", 512);
    check(&range, "t.apply(); h.ip4.port = meta.v0;", (2, 1, 3));
}

#[test]
fn who_reads_waits_a_stage() {
    let both =
        table("a", "h.ip4.dst: exact;", "meta.v0", 64) + &table("b", "meta.v0: exact;", "h.ip4.port", 64);
    check(&both, "a.apply(); b.apply();", (2, 8, 0));
}

#[test]
fn who_does_not_read_does_not_wait() {
    let both =
        table("a", "h.ip4.dst: exact;", "meta.v0", 64) + &table("b", "h.ip4.src: exact;", "meta.v1", 64);
    let apply = format!("a.apply(); b.apply(); {OUT}");
    check(&both, &apply, (2, 8, 0));
}

#[test]
fn branches_of_a_condition_do_not_wait_for_each_other() {
    let both = table("a", "h.ip4.dst: exact;", "h.ip4.port", 64)
        + &table("b", "h.ip4.port: exact;", "h.ip4.port", 64);
    check(&both, "if (h.ip4.ttl == 1) { a.apply(); } else { b.apply(); }", (1, 8, 0));
    check(&both, "a.apply(); b.apply();", (2, 8, 0));
}

#[test]
fn what_nobody_reads_is_no_step() {
    let p = placed("", "meta.v0 = 1; h.ip4.ttl = 2;");
    assert_eq!(p.tables.len(), 1);
    assert_eq!(p.tables[0].writes.iter().collect::<Vec<_>>(), ["h.ip4.ttl"]);
}

#[test]
fn steps_that_build_on_each_other_take_a_stage_each() {
    check("", "meta.v0 = h.ip4.port; meta.v1 = meta.v0 + 1; h.ip4.port = meta.v1;", (3, 0, 0));
    check("", "meta.v0 = h.ip4.port; meta.v1 = h.ip4.port + 1; h.ip4.port = meta.v0 + meta.v1;", (2, 0, 0));
}

#[test]
fn a_table_goes_on_in_the_next_stage() {
    let huge = table("t", "h.ip4.dst: exact; h.ip4.src: exact;", "h.ip4.port", 400_000);
    let p = placed(&huge, "t.apply();");
    assert!(p.stages.len() > 1, "{}", p.stages.len());
    let entries: u64 = p.stages.iter().flat_map(|s| &s.placed).map(|x| x.memory.entries).sum();
    assert!(entries >= 400_000, "{entries}");
    assert!(p.stages.iter().all(|s| s.sram() <= chip("tofino").sram));
}

#[test]
fn an_array_lies_in_one_stage() {
    let array = "Register<bit<32>, bit<16>>(4096) cells;
        RegisterAction<bit<32>, bit<16>, bit<32>>(cells) next = { void apply(inout bit<32> v) { v = v + 1; } };";
    check(array, "next.execute(meta.v0);", (1, 2, 0));
    let apart = placed(array, "next.execute(h.ip4.port); h.ip4.port = 7; next.execute(h.ip4.port);");
    assert_eq!(apart.stuck.unwrap().limit, "array_stages");
}

#[test]
fn an_array_can_be_too_big() {
    let array = "Register<bit<32>, bit<16>>(1000000) cells;
        RegisterAction<bit<32>, bit<16>, bit<32>>(cells) next = { void apply(inout bit<32> v) { v = v + 1; } };";
    for apply in ["next.execute(h.ip4.port);", "h.ip4.port = next.execute(h.ip4.port);"] {
        let stuck = placed(array, apply).stuck.unwrap();
        assert_eq!((stuck.limit, stuck.needs), ("register_blocks", 246), "{apply}");
    }
    // What stands before it and waits for it is not what finds no room.
    let late = placed(
        array,
        "if (meta.v0 == 1) { h.ip4.port = 1; } meta.v1 = next.execute(h.ip4.port); h.ip4.port = meta.v1;",
    );
    assert_eq!(late.stuck.unwrap().limit, "register_blocks");
}

#[test]
fn a_counter_in_each_entry_takes_memory() {
    let counted = "DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) c;
        action a() { c.count(); } action no() { }
        table t { key = { h.ip4.dst: exact; } actions = { a; @defaultonly no; }
        const default_action = no(); size = 1024; counters = c; }";
    // Four ways of four entries a row, a counter a row, and a spare block.
    let p = placed(counted, "t.apply();");
    assert_eq!(p.sram(), 4 + 4 + 1, "{}", draw::text(&p, &chip("tofino")));
}

#[test]
fn where_it_stands_is_told() {
    let program =
        p4::parse(&program(&table("t", "h.ip4.dst: exact;", "h.ip4.port", 64), "t.apply();")).unwrap();
    let at = Loc { line: 7, ..Loc::default() };
    let tables = of_program(&program, &|name| (name == "t").then_some(at));
    assert_eq!((tables.tables[0].name.as_str(), tables.tables[0].at.line), ("t", 7));
}

#[test]
fn pictures_show_every_stage() {
    let both =
        table("a", "h.ip4.dst: exact;", "meta.v0", 64) + &table("b", "meta.v0: exact;", "h.ip4.port", 64);
    let (p, chip) = (placed(&both, "a.apply(); b.apply();"), chip("tofino"));
    assert_eq!(draw::text(&p, &chip).lines().count(), 3);
    let svg = draw::svg(&p, &chip, "a < b");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert_eq!(svg.matches(">stage ").count(), 12);
    assert!(svg.contains("a &lt; b") && svg.contains("a: 4 blocks"), "{svg}");
}

/// A target, a source, constants, what is off.
type Grow = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const GROW: [Grow; 3] = [
    ("tofino", include_str!("../../snapshots/count/pipeline.rs"), &[], &[]),
    ("tofino2", include_str!("../../snapshots/route/pipeline.rs"), &[], &[]),
    (
        "tofino2",
        include_str!("../../pipeline/pipelines/l4lb.rs"),
        &[("RING_SLOTS", "65536")],
        &["ipv6", "Ipip6", "TOO_BIG_RATE"],
    ),
];

fn verified(source: &str, set: &[(&str, &str)], parts: &[&str]) -> Verified {
    let set: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let whole = verify(pipeline_syntax::compile_source("grow.rs", source, &set).unwrap()).unwrap();
    off(&whole, parts).unwrap()
}

/// The sizes of the load balancer's half, found once.
static LB: LazyLock<Vec<Most>> = LazyLock::new(|| {
    let (name, source, set, parts) = GROW[2];
    most::most(&verified(source, set, parts), &hw_targets::target(name).unwrap())
});

/// How much of what has a size lies in the stages: entries that are looked up, or places of registers.
fn lies(fitted: &codegen::Fitted, what: Sized) -> u64 {
    let (p, placement) = (fitted.pipeline(), fitted.placement().unwrap());
    let entries = |name: &str| -> u64 {
        let of = |x: &&codegen::fit::stages::Placed| placement.tables[x.table].name == name;
        let parts = placement.stages.iter().flat_map(|s| &s.placed).filter(of);
        parts.map(|x| x.memory.entries).sum()
    };
    match what {
        Sized::Table(i) => entries(&p.tables[i].name),
        Sized::Pools(i) => entries(&p.rings[i].name) / (2 * u64::from(p.rings[i].slots)),
        Sized::Flows(i) => {
            let ways = [0, 1].map(|way| format!("{}_{way}", p.flow_tables[i].name));
            placement.arrays.iter().filter(|a| ways.contains(&a.name)).map(|a| a.cells).sum()
        }
    }
}

/// What is said to fit is compiled and lies in the stages, and the next size is refused for the reason told.
#[test]
fn the_most_is_the_last_that_fits() {
    for (name, source, set, parts) in GROW {
        let (target, verified) = (hw_targets::target(name).unwrap(), verified(source, set, parts));
        let fitted = codegen::fit(&verified, &target).unwrap();
        let all = if parts.is_empty() { most::most(&verified, &target) } else { LB.clone() };
        assert_eq!(all.len(), most::sizes(verified.pipeline()).len());
        let now: BTreeMap<Sized, u64> = all.iter().map(|m| (m.what, m.now)).collect();
        for m in &all {
            // A table lies in whole rows.
            let placed = lies(&fitted, m.what);
            assert!(
                if matches!(m.what, Sized::Table(_)) { placed >= m.now } else { placed == m.now },
                "{m:?}"
            );
            assert_eq!(m.rule.is_some(), m.declared > m.now, "{m:?}");
            let with = |size| {
                let sizes = now.iter().map(|(what, now)| (*what, if *what == m.what { size } else { *now }));
                most::with(&verified, &sizes.collect())
            };
            let free = most::lifted(&target);
            let most = m.most.unwrap();
            let grown = codegen::fit(&with(most).unwrap(), &free).unwrap();
            let placed = lies(&grown, m.what);
            assert!(if matches!(m.what, Sized::Table(_)) { placed >= most } else { placed == most }, "{m:?}");
            let Some(next) = m.next else {
                assert!(m.then.contains("can name no more") && with(most + 1).is_none(), "{m:?}");
                continue;
            };
            assert!(
                next > most && next <= (most + most / 256 + 1).max(most * 2 * u64::from(is_flows(m.what))),
                "{m:?}"
            );
            let why = codegen::fit(&with(next).unwrap(), &free).unwrap_err();
            assert!(why.0.iter().any(|f| f.message == m.then), "{m:?}: {why}");
        }
    }
}

fn is_flows(what: Sized) -> bool {
    matches!(what, Sized::Flows(_))
}

#[test]
fn what_stops_a_size_is_told_with_its_source() {
    for (name, now, then, rule) in [
        ("table backend", 4096, "slot_bits 14", None),
        ("table vip4", 512, "has 20 (with 1600 blocks of SRAM", None),
        (
            "pools of ring",
            2,
            "the biggest part is table ring",
            Some("limit ring_pools of tofino2: house rule"),
        ),
        (
            "flows of flows4",
            65_536,
            "33 register_blocks; Intel Tofino 2 (T2NA), one pipe has 24 (p4c mau/tofino/memories.h",
            Some("limit flow_entries of tofino2: house rule"),
        ),
    ] {
        let m = LB.iter().find(|m| m.name == name).unwrap();
        assert_eq!(m.now, now, "{m:?}");
        assert!(m.then.contains(then), "{m:?}");
        assert_eq!(m.rule.is_some(), rule.is_some(), "{m:?}");
        assert!(m.rule.as_ref().is_none_or(|r| r.starts_with(rule.unwrap())), "{m:?}");
    }
}
