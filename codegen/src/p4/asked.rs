//! Variables that only conditions ask. A chip's compiler packs small ones into one container, and steps that change
//! different parts of a container take a stage each; these need not lie beside others, so each has a container of its own.
//! What is copied into packets must be packed as the headers are.

use std::collections::BTreeSet;

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Place, StmtKind, walk};
use pipeline_ir::{Pipeline, VarId, VarKind};

use super::plan::{parser_exprs, parser_writes, vars_of};
use crate::steps::early::mentioned;

/// The variables that conditions ask, also as a copy, and nothing else reads. Tables from `decisions` on ask conditions.
pub(super) fn asked(p: &Pipeline, decisions: usize) -> BTreeSet<VarId> {
    let (mut asked, mut other, mut copies) = (BTreeSet::new(), parser_writes(p), Vec::new());
    parser_exprs(p).into_iter().for_each(|e| vars_of(e, &mut other));
    walk(&p.control, &mut |s| match &s.kind {
        StmtKind::If { cond, .. } => vars_of(cond, &mut asked),
        StmtKind::Apply { table, key, .. } if table.index() >= decisions => {
            key.iter().for_each(|e| vars_of(e, &mut asked));
        }
        StmtKind::Set { place: Place::Var(to), value } => match copied(value) {
            Some(from) => copies.push((*to, from)),
            None => vars_of(value, &mut other),
        },
        _ => other.extend(mentioned(s)),
    });
    // A copy is read as what it is copied to.
    for _ in 0..copies.len() {
        for (to, from) in &copies {
            if other.contains(to) {
                other.insert(*from);
            } else if asked.contains(to) {
                asked.insert(*from);
            }
        }
    }
    let own = |v: &VarId| !matches!(p.var(*v).kind, VarKind::Param(_));
    asked.difference(&other).copied().filter(own).collect()
}

/// The variable that a value is a copy of, or of a part of it.
fn copied(value: &Expr) -> Option<VarId> {
    match &value.kind {
        ExprKind::Var(v) => Some(*v),
        ExprKind::Slice { of, .. } => copied(of),
        _ => None,
    }
}
