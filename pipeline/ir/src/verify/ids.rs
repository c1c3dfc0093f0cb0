//! Every id points at something.

use super::walk;
use crate::diagnostic::{Code, Diagnostics};
use crate::expr::ExprKind;
use crate::stmt::{self, Arm, Place, StmtKind, Verdict};
use crate::{FieldId, HeaderId, Loc, ParserOp, Pipeline, Transition, VarKind};

struct Ids<'a> {
    p: &'a Pipeline,
    found: &'a mut Diagnostics,
}

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    let mut ids = Ids { p, found };
    ids.declared();
    if ids.found.is_empty() {
        ids.parser();
        ids.places();
        stmt::walk(&p.control, &mut |s| ids.stmt(&s.kind, s.at));
    }
}

impl Ids<'_> {
    fn id(&mut self, what: &str, index: usize, length: usize, at: Loc) {
        if index >= length {
            let message = format!("{what} number {index} is meant, but there are {length}");
            self.found.push(Code::Unknown, at, message, "declare it, or name another");
        }
    }

    fn declared(&mut self) {
        let p = self.p;
        for h in &p.headers {
            self.id("header type", h.ty.index(), p.header_types.len(), h.at);
        }
        for var in &p.vars {
            if let VarKind::Param(action) = var.kind {
                self.id("action", action.index(), p.actions.len(), var.at);
            }
        }
        for action in &p.actions {
            for param in &action.params {
                self.id("variable", param.index(), p.vars.len(), action.at);
            }
        }
        for table in &p.tables {
            self.id("action", table.default.index(), p.actions.len(), table.at);
            for action in &table.actions {
                self.id("action", action.index(), p.actions.len(), table.at);
            }
            for entry in &table.const_entries {
                self.id("action", entry.action.index(), p.actions.len(), entry.at);
            }
        }
        for ring in &p.rings {
            self.id("drop reason", ring.no_pool.index(), p.reasons.len(), ring.at);
            self.id("drop reason", ring.no_slot.index(), p.reasons.len(), ring.at);
        }
    }

    fn parser(&mut self) {
        let p = self.p;
        let states = p.parser.states.len();
        if states > 0 {
            self.id("parser state", p.parser.start.index(), states, Loc::default());
        }
        for state in &p.parser.states {
            for op in &state.ops {
                if let ParserOp::Extract { header, at } = op {
                    self.id("header", header.index(), p.headers.len(), *at);
                }
            }
            match &state.next {
                Transition::Accept => {}
                Transition::To(to) => self.id("parser state", to.index(), states, state.at),
                Transition::Select { cases, .. } => {
                    for case in cases {
                        if let Some(to) = case.to {
                            self.id("parser state", to.index(), states, case.at);
                        }
                    }
                }
            }
        }
    }

    /// Headers, fields and variables in expressions and where something is written.
    fn places(&mut self) {
        let p = self.p;
        walk::exprs(p, &mut |outer| {
            outer.walk(&mut |e| match &e.kind {
                ExprKind::Field(header, field) => self.field(*header, *field, e.at),
                ExprKind::Valid(header) => self.id("header", header.index(), p.headers.len(), e.at),
                ExprKind::Var(var) => self.id("variable", var.index(), p.vars.len(), e.at),
                _ => {}
            });
        });
        walk::writes(p, &mut |place, at| match place {
            Place::Field(header, field) => self.field(header, field, at),
            Place::Var(var) => self.id("variable", var.index(), p.vars.len(), at),
        });
    }

    fn field(&mut self, header: HeaderId, field: FieldId, at: Loc) {
        let p = self.p;
        self.id("header", header.index(), p.headers.len(), at);
        if let Some(header) = p.headers.get(header.index()) {
            let fields = p.header_types[header.ty.index()].fields.len();
            self.id(&format!("field of header `{}`", header.name), field.index(), fields, at);
        }
    }

    fn stmt(&mut self, kind: &StmtKind, at: Loc) {
        let p = self.p;
        match kind {
            StmtKind::Push(header) | StmtKind::Pop(header) => {
                self.id("header", header.index(), p.headers.len(), at);
            }
            StmtKind::Apply { table, arms, .. } => {
                self.id("table", table.index(), p.tables.len(), at);
                self.arms(arms);
            }
            StmtKind::Stay { cursor, table, arms, .. } => {
                self.id("flow", cursor.index(), p.cursors.len(), at);
                self.id("table", table.index(), p.tables.len(), at);
                self.arms(arms);
            }
            StmtKind::Count { counter, .. } => self.id("counter", counter.index(), p.counters.len(), at),
            StmtKind::Limit { limiter, .. } => self.id("limiter", limiter.index(), p.limiters.len(), at),
            StmtKind::Find { cursor, table, .. } => {
                self.id("flow", cursor.index(), p.cursors.len(), at);
                self.id("flow table", table.index(), p.flow_tables.len(), at);
            }
            StmtKind::Remember { cursor, id } => {
                self.id("flow", cursor.index(), p.cursors.len(), at);
                self.id("variable", id.index(), p.vars.len(), at);
            }
            StmtKind::Select { ring, .. } => self.id("ring", ring.index(), p.rings.len(), at),
            StmtKind::Verdict(Verdict::Drop(reason)) => {
                self.id("drop reason", reason.index(), p.reasons.len(), at);
            }
            StmtKind::Set { .. }
            | StmtKind::If { .. }
            | StmtKind::Hash { .. }
            | StmtKind::Checksum { .. }
            | StmtKind::Adjust { .. }
            | StmtKind::Truncate { .. }
            | StmtKind::Verdict(Verdict::Forward(_) | Verdict::Pass) => {}
        }
    }

    fn arms(&mut self, arms: &[Arm]) {
        for arm in arms {
            self.id("action", arm.action.index(), self.p.actions.len(), arm.at);
        }
    }
}
