//! One fault in parser or control of a pipeline that is otherwise sound: its code, and what the message names.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/faults.rs"]
mod faults;

use common::*;
use faults::{check, edit};
use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{HashAlgorithm, Place, StmtKind, Verdict};
use pipeline_ir::verify::verify;
use pipeline_ir::*;

/// A fault made of another statement at the control's start.
fn first(stmt: stmt::Stmt, want: &[(Code, &str)]) {
    check(|p| p.control.insert(0, stmt), want);
}

fn flag(e: Expr) -> stmt::Stmt {
    set_var(FLAG, e)
}

#[test]
fn the_sample_is_sound() {
    assert!(verify(sample()).is_ok());
}

#[test]
fn expressions_have_types() {
    let b = |op, l: Expr, r: Expr, ty| set_var(VarId(0), binary(op, l, r, ty));
    let mismatch = |s, want: &str| first(s, &[(Code::Mismatch, want)]);
    let (p, b16, b8) = (sample(), Type::Bits(16), || bits(1, 8));
    mismatch(set_var(POOL, bits(1, 8)), "`pool` is bit<16>, but this is bit<8>");
    mismatch(flag(bits(1, 1)), "`flag` is bool, but this is bit<1>");
    mismatch(flag(expr(ExprKind::Var(FLAG), Type::Bits(1))), "`flag` is bool");
    let ttl = field_id(&p, IP4, "ttl");
    mismatch(set_var(POOL, expr(ExprKind::Field(IP4, ttl), b16)), "`ip4.ttl` is bit<8>, but this is bit<16>");
    mismatch(b(BinOp::Add, var(POOL, 16), b8(), b16), "the left side is bit<16>, but this is bit<8>");
    mismatch(b(BinOp::BitXor, var(POOL, 16), b8(), b16), "the left side is bit<16>");
    mismatch(b(BinOp::Shl, var(POOL, 16), var(KIND, 8), b16), "a shift by what is not constant");
    mismatch(flag(binary(BinOp::Lt, valid(ETH), valid(ETH), Type::Bool)), "is a number, but this is a bool");
    mismatch(flag(binary(BinOp::Eq, valid(ETH), bits(1, 1), Type::Bool)), "the left side is bool");
    mismatch(flag(binary(BinOp::And, valid(ETH), bits(1, 1), Type::Bool)), "a condition is bool");
    mismatch(flag(not(bits(1, 1))), "what `!` negates here is bool");
    let complement = expr(ExprKind::Unary(UnOp::BitNot, Box::new(b8())), b16);
    mismatch(set_var(POOL, complement), "the complement is bit<8>");
    let mux = |c, x| expr(ExprKind::Mux(Box::new(c), Box::new(x), Box::new(bits(0, 16))), b16);
    mismatch(set_var(POOL, mux(bits(1, 1), bits(0, 16))), "a condition is bool");
    mismatch(set_var(POOL, mux(valid(ETH), bits(0, 8))), "the choice is bit<16>, but this is bit<8>");
    mismatch(flag(expr(ExprKind::Cast(Box::new(bits(1, 1))), Type::Bool)), "what is cast to is a number");

    first(
        set_var(POOL, bits(0x1_0000, 16)),
        &[(Code::Overflow, "65536 does not fit bit<16>; at most 65535")],
    );
    let width = |s, want: &str| first(s, &[(Code::Width, want)]);
    width(flag(binary(BinOp::Eq, bits(0, 0), bits(0, 0), Type::Bool)), "this has 0 bits");
    let wide = || cast(var(POOL, 16), 100);
    let joined = binary(BinOp::Concat, wide(), wide(), Type::Bits(128));
    width(flag(binary(BinOp::Eq, joined, bits(0, 128), Type::Bool)), "a concatenation of 200 bits");
    let product = binary(BinOp::Mul, wide(), wide(), Type::Bits(100));
    width(flag(binary(BinOp::Eq, product, bits(0, 100), Type::Bool)), "a product of bit<100>");
    let cut = expr(ExprKind::Slice { of: Box::new(var(POOL, 16)), hi: 16, lo: 1 }, b16);
    width(set_var(POOL, cut), "bits 16 down to 1 of bit<16>");
}

