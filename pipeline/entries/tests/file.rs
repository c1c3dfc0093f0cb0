//! Entry files for the built-in load balancer and the ACL of the snapshots: what is read, and what is refused where.
#![allow(clippy::unwrap_used)]

use pipeline_entries::{RingSpec, parse};
use pipeline_ir::entry::CheckedEntry;
use pipeline_ir::{KeyValue, Pipeline, RingId};

const L4LB: &str = include_str!("../../pipelines/l4lb.rs");
const ACL: &str = include_str!("../../../snapshots/acl/pipeline.rs");

fn pipeline(source: &str) -> Pipeline {
    pipeline_syntax::compile_source("pipeline.rs", source, &[]).unwrap()
}

const GOOD: &str = r#"
[[entry]]
table = "vip4"
key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
action = "set_vip"
params = { vip = 1, pool = 1, hash_key = "0x1122334455667788", flags = 6, class = 0 }
[[ring]]
pool = 1
generation = 3
backends = [16384, 16385]
weights = [100, 50]
"#;

#[test]
fn a_file_gives_checked_entries_and_rings() {
    let p = pipeline(L4LB);
    let wanted = parse("lb.toml", GOOD, &p).unwrap();
    let CheckedEntry::Table(e) = &wanted.entries[0] else { panic!("a table's") };
    assert_eq!(e.key()[0], KeyValue::Exact(0xcb00_710a));
    assert_eq!(e.args()[2], 0x1122_3344_5566_7788);
    let members = vec![(16384, 100), (16385, 50)];
    assert_eq!(wanted.rings, [RingSpec { ring: RingId(0), pool: 1, generation: 3, members }]);
}

#[test]
fn json_says_the_same() {
    let p = pipeline(L4LB);
    let json = r#"{
        "entry": [{
            "table": "vip4",
            "key": {"dst": "203.0.113.10", "protocol": "tcp", "dst_port": 80},
            "action": "set_vip",
            "params": {"vip": 1, "pool": 1, "hash_key": 1234605616436508552, "flags": 6, "class": 0}
        }],
        "ring": {"pool": 1, "generation": 3, "backends": [16384, 16385], "weights": [100, 50]}
    }"#;
    assert_eq!(parse("lb.json", json, &p), parse("lb.toml", GOOD, &p));
}

#[test]
fn fields_of_every_kind() {
    let text = r#"
        [[entry]]
        table = "rules"
        key = { src = "10.0.0.7 & 0xff0000ff", dst_port = "80..=443", protocol = "tcp" }
        priority = 7
        action = "permit"
        params = { port = 1 }
    "#;
    let wanted = parse("acl.toml", text, &pipeline(ACL)).unwrap();
    let CheckedEntry::Table(e) = &wanted.entries[0] else { panic!("a table's") };
    assert_eq!(e.key()[0], KeyValue::Ternary { value: 0x0a00_0007, mask: 0xff00_00ff });
    assert!(e.key().contains(&KeyValue::Range { low: 80, high: 443 }), "{:?}", e.key());
    assert_eq!(e.priority(), 7);
}

/// What is wrong with a file, as it is printed.
fn faults(text: &str) -> String {
    parse("lb.toml", text, &pipeline(L4LB)).unwrap_err().to_string()
}

