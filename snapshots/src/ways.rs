//! The controls of the ways through a parser: as text, and put to the test, each for the packets of its way.

use codegen::ways::{Special, Values, Way, specialise, ways};
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, Stmt, StmtKind, event, walk};
use pipeline_ir::{
    Case, Counter, CounterId, CounterKind, Loc, ParserOp, Pattern, Pipeline, State, StateId, Transition, Var,
    VarId, VarKind, print,
};
use std::fmt::Write as _;

/// The counter that [`routed`] adds: one cell for each way.
pub const COUNTER: &str = "ways";

/// Statements of a block and of all blocks in it.
#[must_use]
pub fn statements(block: &Block) -> usize {
    let mut n = 0;
    walk(block, &mut |_| n += 1);
    n
}

/// Every way: its headers, what is known of their fields, its flows and its control.
#[must_use]
pub fn text(p: &Pipeline) -> String {
    let ways = ways(p);
    let mut text = format!("{} ways; the control has {} statements\n", ways.len(), statements(&p.control));
    for way in &ways {
        let special = specialise(p, way);
        let n = statements(&special.control);
        let named = if way.is_named(p) { "" } else { ", by default" };
        let _ = writeln!(text, "\nway {}: {n} statements{named}", way.name(p));
        for (header, at) in &way.headers {
            let _ = writeln!(text, "  {} at {at}{}", p.headers[header.index()].name, known(p, way, *header));
        }
        let _ = writeln!(text, "  payload at {}, of a frame of at least {} bytes", way.bytes, way.frame);
        flows(p, &special, &mut text);
        let _ = writeln!(text, "control");
        text += &print::block(p, &special.control);
    }
    text
}

/// What the parser has made sure of: `: ihl 0x5, protocol 0x6`.
fn known(p: &Pipeline, way: &Way, header: pipeline_ir::HeaderId) -> String {
    let fields = way.facts.fields().filter(|(h, ..)| *h == header);
    let list: Vec<_> = fields.map(|(h, f, v)| format!("{} {}", p.field(h, f).name, values(v))).collect();
    if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) }
}

fn values(values: &Values) -> String {
    let list = |set: &std::collections::BTreeSet<u128>, between: &str| {
        set.iter().map(|v| format!("{v:#x}")).collect::<Vec<_>>().join(between)
    };
    match values {
        Values::In(set) => list(set, " or "),
        Values::Range { low, high, holes } if holes.is_empty() => format!("{low:#x}..={high:#x}"),
        Values::Range { low, high, holes } => format!("{low:#x}..={high:#x} not {}", list(holes, " or ")),
    }
}

fn flows(p: &Pipeline, special: &Special, text: &mut String) {
    const EVENTS: [(u128, &str); 5] = [
        (event::PEEK, "peek"),
        (event::OPEN, "open"),
        (event::DATA, "data"),
        (event::DATAGRAM, "datagram"),
        (event::CLOSE, "close"),
    ];
    for (cursor, flow) in p.cursors.iter().zip(&special.flows) {
        let Some(events) = &flow.events else { continue };
        let tables: Vec<_> = flow.tables.iter().map(|t| p.flow_tables[t.index()].name.as_str()).collect();
        let names: Vec<_> = EVENTS.iter().filter(|(e, _)| events.contains(*e)).map(|(_, n)| *n).collect();
        let idle = if flow.idle { ", may be idle" } else { "" };
        let _ = writeln!(
            text,
            "  {} found in {} with {}{idle}",
            cursor.name,
            tables.join(", "),
            names.join(" or ")
        );
    }
}

/// The pipeline with the special control of every way before its own, and the parser saying which way was taken. It
/// means the same, if each special control means the same for its way; besides it counts in [`COUNTER`].
#[must_use]
pub fn routed(p: &Pipeline) -> Pipeline {
    let mut routed = p.clone();
    let path = VarId(p.vars.len() as u32);
    let ty = Type::Bits(64);
    routed.vars.push(Var { name: "taken_path".into(), ty, kind: VarKind::Meta, at: Loc::default() });
    let ways = ways(p);
    let counter = CounterId(p.counters.len() as u32);
    routed.counters.push(Counter {
        name: COUNTER.to_owned(),
        size: ways.len().max(1) as u32,
        kind: CounterKind::Packets,
        at: Loc::default(),
    });
    let base = mark(&mut routed, path);
    let mut control = std::mem::take(&mut routed.control);
    for (i, way) in ways.iter().enumerate().rev() {
        let code = way.steps.iter().fold(0, |code, step| code * base + step.cases.start as u128 + 1);
        let index = Expr::bits(i as u128, 32);
        let mut then = vec![stmt(StmtKind::Count { counter, index })];
        then.extend(specialise(p, way).control);
        let cond = Expr {
            kind: ExprKind::Binary(BinOp::Eq, Box::new(var(path)), Box::new(Expr::bits(code, 64))),
            ty: Type::Bool,
            at: Loc::default(),
        };
        control = vec![stmt(StmtKind::If { cond, then, otherwise: control })];
    }
    routed.control = control;
    routed
}

fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, at: Loc::default() }
}

fn var(id: VarId) -> Expr {
    Expr { kind: ExprKind::Var(id), ty: Type::Bits(64), at: Loc::default() }
}

/// Each state's way on becomes a digit of `path`, from 1: the first of the cases side by side that go to one state.
/// The base of the digits is given back.
fn mark(p: &mut Pipeline, path: VarId) -> u128 {
    let most = p.parser.states.iter().map(|s| match &s.next {
        Transition::Select { cases, .. } => cases.len() + 2,
        _ => 2,
    });
    let base = most.max().unwrap_or(2) as u128;
    let digit = |n: usize| {
        let times = ExprKind::Binary(BinOp::Mul, Box::new(var(path)), Box::new(Expr::bits(base, 64)));
        let times = Expr { kind: times, ty: Type::Bits(64), at: Loc::default() };
        let sum = ExprKind::Binary(BinOp::Add, Box::new(times), Box::new(Expr::bits(n as u128 + 1, 64)));
        let value = Expr { kind: sum, ty: Type::Bits(64), at: Loc::default() };
        ParserOp::Set { var: path, value, at: Loc::default() }
    };
    let own_states = p.parser.states.len();
    for i in 0..own_states {
        let mut added = Vec::new();
        let next = p.parser.states.len();
        let state = &mut p.parser.states[i];
        let Transition::Select { on, cases, .. } = &mut state.next else {
            state.ops.push(digit(0));
            continue;
        };
        let all = |c: &Case| c.patterns.iter().all(|p| *p == Pattern::Any);
        let none = Case { patterns: vec![Pattern::Any; on.len()], to: None, at: Loc::default() };
        let own = cases.len();
        if !cases.iter().any(all) {
            cases.push(none);
        }
        let targets: Vec<Option<StateId>> = cases.iter().map(|c| c.to).collect();
        for (n, case) in cases.iter_mut().enumerate() {
            let same = (0..n).rev().take_while(|k| n < own && targets[*k] == targets[n]).count();
            let to = case.to.replace(StateId((next + added.len()) as u32));
            added.push(State {
                name: format!("{}_{n}", state.name),
                ops: vec![digit(n - same)],
                next: to.map_or(Transition::Accept, Transition::To),
                at: Loc::default(),
            });
        }
        p.parser.states.extend(added);
    }
    base
}