#[test]
fn statements_take_their_types() {
    let one = |s: StmtKind, code, want: &str| first(stmt(s), &[(code, want)]);
    let hash = |into, algorithm, key, data| StmtKind::Hash { into, algorithm, key, data };
    let (crc, sip, data) = (HashAlgorithm::Crc32, HashAlgorithm::HalfSipHash, || vec![bits(0, 8)]);
    one(hash(HASH, crc, bits(0, 64), data()), Code::Mismatch, "the seed of crc32 is bit<32>");
    one(hash(HASH, sip, bits(0, 32), data()), Code::Mismatch, "the key of halfsiphash is bit<64>");
    one(hash(POOL, crc, bits(0, 32), data()), Code::Mismatch, "`pool` is bit<16>, but this is bit<32>");
    one(hash(HASH, crc, bits(0, 32), vec![bits(0, 7)]), Code::DataWidth, "a hash over 7 bits");
    one(hash(HASH, crc, bits(0, 32), vec![]), Code::DataWidth, "a hash over 0 bits");
    let sum = |place, data| StmtKind::Checksum { place, data };
    one(sum(Place::Var(POOL), data()), Code::DataWidth, "a checksum over 8 bits");
    one(sum(Place::Var(KIND), vec![bits(0, 16)]), Code::Mismatch, "`kind` is bit<8>, but this is bit<16>");
    let adjust = |old, new| StmtKind::Adjust { place: Place::Var(POOL), old, new };
    one(adjust(bits(0, 24), bits(0, 24)), Code::DataWidth, "a checksum over 24 bits");
    one(adjust(bits(0, 32), bits(0, 16)), Code::Mismatch, "the old value is bit<32>");
    let count = |index| StmtKind::Count { counter: CounterId(0), index };
    one(count(bits(0, 33)), Code::Width, "a counter's index is bit<33>");
    one(count(valid(ETH)), Code::Mismatch, "a counter's index is a number");
    one(
        StmtKind::Limit { limiter: LimiterId(0), into: POOL },
        Code::Mismatch,
        "`pool` is bit<16>, but this is bool",
    );
    first(
        stmt(StmtKind::If { cond: bits(1, 1), then: vec![], otherwise: vec![] }),
        &[(Code::Mismatch, "a condition is bool")],
    );
    one(
        StmtKind::If {
            cond: valid(ETH),
            then: vec![stmt(StmtKind::Verdict(Verdict::Forward(bits(1, 16))))],
            otherwise: vec![],
        },
        Code::Mismatch,
        "a port is bit<32>",
    );
    let in_find = |want: &str, change: &dyn Fn(&mut StmtKind)| {
        let edit_find = |s: &mut StmtKind| {
            let hit = matches!(s, StmtKind::Find { .. } | StmtKind::Select { .. });
            if hit {
                change(s);
            }
            false
        };
        check(|p| assert!(!edit(&mut p.control, &edit_find)), &[(Code::Mismatch, want)]);
    };
    in_find("a flow's hash is bit<32>", &|s| {
        if let StmtKind::Find { hash, .. } = s {
            *hash = bits(0, 16);
        }
    });
    in_find("a flow's event is bit<3>", &|s| {
        if let StmtKind::Find { event, .. } = s {
            *event = bits(0, 8);
        }
    });
    in_find("a flow's time-out class is bit<2>", &|s| {
        if let StmtKind::Find { class, .. } = s {
            *class = bits(0, 3);
        }
    });
    in_find("`flows` has 4 key fields, but 3 are given", &|s| {
        if let StmtKind::Find { key, .. } = s {
            key.pop();
        }
    });
    in_find("a pool of ring `ring` is bit<16>", &|s| {
        if let StmtKind::Select { pool, .. } = s {
            *pool = bits(0, 8);
        }
    });
    check(
        |p| p.flow_tables[0].id_width = 20,
        &[(Code::Mismatch, "`id` is bit<24>, but `flows` holds bit<20>")],
    );
    check(|p| p.rings[0].id_width = 20, &[(Code::Mismatch, "an id of ring `ring` is bit<20>")]);
    check(|p| p.tables[1].keys[0].width = 20, &[(Code::Mismatch, "the key of table `backend` is bit<20>")]);
    check(|p| p.tables[3].keys[0].width = 20, &[(Code::Mismatch, "key field `route.dst` is bit<20>")]);
}

