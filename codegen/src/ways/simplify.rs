//! Expressions, given what is known.

use super::facts::{Facts, negated};
use super::values::Values;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::{Loc, Pipeline};

/// The expression with everything folded that is the same in all worlds, and what it can be in each.
pub(crate) fn simplify(p: &Pipeline, worlds: &[Facts], e: &Expr) -> (Expr, Vec<Values>) {
    let (operands, values): (Vec<Expr>, Vec<Vec<Values>>) = match &e.kind {
        ExprKind::Unary(_, a) | ExprKind::Cast(a) | ExprKind::Slice { of: a, .. } => {
            vec![simplify(p, worlds, a)]
        }
        ExprKind::Binary(_, a, b) => vec![simplify(p, worlds, a), simplify(p, worlds, b)],
        ExprKind::Mux(c, a, b) => {
            vec![simplify(p, worlds, c), simplify(p, worlds, a), simplify(p, worlds, b)]
        }
        _ => Vec::new(),
    }
    .into_iter()
    .unzip();
    let here = |i: usize| values.iter().filter_map(|v: &Vec<Values>| v.get(i).cloned()).collect::<Vec<_>>();
    let values: Vec<Values> = worlds
        .iter()
        .enumerate()
        .map(|(i, world)| settled(p, world, e, world.combine(p, e, &here(i))))
        .collect();
    let simple = match together(&values).and_then(|v| v.only()) {
        Some(v) => constant(v, e.ty, e.at),
        None => rewrite(e, operands),
    };
    (simple, values)
}

/// Conditions that can't hold together, or not together fail, are settled though each alone is open.
fn settled(p: &Pipeline, world: &Facts, e: &Expr, values: Values) -> Values {
    let both = matches!(e.kind, ExprKind::Binary(BinOp::And | BinOp::Or, ..)) && values.only().is_none();
    match both {
        true if world.clone().given(p, e, true).is_none() => Values::one(0),
        true if world.clone().given(p, e, false).is_none() => Values::one(1),
        _ => values,
    }
}

/// What it can be in any world; none, if there is no world.
pub(super) fn together(values: &[Values]) -> Option<Values> {
    values.iter().cloned().reduce(|a, b| a.join(&b))
}

fn constant(value: u128, ty: Type, at: Loc) -> Expr {
    let kind = match ty {
        Type::Bool => ExprKind::Bool(value == 1),
        Type::Bits(_) => ExprKind::Const(value),
    };
    Expr { kind, ty, at }
}

/// The value of an expression that is a constant.
fn known(e: &Expr) -> Option<u128> {
    match e.kind {
        ExprKind::Const(v) => Some(v),
        ExprKind::Bool(b) => Some(u128::from(b)),
        _ => None,
    }
}

/// The expression with these operands, which are as simple as they can be.
fn rewrite(e: &Expr, operands: Vec<Expr>) -> Expr {
    let of = |kind| Expr { kind, ty: e.ty, at: e.at };
    let mut operands = operands.into_iter();
    match (&e.kind, operands.next(), operands.next(), operands.next()) {
        (ExprKind::Unary(UnOp::Not, _), Some(a), ..) => negate(a),
        (ExprKind::Unary(UnOp::BitNot, _), Some(a), ..) => match a.kind {
            ExprKind::Unary(UnOp::BitNot, inner) => *inner,
            _ => of(ExprKind::Unary(UnOp::BitNot, Box::new(a))),
        },
        (ExprKind::Cast(_), Some(a), ..) if a.ty == e.ty => a,
        (ExprKind::Cast(_), Some(a), ..) => of(ExprKind::Cast(Box::new(a))),
        (ExprKind::Slice { .. }, Some(a), ..) if a.ty == e.ty => a,
        (ExprKind::Slice { hi, lo, .. }, Some(a), ..) => {
            of(ExprKind::Slice { of: Box::new(a), hi: *hi, lo: *lo })
        }
        (ExprKind::Binary(op, ..), Some(a), Some(b), _) => two(e, *op, a, b),
        (ExprKind::Mux(..), Some(c), Some(a), Some(b)) => mux(e, c, a, b),
        _ => e.clone(),
    }
}

/// Where the condition doesn't hold.
pub(super) fn negate(e: Expr) -> Expr {
    let Expr { kind, ty, at } = e;
    let kind = match kind {
        ExprKind::Unary(UnOp::Not, inner) => return *inner,
        ExprKind::Bool(b) => ExprKind::Bool(!b),
        ExprKind::Binary(op, a, b) => match negated(op) {
            Some(op) => ExprKind::Binary(op, a, b),
            None => ExprKind::Unary(UnOp::Not, Box::new(Expr { kind: ExprKind::Binary(op, a, b), ty, at })),
        },
        kind => ExprKind::Unary(UnOp::Not, Box::new(Expr { kind, ty, at })),
    };
    Expr { kind, ty, at }
}

/// `a op b`, where that is not simply one of them.
fn two(e: &Expr, op: BinOp, a: Expr, b: Expr) -> Expr {
    let (left, right) = (known(&a), known(&b));
    let ones = Some(e.ty.mask());
    match op {
        BinOp::And | BinOp::BitAnd if left == ones => b,
        BinOp::And | BinOp::BitAnd if right == ones => a,
        BinOp::Or | BinOp::BitOr | BinOp::BitXor | BinOp::Add if left == Some(0) => b,
        BinOp::Or | BinOp::BitOr | BinOp::BitXor | BinOp::Add | BinOp::Sub | BinOp::Shl | BinOp::Shr
            if right == Some(0) =>
        {
            a
        }
        BinOp::Mul if left == Some(1) => b,
        BinOp::Mul if right == Some(1) => a,
        BinOp::Eq | BinOp::Ne if a.ty == Type::Bool && right.is_some() => asked(op, a, right),
        BinOp::Eq | BinOp::Ne if a.ty == Type::Bool && left.is_some() => asked(op, b, left),
        _ => Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(b)), ty: e.ty, at: e.at },
    }
}

/// A bool compared with a constant.
fn asked(op: BinOp, e: Expr, constant: Option<u128>) -> Expr {
    if (op == BinOp::Eq) == (constant == Some(1)) { e } else { negate(e) }
}

fn mux(e: &Expr, c: Expr, a: Expr, b: Expr) -> Expr {
    match (known(&c), known(&a), known(&b)) {
        (Some(1), ..) => a,
        (Some(_), ..) => b,
        (_, Some(x), Some(y)) if x == y => a,
        (_, Some(1), Some(0)) if e.ty == Type::Bool => c,
        (_, Some(0), Some(1)) if e.ty == Type::Bool => negate(c),
        _ => {
            let kind = ExprKind::Mux(Box::new(c), Box::new(a), Box::new(b));
            Expr { kind, ty: e.ty, at: e.at }
        }
    }
}
