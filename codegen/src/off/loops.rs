//! Packets that another pipe of the chip takes: they leave by one port, come in by another, and bring along where they came in.
//!
//! The first header's field that tells a packet's family holds the port on the way, since the port that it goes to says the
//! same: no byte is added.
//!
//! ```text
//! one pipe                                      the other
//! if sent {                                     start: if INGRESS_PORT == 128 { looped = true; as ipv6 }
//!     eth.ethertype = INGRESS_PORT              if looped {
//!     forward(128)                                  came_in = eth.ethertype
//! }                                                 eth.ethertype = 0x86dd
//!                                               }
//! ```

use super::aside::{aside, expr, fresh, meta, when};
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{
    Case, FieldId, HeaderId, Loc, ParserOp, Pattern, Pipeline, State, StateId, Transition, VarId,
};

/// The field of the first header that tells what comes to a parser state, and what it then says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teller {
    place: (HeaderId, FieldId),
    ty: Type,
    value: u128,
}

/// Bits that a port takes.
const PORT: Type = Type::Bits(16);
/// The type of `INGRESS_PORT`.
const INGRESS: Type = Type::Bits(32);

/// Why packets of a parser state can't go to another pipe, if they can't: what is wrong, and what to do.
pub(super) fn refused(p: &Pipeline, id: StateId) -> Option<(&'static str, &'static str)> {
    if asks_for_port(p) {
        return Some(("the parser asks for the ingress port", "ask for it in the control"));
    }
    let Some(teller) = teller(p, id) else {
        let help = "let the first state choose it by one value of one field of 16 bits or more";
        return Some(("nothing in the first header alone says that a packet comes to it", help));
    };
    let why =
        "on the way a port stands in the field that tells its packets, and the parser reads it once more";
    (!is_read_once(p, teller.place)).then_some((why, "read it in the control"))
}

fn asks_for_port(p: &Pipeline) -> bool {
    let port = |e: &Expr| e.kind == ExprKind::Builtin(Builtin::IngressPort);
    p.parser.states.iter().flat_map(reads).any(|e| e.any(port))
}

/// Does the parser ask for a field but once? On the way it says something else.
fn is_read_once(p: &Pipeline, (h, f): (HeaderId, FieldId)) -> bool {
    let field = |e: &Expr| e.kind == ExprKind::Field(h, f);
    p.parser.states.iter().flat_map(reads).filter(|e| e.any(field)).count() == 1
}

/// The expressions of a parser state.
fn reads(s: &State) -> impl Iterator<Item = &Expr> {
    let sets = s.ops.iter().filter_map(|op| match op {
        ParserOp::Set { value, .. } => Some(value),
        ParserOp::Extract { .. } | ParserOp::Lookahead { .. } => None,
    });
    let on = match &s.next {
        Transition::Select { on, .. } => on.as_slice(),
        Transition::Accept | Transition::To(_) => &[],
    };
    sets.chain(on)
}

/// What tells that a packet comes to a parser state.
pub(super) fn teller(p: &Pipeline, id: StateId) -> Option<Teller> {
    let comes = |s: &State| match &s.next {
        Transition::Accept => 0,
        Transition::To(to) => usize::from(*to == id),
        Transition::Select { cases, .. } => cases.iter().filter(|c| c.to == Some(id)).count(),
    };
    let first = &p.parser.states[p.parser.start.index()];
    let Transition::Select { on, cases, .. } = &first.next else { return None };
    let [Expr { kind: ExprKind::Field(h, f), ty, .. }] = on.as_slice() else { return None };
    if p.parser.states.iter().map(comes).sum::<usize>() != 1 || ty.width() < PORT.width() {
        return None;
    }
    let case = cases.iter().find(|c| c.to == Some(id))?;
    let [Pattern::Value(value)] = case.patterns.as_slice() else { return None };
    Some(Teller { place: (*h, *f), ty: *ty, value: *value })
}

