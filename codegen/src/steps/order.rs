//! Which of two values is less: what is left when one is taken from the other, but never less than 0.
//!
//! ```text
//! a < b          b |-| a != 0
//! a + 20 > b     b |-| a < 20
//! ```
//!
//! `b |-| a` is one operation of a chip, in the values' own width.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::stmt::Block;

use super::Steps;
use super::condition::turned;
use super::values::{narrow, widened};
use crate::p4::worlds::Worlds;

/// The greatest value that an expression can have.
fn most(e: &Expr) -> u128 {
    let mask = e.ty.mask();
    match &e.kind {
        ExprKind::Const(number) => *number,
        ExprKind::Cast(of) => most(of).min(mask),
        ExprKind::Binary(BinOp::Add, a, b) => {
            most(a).checked_add(most(b)).filter(|sum| *sum <= mask).unwrap_or(mask)
        }
        ExprKind::Binary(BinOp::BitAnd, a, b) => most(a).min(most(b)),
        _ => mask,
    }
}

/// A value, and what is added to it; nothing is where the sum could be too big for its type.
fn sum(e: &Expr) -> (&Expr, u128) {
    match &narrow(e).kind {
        ExprKind::Binary(BinOp::Add, a, b) => match (&a.kind, &b.kind) {
            (_, ExprKind::Const(n)) if most(a) + n <= e.ty.mask() => (narrow(a), *n),
            (ExprKind::Const(n), _) if most(b) + n <= e.ty.mask() => (narrow(b), *n),
            _ => (narrow(e), 0),
        },
        _ => (narrow(e), 0),
    }
}

/// The comparison of two values (`<`, `<=`, `>`, `>=`), none of which is a number.
pub(super) fn comparison(
    steps: &mut Steps<'_>,
    op: BinOp,
    a: &Expr,
    b: &Expr,
    w: &Worlds,
    out: &mut Block,
) -> Expr {
    let ((a, more), (b, other)) = (sum(a), sum(b));
    if more < other {
        return left(steps, turned(op), (b, other - more), a, w, out);
    }
    left(steps, op, (a, more - other), b, w, out)
}

/// `a + more` beside `b`.
fn left(
    steps: &mut Steps<'_>,
    op: BinOp,
    (a, more): (&Expr, u128),
    b: &Expr,
    w: &Worlds,
    out: &mut Block,
) -> Expr {
    let at = a.at;
    let ty = if a.ty.width() < b.ty.width() { b.ty } else { a.ty };
    // What is asked of `b |-| a`; without a sum, of `a |-| b` where `b |-| a` does not tell.
    let (from, take, op, number) = match op {
        BinOp::Gt if more == 0 => (a, b, BinOp::Ne, 0),
        BinOp::Le if more == 0 => (a, b, BinOp::Eq, 0),
        BinOp::Lt if more == 0 => (b, a, BinOp::Ne, 0),
        BinOp::Ge if more == 0 => (b, a, BinOp::Eq, 0),
        BinOp::Gt => (b, a, BinOp::Lt, more),
        BinOp::Le => (b, a, BinOp::Ge, more),
        BinOp::Lt => (b, a, BinOp::Gt, more),
        _ => (b, a, BinOp::Le, more),
    };
    if number > ty.mask() {
        let holds = matches!(op, BinOp::Lt | BinOp::Le);
        return Expr { kind: ExprKind::Bool(holds), ty: Type::Bool, at };
    }
    let [from, take] = [from, take].map(|e| {
        let e = if e.ty == ty { e.clone() } else { widened(e, ty) };
        steps.whole(&e, w, out)
    });
    let rest = steps.in_variable(&less(&from, &take), w, out);
    steps.beside(op, rest, number)
}

/// `from |-| take`.
fn less(from: &Expr, take: &Expr) -> Expr {
    let (at, ty) = (from.at, from.ty);
    let both =
        |op, ty| Expr { kind: ExprKind::Binary(op, Box::new(from.clone()), Box::new(take.clone())), ty, at };
    let zero = Expr { kind: ExprKind::Const(0), ty, at };
    let (under, difference) = (both(BinOp::Lt, Type::Bool), both(BinOp::Sub, ty));
    Expr { kind: ExprKind::Mux(Box::new(under), Box::new(zero), Box::new(difference)), ty, at }
}

/// The operands of `from |-| take`.
pub(crate) fn saturating(e: &Expr) -> Option<(&Expr, &Expr)> {
    let ExprKind::Mux(c, zero, d) = &e.kind else { return None };
    match (&c.kind, &zero.kind, &d.kind) {
        (ExprKind::Binary(BinOp::Lt, a, b), ExprKind::Const(0), ExprKind::Binary(BinOp::Sub, x, y)) => {
            (a == x && b == y).then_some((a, b))
        }
        _ => None,
    }
}
