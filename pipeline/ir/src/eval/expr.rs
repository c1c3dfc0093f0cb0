//! Values of expressions. A bool is 0 or 1.

use super::packet::Packet;
use crate::Pipeline;
use crate::expr::{BinOp, Builtin, Expr, ExprKind, UnOp};

/// What an expression can see.
pub(super) struct Scope<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) packet: &'a Packet,
    pub(super) vars: &'a [u128],
    pub(super) port: u32,
}

impl Scope<'_> {
    /// The value of an expression.
    pub(super) fn value(&self, e: &Expr) -> u128 {
        let value = match &e.kind {
            ExprKind::Const(v) => *v,
            ExprKind::Bool(b) => u128::from(*b),
            ExprKind::Field(h, f) => self.packet.field(self.pipeline, *h, *f),
            ExprKind::Var(v) => self.vars[v.index()],
            ExprKind::Valid(h) => u128::from(self.packet.valid(*h)),
            ExprKind::Builtin(Builtin::IngressPort) => u128::from(self.port),
            ExprKind::Builtin(Builtin::FrameLength) => self.packet.frame_length() as u128,
            // Both are the complement of every bit of the type; a bool has one.
            ExprKind::Unary(UnOp::Not | UnOp::BitNot, a) => !self.value(a),
            ExprKind::Binary(op, a, b) => binary(*op, self.value(a), self.value(b), b.ty.width()),
            ExprKind::Slice { of, lo, .. } => self.value(of) >> lo,
            ExprKind::Cast(a) => self.value(a),
            ExprKind::Mux(c, a, b) => self.value(if self.value(c) == 1 { a } else { b }),
        };
        value & e.ty.mask()
    }
}

/// Before it is cut to the type; `right` is the width of `b`.
fn binary(op: BinOp, a: u128, b: u128, right: u8) -> u128 {
    let shift = u32::try_from(b).unwrap_or(u32::MAX);
    match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::BitAnd | BinOp::And => a & b,
        BinOp::BitOr | BinOp::Or => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Shl => a.checked_shl(shift).unwrap_or(0),
        BinOp::Shr => a.checked_shr(shift).unwrap_or(0),
        BinOp::Concat => a.checked_shl(u32::from(right)).unwrap_or(0) | b,
        BinOp::Eq => u128::from(a == b),
        BinOp::Ne => u128::from(a != b),
        BinOp::Lt => u128::from(a < b),
        BinOp::Le => u128::from(a <= b),
        BinOp::Gt => u128::from(a > b),
        BinOp::Ge => u128::from(a >= b),
    }
}
