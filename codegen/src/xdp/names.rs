//! C names of a pipeline's objects.

use pipeline_ir::expr::ExprKind;
use pipeline_ir::stmt::{Block, Place, StmtKind, walk};
use pipeline_ir::{ParserOp, Pipeline, VarId, VarKind};
use std::collections::BTreeSet;
use xdp_layout::names::{TAKEN, global};

/// Names of variables, of pointers to entries, of counters and limiters.
pub(super) struct Names {
    /// `m->x` for metadata, plain for locals, `set_vip->pool` or plain for action parameters; none if nobody reads it.
    pub(super) vars: Vec<String>,
    /// By action.
    pub(super) entries: Vec<String>,
    /// By counter.
    pub(super) counters: Vec<String>,
    /// By limiter.
    pub(super) limiters: Vec<String>,
}

pub(super) fn names(p: &Pipeline) -> Names {
    let mut taken: BTreeSet<String> = TAKEN.iter().map(ToString::to_string).collect();
    taken.extend(p.tables.iter().map(|t| t.name.clone()));
    taken.extend(p.flow_tables.iter().map(|t| t.name.clone()));
    taken.extend(p.cursors.iter().map(|c| c.name.clone()));
    let counters: Vec<String> = p.counters.iter().map(|c| global(&c.name)).collect();
    let limiters: Vec<String> = p.limiters.iter().map(|l| global(&l.name)).collect();
    taken.extend(counters.iter().chain(&limiters).cloned());
    taken.extend(p.rings.iter().flat_map(|r| [r.name.clone(), r.pool_table.clone()]));
    taken.extend(p.header_types.iter().map(|t| t.name.clone()));
    taken.extend(p.headers.iter().flat_map(|h| [h.name.clone(), format!("moved_{}", h.name)]));
    let (in_place, read) = (in_place(p), reads(p, &p.control));
    let entries: Vec<String> = p.actions.iter().map(|a| fresh(&mut taken, &a.name)).collect();
    let mut metas: BTreeSet<String> = BTreeSet::new();
    let vars = p.vars.iter().enumerate();
    let vars = vars
        .map(|(i, v)| match v.kind {
            VarKind::Meta => format!("m->{}", fresh(&mut metas, &v.name)),
            // What the parser sets goes with the metadata, which the parser hands on.
            VarKind::Local if set_by_parser(p, VarId(i as u32)) => {
                format!("m->{}", fresh(&mut metas, &v.name))
            }
            VarKind::Local => fresh(&mut taken, &v.name),
            VarKind::Param(_) if in_place[i] && read[i] == 0 => String::new(),
            VarKind::Param(a) if in_place[i] => {
                let field = format!("{}->{}", entries[a.index()], v.name);
                if v.ty.width() > 64 { format!("wide({field})") } else { field }
            }
            VarKind::Param(a) => fresh(&mut taken, &format!("{}_{}", p.actions[a.index()].name, v.name)),
        })
        .collect();
    Names { vars, entries, counters, limiters }
}

/// Action parameters that are read where the entry has them: nothing else writes them, and only the action's own arms
/// read them.
fn in_place(p: &Pipeline) -> Vec<bool> {
    let (all, written) = (reads(p, &p.control), writes(&p.control));
    let mut inside = vec![0; p.vars.len()];
    walk(&p.control, &mut |stmt| {
        let (StmtKind::Apply { table, arms, .. } | StmtKind::Stay { table, arms, .. }) = &stmt.kind else {
            return;
        };
        let default = p.tables[table.index()].default;
        for arm in arms.iter().filter(|arm| arm.action != default) {
            let here = reads(p, &arm.body);
            for var in &p.actions[arm.action.index()].params {
                inside[var.index()] += here[var.index()];
            }
        }
    });
    let ids = (0..p.vars.len()).map(|i| VarId(i as u32));
    ids.map(|v| match p.var(v).kind {
        VarKind::Param(a) => {
            let default = p.tables.iter().any(|t| t.default == a);
            !default && inside[v.index()] == all[v.index()] && !written.contains(&v)
        }
        VarKind::Meta | VarKind::Local => false,
    })
    .collect()
}

/// How often each variable is read.
pub(super) fn reads(p: &Pipeline, block: &Block) -> Vec<u32> {
    let mut count = vec![0; p.vars.len()];
    walk(block, &mut |stmt| {
        for e in stmt.kind.exprs() {
            e.walk(&mut |e| {
                if let ExprKind::Var(v) = e.kind {
                    count[v.index()] += 1;
                }
            });
        }
        if let StmtKind::Remember { id, .. } = stmt.kind {
            count[id.index()] += 1;
        }
    });
    count
}

/// Variables that statements write.
fn writes(block: &Block) -> BTreeSet<VarId> {
    let mut found = BTreeSet::new();
    walk(block, &mut |stmt| {
        if let Some(Place::Var(v)) = stmt.kind.written() {
            found.insert(v);
        }
    });
    found
}

fn set_by_parser(p: &Pipeline, var: VarId) -> bool {
    p.parser.states.iter().flat_map(|s| &s.ops).any(|op| match op {
        ParserOp::Set { var: v, .. } | ParserOp::Lookahead { into: v, .. } => *v == var,
        ParserOp::Extract { .. } => false,
    })
}

fn fresh(taken: &mut BTreeSet<String>, base: &str) -> String {
    let mut name = base.to_string();
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}_{n}");
        n += 1;
    }
    name
}
