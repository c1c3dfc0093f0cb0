//! Every expression and every place that is written, wherever it stands.

use crate::expr::Expr;
use crate::stmt::{self, Place};
use crate::{Loc, ParserOp, Pipeline, Transition};

/// Calls `visit` on each outermost expression: parser first, then control.
pub(super) fn exprs<'a>(pipeline: &'a Pipeline, visit: &mut impl FnMut(&'a Expr)) {
    for state in &pipeline.parser.states {
        for op in &state.ops {
            if let ParserOp::Set { value, .. } = op {
                visit(value);
            }
        }
        if let Transition::Select { on, .. } = &state.next {
            on.iter().for_each(&mut *visit);
        }
    }
    stmt::walk(&pipeline.control, &mut |s| s.kind.exprs().into_iter().for_each(&mut *visit));
}

/// Calls `visit` on each place that something writes, but for the action data that tables write.
pub(super) fn writes(pipeline: &Pipeline, visit: &mut impl FnMut(Place, Loc)) {
    for op in pipeline.parser.states.iter().flat_map(|s| &s.ops) {
        match op {
            ParserOp::Extract { .. } => {}
            ParserOp::Lookahead { into: var, at, .. } | ParserOp::Set { var, at, .. } => {
                visit(Place::Var(*var), *at);
            }
        }
    }
    stmt::walk(&pipeline.control, &mut |s| {
        if let Some(place) = s.kind.written() {
            visit(place, s.at);
        }
    });
}
