//! Conditions of a size that a chip's gateway takes: a few bytes, a few rows. What is bigger is asked in parts, each of which
//! leaves a flag.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Block, Place};

use super::condition::compare;
use super::values::slice;
use super::{Steps, var};
use crate::p4::worlds::Worlds;

/// Bytes that a condition looks at.
const BYTES: usize = 4;
/// Rows of alternatives.
const ROWS: usize = 4;

/// Bits that a gateway compares by size.
const SIZED: u8 = 8;

/// `value < number` in two parts: all but the low bits are 0, and these are less. A gateway compares few bits by size.
fn parted(op: BinOp, value: &Expr, number: u128) -> Option<Expr> {
    let Type::Bits(bits @ 9..=32) = value.ty else { return None };
    let (limit, is) = match op {
        BinOp::Lt => (number, true),
        BinOp::Le => (number.checked_add(1)?, true),
        BinOp::Gt => (number.checked_add(1)?, false),
        BinOp::Ge => (number, false),
        _ => return None,
    };
    if limit >> SIZED != 0 || limit == 0 {
        return None;
    }
    let at = value.at;
    let part = |op, hi, lo, n| {
        let number = Expr { kind: ExprKind::Const(n), ty: Type::Bits(hi - lo + 1), at };
        let kind = ExprKind::Binary(op, Box::new(slice(value.clone(), hi, lo)), Box::new(number));
        Expr { kind, ty: Type::Bool, at }
    };
    let (high, low) = (part(BinOp::Eq, bits - 1, SIZED, 0), part(BinOp::Lt, SIZED - 1, 0, limit));
    let less = ExprKind::Binary(BinOp::And, Box::new(high), Box::new(low));
    let less = Expr { kind: less, ty: Type::Bool, at };
    Some(if is {
        less
    } else {
        Expr { kind: ExprKind::Unary(UnOp::Not, Box::new(less)), ty: Type::Bool, at }
    })
}

/// What a condition looks at: each place, and its bytes.
fn looks(e: &Expr, found: &mut BTreeSet<(String, usize)>) {
    match &e.kind {
        ExprKind::Field(..) | ExprKind::Var(_) | ExprKind::Slice { .. } => {
            found.insert((format!("{:?}", e.kind), usize::from(e.ty.width().div_ceil(8))));
        }
        ExprKind::Valid(_) => drop(found.insert(("valid".to_owned(), 1))),
        ExprKind::Binary(BinOp::BitAnd, a, mask) if matches!(mask.kind, ExprKind::Const(_)) => {
            looks(a, found);
        }
        // Two values are held against each other in the bytes of one.
        ExprKind::Binary(BinOp::Eq | BinOp::Ne, a, _) => looks(a, found),
        ExprKind::Binary(_, a, b) => {
            looks(a, found);
            looks(b, found);
        }
        ExprKind::Unary(_, a) | ExprKind::Cast(a) => looks(a, found),
        _ => {}
    }
}

fn bytes(e: &Expr) -> usize {
    let mut found = BTreeSet::new();
    looks(e, &mut found);
    found.into_iter().map(|(_, bytes)| bytes).sum()
}

/// Rows that say when a condition holds.
fn rows(e: &Expr, holds: bool) -> usize {
    match &e.kind {
        ExprKind::Unary(UnOp::Not, a) => rows(a, !holds),
        ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
            let (a, b) = (rows(a, holds), rows(b, holds));
            if (*op == BinOp::Or) == holds { a + b } else { a.saturating_mul(b) }
        }
        _ => 1,
    }
}

/// Is a value compared by size with two numbers? A gateway takes such a comparison apart into masks of the number's own.
fn sized_twice(e: &Expr) -> bool {
    let (mut found, mut twice) = (BTreeMap::new(), false);
    e.walk(&mut |e| {
        if let ExprKind::Binary(BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, a, b) = &e.kind
            && let ExprKind::Const(number) = b.kind
        {
            let mut places = BTreeSet::new();
            looks(a, &mut places);
            twice |= *found.entry(places).or_insert(number) != number;
        }
    });
    twice
}

pub(super) fn is_small(e: &Expr) -> bool {
    bytes(e) <= BYTES && rows(e, true).min(rows(e, false)) <= ROWS && !sized_twice(e)
}

/// The parts that one operation joins.
pub(super) fn parts<'e>(e: &'e Expr, op: BinOp, out: &mut Vec<&'e Expr>) {
    match &e.kind {
        ExprKind::Binary(o, a, b) if *o == op => {
            parts(a, op, out);
            parts(b, op, out);
        }
        _ => out.push(e),
    }
}

impl Steps<'_> {
    /// A value beside a number, as a gateway compares them.
    pub(super) fn beside(&self, op: BinOp, value: Expr, number: u128) -> Expr {
        let parts = if self.whole_values { None } else { parted(op, &value, number) };
        parts.unwrap_or_else(|| compare(op, value, number))
    }

    /// The condition, with flags for its parts if it is too big.
    pub(super) fn small(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        if is_small(e) {
            return e.clone();
        }
        let (op, a) = match &e.kind {
            ExprKind::Unary(UnOp::Not, a) => {
                return Expr {
                    kind: ExprKind::Unary(UnOp::Not, Box::new(self.small(a, w, out))),
                    ..e.clone()
                };
            }
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), ..) => (*op, e),
            _ => return e.clone(),
        };
        let mut list = Vec::new();
        parts(a, op, &mut list);
        let join = |list: Vec<Expr>| {
            let both = |a, b| Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(b)), ..e.clone() };
            list.into_iter().reduce(both)
        };
        // What the parts before a part say, it may take for granted: else nobody asks for its outcome.
        let mut known = w.clone();
        // Parts that fit together are asked at once.
        let (mut groups, mut group): (Vec<Expr>, Vec<Expr>) = (Vec::new(), Vec::new());
        for part in list {
            let part = if is_small(part) { part.clone() } else { self.flag(part, &known, out) };
            known = known.assume(&part, op == BinOp::And);
            let with = join(group.iter().cloned().chain([part.clone()]).collect());
            if !group.is_empty() && !with.as_ref().is_some_and(is_small) {
                groups.extend(join(std::mem::take(&mut group)));
            }
            group.push(part);
        }
        groups.extend(join(group));
        if groups.len() > 1 {
            let mut known = w.clone();
            for group in &mut groups {
                let then = known.assume(group, op == BinOp::And);
                if !matches!(group.kind, ExprKind::Var(_)) {
                    *group = self.flag(group, &known, out);
                }
                known = then;
            }
        }
        match join(groups) {
            Some(whole) if whole != *e => self.small(&whole, w, out),
            _ => e.clone(),
        }
    }

    /// A flag that says whether a condition holds.
    pub(super) fn flag(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let flag = self.step(Type::Bool, e.at);
        self.set(Place::Var(flag), e, e.at, w, out);
        var(flag, Type::Bool, e.at)
    }
}
