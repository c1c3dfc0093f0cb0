//! Which headers can be valid, and which flows under way, at a point of the program.
//!
//! A [`World`] is one possibility; a point has the set of all that can be. The parser gives the worlds that the
//! control starts with; conditions, pushes and pops narrow and change them. BMv2 keeps the fields that a header
//! had in an earlier packet, so a field is read only where its header is valid in every world, or under a test.

use std::collections::BTreeSet;

use pipeline_ir::expr::{BinOp, Expr, ExprKind, UnOp};
use pipeline_ir::stmt::{Arm, Stmt, StmtKind};
use pipeline_ir::{CursorId, FlowTableId, HeaderId, ParserOp, Pipeline, Transition};

/// More worlds than this at one point, and nothing is known there.
const MOST: usize = 4096;

/// A combination of valid headers and filled cursors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    /// A bit for each header.
    valid: u128,
    /// For each cursor the flow table that filled it.
    cursors: Vec<Option<FlowTableId>>,
}

/// What is known of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Valid,
    Invalid,
    Maybe,
}

/// All worlds that can be at a point; `None`: any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worlds(Option<BTreeSet<World>>);

impl Worlds {
    /// Nothing is known.
    pub(crate) fn any() -> Self {
        Self(None)
    }

    /// No way leads here.
    pub(crate) fn none() -> Self {
        Self(Some(BTreeSet::new()))
    }

    fn start(p: &Pipeline) -> Self {
        if p.headers.len() > 128 {
            return Self::any();
        }
        Self(Some(BTreeSet::from([World { valid: 0, cursors: vec![None; p.cursors.len()] }])))
    }

    /// Does no way lead here?
    pub(crate) fn is_none(&self) -> bool {
        self.0.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// What is known of a header.
    pub(crate) fn header(&self, header: HeaderId) -> Known {
        let Some(worlds) = &self.0 else { return Known::Maybe };
        let valid = worlds.iter().filter(|w| w.has(header)).count();
        match valid {
            n if n == worlds.len() => Known::Valid,
            0 => Known::Invalid,
            _ => Known::Maybe,
        }
    }

    /// Can two headers be valid at once?
    pub(crate) fn together(&self, a: HeaderId, b: HeaderId) -> bool {
        self.0.as_ref().is_none_or(|worlds| worlds.iter().any(|w| w.has(a) && w.has(b)))
    }

    /// Which tables can have filled a cursor; `None` among them: none has.
    pub(crate) fn cursor(&self, p: &Pipeline, cursor: CursorId) -> BTreeSet<Option<FlowTableId>> {
        match &self.0 {
            Some(worlds) => worlds.iter().map(|w| w.cursors.get(cursor.index()).copied().flatten()).collect(),
            None => (0..p.flow_tables.len()).map(|i| Some(FlowTableId(i as u32))).chain([None]).collect(),
        }
    }

    /// The worlds of both.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        match (&mut self.0, other.0) {
            (Some(a), Some(b)) => {
                a.extend(b);
                if a.len() > MOST { Self::any() } else { self }
            }
            _ => Self::any(),
        }
    }

    fn map(&self, change: impl Fn(&World) -> World) -> Self {
        Self(self.0.as_ref().map(|worlds| worlds.iter().map(change).collect()))
    }

    fn only(&self, keep: impl Fn(&World) -> bool) -> Self {
        Self(self.0.as_ref().map(|worlds| worlds.iter().filter(|w| keep(w)).cloned().collect()))
    }

    /// After the header has become valid or invalid.
    #[must_use]
    pub(crate) fn set(&self, header: HeaderId, valid: bool) -> Self {
        self.map(|w| w.set(header, valid))
    }

    /// After `find` has filled a cursor.
    #[must_use]
    pub(crate) fn found(&self, cursor: CursorId, table: FlowTableId) -> Self {
        self.map(|w| {
            let mut w = w.clone();
            if let Some(c) = w.cursors.get_mut(cursor.index()) {
                *c = Some(table);
            }
            w
        })
    }

    /// The worlds where `condition` can be `value`.
    #[must_use]
    pub(crate) fn assume(&self, condition: &Expr, value: bool) -> Self {
        match (&condition.kind, value) {
            (ExprKind::Bool(b), _) if *b != value => Self::none(),
            (ExprKind::Valid(h), _) => self.only(|w| w.has(*h) == value),
            (ExprKind::Unary(UnOp::Not, a), _) => self.assume(a, !value),
            (ExprKind::Binary(BinOp::And, a, b), true) => self.assume(a, true).assume(b, true),
            (ExprKind::Binary(BinOp::Or, a, b), false) => self.assume(a, false).assume(b, false),
            (ExprKind::Binary(BinOp::And, a, b), false) => {
                self.assume(a, false).or(self.assume(a, true).assume(b, false))
            }
            (ExprKind::Binary(BinOp::Or, a, b), true) => {
                self.assume(a, true).or(self.assume(a, false).assume(b, true))
            }
            (ExprKind::Binary(BinOp::Eq, a, b), true) | (ExprKind::Binary(BinOp::Ne, a, b), false) => {
                match not_zero(a, b).or_else(|| not_zero(b, a)) {
                    Some(h) => self.only(|w| w.has(h)),
                    None => self.clone(),
                }
            }
            _ => self.clone(),
        }
    }
}

