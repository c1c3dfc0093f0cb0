//! Equality of statements and expressions, wherever they stand in the source.

use pipeline_ir::Loc;
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Block, Stmt, StmtKind};

/// Are two blocks the same?
pub(crate) fn blocks(a: &[Stmt], b: &[Stmt]) -> bool {
    plain(a) == plain(b)
}

/// The block, standing nowhere.
fn plain(block: &[Stmt]) -> Block {
    let mut block = block.to_vec();
    for s in &mut block {
        s.at = Loc::default();
        s.kind.exprs_mut().into_iter().for_each(|e| e.walk_mut(&mut |e| e.at = Loc::default()));
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &mut s.kind {
            arms.iter_mut().for_each(|a| a.at = Loc::default());
        }
        s.kind.blocks_mut().into_iter().for_each(|inner| *inner = plain(inner));
    }
    block
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
