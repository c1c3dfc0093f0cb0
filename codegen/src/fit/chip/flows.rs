//! Flow tables that a packet meets once: one place makes the digest of a flow's key, and one cursor has what was found.

use std::collections::BTreeMap;

use pipeline_ir::expr::Expr;
use pipeline_ir::stmt::{StmtKind, walk};
use pipeline_ir::{CursorId, FlowTableId, Loc, Pipeline, VarId};

/// Adds what a control in steps needs: there, keys of the same expressions are the same values.
pub(super) fn needs(p: &Pipeline, add: &mut impl FnMut(&'static str, &str, Loc)) {
    let mut found: BTreeMap<FlowTableId, (CursorId, &[Expr])> = BTreeMap::new();
    let mut stays: BTreeMap<FlowTableId, (CursorId, VarId)> = BTreeMap::new();
    let mut of = |t: FlowTableId, at| {
        let name = format!("flow table {}", p.flow_tables[t.index()].name);
        add("table.places", &name, at);
    };
    walk(&p.control, &mut |s| match &s.kind {
        StmtKind::Find { cursor, table, key, .. } => {
            let (first, other) = *found.entry(*table).or_insert((*cursor, key.as_slice()));
            if first != *cursor || !super::alike(other, key) {
                of(*table, s.at);
            }
        }
        StmtKind::Stay { cursor, id, .. } => {
            for (t, _) in found.iter().filter(|(_, (c, _))| c == cursor) {
                if *stays.entry(*t).or_insert((*cursor, *id)) != (*cursor, *id) {
                    of(*t, s.at);
                }
            }
        }
        _ => {}
    });
}
