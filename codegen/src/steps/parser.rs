//! The parser: what it computes is known before, on each way that leads to a state.

use std::collections::BTreeMap;

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind};
use pipeline_ir::{HeaderId, Parser, ParserOp, Pipeline, State, StateId, Transition, VarId};

/// What is known of variables; one that isn't listed is 0, `None`: it can be anything.
type Known = BTreeMap<VarId, Option<u128>>;

/// Puts numbers where the parser computes them. A variable that it writes in several states is left to the control, where
/// it can be: what comes first there.
pub(super) fn fold(parser: &mut Parser, p: &Pipeline) -> Block {
    numbers(parser, p);
    let written = parser.states.iter().flat_map(|s| &s.ops).filter_map(|op| match op {
        ParserOp::Set { var, .. } => Some(*var),
        _ => None,
    });
    let mut vars: Vec<VarId> = written.collect();
    vars.sort();
    vars.dedup();
    vars.into_iter().filter_map(|var| late(parser, p, var)).collect()
}

/// A state that writes a variable: the header that shows that it was run, and the number.
type Write = (HeaderId, u128);

/// Takes a variable's numbers out of the parser: the statement that writes them by the headers that are there.
fn late(parser: &mut Parser, p: &Pipeline, var: VarId) -> Option<Stmt> {
    let mut order = Vec::new();
    visit(parser, parser.start, &mut order);
    let mut writes: Vec<Write> = Vec::new();
    for id in &order {
        match write(parser, parser.states.get(id.index())?, var) {
            Ok(found) => writes.extend(found),
            Err(Unclear) => return None,
        }
    }
    if writes.len() < 2 || is_read(parser, var) {
        return None;
    }
    for state in &mut parser.states {
        state.ops.retain(|op| !matches!(op, ParserOp::Set { var: v, .. } if *v == var));
    }
    let (ty, at) = (p.var(var).ty, p.var(var).at);
    let expr = |kind, ty| Expr { kind, ty, at };
    let mut out: Option<Stmt> = None;
    // What was visited last counts; `order` has it first.
    for (header, number) in writes.into_iter().rev() {
        let kind = if ty == Type::Bool { ExprKind::Bool(number != 0) } else { ExprKind::Const(number) };
        let set = StmtKind::Set { place: Place::Var(var), value: expr(kind, ty) };
        let cond = expr(ExprKind::Valid(header), Type::Bool);
        let kind =
            StmtKind::If { cond, then: vec![Stmt { kind: set, at }], otherwise: out.into_iter().collect() };
        out = Some(Stmt { kind, at });
    }
    out
}

/// States, those behind a state before it.
fn visit(parser: &Parser, id: StateId, order: &mut Vec<StateId>) {
    let Some(state) = parser.states.get(id.index()) else { return };
    if order.contains(&id) {
        return;
    }
    for to in next(&state.next) {
        visit(parser, to, order);
    }
    order.push(id);
}

/// Not a number that a header shows.
struct Unclear;

fn write(parser: &Parser, state: &State, var: VarId) -> Result<Option<Write>, Unclear> {
    let (mut shown, mut found) = (None, None);
    for op in &state.ops {
        match op {
            ParserOp::Extract { header, .. } => shown = Some(*header),
            ParserOp::Lookahead { into, .. } if *into == var => return Err(Unclear),
            ParserOp::Lookahead { .. } => {}
            ParserOp::Set { var: v, value, .. } if *v == var => {
                let number = match value.kind {
                    ExprKind::Const(number) => number,
                    ExprKind::Bool(b) => u128::from(b),
                    _ => return Err(Unclear),
                };
                let only = |h: HeaderId| {
                    let extracts =
                        |op: &ParserOp| matches!(op, ParserOp::Extract { header, .. } if *header == h);
                    parser.states.iter().filter(|s| s.ops.iter().any(extracts)).count() == 1
                };
                match shown {
                    Some(header) if only(header) && found.is_none() => found = Some((header, number)),
                    _ => return Err(Unclear),
                }
            }
            ParserOp::Set { .. } => {}
        }
    }
    Ok(found)
}

