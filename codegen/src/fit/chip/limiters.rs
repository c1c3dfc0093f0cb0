//! Limiters that a packet meets once: places where one is asked exclude each other.

use std::collections::BTreeSet;

use pipeline_ir::stmt::{Stmt, StmtKind};
use pipeline_ir::{LimiterId, Loc, Pipeline};

/// Adds what a control in steps needs: there, nothing stands behind a verdict.
pub(super) fn needs(p: &Pipeline, add: &mut impl FnMut(&'static str, &str, Loc)) {
    let mut twice = |limiter: LimiterId, at| {
        add("limiter.places", &format!("limiter {}", p.limiters[limiter.index()].name), at);
    };
    asked(&p.control, &BTreeSet::new(), &mut twice);
}

/// The limiters that are asked on some way through a block, behind those that were before.
fn asked(
    block: &[Stmt],
    before: &BTreeSet<LimiterId>,
    twice: &mut impl FnMut(LimiterId, Loc),
) -> BTreeSet<LimiterId> {
    let mut all = before.clone();
    for s in block {
        if let StmtKind::Limit { limiter, .. } = &s.kind
            && !all.insert(*limiter)
        {
            twice(*limiter, s.at);
        }
        // What `stay` selects comes before its arms.
        let selects: &[Stmt] = if let StmtKind::Stay { select, .. } = &s.kind { select } else { &[] };
        let first = asked(selects, &all, twice);
        let ways = s.kind.blocks().into_iter().filter(|b| !std::ptr::eq(b.as_slice(), selects));
        let ends: Vec<_> = ways.map(|way| asked(way, &first, twice)).collect();
        all = ends.into_iter().fold(first, |all, end| &all | &end);
    }
    all
}
