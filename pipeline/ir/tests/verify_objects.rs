//! One fault in what a pipeline declares: its code, and what the message names.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/faults.rs"]
mod faults;

use common::*;
use faults::{check, edit};
use pipeline_ir::KeyValue::{Exact, Lpm, Ternary};
use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::StmtKind;
use pipeline_ir::verify::verify;
use pipeline_ir::*;

#[test]
fn ids_point_at_something() {
    let nothing = |want: &str, fault: fn(&mut Pipeline)| check(fault, &[(Code::Unknown, want)]);
    nothing("header type number 9", |p| p.headers[0].ty = HeaderTypeId(9));
    nothing("action number 9", |p| p.tables[0].default = ActionId(9));
    nothing("action number 9", |p| p.tables[4].const_entries[0].action = ActionId(9));
    nothing("variable number 99", |p| p.actions[0].params[0] = VarId(99));
    nothing("action number 9", |p| p.vars[5].kind = VarKind::Param(ActionId(9)));
    nothing("drop reason number 9", |p| p.rings[0].no_slot = ReasonId(9));
    nothing("parser state number 9", |p| p.parser.start = StateId(9));
    nothing("parser state number 9", |p| p.parser.states[2].next = Transition::To(StateId(9)));
    nothing("header number 9", |p| p.parser.states[2].ops.push(extract(HeaderId(9))));
    nothing("header number 9", |p| p.control.insert(0, stmt(StmtKind::Push(HeaderId(9)))));
    nothing("header number 9", |p| p.control.insert(0, flag(valid(HeaderId(9)))));
    nothing("field of header `udp` number 9", |p| {
        let e = expr(ExprKind::Field(UDP, FieldId(9)), Type::Bits(16));
        p.control.insert(0, set_var(POOL, e));
    });
    nothing("variable number 99", |p| p.control.insert(0, set_var(VarId(99), bits(0, 8))));
    nothing("drop reason number 9", |p| p.control.insert(0, drop(ReasonId(9))));
    nothing("counter number 9", |p| {
        p.control.insert(0, stmt(StmtKind::Count { counter: CounterId(9), index: bits(0, 8) }));
    });
    nothing("limiter number 9", |p| {
        p.control.insert(0, stmt(StmtKind::Limit { limiter: LimiterId(9), into: FLAG }));
    });
    nothing("table number 9", |p| p.control.insert(0, apply(TableId(9), vec![], vec![])));
    nothing("flow number 9", |p| {
        p.control.insert(0, stmt(StmtKind::Remember { cursor: CursorId(9), id: ID }));
    });
}

#[test]
fn names_differ() {
    let twice = |want: &str, fault: fn(&mut Pipeline)| check(fault, &[(Code::Duplicate, want)]);
    twice("a header type `Udp`", |p| p.header_types[1].name = "Udp".into());
    twice("a header `udp`", |p| p.headers[1].name = "udp".into());
    twice("a field `src`", |p| p.header_types[0].fields[0].name = "src".into());
    twice("a field of Meta `hash`", |p| p.vars[0].name = "hash".into());
    twice("a parameter `seed`", |p| p.vars[5].name = "seed".into());
    twice("a drop reason `cut`", |p| p.reasons[1].name = "cut".into());
    twice("a parser state `udp`", |p| p.parser.states[1].name = "udp".into());
    twice("a key field `port`", |p| p.tables[0].keys[0].name = "port".into());
    twice("a key field `src`", |p| p.flow_tables[0].keys[1].name = "src".into());
    twice("a table `acl`", |p| p.tables[0].name = "acl".into());
    twice("a ring `route`: there is a table", |p| p.rings[0].name = "route".into());
    twice("a pool table `route`: there is a table", |p| p.rings[0].pool_table = "route".into());
    twice("a pool table `acl`: there is a table", |p| p.rings[0].pool_table = "acl".into());
    twice("a flow table `vip`", |p| p.flow_tables[0].name = "vip".into());
    twice("a counter `flows`", |p| p.counters[0].name = "flows".into());
    twice("a limiter `flows`", |p| p.limiters[0].name = "flows".into());
    twice("an action `to`", |p| p.actions[5].name = "to".into());
    twice("an action `set_ring`", |p| p.actions[5].name = "set_ring".into());
    twice("an action `set_generation`", |p| p.actions[5].name = "set_generation".into());
    twice("an action `no_pool_generation`", |p| p.actions[5].name = "no_pool_generation".into());
    twice("an action `no_ring`", |p| p.actions[5].name = "no_ring".into());
}