#[test]
fn the_parser_ends_and_finds_each_header_once() {
    check(|p| p.parser.states.clear(), &[(Code::Missing, "there is no parser state")]);
    check(
        |p| p.parser.states[2].next = Transition::To(StateId(0)),
        &[(Code::ParserLoop, "`udp` goes back to `start`")],
    );
    check(
        |p| p.parser.states[2].ops.push(extract(IP4)),
        &[(Code::ParserTwice, "header `ip4` can be extracted before, on a way to `udp`")],
    );
    check(
        |p| p.parser.states[0].next = Transition::Accept,
        &[
            (Code::Unreachable, "parser state `ip4` is never entered"),
            (Code::Unreachable, "parser state `udp` is never entered"),
        ],
    );
    let cases = |change: fn(&mut Vec<Case>), want: &[(Code, &str)]| {
        check(
            |p| match &mut p.parser.states[1].next {
                Transition::Select { cases, .. } => change(cases),
                other => panic!("{other:?}"),
            },
            want,
        );
    };
    cases(
        |c| c[0].patterns[0] = Pattern::Value(16),
        &[(Code::Overflow, "16 does not fit bit<4>; at most 15")],
    );
    cases(|c| c[1].patterns[1] = Pattern::Range { low: 6, high: 5 }, &[(Code::Mismatch, "6..=5 is empty")]);
    cases(|c| c[0].patterns.truncate(1), &[(Code::Mismatch, "1 patterns for 2 values")]);
    cases(
        |c| c.insert(0, Case { patterns: vec![Pattern::Any; 2], to: Some(StateId(2)), at: Loc::default() }),
        &[(Code::Unreachable, "a case before this one")],
    );
    check(
        |p| {
            let at = Loc::default();
            p.parser.states[0].ops.push(ParserOp::Set { var: POOL, value: bits(0, 8), at });
        },
        &[(Code::Mismatch, "`pool` is bit<16>")],
    );
}

#[test]
fn paths_end_once() {
    check(|p| p.control.clear(), &[(Code::Missing, "there is no control")]);
    check(|p| p.control.push(pass()), &[(Code::Unreachable, "every path has ended before this")]);
    check(
        |p| {
            let then = vec![pass(), pass()];
            p.control.insert(0, stmt(StmtKind::If { cond: valid(ETH), then, otherwise: vec![] }));
        },
        &[(Code::Unreachable, "every path has ended before this")],
    );
    // The place is that of the arm that stays open.
    let mut p = sample();
    edit(&mut p.control, &|s| match s {
        StmtKind::Stay { arms, .. } => {
            arms[1].body.clear();
            arms[1].at = at(77);
            true
        }
        _ => false,
    });
    let found: Vec<_> = verify(p).unwrap_err().0.iter().map(|d| (d.code, d.at)).collect();
    assert_eq!(
        found,
        [(Code::Unreachable, Loc::default()), (Code::NoVerdict, at(77))],
        "its reason is not used now"
    );
}

fn vip_again(p: &Pipeline) -> stmt::Stmt {
    let key = vec![field(p, IP4, "dst"), field(p, UDP, "dst_port")];
    apply(VIP, key, vec![arm(SET_POOL, vec![]), arm(NO_VIP, vec![])])
}

#[test]
fn nothing_twice_on_a_path() {
    let twice = |want: &str, fault: fn(&mut Pipeline)| check(fault, &[(Code::AppliedTwice, want)]);
    twice("table `vip` is applied on a path that has done so before", |p| {
        let again = vip_again(p);
        p.control.insert(0, again);
    });
    twice("the packet is truncated", |p| p.control.insert(0, stmt(StmtKind::Truncate { bytes: 60 })));
    twice("ring `ring` is asked", |p| {
        let (pool, hash) = (var(POOL, 16), var(HASH, 32));
        p.control.insert(0, stmt(StmtKind::Select { ring: RingId(0), pool, hash, into: ID }));
    });
    twice("table `backend` is applied", |p| {
        let arms = vec![arm(TO, vec![]), arm(GONE, vec![])];
        p.control.insert(0, apply(BACKEND, vec![var(ID, 24)], arms));
    });

    // On two paths that never meet it may stand twice.
    let mut p = sample();
    let mut then = vec![vip_again(&p)];
    then.push(pass());
    p.control.insert(0, stmt(StmtKind::If { cond: valid(OUTER), then, otherwise: vec![] }));
    assert!(verify(p).is_ok());
}

