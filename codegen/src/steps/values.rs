//! Values: one operation on operands that are at hand.

use pipeline_ir::Loc;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Block, Place};

use super::{Steps, var};
use crate::p4::worlds::{Known, Worlds};

/// Bits that a value has at most to be widened as it is.
const LONG: u8 = 64;

/// The value that a cast has widened.
pub(crate) fn narrow(e: &Expr) -> &Expr {
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
    let zeros = |bits| zeros(bits, of.at);
    let value = join(of.clone(), zeros(by));
    Some(if before == 0 { value } else { join(zeros(before), value) })
}

/// Two values put together; numbers make a number.
pub(super) fn join(a: Expr, b: Expr) -> Expr {
    let (ty, at) = (Type::Bits(a.ty.width() + b.ty.width()), a.at);
    let kind = match (&a.kind, &b.kind) {
        (ExprKind::Const(high), ExprKind::Const(low)) => ExprKind::Const(high << b.ty.width() | low),
        _ => ExprKind::Binary(BinOp::Concat, Box::new(a), Box::new(b)),
    };
    Expr { kind, ty, at }
}

fn zeros(bits: u8, at: Loc) -> Expr {
    Expr { kind: ExprKind::Const(0), ty: Type::Bits(bits), at }
}

/// An operation on bits that leaves the high part of a long value as it is, or clears it: operation, value, and what the
/// low part meets. Zeros before a value would take containers that no unit writes.
fn in_parts<'e>(op: BinOp, a: &'e Expr, b: &'e Expr) -> Option<(BinOp, &'e Expr, &'e Expr)> {
    let is = |e: &Expr| e.ty.width() > LONG && narrow(e).ty.width() < e.ty.width();
    if !matches!(op, BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor) {
        return None;
    }
    match (is(a), is(b)) {
        (_, true) => Some((op, a, narrow(b))),
        (true, false) => Some((op, b, narrow(a))),
        (false, false) => None,
    }
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
            ExprKind::Binary(op, a, b) if in_parts(*op, a, b).is_some() => {
                let (op, a, b) = in_parts(*op, a, b).unwrap_or((*op, &**a, &**b));
                let low = b.ty.width();
                let (a, b) = (self.operand(a, w, out), self.operand(b, w, out));
                let high = if op == BinOp::BitAnd {
                    zeros(e.ty.width() - low, e.at)
                } else {
                    slice(a.clone(), e.ty.width() - 1, low)
                };
                let kind = ExprKind::Binary(op, Box::new(slice(a, low - 1, 0)), Box::new(b));
                let low = Expr { kind, ty: Type::Bits(low), at: e.at };
                ExprKind::Binary(BinOp::Concat, Box::new(high), Box::new(low))
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
            ExprKind::Cast(of) if matches!(of.kind, ExprKind::Builtin(_)) => e.kind.clone(),
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