#[test]
fn declarations_in_range() {
    let check1 = |code, want: &str, fault: fn(&mut Pipeline)| check(fault, &[(code, want)]);
    check1(Code::HeaderBytes, "header type `Udp` has 63 bits", |p| {
        p.header_types[2].fields[2].width = 15;
        edit(&mut p.control, &|s| match s {
            // Its readers are as wide as it now is.
            StmtKind::Find { event, class, .. } => {
                for (e, hi, lo) in [(event, 2, 0), (class, 9, 8)] {
                    *e = slice(expr(ExprKind::Field(UDP, FieldId(2)), Type::Bits(15)), hi, lo);
                }
                true
            }
            _ => false,
        });
    });
    check1(Code::HeaderBytes, "has 0 bits", |p| p.header_types.push(header_type("None", &[])));
    check1(Code::Width, "field `Odd.wide` has 136 bits", |p| {
        p.header_types.push(header_type("Odd", &[("wide", 136)]));
    });
    check1(Code::Width, "`none` has 0 bits", |p| {
        p.vars.push(variable("none", Type::Bits(0), VarKind::Meta));
    });
    check1(Code::Mismatch, "`lost` is a parameter that action `deny` does not list", |p| {
        p.vars.push(variable("lost", Type::Bits(8), VarKind::Param(DENY)));
    });
    check1(Code::Mismatch, "action `gone`: `pool_no` is no parameter of it", |p| {
        p.actions[3].params.push(P_POOL);
    });
    check1(Code::Overflow, "limiter `rate` lets 0", |p| p.limiters[0].per_tick = 0);
    check1(Code::Overflow, "limiter `rate` lets 16384", |p| p.limiters[0].per_tick = 16_384);
    check1(Code::TableShape, "counter `by_protocol` has no cells", |p| p.counters[0].size = 0);
    check1(Code::Unreachable, "action `idle` is never used", |p| p.actions.push(action("idle", &[], false)));
    check1(Code::Unreachable, "table `idle` is never used", |p| {
        p.tables.push(table("idle", vec![key("k", 8, MatchKind::Exact)], &[DENY], DENY, 1));
    });
    check1(Code::Unreachable, "drop reason `idle` is never used", |p| {
        p.reasons.push(Reason { name: "idle".into(), at: Loc::default() });
    });
    check1(Code::Unreachable, "limiter `idle` is never used", |p| {
        p.limiters.push(Limiter { name: "idle".into(), per_tick: 1, at: Loc::default() });
    });
}

#[test]
fn tables_have_sound_shapes() {
    let shape = |want: &str, fault: fn(&mut Pipeline)| check(fault, &[(Code::TableShape, want)]);
    shape("table `route` has no room for entries", |p| p.tables[3].size = 0);
    check(
        |p| {
            p.tables[3].keys.clear();
            edit(&mut p.control, &|s| match s {
                StmtKind::Apply { table: ROUTE, key, .. } => {
                    key.clear();
                    true
                }
                _ => false,
            });
        },
        &[(Code::TableShape, "table `route` has no key")],
    );
    shape("table `vip` has 2 lpm fields", |p| {
        p.tables[0].keys.iter_mut().for_each(|k| k.kind = MatchKind::Lpm);
    });
    shape("table `acl` mixes lpm with ternary", |p| p.tables[2].keys[0].kind = MatchKind::Lpm);
    check(
        |p| p.tables[0].default = DENY,
        &[
            (Code::TableShape, "table `vip` can never run `no_vip`"),
            (Code::TableShape, "table `vip` has the default action `deny`, which is none of its own"),
        ],
    );
    shape("table `route` lists action `via` twice", |p| p.tables[3].actions.push(VIA));
    shape("table `backend` takes 0 bits of its key", |p| p.tables[1].slot_bits = Some(0));
    shape("table `backend` takes 25 bits of its key", |p| p.tables[1].slot_bits = Some(25));
    shape("table `backend` has size 8, but 4 slots", |p| p.tables[1].slot_bits = Some(2));
    shape("table `vip` has slots, but not a single exact", |p| p.tables[0].slot_bits = Some(4));
    shape("table `route` has slots, but not a single exact", |p| p.tables[3].slot_bits = Some(4));
}

