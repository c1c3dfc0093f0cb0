//! What nobody reads need not be written.

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{FieldId, HeaderId, Pipeline, VarId};
use std::collections::BTreeSet;

/// What is read later, before it is written.
#[derive(Clone, Default)]
struct Live {
    vars: BTreeSet<VarId>,
    fields: BTreeSet<(HeaderId, FieldId)>,
}

impl Live {
    fn add(&mut self, other: Self) {
        self.vars.extend(other.vars);
        self.fields.extend(other.fields);
    }

    fn read(&mut self, e: &Expr) {
        e.walk(&mut |e| match e.kind {
            ExprKind::Var(v) => {
                self.vars.insert(v);
            }
            ExprKind::Field(h, f) => {
                self.fields.insert((h, f));
            }
            _ => {}
        });
    }

    fn read_all<'a>(&mut self, list: impl IntoIterator<Item = &'a Expr>) {
        list.into_iter().for_each(|e| self.read(e));
    }

    /// It is written; false: for nobody.
    fn write(&mut self, place: Place) -> bool {
        match place {
            Place::Var(v) => self.vars.remove(&v),
            Place::Field(h, f) => self.fields.remove(&(h, f)),
        }
    }

    fn read_place(&mut self, place: Place) {
        match place {
            Place::Var(v) => self.vars.insert(v),
            Place::Field(h, f) => self.fields.insert((h, f)),
        };
    }
}

/// The block without writes that nobody reads, and without conditions on which nothing depends. What the packet is in
/// the end is read by whoever gets it.
pub(super) fn remove(p: &Pipeline, block: Block) -> Block {
    Reader { p }.block(block, Live::default()).0
}

struct Reader<'a> {
    p: &'a Pipeline,
}

impl Reader<'_> {
    /// The block, and what it and all behind it reads.
    fn block(&self, block: Block, mut live: Live) -> (Block, Live) {
        let mut out = Block::new();
        for stmt in block.into_iter().rev() {
            let at = stmt.at;
            out.extend(self.stmt(stmt.kind, &mut live).map(|kind| Stmt { kind, at }));
        }
        out.reverse();
        (out, live)
    }

    fn stmt(&self, kind: StmtKind, live: &mut Live) -> Option<StmtKind> {
        match &kind {
            StmtKind::If { .. } | StmtKind::Apply { .. } | StmtKind::Stay { .. } => {
                return self.branches(kind, live);
            }
            StmtKind::Set { place, .. } | StmtKind::Checksum { place, .. } => {
                if !live.write(*place) {
                    return None;
                }
            }
            StmtKind::Adjust { place, .. } => {
                if !live.write(*place) {
                    return None;
                }
                live.read_place(*place);
            }
            StmtKind::Hash { into, .. } => {
                if !live.write(Place::Var(*into)) {
                    return None;
                }
            }
            // These do more than to write: drop, count, or let fewer packets through.
            StmtKind::Limit { into, .. } | StmtKind::Select { into, .. } => {
                live.write(Place::Var(*into));
            }
            StmtKind::Remember { id, .. } => live.read_place(Place::Var(*id)),
            StmtKind::Pop(header) => live.fields.retain(|(h, _)| h != header),
            StmtKind::Verdict(verdict) => *live = self.verdict(verdict),
            StmtKind::Push(_)
            | StmtKind::Count { .. }
            | StmtKind::Find { .. }
            | StmtKind::Truncate { .. } => {}
        }
        live.read_all(kind.exprs());
        Some(kind)
    }

    /// Nothing of a packet that is dropped is read; else all its fields are.
    fn verdict(&self, verdict: &Verdict) -> Live {
        let mut live = Live::default();
        if matches!(verdict, Verdict::Forward(_) | Verdict::Pass) {
            for h in 0..self.p.headers.len() {
                let h = HeaderId(h as u32);
                live.fields.extend((0..self.p.header_type(h).fields.len()).map(|f| (h, FieldId(f as u32))));
            }
        }
        live
    }

    fn branches(&self, kind: StmtKind, live: &mut Live) -> Option<StmtKind> {
        Some(match kind {
            StmtKind::If { cond, then, otherwise } => {
                let (then, read) = self.block(then, live.clone());
                let (otherwise, other) = self.block(otherwise, live.clone());
                if then.is_empty() && otherwise.is_empty() {
                    return None;
                }
                *live = read;
                live.add(other);
                live.read(&cond);
                StmtKind::If { cond, then, otherwise }
            }
            StmtKind::Apply { table, key, arms } => {
                let arms = self.arms(arms, live);
                live.read_all(&key);
                StmtKind::Apply { table, key, arms }
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                let arms = self.arms(arms, live);
                live.vars.remove(&id);
                let mut selects = live.clone();
                selects.vars.insert(id);
                let (select, read) = self.block(select, selects);
                live.add(read);
                StmtKind::Stay { cursor, id, select, table, arms }
            }
            other => other,
        })
    }

    /// A table has written the parameters of the action whose arm runs.
    fn arms(&self, arms: Vec<Arm>, live: &mut Live) -> Vec<Arm> {
        let after = std::mem::take(live);
        let mut out = Vec::new();
        for arm in arms {
            let (body, mut read) = self.block(arm.body, after.clone());
            for param in self.p.actions.get(arm.action.index()).iter().flat_map(|a| &a.params) {
                read.vars.remove(param);
            }
            live.add(read);
            out.push(Arm { action: arm.action, body, at: arm.at });
        }
        out
    }
}
