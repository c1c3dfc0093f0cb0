//! The control: statements in order, and what they make of the headers.

use super::Emitter;
use super::deparse::Shape;
use super::flow::Find;
use super::names::reads;
use super::tables::event_name;
use crate::text::Text;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{CursorId, HeaderId, Loc, ReasonId, RingId, TableId, VarId};
use xdp_layout::fold::Fold;

impl Emitter<'_> {
    pub(super) fn control(&self, t: &mut Text, block: &Block, shape: Shape) {
        let end = self.block(t, block, shape);
        // Verified pipelines end every path themselves; C wants to see it.
        if end.is_some() {
            t.line("return XDP_ABORTED;");
        }
    }

    /// Writes a block; what the headers are at its end, if it has one.
    fn block(&self, t: &mut Text, block: &Block, mut shape: Shape) -> Option<Shape> {
        for (i, stmt) in block.iter().enumerate() {
            self.lift_early(t, stmt, &block[i + 1..], &mut shape);
            shape = self.stmt(t, stmt, shape)?;
        }
        Some(shape)
    }

    /// A header that is written and then moves is copied out of the packet first.
    fn lift_early(&self, t: &mut Text, stmt: &Stmt, tail: &[Stmt], shape: &mut Shape) {
        if let StmtKind::Set { place: Place::Field(h, _), .. }
        | StmtKind::Checksum { place: Place::Field(h, _), .. }
        | StmtKind::Adjust { place: Place::Field(h, _), .. } = stmt.kind
            && self.in_packet(h)
            && shape.is_valid(h)
            && !shape.is_lifted(h)
            && shape.will_move(h, tail)
        {
            self.lift_one(t, h, true);
            shape.lift(h);
        }
    }

    fn stmt(&self, t: &mut Text, stmt: &Stmt, mut shape: Shape) -> Option<Shape> {
        self.here.replace(shape.clone());
        match &stmt.kind {
            StmtKind::Set { place, value } => {
                let value = self.expr(value);
                self.assign(t, *place, &value, &mut shape);
            }
            StmtKind::Push(h) => self.push(t, *h, &mut shape),
            StmtKind::Pop(h) => self.pop(t, *h, &mut shape),
            StmtKind::If { cond, then, otherwise } => return self.branch(t, cond, then, otherwise, shape),
            StmtKind::Apply { table, key, arms } => return self.apply(t, stmt, *table, key, arms, shape),
            StmtKind::Hash { into, algorithm, key, data } => {
                self.hash(t, &self.vars[into.index()], *algorithm, (key, data), self.fold(stmt));
            }
            StmtKind::Checksum { place, data } => {
                t.open("{");
                let value = self.checksum(t, data);
                self.assign(t, *place, &value, &mut shape);
                t.close("}");
            }
            StmtKind::Adjust { place, old, new } => self.adjust(t, *place, old, new, &mut shape),
            StmtKind::Count { counter, index } => {
                let name = &self.counters[counter.index()];
                t.line(format!("count_packet(&{name}, {}, frame_length);", self.expr(index)));
            }
            StmtKind::Limit { limiter, into } => {
                let (name, limiter) = (&self.limiters[limiter.index()], &self.p.limiters[limiter.index()]);
                let into = &self.vars[into.index()];
                t.line(format!("{into} = limiter_allow(&{name}, {});", limiter.per_tick));
            }
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                self.find(t, &Find { cursor: *cursor, table: *table, key, hash, event, class });
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                return self.stay(t, stmt, (*cursor, *id, *table), select, arms, shape);
            }
            StmtKind::Remember { cursor, id } => self.remember(t, *cursor, *id),
            StmtKind::Select { ring, pool, hash, into } => self.select(t, *ring, pool, hash, *into),
            StmtKind::Truncate { bytes } => {
                t.line(format!("limit = limit < {bytes} ? limit : {bytes};"));
                shape.truncate();
            }
            StmtKind::Verdict(verdict) => {
                self.verdict(t, verdict, &shape);
                return None;
            }
        }
        Some(shape)
    }

    fn push(&self, t: &mut Text, h: HeaderId, shape: &mut Shape) {
        let (header, ty) = (self.header(h), &self.p.header_type(h).name);
        if shape.is_absent(h) {
            t.line(format!("{header}.valid = 1;"));
        } else {
            t.line(format!("if (!{header}.valid)"));
            t.line(format!("    {header} = (struct {ty}){{.parsed = {header}.parsed, .valid = 1}};"));
        }
        shape.push(h);
    }

    fn pop(&self, t: &mut Text, h: HeaderId, shape: &mut Shape) {
        let header = self.header(h);
        let ty = if self.in_packet(h) { "place" } else { &self.p.header_type(h).name };
        t.line(format!("{header} = (struct {ty}){{.parsed = {header}.parsed}};"));
        shape.pop(h);
    }

    fn assign(&self, t: &mut Text, place: Place, value: &str, shape: &mut Shape) {
        match place {
            Place::Var(v) => t.line(format!("{} = {value};", self.vars[v.index()])),
            Place::Field(h, f) => {
                let field = &self.p.field(h, f).name;
                let write = if shape.is_lifted(h) {
                    format!("{}.{field} = {value};", self.copy(h))
                } else if self.in_packet(h) {
                    format!("set_{}_{field}({}, {value});", self.p.header_type(h).name, self.pointer(h))
                } else {
                    format!("{}.{field} = {value};", self.header(h))
                };
                if shape.is_valid(h) {
                    t.line(write);
                } else {
                    t.line(format!("if ({})", self.valid(h)));
                    t.line(format!("    {write}"));
                }
                shape.write(h);
            }
        }
    }

    fn adjust(&self, t: &mut Text, place: Place, old: &Expr, new: &Expr, shape: &mut Shape) {
        let kind = match place {
            Place::Var(v) => ExprKind::Var(v),
            Place::Field(h, f) => ExprKind::Field(h, f),
        };
        let mut value = self.expr(&Expr { kind, ty: Type::Bits(16), at: Loc::default() });
        for (old, new) in self.chunks(&[old], 16).iter().zip(self.chunks(&[new], 16)) {
            value = format!("adjust({value}, {old}, {new})");
        }
        self.assign(t, place, &value, shape);
    }

    fn branch(
        &self,
        t: &mut Text,
        cond: &Expr,
        then: &Block,
        otherwise: &Block,
        shape: Shape,
    ) -> Option<Shape> {
        let (mut yes, mut no) = (shape.clone(), shape);
        yes.know(cond);
        no.know_not(cond);
        t.open(format!("if ({}) {{", self.expr(cond)));
        let yes = self.block(t, then, yes);
        let no = if otherwise.is_empty() {
            Some(no)
        } else {
            t.turn("} else {");
            self.block(t, otherwise, no)
        };
        t.close("}");
        Shape::join(yes, no)
    }

    fn apply(
        &self,
        t: &mut Text,
        stmt: &Stmt,
        table: TableId,
        key: &[Expr],
        arms: &[Arm],
        shape: Shape,
    ) -> Option<Shape> {
        let name = &self.p.tables[table.index()].name;
        t.open(format!("{{ // {} table {name}", self.at(stmt.at)));
        t.line("u32 cell = 0;");
        t.line(format!("struct {name}_data *e = {};", self.find_call(table, key, "&cell")));
        let end = self.arms(t, table, arms, shape);
        t.close("}");
        end
    }

    /// Runs the arm of the action in `e`, or the default's. Counts a hit.
    fn arms(&self, t: &mut Text, table: TableId, arms: &[Arm], shape: Shape) -> Option<Shape> {
        let decl = &self.p.tables[table.index()];
        let layout = &self.layout.tables[table.index()];
        if layout.counters > 0 {
            t.line("if (e)");
            t.line(format!("    count_packet(&{}_hits, cell, frame_length);", decl.name));
        }
        t.open("switch (e ? e->action : 0) {");
        let mut end = None;
        for arm in arms.iter().filter(|a| a.action != decl.default) {
            self.case(t, table, arm);
            end = Shape::join(end, self.arm(t, &arm.body, shape.clone()));
        }
        if let Some(arm) = arms.iter().find(|a| a.action == decl.default) {
            t.open("default: {");
            for var in &self.p.actions[arm.action.index()].params {
                t.line(format!("{} = 0;", self.vars[var.index()]));
            }
            if !self.p.actions[arm.action.index()].default_only {
                t.open("if (e) {");
                self.params(t, table, arm);
                t.close("}");
            }
            end = Shape::join(end, self.arm(t, &arm.body, shape));
        }
        // A switch is one level; its cases are another.
        t.close("}");
        end
    }

    fn arm(&self, t: &mut Text, body: &Block, shape: Shape) -> Option<Shape> {
        let end = self.block(t, body, shape);
        if end.is_some() {
            t.line("break;");
        }
        t.close("}");
        end
    }

    fn case(&self, t: &mut Text, table: TableId, arm: &Arm) {
        let actions = &self.p.tables[table.index()].actions;
        let tag = actions.iter().position(|a| *a == arm.action).unwrap_or(0) + 1;
        t.open(format!("case {tag}: {{ // {}", self.p.actions[arm.action.index()].name));
        self.params(t, table, arm);
    }

    fn params(&self, t: &mut Text, table: TableId, arm: &Arm) {
        let name = &self.p.tables[table.index()].name;
        let data = &self.layout.tables[table.index()].data;
        // A parameter that is read in place is no concern of an arm that doesn't read it.
        let read = reads(self.p, &arm.body);
        let mut params = data.params_of(arm.action).to_vec();
        params.retain(|q| read[q.var.index()] > 0 || !self.vars[q.var.index()].contains("->"));
        params.retain(|q| !self.vars[q.var.index()].is_empty());
        if params.is_empty() && data.fold_of(arm.action).is_none() {
            return;
        }
        let action = &self.p.actions[arm.action.index()].name;
        let entry = &self.entries[arm.action.index()];
        t.line(format!("const struct {name}_{action} *{entry} = (void *)e;"));
        for param in params {
            let field = format!("{entry}->{}", self.p.var(param.var).name);
            let read = if param.bytes == 16 { format!("wide({field})") } else { field };
            let var = &self.vars[param.var.index()];
            if *var != read {
                t.line(format!("{var} = {read};"));
            }
        }
        if data.fold_of(arm.action).is_some() {
            t.line(format!("folded = {entry}->fold;"));
        }
    }

    fn stay(
        &self,
        t: &mut Text,
        stmt: &Stmt,
        (cursor, id, table): (CursorId, VarId, TableId),
        select: &Block,
        arms: &[Arm],
        shape: Shape,
    ) -> Option<Shape> {
        let name = &self.p.tables[table.index()].name;
        let flow = &self.p.cursors[cursor.index()].name;
        let id_name = &self.vars[id.index()];
        let key = [Expr { kind: ExprKind::Var(id), ty: self.p.var(id).ty, at: pipeline_ir::Loc::default() }];
        let find = self.find_call(table, &key, "&cell");
        t.open(format!("{{ // {} the flow's entry in {name}, or a new one", self.at(stmt.at)));
        t.line("u32 cell = 0;");
        t.line(format!("struct {name}_data *e = 0;"));
        t.open(format!("if ({flow}.hit) {{"));
        t.line(format!("{id_name} = {flow}.id;"));
        t.line(format!("e = {find};"));
        let default = self.p.tables[table.index()].default;
        let tag = self.p.tables[table.index()].actions.iter().position(|a| *a == default).unwrap_or(0) + 1;
        let stays = if self.p.actions[default.index()].default_only {
            "e != 0".to_string()
        } else {
            format!("e && e->action != {tag}")
        };
        t.line(format!("{flow}.hit = {stays};"));
        t.close("}");
        t.open(format!("if (!{flow}.hit) {{"));
        let selected = self.block(t, select, shape.clone());
        t.line(format!("e = {find};"));
        t.close("}");
        let shape = Shape::join(Some(shape), selected).unwrap_or_default();
        let end = self.arms(t, table, arms, shape);
        t.close("}");
        end
    }

    fn select(&self, t: &mut Text, ring: RingId, pool: &Expr, hash: &Expr, into: VarId) {
        let ring = &self.p.rings[ring.index()];
        t.open(format!("{{ // ring {}", ring.name));
        t.line(format!("u32 pool_index = {};", self.expr(pool)));
        t.line(format!("u32 *generation = {}_at(pool_index);", ring.pool_table));
        t.line("if (!generation || !*generation)");
        t.line(format!("    return drop({});", self.reason(ring.no_pool)));
        let hash = self.operand(hash);
        let slot = if ring.slots.is_power_of_two() {
            format!("{hash} & {:#x}", ring.slots - 1)
        } else {
            format!("{hash} % {}", ring.slots)
        };
        t.line(format!("u32 slot = {slot};"));
        t.line("u32 active = *generation;");
        t.line(format!("u32 index = (pool_index * 2 + (active & 1)) * {} + slot;", ring.slots));
        t.line(format!("u32 *e = {}_at(index);", ring.name));
        t.line("if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))");
        t.line(format!("    return drop({});", self.reason(ring.no_slot)));
        t.line(format!("{} = *e & 0xffffff;", self.vars[into.index()]));
        t.close("}");
    }

    fn reason(&self, reason: ReasonId) -> String {
        event_name(&format!("drop.{}", self.p.reasons[reason.index()].name))
    }

    fn verdict(&self, t: &mut Text, verdict: &Verdict, shape: &Shape) {
        match verdict {
            Verdict::Drop(reason) => t.line(format!("return drop({});", self.reason(*reason))),
            Verdict::Pass => {
                self.deparse(t, shape);
                t.line("return XDP_PASS;");
            }
            Verdict::Forward(port) => {
                self.deparse(t, shape);
                t.line(format!("return forward(ctx, {});", self.expr(port)));
            }
        }
    }

    /// What entries carry of this hash.
    fn fold(&self, hash: &Stmt) -> Option<&Fold> {
        let known = self.hashes.borrow();
        let number = known.iter().find(|(stmt, _)| std::ptr::eq(*stmt, hash))?.1;
        self.layout.folds.iter().find(|f| f.hash == number)
    }
}