/// Does the parser itself read a variable?
fn is_read(parser: &Parser, var: VarId) -> bool {
    let mut read = false;
    let mut see = |e: &Expr| e.walk(&mut |e| read |= e.kind == ExprKind::Var(var));
    for state in &parser.states {
        for op in &state.ops {
            if let ParserOp::Set { value, .. } = op {
                see(value);
            }
        }
        if let Transition::Select { on, .. } = &state.next {
            on.iter().for_each(&mut see);
        }
    }
    read
}

fn next(of: &Transition) -> Vec<StateId> {
    match of {
        Transition::Accept => Vec::new(),
        Transition::To(to) => vec![*to],
        Transition::Select { cases, .. } => cases.iter().filter_map(|c| c.to).collect(),
    }
}

fn numbers(parser: &mut Parser, p: &Pipeline) {
    let entry = entries(p);
    for (state, known) in parser.states.iter_mut().zip(entry) {
        let Some(mut known) = known else { continue };
        for op in &mut state.ops {
            let found = run(op, &mut known);
            if let (ParserOp::Set { value, .. }, Some(found)) = (op, found) {
                value.kind = match value.ty {
                    Type::Bool => ExprKind::Bool(found != 0),
                    Type::Bits(_) => ExprKind::Const(found),
                };
            }
        }
    }
}

/// What is known where each state begins; `None`: no way leads there.
fn entries(p: &Pipeline) -> Vec<Option<Known>> {
    let states = &p.parser.states;
    let mut entry: Vec<Option<Known>> = vec![None; states.len()];
    let Some(first) = entry.get_mut(p.parser.start.index()) else { return entry };
    *first = Some(Known::new());
    let mut todo = vec![p.parser.start];
    while let Some(id) = todo.pop() {
        let Some(mut known) = entry[id.index()].clone() else { continue };
        for op in &states[id.index()].ops {
            run(op, &mut known);
        }
        for to in next(&states[id.index()].next) {
            let both = entry[to.index()].as_ref().map_or_else(|| known.clone(), |k| join(k, &known));
            if entry[to.index()].as_ref() != Some(&both) {
                entry[to.index()] = Some(both);
                todo.push(to);
            }
        }
    }
    entry
}

fn join(a: &Known, b: &Known) -> Known {
    let of = |k: &Known, v: &VarId| k.get(v).copied().unwrap_or(Some(0));
    a.keys().chain(b.keys()).map(|v| (*v, of(a, v).filter(|x| of(b, v) == Some(*x)))).collect()
}

/// What an operation leaves in its variable.
fn run(op: &ParserOp, known: &mut Known) -> Option<u128> {
    let (var, value) = match op {
        ParserOp::Extract { .. } => return None,
        ParserOp::Lookahead { into, .. } => (*into, None),
        ParserOp::Set { var, value, .. } => (*var, number(value, known)),
    };
    known.insert(var, value);
    value
}

/// The number that an expression is.
fn number(e: &Expr, known: &Known) -> Option<u128> {
    let value = match &e.kind {
        ExprKind::Const(value) => *value,
        ExprKind::Bool(b) => u128::from(*b),
        ExprKind::Var(v) => known.get(v).copied().unwrap_or(Some(0))?,
        ExprKind::Cast(of) => number(of, known)?,
        ExprKind::Slice { of, lo, .. } => number(of, known)? >> lo,
        ExprKind::Binary(op, a, b) => {
            let (a, b) = (number(a, known)?, number(b, known)?);
            match op {
                BinOp::Add => a.wrapping_add(b),
                BinOp::Sub => a.wrapping_sub(b),
                BinOp::BitAnd => a & b,
                BinOp::BitOr => a | b,
                BinOp::BitXor => a ^ b,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(value & e.ty.mask())
}
