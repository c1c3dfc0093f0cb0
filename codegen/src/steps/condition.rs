//! Conditions: values at hand, compared with numbers.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Block;

use super::values::narrow;
use super::{Steps, var};
use crate::p4::same;
use crate::p4::worlds::{Known, Worlds};

/// The comparison with its sides exchanged.
fn turned(op: BinOp) -> BinOp {
    match op {
        BinOp::Lt => BinOp::Gt,
        BinOp::Le => BinOp::Ge,
        BinOp::Gt => BinOp::Lt,
        BinOp::Ge => BinOp::Le,
        other => other,
    }
}

fn compare(op: BinOp, a: Expr, number: u128) -> Expr {
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

impl Steps {
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
            ExprKind::Binary(op, a, b) => return self.comparison(*op, a, b, w, inner, out),
            _ => return self.in_variable(e, w, out),
        };
        Expr { kind, ..e.clone() }
    }

    fn comparison(
        &mut self,
        op: BinOp,
        a: &Expr,
        b: &Expr,
        w: &Worlds,
        inner: &Worlds,
        out: &mut Block,
    ) -> Expr {
        match (&a.kind, &b.kind) {
            (ExprKind::Const(number), _) => self.with_number(turned(op), b, *number, w, inner, out),
            (_, ExprKind::Const(number)) => self.with_number(op, a, *number, w, inner, out),
            _ if same::exprs(a, b) => {
                let holds = matches!(op, BinOp::Eq | BinOp::Le | BinOp::Ge);
                Expr { kind: ExprKind::Bool(holds), ty: Type::Bool, at: a.at }
            }
            _ if matches!(op, BinOp::Eq | BinOp::Ne) => {
                let differ = BinOp::BitXor;
                let differ =
                    ExprKind::Binary(differ, Box::new(narrow(a).clone()), Box::new(narrow(b).clone()));
                let ty = if narrow(a).ty == narrow(b).ty { narrow(a).ty } else { a.ty };
                let differ = match ty == a.ty {
                    true => ExprKind::Binary(BinOp::BitXor, Box::new(a.clone()), Box::new(b.clone())),
                    false => differ,
                };
                let differ = Expr { kind: differ, ty, at: a.at };
                compare(op, self.in_variable(&differ, w, out), 0)
            }
            _ => self.order(op, a, b, w, out),
        }
    }

    /// Which of two values is less: the sign of their difference, in the next wider number. There is none of 129 bits.
    fn order(&mut self, op: BinOp, a: &Expr, b: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let (a, b) = (narrow(a), narrow(b));
        let wide = a.ty.width().max(b.ty.width());
        if wide == 128 {
            let (a, b) = (self.operand(a, w, out), self.operand(b, w, out));
            let at = a.at;
            let kind = ExprKind::Binary(op, Box::new(a), Box::new(b));
            return Expr { kind, ty: Type::Bool, at };
        }
        let (a, b) = if matches!(op, BinOp::Gt | BinOp::Le) { (b, a) } else { (a, b) };
        let bits = match wide {
            0..8 => 8,
            8..16 => 16,
            16..32 => 32,
            more => more + 1,
        };
        let wide =
            |e: &Expr| Expr { kind: ExprKind::Cast(Box::new(e.clone())), ty: Type::Bits(bits), at: e.at };
        let less = ExprKind::Binary(BinOp::Sub, Box::new(wide(a)), Box::new(wide(b)));
        let less = self.in_variable(&Expr { kind: less, ty: Type::Bits(bits), at: a.at }, w, out);
        let at = less.at;
        let sign = ExprKind::Slice { of: Box::new(less), hi: bits - 1, lo: bits - 1 };
        let is = u128::from(matches!(op, BinOp::Lt | BinOp::Gt));
        compare(BinOp::Eq, Expr { kind: sign, ty: Type::Bits(1), at }, is)
    }

    fn with_number(
        &mut self,
        op: BinOp,
        a: &Expr,
        number: u128,
        w: &Worlds,
        inner: &Worlds,
        out: &mut Block,
    ) -> Expr {
        let a = narrow(a);
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
            _ if at_hand(a, inner) => compare(op, a.clone(), number),
            _ => {
                let a = self.operand(a, w, out);
                let a = match a.kind {
                    ExprKind::Const(_) => {
                        let step = self.step(a.ty, a.at);
                        let (ty, at) = (a.ty, a.at);
                        let place = pipeline_ir::stmt::Place::Var(step);
                        self.set(place, &a, at, w, out);
                        var(step, ty, at)
                    }
                    _ => a,
                };
                compare(op, a, number)
            }
        }
    }
}
