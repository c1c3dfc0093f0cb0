//! Packets of some parser states, with which the control is done before anything else.

use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, Stmt, StmtKind};
use pipeline_ir::{Loc, ParserOp, Pipeline, StateId, Transition, Var, VarId, VarKind};

/// Packets that come to one of these parser states are parsed no further, and this is all that is done with them. A flag
/// called `name` tells them.
pub(super) fn aside(p: &mut Pipeline, ids: &[StateId], name: &str, then: Block) {
    let Some(first) = ids.first() else { return };
    let flag = meta(p, name, Type::Bool, p.parser.states[first.index()].at);
    for id in ids {
        let state = &mut p.parser.states[id.index()];
        let at = state.at;
        state.ops = vec![ParserOp::Set { var: flag, value: expr(ExprKind::Bool(true), Type::Bool, at), at }];
        state.next = Transition::Accept;
    }
    let at = p.vars[flag.index()].at;
    let cond = expr(ExprKind::Var(flag), Type::Bool, at);
    p.control.insert(0, when(cond, then, Block::new(), at));
}

/// A variable of parser and control, which nobody else calls so.
pub(super) fn meta(p: &mut Pipeline, name: &str, ty: Type, at: Loc) -> VarId {
    let name = fresh(name, |name| p.vars.iter().any(|v| v.name == name));
    p.vars.push(Var { name, ty, kind: VarKind::Meta, at });
    VarId(p.vars.len() as u32 - 1)
}

/// A name that is not taken.
pub(super) fn fresh(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = name.to_owned();
    while is_taken(&name) {
        name.push('_');
    }
    name
}

pub(super) fn expr(kind: ExprKind, ty: Type, at: Loc) -> Expr {
    Expr { kind, ty, at }
}

pub(super) fn when(cond: Expr, then: Block, otherwise: Block, at: Loc) -> Stmt {
    Stmt { kind: StmtKind::If { cond, then, otherwise }, at }
}
