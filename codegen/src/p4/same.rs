//! Equality of statements and expressions, wherever they stand in the source.

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Stmt, StmtKind};

/// Are two blocks of assignments the same?
pub(crate) fn blocks(a: &[Stmt], b: &[Stmt]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| stmts(a, b))
}

fn stmts(a: &Stmt, b: &Stmt) -> bool {
    match (&a.kind, &b.kind) {
        (StmtKind::Set { place: p, value: v }, StmtKind::Set { place: q, value: w }) => p == q && exprs(v, w),
        (a, b) => a == b,
    }
}

/// Are two expressions the same?
pub(crate) fn exprs(a: &Expr, b: &Expr) -> bool {
    a.ty == b.ty
        && match (&a.kind, &b.kind) {
            (ExprKind::Unary(o, x), ExprKind::Unary(q, y)) => o == q && exprs(x, y),
            (ExprKind::Binary(o, x, y), ExprKind::Binary(q, v, w)) => o == q && exprs(x, v) && exprs(y, w),
            (ExprKind::Slice { of: x, hi, lo }, ExprKind::Slice { of: y, hi: h, lo: l }) => {
                hi == h && lo == l && exprs(x, y)
            }
            (ExprKind::Cast(x), ExprKind::Cast(y)) => exprs(x, y),
            (ExprKind::Mux(c, x, y), ExprKind::Mux(d, v, w)) => exprs(c, d) && exprs(x, v) && exprs(y, w),
            (a, b) => a == b,
        }
}