#[test]
fn const_entries_are_legal() {
    let entry = |want: &str, fault: fn(&mut Vec<ConstEntry>)| {
        check(|p| fault(&mut p.tables[4].const_entries), &[(Code::ConstEntry, want)]);
    };
    entry("`protocol` is 0x100", |e| e[0].keys[0] = Exact(256));
    entry("key field `protocol` is given as a prefix", |e| e[0].keys[0] = Lpm { value: 1, prefix: 8 });
    entry("2 values were given for `key`, which has 1", |e| e[0].keys.push(Exact(1)));
    entry("1 values were given for `permit`, which has 0", |e| e[0].args.push(1));
    entry("table `fixed` has no action `via`", |e| e[0].action = VIA);
    entry("table `fixed` has an entry with this key already", |e| e[1].keys[0] = Exact(17));
    entry("table `fixed` has 3 entries, but size 2", |e| e.push(const_entry(Exact(3), DENY)));

    // A value serves every kind; `Verified` holds what was meant.
    let mut p = sample();
    p.tables[4].keys[0].kind = MatchKind::Ternary;
    p.tables[4].const_entries[1].keys[0] = Ternary { value: 0xff, mask: 0xf0 };
    let keys: Vec<_> =
        verify(p).unwrap().pipeline().tables[4].const_entries.iter().map(|e| e.keys[0]).collect();
    assert_eq!(keys, [Ternary { value: 17, mask: 0xff }, Ternary { value: 0xf0, mask: 0xf0 }]);
}

#[test]
fn flow_tables_have_sound_shapes() {
    let shape = |want: &str, fault: fn(&mut FlowTable)| {
        check(|p| fault(&mut p.flow_tables[0]), &[(Code::FlowShape, want)]);
    };
    shape("flow table `flows` has 4 entries", |t| t.entries = 4);
    shape("flow table `flows` has 12 entries", |t| t.entries = 12);
    shape("flow table `flows` has 134217728 entries", |t| t.entries = 1 << 27);
    shape("has 0 classes of time-outs", |t| t.idle.clear());
    shape("has 5 classes of time-outs", |t| t.idle = vec![t.idle[0]; 5]);
    shape("lets `tcp` flows of class 1 idle for 0 ms", |t| t.idle[1].tcp = 0);
    shape("lets `closing` flows of class 0 idle for 7200001 ms", |t| t.idle[0].closing = 7_200_001);
    check(
        |p| {
            p.flow_tables[0].keys[0].width = 128;
            p.flow_tables[0].keys[1].width = 128;
        },
        &[
            (Code::Mismatch, "key field `flows.src_port` is bit<128>"),
            (Code::Mismatch, "key field `flows.src` is bit<128>"),
            (Code::FlowShape, "has a key of 288 bits"),
        ],
    );
    check(
        |p| p.flow_tables[0].id_width = 25,
        &[(Code::Mismatch, "holds bit<25>"), (Code::FlowShape, "holds ids of 25 bits")],
    );
}

#[test]
fn rings_have_sound_shapes() {
    let shape =
        |want: &str, fault: fn(&mut Ring)| check(|p| fault(&mut p.rings[0]), &[(Code::RingShape, want)]);
    shape("ring `ring` has 1 slots", |r| r.slots = 1);
    shape("ring `ring` has 9 slots", |r| r.slots = 9);
    shape("ring `ring` has 2097152 slots", |r| r.slots = 1 << 21);
    shape("ring `ring` has 0 pools", |r| r.pools = 0);
    shape("ring `ring` has 4097 pools", |r| r.pools = 4097);
    for sound in [2, 7, 256, 65_536, 65_537, 1 << 20] {
        let mut p = sample();
        p.rings[0].slots = sound;
        assert!(verify(p).is_ok(), "{sound}");
    }
    check(
        |p| (p.rings[0].pool_width, p.rings[0].pools) = (2, 5),
        &[
            (Code::Mismatch, "a pool of ring `ring` is bit<2>"),
            (Code::RingShape, "has 5 pools, but numbers them with 2 bits"),
        ],
    );
}

#[test]
fn all_faults_come_at_once_in_source_order() {
    let mut p = sample();
    p.rings[0].slots = 9;
    p.rings[0].at = at(30);
    p.tables[3].size = 0;
    p.tables[3].at = at(10);
    p.flow_tables[0].entries = 9;
    p.flow_tables[0].at = at(20);
    let lines: Vec<u32> = verify(p).unwrap_err().0.iter().map(|d| d.at.line).collect();
    assert_eq!(lines, [10, 20, 30]);
}

fn flag(e: Expr) -> stmt::Stmt {
    set_var(FLAG, e)
}