impl World {
    fn has(&self, header: HeaderId) -> bool {
        self.valid >> header.0 & 1 == 1
    }

    fn set(&self, header: HeaderId, valid: bool) -> Self {
        let bit = 1u128 << header.0;
        let valid = if valid { self.valid | bit } else { self.valid & !bit };
        Self { valid, cursors: self.cursors.clone() }
    }
}

/// The header of `field` where `field == constant` says that it is valid, since the constant is not 0.
fn not_zero(field: &Expr, constant: &Expr) -> Option<HeaderId> {
    match (&field.kind, &constant.kind) {
        (ExprKind::Field(h, _), ExprKind::Const(c)) if *c != 0 => Some(*h),
        _ => None,
    }
}

/// Worlds at the entry of each parser state, and after the parser.
pub(crate) fn parser(p: &Pipeline) -> (Vec<Worlds>, Worlds) {
    let mut entry = vec![Worlds::none(); p.parser.states.len()];
    let mut last = Worlds::none();
    let Some(first) = entry.get_mut(p.parser.start.index()) else {
        return (entry, Worlds::start(p));
    };
    *first = Worlds::start(p);
    let mut todo = vec![p.parser.start];
    while let Some(id) = todo.pop() {
        let Some(state) = p.parser.states.get(id.index()) else { continue };
        let mut worlds = entry[id.index()].clone();
        for op in &state.ops {
            match op {
                ParserOp::Extract { header, .. } => {
                    last = last.or(worlds.clone());
                    worlds = worlds.set(*header, true);
                }
                ParserOp::Lookahead { .. } => last = last.or(worlds.clone()),
                ParserOp::Set { .. } => {}
            }
        }
        let next = match &state.next {
            Transition::Accept => Vec::new(),
            Transition::To(to) => vec![*to],
            Transition::Select { cases, .. } => cases.iter().filter_map(|c| c.to).collect(),
        };
        if !matches!(state.next, Transition::To(_)) {
            last = last.or(worlds.clone());
        }
        for to in next {
            let Some(there) = entry.get_mut(to.index()) else { continue };
            let both = there.clone().or(worlds.clone());
            if both != *there {
                *there = both;
                todo.push(to);
            }
        }
    }
    (entry, last)
}

/// Worlds after a block, without what ends in a verdict inside it.
pub(crate) fn after(block: &[Stmt], worlds: &Worlds) -> Worlds {
    block.iter().fold(worlds.clone(), |w, stmt| after_stmt(stmt, &w))
}

fn after_stmt(stmt: &Stmt, worlds: &Worlds) -> Worlds {
    match &stmt.kind {
        StmtKind::Push(h) => worlds.set(*h, true),
        StmtKind::Pop(h) => worlds.set(*h, false),
        StmtKind::If { cond, then, otherwise } => {
            after(then, &worlds.assume(cond, true)).or(after(otherwise, &worlds.assume(cond, false)))
        }
        StmtKind::Apply { arms, .. } => after_arms(arms, worlds),
        StmtKind::Stay { select, arms, .. } => after_arms(arms, &worlds.clone().or(after(select, worlds))),
        StmtKind::Find { cursor, table, .. } => worlds.found(*cursor, *table),
        StmtKind::Verdict(_) => Worlds::none(),
        _ => worlds.clone(),
    }
}

fn after_arms(arms: &[Arm], worlds: &Worlds) -> Worlds {
    arms.iter().fold(Worlds::none(), |w, arm| w.or(after(&arm.body, worlds)))
}
