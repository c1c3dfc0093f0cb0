//! What a table's action does itself: the first operation on its data, in the stage of the table.
//!
//! ```p4
//! action ipip4(.., bit<16> mtu) {
//!     meta.step = mtu |-| h.ip4.total_length;
//! }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use p4::ast::{ActionRef, Block as P4Block, Decl, Expr as P4, Stmt as P4Stmt, Table};
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, walk};
use pipeline_ir::{ActionId, Pipeline, VarId, VarKind};

use super::control::Ingress;
use super::plan::vars_of;
use super::worlds::Worlds;
use crate::steps::early::passes;
use crate::steps::order::saturating;

/// What each action sets.
pub(super) type Taken = BTreeMap<ActionId, Vec<(VarId, Expr)>>;

/// Takes out of arms what their actions do.
pub(super) fn take(p: &mut Pipeline) -> Taken {
    let mut arms: BTreeMap<ActionId, u32> = BTreeMap::new();
    walk(&p.control, &mut |s| {
        if let StmtKind::Apply { arms: list, .. } | StmtKind::Stay { arms: list, .. } = &s.kind {
            list.iter().for_each(|a| *arms.entry(a.action).or_default() += 1);
        }
    });
    let mut taken = Taken::new();
    let mut control = std::mem::take(&mut p.control);
    block(p, &mut control, &|a| arms.get(&a) == Some(&1), &mut taken);
    // Actions see what lies in metadata.
    for (var, value) in taken.values().flatten() {
        p.vars[var.index()].kind = VarKind::Meta;
        value.walk(&mut |e| {
            if let ExprKind::Var(v) = e.kind
                && p.var(v).kind == VarKind::Local
            {
                p.vars[v.index()].kind = VarKind::Meta;
            }
        });
    }
    p.control = control;
    taken
}

/// Values that a condition asks for and that take an operation: no gateway computes, so a table of its own sets each.
pub(super) fn apart(p: &mut Pipeline) -> BTreeSet<VarId> {
    let (mut asked, mut found, mut read) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    walk(&p.control, &mut |s| {
        if let StmtKind::If { cond, .. } = &s.kind {
            vars_of(cond, &mut asked);
        }
    });
    walk(&p.control, &mut |s| {
        let StmtKind::Set { place: Place::Var(v), value } = &s.kind else { return };
        let computes = matches!(value.kind, ExprKind::Binary(BinOp::Sub, ..)) || saturating(value).is_some();
        if asked.contains(v) && computes && p.var(*v).kind == VarKind::Local && value.ty != Type::Bool {
            found.insert(*v);
            vars_of(value, &mut read);
        }
    });
    for v in found.iter().chain(&read) {
        if p.var(*v).kind == VarKind::Local {
            p.vars[v.index()].kind = VarKind::Meta;
        }
    }
    found
}

fn block(p: &Pipeline, statements: &mut Block, alone: &dyn Fn(ActionId) -> bool, taken: &mut Taken) {
    for s in statements {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &mut s.kind {
            for arm in arms.iter_mut().filter(|a| alone(a.action)) {
                from_arm(p, arm, taken);
            }
        }
        s.kind.blocks_mut().into_iter().for_each(|inner| block(p, inner, alone, taken));
    }
}

fn from_arm(p: &Pipeline, arm: &mut Arm, taken: &mut Taken) {
    let mut at = 0;
    while at < arm.body.len() {
        let (before, rest) = arm.body.split_at(at);
        match operation(p, arm.action, &rest[0]) {
            Some(found) if before.iter().all(|o| passes(&p.vars, &rest[0], o)) => {
                taken.entry(arm.action).or_default().push(found);
                arm.body.remove(at);
            }
            _ => at += 1,
        }
    }
}

/// One operation on an action's own data and what is known before its table.
fn operation(p: &Pipeline, action: ActionId, s: &Stmt) -> Option<(VarId, Expr)> {
    let StmtKind::Set { place: Place::Var(v), value } = &s.kind else { return None };
    let own = |e: &Expr| matches!(e.kind, ExprKind::Var(v) if p.var(v).kind == VarKind::Param(action));
    let at_hand = |e: &Expr| matches!(e.kind, ExprKind::Var(_) | ExprKind::Field(..) | ExprKind::Const(_));
    let (a, b) = match &value.kind {
        ExprKind::Binary(BinOp::Add | BinOp::Sub | BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor, a, b) => {
            (&**a, &**b)
        }
        _ => saturating(value)?,
    };
    let fits = p.var(*v).kind == VarKind::Local && value.ty != Type::Bool;
    (fits && at_hand(a) && at_hand(b) && (own(a) || own(b))).then(|| (*v, value.clone()))
}

impl Ingress<'_> {
    /// Sets a variable in a table of its own.
    pub(super) fn compute(&mut self, var: VarId, value: &Expr, w: &Worlds) -> P4Block {
        let name = &self.s.names.vars[var.index()];
        let (action, table) = (format!("compute_{name}"), format!("computes_{name}"));
        let body = vec![P4Stmt::assign(self.s.var(var), self.s.value(value, w))];
        self.computes.push(Decl::action(action.clone(), Vec::new(), body));
        let decl = Table::new(table.clone()).actions([ActionRef::new(action.clone())]);
        self.computes.push(decl.const_default_action(P4::call0(action)).size(1u32).into());
        vec![P4Stmt::call(P4::name(table).method0("apply"))]
    }
}
