//! What nothing uses any more, and new numbers for the rest.

use std::collections::BTreeSet;

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind, Verdict, walk};
use pipeline_ir::{
    ActionId, CounterId, CursorId, FlowTableId, HeaderId, HeaderTypeId, LimiterId, ParserOp, Pipeline,
    ReasonId, RingId, StateId, TableId, Transition, VarId, VarKind,
};

/// What is used, by index.
#[derive(Default)]
struct Used {
    types: BTreeSet<u32>,
    headers: BTreeSet<u32>,
    vars: BTreeSet<u32>,
    actions: BTreeSet<u32>,
    tables: BTreeSet<u32>,
    flow_tables: BTreeSet<u32>,
    cursors: BTreeSet<u32>,
    rings: BTreeSet<u32>,
    counters: BTreeSet<u32>,
    limiters: BTreeSet<u32>,
    reasons: BTreeSet<u32>,
    states: BTreeSet<u32>,
}

/// The pipeline without what its parser and control don't use.
pub(crate) fn without(p: &Pipeline) -> Pipeline {
    let used = Used::of(p);
    let mut out = p.clone();
    fn keep<T>(list: &mut Vec<T>, used: &BTreeSet<u32>) {
        let mut i = 0;
        list.retain(|_| {
            i += 1;
            used.contains(&(i - 1))
        });
    }
    keep(&mut out.header_types, &used.types);
    keep(&mut out.headers, &used.headers);
    keep(&mut out.vars, &used.vars);
    keep(&mut out.actions, &used.actions);
    keep(&mut out.tables, &used.tables);
    keep(&mut out.flow_tables, &used.flow_tables);
    keep(&mut out.cursors, &used.cursors);
    keep(&mut out.rings, &used.rings);
    keep(&mut out.counters, &used.counters);
    keep(&mut out.limiters, &used.limiters);
    keep(&mut out.reasons, &used.reasons);
    keep(&mut out.parser.states, &used.states);
    used.number(&mut out);
    out
}

impl Used {
    fn of(p: &Pipeline) -> Self {
        let mut used = Self::default();
        used.state(p, p.parser.start);
        walk(&p.control, &mut |s| used.stmt(p, s));
        let types = used.headers.iter().filter_map(|h| p.headers.get(*h as usize)).map(|h| h.ty.0);
        used.types = types.collect();
        used
    }

    fn expr(&mut self, e: &Expr) {
        e.walk(&mut |e| match &e.kind {
            ExprKind::Var(v) => drop(self.vars.insert(v.0)),
            ExprKind::Field(h, _) | ExprKind::Valid(h) => drop(self.headers.insert(h.0)),
            _ => {}
        });
    }

    fn place(&mut self, place: Place) {
        match place {
            Place::Field(h, _) => self.headers.insert(h.0),
            Place::Var(v) => self.vars.insert(v.0),
        };
    }

    fn state(&mut self, p: &Pipeline, id: StateId) {
        let Some(state) = p.parser.states.get(id.index()).filter(|_| self.states.insert(id.0)) else {
            return;
        };
        for op in &state.ops {
            match op {
                ParserOp::Extract { header, .. } => drop(self.headers.insert(header.0)),
                ParserOp::Lookahead { into, .. } => drop(self.vars.insert(into.0)),
                ParserOp::Set { var, value, .. } => {
                    self.vars.insert(var.0);
                    self.expr(value);
                }
            }
        }
        match &state.next {
            Transition::Accept => {}
            Transition::To(to) => self.state(p, *to),
            Transition::Select { on, cases, .. } => {
                on.iter().for_each(|e| self.expr(e));
                cases.iter().filter_map(|c| c.to).for_each(|to| self.state(p, to));
            }
        }
    }

    fn table(&mut self, p: &Pipeline, id: TableId) {
        self.tables.insert(id.0);
        for action in &p.tables[id.index()].actions {
            self.actions.insert(action.0);
            self.vars.extend(p.actions[action.index()].params.iter().map(|v| v.0));
        }
    }

    fn stmt(&mut self, p: &Pipeline, s: &Stmt) {
        s.kind.exprs().into_iter().for_each(|e| self.expr(e));
        s.kind.written().into_iter().for_each(|place| self.place(place));
        match &s.kind {
            StmtKind::Push(h) | StmtKind::Pop(h) => drop(self.headers.insert(h.0)),
            StmtKind::Apply { table, .. } => self.table(p, *table),
            StmtKind::Stay { table, cursor, .. } => {
                self.cursors.insert(cursor.0);
                self.table(p, *table);
            }
            StmtKind::Find { cursor, table, .. } => {
                self.cursors.insert(cursor.0);
                self.flow_tables.insert(table.0);
            }
            StmtKind::Remember { cursor, id } => {
                self.cursors.insert(cursor.0);
                self.vars.insert(id.0);
            }
            StmtKind::Select { ring, .. } => {
                self.rings.insert(ring.0);
                let ring = &p.rings[ring.index()];
                self.reasons.extend([ring.no_pool.0, ring.no_slot.0]);
            }
            StmtKind::Count { counter, .. } => drop(self.counters.insert(counter.0)),
            StmtKind::Limit { limiter, .. } => drop(self.limiters.insert(limiter.0)),
            StmtKind::Verdict(Verdict::Drop(reason)) => drop(self.reasons.insert(reason.0)),
            _ => {}
        }
    }

