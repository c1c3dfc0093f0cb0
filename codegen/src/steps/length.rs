//! How long a frame is, where only its outermost IP header tells.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Place, StmtKind, walk};
use pipeline_ir::{FieldId, HeaderId, Loc, ParserOp, Pipeline, StateId, Transition};

use crate::p4::worlds::{Known, Worlds};

/// A header that tells a length, in a field of 16 bits, of all that follows so many bytes of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Teller {
    header: HeaderId,
    field: FieldId,
    before: u32,
}

/// The headers that tell how long the frame is, the first that is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Length {
    tellers: Vec<Teller>,
    /// Nothing changes them.
    lasts: bool,
}

impl Length {
    /// Those of a pipeline; `None`: none of its headers tells, or where one stands differs.
    pub(crate) fn of(p: &Pipeline) -> Option<Self> {
        let mut found = BTreeMap::new();
        follow(p, p.parser.start, 0, &mut found);
        let tellers: Option<Vec<Teller>> =
            found.values().map(|all| (all.len() == 1).then(|| all.first().copied()).flatten()).collect();
        let tellers = outer_first(p, tellers.filter(|t| !t.is_empty())?);
        let mut lasts = true;
        let tells = |h: &HeaderId| tellers.iter().any(|t| t.header == *h);
        walk(&p.control, &mut |s| {
            lasts &= !matches!(&s.kind, StmtKind::Push(h) if tells(h));
            lasts &= !matches!(s.kind.written(), Some(Place::Field(h, f)) if tellers.iter().any(|t| (t.header, t.field) == (h, f)));
        });
        Some(Self { tellers, lasts })
    }

    /// The length, where no more than this is known of headers; `None`: it must be kept from the start.
    pub(super) fn here(&self, w: &Worlds, at: Loc) -> Option<Expr> {
        let there = self.tellers.iter().find(|t| w.header(t.header) != Known::Invalid)?;
        (self.lasts && w.header(there.header) == Known::Valid).then(|| told(*there, at))
    }

    /// The length when the control starts.
    pub(super) fn at_first(&self, at: Loc) -> Expr {
        let none = Expr { kind: ExprKind::Const(0), ty: LENGTH, at };
        self.tellers.iter().rev().fold(none, |rest, t| {
            let valid = Expr { kind: ExprKind::Valid(t.header), ty: Type::Bool, at };
            let kind = ExprKind::Mux(Box::new(valid), Box::new(told(*t, at)), Box::new(rest));
            Expr { kind, ty: LENGTH, at }
        })
    }
}

/// What can stand inside another comes after it.
fn outer_first(p: &Pipeline, tellers: Vec<Teller>) -> Vec<Teller> {
    let mut sorted: Vec<Teller> = Vec::new();
    for t in tellers {
        let at = sorted.iter().position(|other| behind(p, t.header, other.header)).unwrap_or(sorted.len());
        sorted.insert(at, t);
    }
    sorted
}

/// Does the parser come from where it extracts one header to where it extracts another?
fn behind(p: &Pipeline, outer: HeaderId, inner: HeaderId) -> bool {
    let extracts = |id: StateId, h: HeaderId| {
        let ops = p.parser.states.get(id.index()).map(|s| s.ops.as_slice()).unwrap_or_default();
        ops.iter().position(|op| matches!(op, ParserOp::Extract { header, .. } if *header == h))
    };
    let states = (0..p.parser.states.len()).map(|i| StateId(i as u32));
    let mut open: Vec<StateId> = states.filter(|s| extracts(*s, outer).is_some()).collect();
    if open.iter().any(|s| extracts(*s, inner) > extracts(*s, outer)) {
        return true;
    }
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let next = match p.parser.states.get(id.index()).map(|s| &s.next) {
            Some(Transition::To(to)) => vec![*to],
            Some(Transition::Select { cases, .. }) => cases.iter().filter_map(|c| c.to).collect(),
            _ => Vec::new(),
        };
        for to in next.into_iter().filter(|to| seen.insert(*to)) {
            if extracts(to, inner).is_some() {
                return true;
            }
            open.push(to);
        }
    }
    false
}

/// The type of a frame's length.
pub(super) const LENGTH: Type = Type::Bits(32);

fn told(t: Teller, at: Loc) -> Expr {
    let field = Expr { kind: ExprKind::Field(t.header, t.field), ty: Type::Bits(16), at };
    let field = Expr { kind: ExprKind::Cast(Box::new(field)), ty: LENGTH, at };
    let before = Expr { kind: ExprKind::Const(t.before.into()), ty: LENGTH, at };
    Expr { kind: ExprKind::Binary(BinOp::Add, Box::new(field), Box::new(before)), ty: LENGTH, at }
}

/// Does a header of this type tell? The field, and how many bytes of the header it does not count.
fn tells(p: &Pipeline, h: HeaderId) -> Option<(FieldId, u32)> {
    let ty = p.header_type(h);
    let field = |name: &str| ty.fields.iter().position(|f| f.name == name && f.width == 16);
    let whole = field("total_length").map(|f| (FieldId(f as u32), 0));
    whole.or_else(|| field("payload_length").map(|f| (FieldId(f as u32), ty.bytes())))
}

/// Notes the first header that tells on each way from a state on.
fn follow(p: &Pipeline, state: StateId, mut bytes: u32, found: &mut BTreeMap<HeaderId, BTreeSet<Teller>>) {
    let Some(state) = p.parser.states.get(state.index()) else { return };
    for op in &state.ops {
        let ParserOp::Extract { header, .. } = op else { continue };
        if let Some((field, own)) = tells(p, *header) {
            found.entry(*header).or_default().insert(Teller { header: *header, field, before: bytes + own });
            return;
        }
        bytes += p.header_type(*header).bytes();
    }
    match &state.next {
        Transition::Accept => {}
        Transition::To(to) => follow(p, *to, bytes, found),
        Transition::Select { cases, .. } => {
            cases.iter().filter_map(|c| c.to).for_each(|to| follow(p, to, bytes, found));
        }
    }
}

/// Does an expression ask how long the frame is?
pub(super) fn asks(e: &Expr) -> bool {
    e.any(|e| e.kind == ExprKind::Builtin(Builtin::FrameLength))
}

/// The expression with a length in place of the question.
pub(super) fn put(e: &Expr, length: &Expr) -> Expr {
    let mut e = e.clone();
    e.walk_mut(&mut |e| {
        if e.kind == ExprKind::Builtin(Builtin::FrameLength) {
            *e = length.clone();
        }
    });
    e
}