fn check(text: &str, part: &str) {
    let faults = faults(text);
    assert!(faults.contains(part), "no {part:?} in: {faults}");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_line_and_what_is_legal() {
    let text = format!(
        "{}{}{}",
        GOOD.replace("dst_port = 80", "dst_port = 70000"),
        "[[entry]]\ntable = 'vip5'\naction = 'x'\n",
        "[[entry]]\ntable = 'vip4'\naction = 'set_vip'\nparams = {\n  vip = 1,\n  pol = 1 }\nkey = { dst = 1, protocol = 6, dst_port = 1 }\n"
    );
    assert_eq!(
        faults(&text),
        "lb.toml:4: entry 1: table `vip4`: `dst_port` is 0x11170, more than its 16 bits hold; at most 0xffff\n\
         error: lb.toml:13: entry 2: no table is named `vip5`; did you mean `vip4`?\n\
         error: lb.toml:20: entry 3: table `vip4`: action `set_vip` has no parameter `pol`; did you mean `pool`?\n  \
         legal: table = \"vip4\", key = { dst: 32, protocol: 8, dst_port: 16 }, action = \"set_vip\", \
         params = { vip: 16, pool: 16, hash_key: 64, flags: 8, class: 2 } (widths in bits)"
    );
}

#[test]
fn the_form_of_a_table_with_priorities_and_of_rings() {
    let tables = pipeline_ir::entry::Tables::new(&pipeline(ACL));
    let form = tables.form("rules").unwrap();
    assert!(form.contains("src: 32 (ternary match)") && form.contains("}, priority = 1.., action"), "{form}");
    assert!(form.contains("\n      or action = \"deny\""), "{form}");
    let tables = pipeline_ir::entry::Tables::new(&pipeline(L4LB));
    let form = tables.form("ring").unwrap();
    assert!(form.contains("slot: 32 }, action = \"set_ring\", params = { id: "), "{form}");
    assert!(tables.form("pool").is_some() && tables.form("no").is_none());
}

#[test]
fn what_has_not_the_shape_of_a_file() {
    check("x = 1", "lb.toml:1: there is no section `x`");
    check("not toml", "lb.toml:1: this is no TOML");
    check("{", "lb.toml:1: this is no JSON");
    check("entry = 3", "entry 1: it is 3, but must be a table of table, key, ");
    let entry = |rest: &str| format!("[[entry]]\ntable='vip4'\naction='set_vip'\n{rest}");
    check(&entry("key = { dst = 'home' }"), "lb.toml:4: entry 1: `dst` = \"home\" is no number");
    check(&entry("key = { dst = -1 }"), "lb.toml:4: entry 1: `dst` = -1 is no number");
    check(&entry("prio = 1"), "lb.toml:4: entry 1: there is no field `prio`; there are");
    check(&entry("priority = 'high'"), "`priority` = \"high\" must be a number of 31 bits");
    check(&entry("params = 3"), "`params` = 3 must be a table");
    check("[[entry]]\ntable='vip4'", "lb.toml:1: entry 1: `action` must be given");
    let entry = GOOD.split("[[ring]]").next().unwrap();
    check(&format!("{entry}\n{entry}"), "lb.toml:9: entry 2: it is given twice");
}

#[test]
fn rings_that_can_not_be() {
    for (ring, part) in [
        ("pool = 99\nbackends = [1]", "lb.toml:2: ring 1: `pool` = 99, but pools are numbered from 0 to 63"),
        ("pool = 1", "lb.toml:1: ring 1: `backends` must be given"),
        (
            "pool = 1\nbackends = [1]\nweights = [1, 2]",
            "lb.toml:4: ring 1: there are 1 backends, but 2 weights",
        ),
        ("pool = 1\nbackends = [1]\ngeneration = 256", "at most 255"),
        ("pool = 1\nbackends = 1", "`backends` = 1 must be a list"),
        ("pool = 1\nbackends = [4294967296]", "more than 32 bits"),
        ("ring = 'no'\npool = 1\nbackends = [1]", "the pipeline has no ring `no`; there are `ring`"),
        (
            "pool = 1\nbackends = [1]\n[[ring]]\npool = 1\nbackends = [2]",
            "lb.toml:4: ring 2: pool 1 is given twice",
        ),
    ] {
        check(&format!("[[ring]]\n{ring}"), part);
    }
    let faults = parse("acl.toml", "[[ring]]\npool = 1", &pipeline(ACL)).unwrap_err();
    assert!(faults.to_string().contains("this pipeline has no ring"), "{faults}");
}

#[test]
fn a_file_for_another_pipeline_does_not_fill_the_screen() {
    let text = "[[entry]]\ntable = 'host'\naction = 'x'\n".repeat(100);
    let shown = faults(&text);
    assert!(shown.lines().count() < 30 && shown.contains("80 more errors"), "{shown}");
}