    /// Gives everything the number that it has now.
    fn number(&self, p: &mut Pipeline) {
        for h in &mut p.headers {
            h.ty = HeaderTypeId(now(&self.types, h.ty.0));
        }
        for v in &mut p.vars {
            if let VarKind::Param(a) = &mut v.kind {
                *a = self.action(*a);
            }
        }
        for a in &mut p.actions {
            a.params.iter_mut().for_each(|v| *v = self.var(*v));
        }
        for t in &mut p.tables {
            t.actions.iter_mut().for_each(|a| *a = self.action(*a));
            t.const_entries.iter_mut().for_each(|e| e.action = self.action(e.action));
            t.default = self.action(t.default);
        }
        for r in &mut p.rings {
            r.no_pool = self.reason(r.no_pool);
            r.no_slot = self.reason(r.no_slot);
        }
        self.number_parser(p);
        self.number_block(&mut p.control);
    }

    fn number_parser(&self, p: &mut Pipeline) {
        let state = |id: StateId| StateId(now(&self.states, id.0));
        p.parser.start = state(p.parser.start);
        for s in &mut p.parser.states {
            for op in &mut s.ops {
                match op {
                    ParserOp::Extract { header, .. } => *header = self.header(*header),
                    ParserOp::Lookahead { into, .. } => *into = self.var(*into),
                    ParserOp::Set { var, value, .. } => {
                        *var = self.var(*var);
                        self.number_expr(value);
                    }
                }
            }
            match &mut s.next {
                Transition::Accept => {}
                Transition::To(to) => *to = state(*to),
                Transition::Select { on, cases, .. } => {
                    on.iter_mut().for_each(|e| self.number_expr(e));
                    cases.iter_mut().filter_map(|c| c.to.as_mut()).for_each(|to| *to = state(*to));
                }
            }
        }
    }

    fn number_expr(&self, e: &mut Expr) {
        e.walk_mut(&mut |e| match &mut e.kind {
            ExprKind::Var(v) => *v = self.var(*v),
            ExprKind::Field(h, _) | ExprKind::Valid(h) => *h = self.header(*h),
            _ => {}
        });
    }

    fn number_block(&self, block: &mut Block) {
        for s in block {
            s.kind.exprs_mut().into_iter().for_each(|e| self.number_expr(e));
            self.number_stmt(&mut s.kind);
            s.kind.blocks_mut().into_iter().for_each(|inner| self.number_block(inner));
        }
    }

    fn number_stmt(&self, kind: &mut StmtKind) {
        match kind {
            StmtKind::Set { place, .. }
            | StmtKind::Checksum { place, .. }
            | StmtKind::Adjust { place, .. } => {
                *place = match *place {
                    Place::Field(h, f) => Place::Field(self.header(h), f),
                    Place::Var(v) => Place::Var(self.var(v)),
                };
            }
            StmtKind::Push(h) | StmtKind::Pop(h) => *h = self.header(*h),
            StmtKind::Apply { table, arms, .. } => {
                *table = self.table_now(*table);
                arms.iter_mut().for_each(|a| a.action = self.action(a.action));
            }
            StmtKind::Hash { into, .. } => *into = self.var(*into),
            StmtKind::Count { counter, .. } => *counter = CounterId(now(&self.counters, counter.0)),
            StmtKind::Limit { limiter, into } => {
                *limiter = LimiterId(now(&self.limiters, limiter.0));
                *into = self.var(*into);
            }
            StmtKind::Find { cursor, table, .. } => {
                *cursor = self.cursor(*cursor);
                *table = FlowTableId(now(&self.flow_tables, table.0));
            }
            StmtKind::Stay { cursor, id, table, arms, .. } => {
                (*cursor, *id, *table) = (self.cursor(*cursor), self.var(*id), self.table_now(*table));
                arms.iter_mut().for_each(|a| a.action = self.action(a.action));
            }
            StmtKind::Remember { cursor, id } => (*cursor, *id) = (self.cursor(*cursor), self.var(*id)),
            StmtKind::Select { ring, into, .. } => {
                *ring = RingId(now(&self.rings, ring.0));
                *into = self.var(*into);
            }
            StmtKind::Verdict(Verdict::Drop(reason)) => *reason = self.reason(*reason),
            StmtKind::If { .. } | StmtKind::Truncate { .. } | StmtKind::Verdict(_) => {}
        }
    }

    fn var(&self, id: VarId) -> VarId {
        VarId(now(&self.vars, id.0))
    }
    fn header(&self, id: HeaderId) -> HeaderId {
        HeaderId(now(&self.headers, id.0))
    }
    fn action(&self, id: ActionId) -> ActionId {
        ActionId(now(&self.actions, id.0))
    }
    fn table_now(&self, id: TableId) -> TableId {
        TableId(now(&self.tables, id.0))
    }
    fn cursor(&self, id: CursorId) -> CursorId {
        CursorId(now(&self.cursors, id.0))
    }
    fn reason(&self, id: ReasonId) -> ReasonId {
        ReasonId(now(&self.reasons, id.0))
    }
}

/// The number that what had one has among what is used.
fn now(used: &BTreeSet<u32>, was: u32) -> u32 {
    used.range(..was).count() as u32
}
