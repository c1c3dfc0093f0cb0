//! Actions that do what their arms say.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::expr::ExprKind;
use pipeline_ir::stmt::{Arm, Place, Stmt, StmtKind, Verdict, any, walk};
use pipeline_ir::{ActionId, Pipeline, VarId};

use super::means::Means;
use super::plan::{Plan, mentions, vars_of};
use super::same;
use crate::steps::decide::is_set;
use crate::steps::early::mentioned;

impl Plan {
    /// An action absorbs its arms if they all say the same, and only compute metadata from metadata and from the
    /// action's own data, which nothing else reads.
    pub(super) fn absorb(&mut self, p: &Pipeline, means: Means) {
        let does = if means.steps { is_set } else { |block: &[Stmt]| block.iter().all(is_simple) };
        let mut arms: BTreeMap<ActionId, Vec<&Arm>> = BTreeMap::new();
        walk(&p.control, &mut |s| {
            if let StmtKind::Apply { arms: list, .. } | StmtKind::Stay { arms: list, .. } = &s.kind {
                for arm in list {
                    arms.entry(arm.action).or_default().push(arm);
                }
            }
        });
        let waited = if means.steps { waited_for(p) } else { BTreeSet::new() };
        for (action, list) in arms {
            let Some(first) = list.first() else { continue };
            if waited.contains(&action) {
                continue;
            }
            if !first.body.is_empty() && is_stay_default(p, action) {
                continue;
            }
            let alike = list.iter().all(|a| same::blocks(&a.body, &first.body));
            if !alike || !does(&first.body) {
                continue;
            }
            let own: BTreeSet<VarId> = p.actions[action.index()].params.iter().copied().collect();
            let mut inside = 0;
            let mut outside = 0;
            list.iter().for_each(|a| inside += mentions(&a.body, &own));
            outside += mentions(&p.control, &own);
            if inside == outside {
                self.absorbed.insert(action);
                for stmt in &first.body {
                    if let StmtKind::Set { place: Place::Var(v), value } = &stmt.kind {
                        self.in_metadata.insert(*v);
                        vars_of(value, &mut self.in_metadata);
                    }
                }
                own.iter().for_each(|v| {
                    self.in_metadata.remove(v);
                });
            }
        }
    }
}

/// Can a `stay` meet this action in vain? Its arm then waits for the second pass.
fn is_stay_default(p: &Pipeline, action: ActionId) -> bool {
    let asks =
        |s: &StmtKind| matches!(s, StmtKind::Stay { table, .. } if p.tables[table.index()].default == action);
    any(&p.control, asks)
}

fn is_simple(s: &Stmt) -> bool {
    let StmtKind::Set { place: Place::Var(_), value } = &s.kind else { return false };
    !value.any(|e| matches!(e.kind, ExprKind::Field(..) | ExprKind::Valid(_) | ExprKind::Builtin(_)))
}

/// What two statements can meet in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meets {
    Var(VarId),
    Dropped,
    Sent,
}

fn verdict(s: &Stmt) -> Option<Meets> {
    match &s.kind {
        StmtKind::Verdict(Verdict::Drop(_)) => Some(Meets::Dropped),
        StmtKind::Verdict(_) => Some(Meets::Sent),
        _ => None,
    }
}

/// Actions that set what is set or asked in another arm of their table by more than an action: it would wait for the table,
/// though no packet comes to both.
fn waited_for(p: &Pipeline) -> BTreeSet<ActionId> {
    let mut found = BTreeSet::new();
    walk(&p.control, &mut |s| {
        let (StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. }) = &s.kind else { return };
        let (sets, others): (Vec<&Arm>, Vec<&Arm>) = arms.iter().partition(|a| is_set(&a.body));
        let mut asked = BTreeSet::new();
        for arm in others {
            walk(&arm.body, &mut |s| {
                asked.extend(mentioned(s).into_iter().map(Meets::Var).chain(verdict(s)));
            });
        }
        for arm in sets {
            let written = arm.body.iter().filter_map(|s| match s.kind.written() {
                Some(Place::Var(v)) => Some(Meets::Var(v)),
                _ => verdict(s),
            });
            if written.into_iter().any(|w| asked.contains(&w)) {
                found.insert(arm.action);
            }
        }
    });
    found
}
