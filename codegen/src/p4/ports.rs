//! Actions' data that is only a port to send to: no more bits of it are kept than a port has, so that a chip's entries
//! and containers hold no others.

use std::collections::BTreeSet;

use pipeline_ir::expr::ExprKind;
use pipeline_ir::stmt::{StmtKind, Verdict, walk};
use pipeline_ir::{Pipeline, VarId, VarKind};

use super::plan::{parser_exprs, vars_of};
use crate::steps::early::mentioned;

/// Parameters of actions that verdicts read as a port, and nothing else reads or writes.
pub(super) fn ports(p: &Pipeline) -> BTreeSet<VarId> {
    let (mut ports, mut other) = (BTreeSet::new(), BTreeSet::new());
    parser_exprs(p).into_iter().for_each(|e| vars_of(e, &mut other));
    walk(&p.control, &mut |s| match &s.kind {
        StmtKind::Verdict(Verdict::Forward(port)) if matches!(port.kind, ExprKind::Var(_)) => {
            vars_of(port, &mut ports);
        }
        _ => other.extend(mentioned(s)),
    });
    let own = |v: &VarId| matches!(p.var(*v).kind, VarKind::Param(_));
    ports.difference(&other).copied().filter(own).collect()
}