/// What comes to a parser state leaves by a port, to the pipe that takes it.
pub(super) fn send(p: &mut Pipeline, id: StateId, teller: Teller, port: u16) {
    let Teller { place: (h, f), ty, .. } = teller;
    let at = p.parser.states[id.index()].at;
    let to = expr(ExprKind::Const(port.into()), INGRESS, at);
    let then = vec![
        set(Place::Field(h, f), cast(came_in(at), ty), at),
        Stmt { kind: StmtKind::Verdict(Verdict::Forward(to)), at },
    ];
    aside(p, &[id], "sent", then);
}

/// What comes in by a port has been sent by another pipe, and goes to a parser state.
pub(super) fn receive(p: &mut Pipeline, id: StateId, teller: Teller, port: u16) {
    let Teller { place: (h, f), ty, value } = teller;
    let at = p.parser.states[id.index()].at;
    let looped = meta(p, "looped", Type::Bool, at);
    let origin = meta(p, "came_in", PORT, at);
    let mut asked = false;
    for s in &mut p.control {
        put(s, origin, &mut asked);
    }
    parse(p, id, looped, port, at);
    let field = expr(ExprKind::Field(h, f), ty, at);
    let mut then = vec![set(Place::Field(h, f), expr(ExprKind::Const(value), ty, at), at)];
    let mut otherwise = Block::new();
    if asked {
        then.insert(0, set(Place::Var(origin), cast(field, PORT), at));
        otherwise.push(set(Place::Var(origin), cast(came_in(at), PORT), at));
    }
    // The header is there: without it, the parser had not come so far.
    let flag = expr(ExprKind::Var(looped), Type::Bool, at);
    let there = expr(ExprKind::Valid(h), Type::Bool, at);
    let both = expr(ExprKind::Binary(BinOp::And, Box::new(flag), Box::new(there)), Type::Bool, at);
    p.control.insert(0, when(both, then, otherwise, at));
}

/// A first state that asks where a packet came in; from another pipe, it goes on as if its field said what it said there.
fn parse(p: &mut Pipeline, id: StateId, looped: VarId, port: u16, at: Loc) {
    let front = p.parser.start;
    let mut state = p.parser.states[front.index()].clone();
    state.ops.push(ParserOp::Set { var: looped, value: expr(ExprKind::Bool(true), Type::Bool, at), at });
    (state.name, state.next) = (name_of_state(p, "looped"), Transition::To(id));
    p.parser.states.push(state);
    let looped = StateId(p.parser.states.len() as u32 - 1);
    let case = |pattern, to| Case { patterns: vec![pattern], to: Some(to), at };
    let cases = vec![case(Pattern::Value(port.into()), looped), case(Pattern::Any, front)];
    let next = Transition::Select { on: vec![came_in(at)], cases, at };
    let name = std::mem::take(&mut p.parser.states[front.index()].name);
    p.parser.states[front.index()].name = name_of_state(p, "front");
    p.parser.states.push(State { name, ops: Vec::new(), next, at });
    p.parser.start = StateId(p.parser.states.len() as u32 - 1);
}

fn name_of_state(p: &Pipeline, name: &str) -> String {
    fresh(name, |name| p.parser.states.iter().any(|s| s.name == name))
}

/// Puts the port where the packet first came in in the place of the one where it came in last.
fn put(s: &mut Stmt, origin: VarId, asked: &mut bool) {
    for e in s.kind.exprs_mut() {
        e.walk_mut(&mut |e| {
            if e.kind == ExprKind::Builtin(Builtin::IngressPort) {
                *asked = true;
                *e = cast(expr(ExprKind::Var(origin), PORT, e.at), e.ty);
            }
        });
    }
    s.kind.blocks_mut().into_iter().flatten().for_each(|s| put(s, origin, asked));
}

fn came_in(at: Loc) -> Expr {
    expr(ExprKind::Builtin(Builtin::IngressPort), INGRESS, at)
}

fn cast(e: Expr, ty: Type) -> Expr {
    let at = e.at;
    if e.ty == ty { e } else { expr(ExprKind::Cast(Box::new(e)), ty, at) }
}

fn set(place: Place, value: Expr, at: Loc) -> Stmt {
    Stmt { kind: StmtKind::Set { place, value }, at }
}
