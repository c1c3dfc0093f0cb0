//! Conditions: values at hand, compared with numbers.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Block;

use super::values::{narrow, slice, widened};
use super::{Steps, order, var};
use crate::p4::same;
use crate::p4::worlds::{Known, Worlds};

/// Bits that a condition compares.
const WORD: u8 = 32;

/// The comparison with its sides exchanged.
pub(super) fn turned(op: BinOp) -> BinOp {
    match op {
        BinOp::Lt => BinOp::Gt,
        BinOp::Le => BinOp::Ge,
        BinOp::Gt => BinOp::Lt,
        BinOp::Ge => BinOp::Le,
        other => other,
    }
}

pub(super) fn compare(op: BinOp, a: Expr, number: u128) -> Expr {
    let (at, ty) = (a.at, a.ty);
    let number = Expr { kind: ExprKind::Const(number), ty, at };
    Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(number)), ty: Type::Bool, at }
}

fn denied(e: Expr) -> Expr {
    let at = e.at;
    Expr { kind: ExprKind::Unary(UnOp::Not, Box::new(e)), ty: Type::Bool, at }
}

/// Can a condition ask it as it stands?
fn at_hand(e: &Expr, w: &Worlds) -> bool {
    match &e.kind {
        ExprKind::Var(_) => true,
        ExprKind::Field(h, _) => w.header(*h) == Known::Valid,
        ExprKind::Slice { of, .. } => at_hand(of, w),
        ExprKind::Binary(BinOp::BitAnd, a, b) => {
            matches!(b.kind, ExprKind::Const(_)) && at_hand(a, w)
                || matches!(a.kind, ExprKind::Const(_)) && at_hand(b, w)
        }
        _ => false,
    }
}

impl Steps<'_> {
    /// A condition of parts that each compare a value with a number. Steps that it takes come before it and so know what
    /// `w` says; `inner` is what its own earlier parts add.
    pub(super) fn condition(&mut self, e: &Expr, w: &Worlds, inner: &Worlds, out: &mut Block) -> Expr {
        let kind = match &e.kind {
            ExprKind::Bool(_) | ExprKind::Var(_) | ExprKind::Valid(_) => return e.clone(),
            ExprKind::Unary(UnOp::Not, a) => {
                ExprKind::Unary(UnOp::Not, Box::new(self.condition(a, w, inner, out)))
            }
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let then = inner.assume(a, *op == BinOp::And);
                let (a, b) = (self.condition(a, w, inner, out), self.condition(b, w, &then, out));
                ExprKind::Binary(*op, Box::new(a), Box::new(b))
            }
            ExprKind::Binary(op, a, b) if a.ty == Type::Bool => {
                let both = |op, a: &Expr, b: &Expr| Expr {
                    kind: ExprKind::Binary(op, Box::new(a.clone()), Box::new(b.clone())),
                    ..e.clone()
                };
                let (not_a, not_b) = (denied((**a).clone()), denied((**b).clone()));
                let equal = both(BinOp::Or, &both(BinOp::And, a, b), &both(BinOp::And, &not_a, &not_b));
                return self.condition(&if *op == BinOp::Eq { equal } else { denied(equal) }, w, inner, out);
            }
            ExprKind::Binary(op, a, b) => return self.comparison(*op, a, b, inner, out),
            _ => return self.in_variable(e, w, out),
        };
        Expr { kind, ..e.clone() }
    }

    /// Steps of a comparison may read what is only there when the comparison counts: else nobody asks for its outcome.
    fn comparison(&mut self, op: BinOp, a: &Expr, b: &Expr, inner: &Worlds, out: &mut Block) -> Expr {
        match (&a.kind, &b.kind) {
            (ExprKind::Const(number), _) => self.with_number(turned(op), b, *number, inner, out),
            (_, ExprKind::Const(number)) => self.with_number(op, a, *number, inner, out),
            _ if same::exprs(a, b) => {
                let holds = matches!(op, BinOp::Eq | BinOp::Le | BinOp::Ge);
                Expr { kind: ExprKind::Bool(holds), ty: Type::Bool, at: a.at }
            }
            _ if matches!(op, BinOp::Eq | BinOp::Ne) => self.equality(op, narrow(a), narrow(b), inner, out),
            _ => order::comparison(self, op, a, b, inner, out),
        }
    }

    /// Are two values the same? Word by word, where they are wider than a condition compares.
    fn equality(&mut self, op: BinOp, a: &Expr, b: &Expr, inner: &Worlds, out: &mut Block) -> Expr {
        let (at, ty) = (a.at, if a.ty.width() < b.ty.width() { b.ty } else { a.ty });
        let [a, b] = [a, b].map(|e| if e.ty == ty { e.clone() } else { widened(e, ty) });
        let join = if op == BinOp::Eq { BinOp::And } else { BinOp::Or };
        let words = (0..ty.width()).step_by(WORD.into()).map(|low| {
            let high = (low + WORD - 1).min(ty.width() - 1);
            let [a, b] = [&a, &b].map(|e| self.operand(&slice(e.clone(), high, low), inner, out));
            Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(b)), ty: Type::Bool, at }
        });
        let words: Vec<Expr> = words.collect();
        let both = |a, b| Expr { kind: ExprKind::Binary(join, Box::new(a), Box::new(b)), ty: Type::Bool, at };
        words.into_iter().reduce(both).unwrap_or(Expr { kind: ExprKind::Bool(true), ty: Type::Bool, at })
    }

    fn with_number(&mut self, op: BinOp, a: &Expr, number: u128, inner: &Worlds, out: &mut Block) -> Expr {
        let a = narrow(a);
        let (op, number) = match (op, number) {
            (BinOp::Ge, 1) => (BinOp::Ne, 0),
            (BinOp::Lt, 1) => (BinOp::Eq, 0),
            asked => asked,
        };
        let always = |holds| Expr { kind: ExprKind::Bool(holds), ty: Type::Bool, at: a.at };
        if number > a.ty.mask() {
            return always(matches!(op, BinOp::Ne | BinOp::Lt | BinOp::Le));
        }
        match &a.kind {
            ExprKind::Field(h, _) if inner.header(*h) == Known::Invalid => {
                let holds = match op {
                    BinOp::Eq => number == 0,
                    BinOp::Ne => number != 0,
                    BinOp::Lt => 0 < number,
                    BinOp::Gt => false,
                    BinOp::Ge => number == 0,
                    _ => true,
                };
                always(holds)
            }
            // Whether the header is there is asked with it.
            ExprKind::Field(..) if number != 0 && matches!(op, BinOp::Eq | BinOp::Ne) => {
                compare(op, a.clone(), number)
            }
            _ if at_hand(a, inner) => self.beside(op, a.clone(), number),
            _ => {
                let a = self.operand(a, inner, out);
                let a = match a.kind {
                    ExprKind::Const(_) => {
                        let step = self.step(a.ty, a.at);
                        let (ty, at) = (a.ty, a.at);
                        let place = pipeline_ir::stmt::Place::Var(step);
                        self.set(place, &a, at, inner, out);
                        var(step, ty, at)
                    }
                    _ => a,
                };
                self.beside(op, a, number)
            }
        }
    }
}
