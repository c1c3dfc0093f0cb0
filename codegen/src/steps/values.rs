//! Values: one operation on operands that are at hand.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Block, Place};

use super::{Steps, var};
use crate::p4::worlds::{Known, Worlds};

/// The value that a cast has widened.
pub(super) fn narrow(e: &Expr) -> &Expr {
    match &e.kind {
        ExprKind::Cast(of) if of.ty != Type::Bool && of.ty.width() <= e.ty.width() => narrow(of),
        _ => e,
    }
}

/// The value with zeros before it.
pub(super) fn widened(e: &Expr, ty: Type) -> Expr {
    Expr { kind: ExprKind::Cast(Box::new(e.clone())), ty, at: e.at }
}

/// A part of an operand.
pub(super) fn slice(of: Expr, hi: u8, lo: u8) -> Expr {
    let (ty, at) = (Type::Bits(hi - lo + 1), of.at);
    let kind = match of.kind {
        _ if lo == 0 && of.ty == ty => return of,
        ExprKind::Const(value) => ExprKind::Const(value >> lo & ty.mask()),
        ExprKind::Slice { of, lo: low, .. } => ExprKind::Slice { of, hi: hi + low, lo: lo + low },
        _ => ExprKind::Slice { of: Box::new(of), hi, lo },
    };
    Expr { kind, ty, at }
}

/// A value that is shifted to the left and loses nothing: put together of it and zeros.
fn shifted(of: &Expr, by: &Expr, ty: Type) -> Option<Expr> {
    let ExprKind::Const(by) = by.kind else { return None };
    let by = u8::try_from(by).ok().filter(|by| *by > 0)?;
    let before = ty.width().checked_sub(of.ty.width())?.checked_sub(by)?;
    let zeros = |bits| Expr { kind: ExprKind::Const(0), ty: Type::Bits(bits), at: of.at };
    let join = |a: Expr, b: Expr| {
        let ty = Type::Bits(a.ty.width() + b.ty.width());
        Expr { kind: ExprKind::Binary(BinOp::Concat, Box::new(a), Box::new(b)), ty, at: of.at }
    };
    let value = join(of.clone(), zeros(by));
    Some(if before == 0 { value } else { join(zeros(before), value) })
}

impl Steps<'_> {
    pub(super) fn operands(&mut self, list: &[Expr], w: &Worlds, out: &mut Block) -> Vec<Expr> {
        list.iter().map(|e| self.operand(e, w, out)).collect()
    }

    /// A value at hand: a number, a variable, a field that is there, a part of one. Else it is put into a variable.
    pub(super) fn operand(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        match &e.kind {
            ExprKind::Const(_) | ExprKind::Bool(_) | ExprKind::Var(_) => e.clone(),
            ExprKind::Field(h, _) if w.header(*h) == Known::Valid => e.clone(),
            ExprKind::Field(h, _) if w.header(*h) == Known::Invalid => {
                Expr { kind: ExprKind::Const(0), ..e.clone() }
            }
            ExprKind::Slice { of, hi, lo } => slice(self.operand(of, w, out), *hi, *lo),
            ExprKind::Cast(of) if of.ty == e.ty => self.operand(of, w, out),
            ExprKind::Cast(of) => match (of.ty, e.ty) {
                (Type::Bits(from), Type::Bits(to)) if to < from => slice(self.operand(of, w, out), to - 1, 0),
                (Type::Bits(_), Type::Bits(_)) if matches!(of.kind, ExprKind::Const(_)) => {
                    Expr { kind: of.kind.clone(), ..e.clone() }
                }
                _ => self.in_variable(e, w, out),
            },
            _ => self.in_variable(e, w, out),
        }
    }

    pub(super) fn in_variable(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let step = self.step(e.ty, e.at);
        self.set(Place::Var(step), e, e.at, w, out);
        var(step, e.ty, e.at)
    }

    /// An operand of arithmetic, which works on whole values.
    pub(super) fn whole(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let e = self.operand(e, w, out);
        if matches!(e.kind, ExprKind::Slice { .. }) { self.in_variable(&e, w, out) } else { e }
    }

    /// A value with one operation at most.
    pub(super) fn operation(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let kind = match &e.kind {
            ExprKind::Unary(UnOp::BitNot, a) => {
                ExprKind::Unary(UnOp::BitNot, Box::new(self.whole(a, w, out)))
            }
            ExprKind::Binary(BinOp::Shl, a, by) if shifted(narrow(a), by, e.ty).is_some() => {
                let parts = shifted(narrow(a), by, e.ty).unwrap_or_else(|| e.clone());
                return self.operation(&parts, w, out);
            }
            ExprKind::Binary(BinOp::Concat, a, b) => {
                let (a, b) = (self.part(a, w, out), self.part(b, w, out));
                ExprKind::Binary(BinOp::Concat, Box::new(a), Box::new(b))
            }
            // Bits are taken one by one, of parts too.
            ExprKind::Binary(op @ (BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor), a, b)
                if e.ty != Type::Bool =>
            {
                let (a, b) = (self.operand(a, w, out), self.operand(b, w, out));
                ExprKind::Binary(*op, Box::new(a), Box::new(b))
            }
            ExprKind::Binary(op, a, b) if e.ty != Type::Bool => {
                let (a, b) = (self.whole(a, w, out), self.whole(b, w, out));
                ExprKind::Binary(*op, Box::new(a), Box::new(b))
            }
            ExprKind::Cast(of) if of.ty.width() < e.ty.width() && of.ty != Type::Bool => {
                ExprKind::Cast(Box::new(self.operand(of, w, out)))
            }
            ExprKind::Builtin(_) => e.kind.clone(),
            _ => return self.operand(e, w, out),
        };
        Expr { kind, ..e.clone() }
    }

    /// A part of a value that is put together: so may its parts be.
    fn part(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        match &e.kind {
            ExprKind::Binary(BinOp::Concat, ..) => self.operation(e, w, out),
            _ => self.operand(e, w, out),
        }
    }
}
