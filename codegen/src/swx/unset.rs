//! Variables that may be read before they are written: those are set to 0 when a packet enters, since SWX's metadata
//! keep what an earlier packet left there.

use std::collections::BTreeSet;

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Arm, Block, Place, StmtKind};
use pipeline_ir::{Action, ParserOp, Pipeline, Transition, VarId};

type Set = BTreeSet<VarId>;

/// Those variables, in their order.
pub(super) fn unset(p: &Pipeline) -> Vec<VarId> {
    let mut found = Found { p, unset: Set::new() };
    // What the parser touches may be unset on another way through it.
    for state in &p.parser.states {
        for op in &state.ops {
            match op {
                ParserOp::Extract { .. } => {}
                ParserOp::Lookahead { into, .. } => {
                    found.unset.insert(*into);
                }
                ParserOp::Set { var, value, .. } => {
                    found.unset.insert(*var);
                    found.reads(value, &Set::new());
                }
            }
        }
        if let Transition::Select { on, .. } = &state.next {
            on.iter().for_each(|e| found.reads(e, &Set::new()));
        }
    }
    found.block(&p.control, Some(Set::new()));
    found.unset.into_iter().collect()
}

struct Found<'a> {
    p: &'a Pipeline,
    unset: Set,
}

impl Found<'_> {
    fn reads(&mut self, e: &Expr, set: &Set) {
        e.walk(&mut |e| {
            if let ExprKind::Var(v) = e.kind
                && !set.contains(&v)
            {
                self.unset.insert(v);
            }
        });
    }

    /// What is set behind a block; none: no way leads there.
    fn block(&mut self, block: &Block, mut set: Option<Set>) -> Option<Set> {
        for stmt in block {
            set = self.stmt(&stmt.kind, set?);
        }
        set
    }

    fn stmt(&mut self, kind: &StmtKind, mut set: Set) -> Option<Set> {
        for e in kind.exprs() {
            self.reads(e, &set);
        }
        match kind {
            StmtKind::Verdict(_) => return None,
            StmtKind::If { then, otherwise, .. } => {
                let (a, b) = (self.block(then, Some(set.clone())), self.block(otherwise, Some(set)));
                return both(a, b);
            }
            StmtKind::Apply { arms, .. } => return self.arms(arms, &set),
            StmtKind::Stay { id, select, arms, .. } => {
                self.block(select, Some(set.clone()));
                set.insert(*id);
                return self.arms(arms, &set);
            }
            StmtKind::Remember { id: v, .. } | StmtKind::Adjust { place: Place::Var(v), .. } => {
                if !set.contains(v) {
                    self.unset.insert(*v);
                }
            }
            _ => {
                if let Some(Place::Var(v)) = kind.written() {
                    set.insert(v);
                }
            }
        }
        Some(set)
    }

    fn arms(&mut self, arms: &[Arm], set: &Set) -> Option<Set> {
        let mut out = None;
        for arm in arms {
            let mut set = set.clone();
            set.extend(self.p.actions.get(arm.action.index()).map(params).into_iter().flatten());
            let after = self.block(&arm.body, Some(set));
            out = both(out, after);
        }
        out
    }
}

fn params(action: &Action) -> Vec<VarId> {
    action.params.clone()
}

/// What is set on both ways.
fn both(a: Option<Set>, b: Option<Set>) -> Option<Set> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.intersection(&b).copied().collect()),
        (a, b) => a.or(b),
    }
}