#[test]
fn arms_are_the_tables_actions() {
    let arms = |change: fn(&mut Vec<stmt::Arm>), want: &[(Code, &str)]| {
        let pick = |s: &mut StmtKind| match s {
            StmtKind::Apply { table: VIP, arms, .. } => {
                change(arms);
                true
            }
            _ => false,
        };
        check(|p| assert!(edit(&mut p.control, &pick)), want);
    };
    arms(drop_last, &[(Code::Arms, "table `vip`: there is no arm for `no_vip`")]);
    arms(|a| a.push(arm(SET_POOL, vec![])), &[(Code::Arms, "table `vip`: a second arm for `set_pool`")]);
    arms(|a| a.push(arm(DENY, vec![])), &[(Code::Arms, "`deny` is no action of table `vip`")]);
}

fn drop_last(arms: &mut Vec<stmt::Arm>) {
    arms.pop();
}

#[test]
fn action_data_are_kept_while_they_are_read() {
    check(
        |p| {
            let exact = vec![key("dst", 32, MatchKind::Exact)];
            p.tables.push(table("twin", exact, &[SET_POOL, NO_VIP], NO_VIP, 4));
            let inner = apply(
                TableId(5),
                vec![field(p, IP4, "src")],
                vec![arm(SET_POOL, vec![]), arm(NO_VIP, vec![])],
            );
            edit(&mut p.control, &|s| match s {
                StmtKind::Apply { table: VIP, arms, .. } => {
                    arms[0].body.insert(0, inner.clone());
                    true
                }
                _ => false,
            });
        },
        &[(
            Code::DataLost,
            "table `twin` overwrites the data of `set_pool`, in whose arm of table `vip` this stands",
        )],
    );
    first(
        set_var(P_POOL, bits(0, 16)),
        &[(Code::DataLost, "`pool_no` is data of action `set_pool`: only a table writes it")],
    );
}

#[test]
fn flows_are_used_in_order() {
    let order = |want: &[&str], fault: fn(&mut Pipeline)| {
        let want: Vec<_> = want.iter().map(|w| (Code::FlowUse, *w)).collect();
        check(fault, &want);
    };
    let remember = || stmt(StmtKind::Remember { cursor: FLOW, id: ID });
    check(
        |p| p.control.insert(0, remember()),
        &[
            (Code::FlowUse, "flow `flow` is remembered twice"),
            (Code::FlowUse, "flow `flow` is remembered where it may not have stayed or moved"),
        ],
    );
    check(
        |p| p.control.retain(|s| !matches!(s.kind, StmtKind::Find { .. })),
        &[
            (Code::Unreachable, "flow table `flows` is never used"),
            (Code::FlowUse, "flow `flow` is looked up on no path to here"),
        ],
    );
    order(&["`id` may be left without an id"], |p| {
        edit(&mut p.control, &|s| match s {
            StmtKind::Stay { select, .. } => {
                let inner = std::mem::take(select);
                select.push(stmt(StmtKind::If { cond: valid(UDP), then: inner, otherwise: vec![] }));
                true
            }
            _ => false,
        });
    });
    order(&["entries can hold its default `gone`"], |p| p.actions[3].default_only = false);

    // A second find, after the first.
    let mut p = sample();
    let find = p.control.iter().position(|s| matches!(s.kind, StmtKind::Find { .. })).unwrap();
    let again = p.control[find].clone();
    p.control.insert(find, again);
    let found = verify(p).unwrap_err();
    let codes: Vec<_> = found.0.iter().map(|d| d.code).collect();
    assert_eq!(codes, [Code::AppliedTwice, Code::FlowUse]);

    // Filled on some paths only: idle on the others, and sound.
    let mut p = sample();
    let find = p.control.iter().position(|s| matches!(s.kind, StmtKind::Find { .. })).unwrap();
    let then = vec![p.control[find].clone()];
    p.control[find] = stmt(StmtKind::If { cond: valid(UDP), then, otherwise: vec![] });
    assert!(verify(p).is_ok());
}
