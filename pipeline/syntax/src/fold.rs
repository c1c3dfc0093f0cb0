//! Constant folding: what is known at compile time is computed here, by the IR's own rules.

use pipeline_ir::Loc;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};

use crate::lower::Val;

/// Two numbers without widths; `None` where the result is no number of 0 to 128 bits.
pub(crate) fn numbers(op: BinOp, a: u128, b: u128) -> Option<Val> {
    let truth = |t| Some(Val::Expr(Expr { kind: ExprKind::Bool(t), ty: Type::Bool, at: Loc::default() }));
    let number = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::BitAnd => Some(a & b),
        BinOp::BitOr => Some(a | b),
        BinOp::BitXor => Some(a ^ b),
        BinOp::Shl => {
            let by = u32::try_from(b).ok().filter(|by| a == 0 || *by <= a.leading_zeros())?;
            Some(a.checked_shl(by).unwrap_or(0))
        }
        BinOp::Shr => Some(u32::try_from(b).ok().and_then(|by| a.checked_shr(by)).unwrap_or(0)),
        BinOp::Eq => return truth(a == b),
        BinOp::Ne => return truth(a != b),
        BinOp::Lt => return truth(a < b),
        BinOp::Le => return truth(a <= b),
        BinOp::Gt => return truth(a > b),
        BinOp::Ge => return truth(a >= b),
        BinOp::Concat | BinOp::And | BinOp::Or => None,
    };
    number.map(Val::Num)
}

/// One operand.
pub(crate) fn unary(op: UnOp, a: Expr, at: Loc) -> Expr {
    let ty = a.ty;
    let kind = match (op, &a.kind) {
        (UnOp::Not, ExprKind::Bool(b)) => ExprKind::Bool(!b),
        (UnOp::BitNot, ExprKind::Const(n)) => ExprKind::Const(!n & ty.mask()),
        _ => ExprKind::Unary(op, Box::new(a)),
    };
    Expr { kind, ty, at }
}

/// Two operands of one type (a shift: the right one is a constant); `ty` is the result's.
pub(crate) fn binary(op: BinOp, a: Expr, b: Expr, ty: Type, at: Loc) -> Expr {
    let folded = match (&a.kind, &b.kind) {
        (ExprKind::Const(x), ExprKind::Const(y)) => constants(op, *x, *y, b.ty.width(), ty),
        (ExprKind::Bool(x), ExprKind::Bool(y)) => match op {
            BinOp::And => Some(ExprKind::Bool(*x && *y)),
            BinOp::Or => Some(ExprKind::Bool(*x || *y)),
            BinOp::Eq => Some(ExprKind::Bool(x == y)),
            BinOp::Ne => Some(ExprKind::Bool(x != y)),
            _ => None,
        },
        _ => None,
    };
    let kind = folded.unwrap_or_else(|| ExprKind::Binary(op, Box::new(a), Box::new(b)));
    Expr { kind, ty, at }
}

fn constants(op: BinOp, x: u128, y: u128, right: u8, ty: Type) -> Option<ExprKind> {
    let shifted =
        |f: fn(u128, u32) -> Option<u128>| u32::try_from(y).ok().and_then(|by| f(x, by)).unwrap_or(0);
    let number = match op {
        BinOp::Add => x.wrapping_add(y),
        BinOp::Sub => x.wrapping_sub(y),
        BinOp::Mul => x.wrapping_mul(y),
        BinOp::BitAnd => x & y,
        BinOp::BitOr => x | y,
        BinOp::BitXor => x ^ y,
        BinOp::Shl => shifted(u128::checked_shl),
        BinOp::Shr => shifted(u128::checked_shr),
        BinOp::Concat => x.checked_shl(u32::from(right)).unwrap_or(0) | y,
        BinOp::Eq => return Some(ExprKind::Bool(x == y)),
        BinOp::Ne => return Some(ExprKind::Bool(x != y)),
        BinOp::Lt => return Some(ExprKind::Bool(x < y)),
        BinOp::Le => return Some(ExprKind::Bool(x <= y)),
        BinOp::Gt => return Some(ExprKind::Bool(x > y)),
        BinOp::Ge => return Some(ExprKind::Bool(x >= y)),
        BinOp::And | BinOp::Or => return None,
    };
    Some(ExprKind::Const(number & ty.mask()))
}

/// A cast to an integer type.
pub(crate) fn cast(e: Expr, ty: Type, at: Loc) -> Expr {
    let kind = match e.kind {
        ExprKind::Const(n) => ExprKind::Const(n & ty.mask()),
        ExprKind::Bool(b) => ExprKind::Const(u128::from(b)),
        _ => ExprKind::Cast(Box::new(e)),
    };
    Expr { kind, ty, at }
}

/// Bits `hi` to `lo`.
pub(crate) fn slice(of: Expr, hi: u8, lo: u8, at: Loc) -> Expr {
    let ty = Type::Bits(hi - lo + 1);
    let kind = match of.kind {
        ExprKind::Const(n) => ExprKind::Const(n >> lo & ty.mask()),
        _ => ExprKind::Slice { of: Box::new(of), hi, lo },
    };
    Expr { kind, ty, at }
}
