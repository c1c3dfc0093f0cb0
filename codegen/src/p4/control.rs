//! The ingress control: statement by statement.

use std::collections::{BTreeMap, BTreeSet};

use p4::ast::{
    Block, Decl, Else, Expr as P4, If, Stmt as P4Stmt, StmtKind as P4Kind, SwitchCase, Type as P4Type,
};
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, HashAlgorithm, Place, Stmt, StmtKind};
use pipeline_ir::{ActionId, CursorId, FlowTableId, HeaderId, LimiterId, Loc, RingId, TableId, VarId};

use super::arch::Hashing;
use super::egress::Cut;
use super::expr::{Scope, header, meta, opposite};
use super::flow::Find;
use super::learner::Learners;
use super::plan;
use super::staged::{self, Staged};
use super::sums::{Sums, Words};
use super::taken::Taken;
use super::worlds::{self, Known, Worlds};

/// A field of metadata that we add.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: P4Type,
    /// Found again in a second pass.
    pub(super) kept: bool,
}

/// The ingress control under construction.
pub(super) struct Ingress<'a> {
    pub(super) s: Scope<'a>,
    pub(super) tick_ns: u64,
    /// Metadata that we add, in the order of first use.
    pub(super) fields: Vec<Field>,
    /// Key expressions of tables.
    pub(super) keys: BTreeMap<TableId, Vec<P4>>,
    /// Parts of keys that are true or false.
    pub(super) flags: BTreeSet<(TableId, usize)>,
    /// Expressions of the pools that rings are asked for.
    pub(super) pools: BTreeMap<RingId, P4>,
    /// Expressions of the slots that rings are asked for.
    pub(super) slots: BTreeMap<RingId, P4>,
    /// What is done first where the ring that is asked next has a server.
    pub(super) behind_ring: Block,
    /// What is done there then.
    pub(super) selected: Option<Block>,
    /// Where the action of a ring puts the id.
    pub(super) ring_ids: BTreeMap<RingId, P4>,
    pub(super) flow_helpers: BTreeSet<(FlowTableId, CursorId)>,
    /// Helpers of flow tables that something calls.
    pub(super) flow_called: BTreeSet<String>,
    /// Where the flow is remembered at the end.
    pub(super) last_worlds: Worlds,
    /// Flow tables that the data plane fills.
    pub(super) learners: Learners,
    /// Flow tables in registers that a packet meets once each.
    pub(super) staged: BTreeSet<Staged>,
    /// What their digests are of.
    pub(super) digests: BTreeMap<FlowTableId, Vec<P4>>,
    pub(super) limiters: BTreeSet<LimiterId>,
    /// What the architecture's own hashes do.
    pub(super) hashers: BTreeSet<Hashing>,
    /// What each object hashes, where it hashes one list only.
    pub(super) hashed_lists: Vec<P4>,
    /// The pipeline is cut behind its last table, and this is what egress does.
    pub(super) egress: bool,
    /// What actions do for their arms.
    pub(super) taken: Taken,
    /// Variables that a table of their own sets.
    pub(super) apart: BTreeSet<VarId>,
    /// Those tables, with their actions.
    pub(super) computes: Vec<Decl>,
    /// The pipeline is cut, and this is what ingress does.
    pub(super) cut: Option<&'a Cut>,
    /// The statement that the clock is set before.
    clock: Option<plan::At>,
    /// Set where a packet is dropped and more stands behind it.
    pub(super) over: Option<VarId>,
    /// Tables from this one on decide conditions: nobody else sees them.
    pub(super) decisions: usize,
    /// Where changes of checksums are kept.
    pub(super) words: Words,
    /// Checksums of all their data.
    pub(super) whole: BTreeMap<Sums, Vec<P4>>,
    /// A packet is dropped somewhere.
    pub(super) drops: bool,
    pub(super) adjusts: bool,
    pub(super) sums: bool,
    pub(super) crcs: bool,
    pub(super) sips: bool,
}

impl<'a> Ingress<'a> {
    pub(super) fn new(s: Scope<'a>, tick_ns: u64) -> Self {
        Self {
            s,
            tick_ns,
            fields: Vec::new(),
            keys: BTreeMap::new(),
            flags: BTreeSet::new(),
            pools: BTreeMap::new(),
            slots: BTreeMap::new(),
            behind_ring: Block::new(),
            selected: None,
            ring_ids: BTreeMap::new(),
            flow_helpers: BTreeSet::new(),
            flow_called: BTreeSet::new(),
            last_worlds: Worlds::none(),
            learners: Learners::new(),
            staged: BTreeSet::new(),
            digests: BTreeMap::new(),
            limiters: BTreeSet::new(),
            hashers: BTreeSet::new(),
            hashed_lists: Vec::new(),
            over: None,
            decisions: s.p.tables.len(),
            egress: false,
            taken: Taken::new(),
            apart: BTreeSet::new(),
            computes: Vec::new(),
            cut: None,
            clock: s.style.means.staged.then(|| staged::clock_at(&s.p.control)).flatten(),
            whole: BTreeMap::new(),
            words: if s.style.means.sums_last { Words::new(s.p) } else { Words::default() },
            drops: false,
            adjusts: false,
            sums: false,
            crcs: false,
            sips: false,
        }
    }

    /// A field of metadata that we add, declared when first used.
    pub(super) fn field(&mut self, name: &str, ty: P4Type, kept: bool) -> P4 {
        if !self.fields.iter().any(|f| f.name == name) {
            self.fields.push(Field { name: name.to_owned(), ty, kept: kept && self.s.plan.resubmits });
        }
        meta(name)
    }

    /// The whole control.
    pub(super) fn body(&mut self, w: &Worlds) -> Block {
        let control = &self.s.p.control;
        let mut body = self.block(control, w);
        body.extend(self.remember_last());
        body.extend(self.count_drop());
        let mut first = Block::new();
        if self.staged.is_empty() && self.fields.iter().any(|f| f.name == "now") {
            first.push(P4Stmt::assign(meta("now"), self.s.style.arch.now(self.tick_ns)));
        }
        first.extend(self.limiter_tick());
        if self.s.plan.keeps_port {
            let bits = self.s.style.arch.port_bits();
            let port = self.field("ingress_port", P4Type::bit(bits.into()), true);
            if !self.s.plan.parser_reads_port {
                first.push(P4Stmt::assign(port, self.s.style.arch.ingress_port()));
            }
        }
        if !self.s.plan.resubmits {
            first.extend(body);
            return first;
        }
        let retry = self.field("retry", P4Type::Bool, true);
        match body.first_mut().map(|s| &mut s.kind) {
            Some(P4Kind::If(If { condition, then, .. })) if *condition == retry.clone().inverted() => {
                first.append(then);
                *then = first;
            }
            _ if first.is_empty() => {}
            _ => body.insert(0, P4Stmt::if_(retry.clone().inverted(), first)),
        }
        let again = self.kept_places().into_iter().map(|(var, kept)| P4Stmt::assign(var, kept));
        let again: Block = again.collect();
        if !again.is_empty() {
            body.insert(0, P4Stmt::if_(retry, again).note("What the parser has overwritten."));
        }
        body
    }

    /// Variables that the parser of a second pass overwrites, and where their values are kept meanwhile.
    fn kept_places(&mut self) -> Vec<(P4, P4)> {
        let vars: Vec<VarId> = self.s.plan.parsed_again.iter().copied().collect();
        let place = |var: VarId| {
            let name = format!("{}_kept", self.s.names.vars[var.index()]);
            (self.s.var(var), self.field(&name, plan::ty(self.s.p.var(var).ty), true))
        };
        vars.into_iter().map(place).collect()
    }

    /// A block. What stands before a `stay` runs in the first pass only.
    pub(super) fn block(&mut self, block: &[Stmt], w: &Worlds) -> Block {
        let mut w = w.clone();
        let Some(k) = plan::stay_index(block).filter(|k| *k > 0 && self.s.plan.resubmits) else {
            return self.stmts(block, &mut w);
        };
        let first = self.stmts(&block[..k], &mut w);
        let rest = self.stmts(&block[k..], &mut w);
        let retry = self.field("retry", P4Type::Bool, true);
        let guarded = P4Stmt::if_(retry.inverted(), first);
        std::iter::once(guarded).chain(rest).collect()
    }

    fn stmts(&mut self, block: &[Stmt], w: &mut Worlds) -> Block {
        let mut out = Vec::new();
        let mut leaves_by_end = false;
        for (i, s) in block.iter().enumerate() {
            if self.clock == Some(s as plan::At) {
                out.extend(self.clock_staged());
            }
            for (var, zero) in self.s.plan.declare.get(&(s as plan::At)).cloned().unwrap_or_default() {
                out.extend(self.declare(s, var, zero));
            }
            match &s.kind {
                StmtKind::Push(h) => out.extend(self.push(*h, &block[i + 1..], w, s.at)),
                StmtKind::Remember { .. } if self.s.plan.last.is_some() => {
                    self.last_worlds = self.last_worlds.clone().or(w.clone());
                    leaves_by_end = true;
                }
                StmtKind::Verdict(v) if leaves_by_end => {
                    let verdict = self.verdict(v, w);
                    out.extend(verdict.into_iter().filter(|s| s.kind != P4Kind::Exit));
                }
                StmtKind::Set { .. } if self.waits_for_ring(block, i) => {
                    let set = self.stmt(s, w);
                    self.behind_ring.extend(set);
                }
                _ => out.extend(self.stmt(s, w)),
            }
            *w = worlds::after(std::slice::from_ref(s), w);
        }
        out
    }

    /// Declares a local, unless the statement itself gives it its first value.
    fn declare(&self, s: &Stmt, var: VarId, zero: bool) -> Option<P4Stmt> {
        if matches!(&s.kind, StmtKind::Set { place: Place::Var(v), .. } if *v == var) {
            return None;
        }
        let ty = self.s.p.var(var).ty;
        let name = self.s.names.vars[var.index()].clone();
        Some(match (zero, ty) {
            (false, _) => P4Stmt::declare(plan::ty(ty), name),
            (true, Type::Bool) => P4Stmt::let_(P4Type::Bool, name, false),
            (true, _) => P4Stmt::let_(plan::ty(ty), name, 0u32),
        })
    }

    fn stmt(&mut self, s: &Stmt, w: &Worlds) -> Block {
        match &s.kind {
            StmtKind::Set { place, value } => {
                let set = self.set(s, *place, value, w);
                self.where_it_is(*place, set, w)
            }
            StmtKind::Push(h) => self.push(*h, &[], w, s.at),
            StmtKind::Pop(h) => vec![P4Stmt::call(header(self.s.names, *h).method0("setInvalid"))],
            StmtKind::If { cond, then, otherwise } => self.branch(cond, then, otherwise, w),
            StmtKind::Apply { table, key, arms } => self.apply(*table, key, arms, w, s.at),
            StmtKind::Hash { into, algorithm, key, data } => self.hash(*into, *algorithm, key, data, w),
            StmtKind::Checksum { place, data } => {
                let sum = self.checksum(*place, data, w);
                self.where_it_is(*place, sum, w)
            }
            StmtKind::Adjust { place, old, new } => {
                let adjust = self.adjust(s, *place, old, new, w);
                self.where_it_is(*place, adjust, w)
            }
            StmtKind::Count { counter, index } => {
                let (name, size) =
                    (&self.s.names.counters[counter.index()], self.s.p.counters[counter.index()].size);
                let bits = self.s.style.arch.cell_bits(size) as u8; // 32 at most
                let cell = self.s.cast(index, Type::Bits(bits), w);
                let kind = self.s.p.counters[counter.index()].kind;
                let count = self.s.style.arch.count(P4::name(name.clone()), cell.clone(), kind);
                if index.most() < u128::from(size) {
                    vec![count]
                } else {
                    let cell = if bits == 32 { cell } else { self.s.sized(index, w) };
                    vec![P4Stmt::if_(cell.less(size), [count])]
                }
            }
            StmtKind::Limit { limiter, into } => vec![self.limit(*limiter, *into)],
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                let find = Find { cursor: *cursor, table: *table, key, hash, event, class };
                let name = &self.s.p.flow_tables[table.index()].name;
                noted(self.find(find, w), self.note(s.at, &format!("find in {name}")))
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                let out = self.stay(*cursor, *id, select, *table, arms, w);
                noted(out, self.note(s.at, "stay where the flow is, or select"))
            }
            StmtKind::Remember { cursor, id } => {
                noted(self.remember(*cursor, *id, w), self.note(s.at, "remember"))
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let name = &self.s.p.rings[ring.index()].name;
                noted(
                    self.select(*ring, pool, hash, *into, w),
                    self.note(s.at, &format!("select from {name}")),
                )
            }
            StmtKind::Truncate { bytes } => {
                vec![self.s.style.arch.truncate(u32::from(*bytes))]
            }
            StmtKind::Verdict(v) => self.verdict(v, w),
        }
    }

    /// `l4lb.rs:42 what`
    pub(super) fn note(&self, at: Loc, what: &str) -> String {
        note(&self.s.p.file, at, what)
    }

    fn set(&mut self, s: &Stmt, place: Place, value: &Expr, w: &Worlds) -> Block {
        match place {
            Place::Var(v) if self.apart.contains(&v) => self.compute(v, value, w),
            Place::Field(h, _) if w.header(h) == Known::Invalid => Vec::new(),
            Place::Var(v) if !self.s.plan.in_metadata.contains(&v) && self.declared_here(s, v) => {
                let ty = plan::ty(self.s.p.var(v).ty);
                vec![P4Stmt::let_(ty, self.s.names.vars[v.index()].clone(), self.s.value(value, w))]
            }
            _ => vec![P4Stmt::assign(self.s.place(place), self.s.value(value, w))],
        }
    }

    fn declared_here(&self, s: &Stmt, v: VarId) -> bool {
        self.s.plan.declare.get(&(s as plan::At)).is_some_and(|list| list.iter().any(|d| d.0 == v))
    }

    /// Makes a header valid. Its fields are 0, but for those that `next` gives a value at once.
    fn push(&self, h: HeaderId, next: &[Stmt], w: &Worlds, at: Loc) -> Block {
        let known = w.header(h);
        if known == Known::Valid {
            return Vec::new();
        }
        let name = header(self.s.names, h);
        let ty = self.s.p.header_type(h);
        let mut given = BTreeSet::new();
        for s in next {
            let StmtKind::Set { place: Place::Field(to, f), value } = &s.kind else { break };
            if *to != h || value.any(|e| matches!(e.kind, ExprKind::Field(of, _) if of == h)) {
                break;
            }
            given.insert(f.index());
        }
        let mut out = vec![P4Stmt::call(name.clone().method0("setValid"))];
        for (i, _) in ty.fields.iter().enumerate().filter(|(i, _)| !given.contains(i)) {
            out.push(P4Stmt::assign(self.s.field(h, pipeline_ir::FieldId(i as u32)), 0u32));
        }
        if known == Known::Maybe && out.len() > 1 {
            out = vec![P4Stmt::if_(name.is_valid().inverted(), out)];
        }
        noted(out, self.note(at, &format!("push {}", self.s.p.headers[h.index()].name)))
    }

    fn branch(&mut self, cond: &Expr, then: &[Stmt], otherwise: &[Stmt], w: &Worlds) -> Block {
        let condition = self.s.value(cond, w);
        if let P4::Bool(always) = condition {
            return self.block(if always { then } else { otherwise }, &w.assume(cond, always));
        }
        let (mut out, condition) = self.joined(cond, condition, w);
        let then = self.block(then, &w.assume(cond, true));
        let otherwise = self.block(otherwise, &w.assume(cond, false));
        let stmt = match (then.is_empty(), otherwise.is_empty()) {
            (true, true) => return Vec::new(),
            (true, false) => P4Stmt::if_(opposite(condition), otherwise),
            (false, true) => P4Stmt::if_(condition, then),
            (false, false) => if_else(condition, then, otherwise),
        };
        out.push(stmt);
        out
    }

    fn apply(&mut self, table: TableId, key: &[Expr], arms: &[Arm], w: &Worlds, at: Loc) -> Block {
        let mut out = self.key(table, key, w);
        let bodies = self.bodies(arms, w);
        let name = &self.s.names.tables[table.index()];
        let apply = P4::name(name.clone()).method0("apply");
        if !self.s.plan.kept_tables.contains(&table) {
            out.push(self.dispatch(table, apply, bodies));
            return noted(out, self.note(at, &self.s.p.tables[table.index()].name));
        }
        // The second pass finds the action of the first.
        let action =
            self.field(&format!("{}_action", self.s.p.tables[table.index()].name), P4Type::bit(8), true);
        let remember = |a: &Arm| (a.action, vec![P4Stmt::assign(action.clone(), a.action.0 + 1)]);
        let first = self.dispatch(table, apply, arms.iter().map(remember).collect());
        out.push(first);
        let retry = self.field("retry", P4Type::Bool, true);
        let branches = bodies.into_iter().map(|(a, body)| (action.clone().equals(a.0 + 1), body));
        let branches: Vec<_> = branches.collect();
        let chain = P4Stmt::if_chain(branches, None);
        noted(vec![P4Stmt::if_(retry.inverted(), out)], self.note(at, &self.s.p.tables[table.index()].name))
            .into_iter()
            .chain(chain)
            .collect()
    }

    /// The arms that have something to do, but for those whose action does it.
    pub(super) fn bodies(&mut self, arms: &[Arm], w: &Worlds) -> Vec<(ActionId, Block)> {
        let mut bodies = Vec::new();
        for arm in arms {
            if self.s.plan.absorbed.contains(&arm.action) {
                for s in &arm.body {
                    if let StmtKind::Verdict(v) = &s.kind {
                        self.verdict(v, w);
                    }
                }
            } else {
                // The action itself hands the packet over to egress.
                if self.cut.is_some_and(|c| c.moves(arm.action)) {
                    continue;
                }
                let body = self.block(&arm.body, w);
                if !body.is_empty() {
                    bodies.push((arm.action, body));
                }
            }
        }
        bodies
    }

    /// Applies a table and runs the body of the action that was chosen.
    pub(super) fn dispatch(&self, table: TableId, apply: P4, mut bodies: Vec<(ActionId, Block)>) -> P4Stmt {
        let t = &self.s.p.tables[table.index()];
        // A default that no entry may use runs on a miss, and only then.
        let by_hit = self.s.p.actions[t.default.index()].default_only && t.actions.len() <= 2;
        let miss = bodies.iter().position(|b| b.0 == t.default);
        match (bodies.len(), miss) {
            (0, _) => P4Stmt::call(apply),
            (1, Some(_)) if self.s.p.actions[t.default.index()].default_only => {
                P4Stmt::if_(apply.member("miss"), bodies.remove(0).1)
            }
            (1, None) if by_hit => P4Stmt::if_(apply.member("hit"), bodies.remove(0).1),
            (2, Some(miss)) if by_hit => {
                let otherwise = bodies.remove(miss).1;
                P4Stmt::if_else(apply.member("hit"), bodies.remove(0).1, otherwise)
            }
            _ => {
                let case =
                    |(a, body): (ActionId, Block)| SwitchCase::new(P4::name(self.s.action(table, a)), body);
                P4Stmt::switch(apply.member("action_run"), bodies.into_iter().map(case))
            }
        }
    }

    fn stay(
        &mut self,
        c: CursorId,
        id: VarId,
        select: &[Stmt],
        table: TableId,
        arms: &[Arm],
        w: &Worlds,
    ) -> Block {
        if self.s.style.means.staged {
            return self.stay_staged(c, id, select, (table, arms), w);
        }
        let flows = w.cursor(self.s.p, c).into_iter().any(|t| t.is_some());
        if !self.s.style.means.resubmits {
            return self.stay_here(c, id, select, (table, arms), flows, w);
        }
        let place = self.s.var(id);
        let select_block = self.block(select, w);
        let mut out = Vec::new();
        if flows {
            let value = self.cursor(c, "value").slice(47u32, 24u32);
            let width = self.s.p.var(id).ty.width();
            let value = if width == 24 { value } else { value.cast(P4Type::bit(u32::from(width))) };
            let stays = vec![P4Stmt::assign(place.clone(), value)];
            out.push(P4Stmt::if_else(self.cursor(c, "hit"), stays, select_block));
        } else {
            out.extend(select_block);
        }
        self.keys.insert(table, vec![place]);
        let after = w.clone().or(worlds::after(select, w));
        let mut bodies = self.bodies(arms, &after);
        let t = &self.s.p.tables[table.index()];
        if flows {
            let retry = self.field("retry", P4Type::Bool, true);
            let mut again =
                vec![P4Stmt::assign(retry, true).note("Once more from the start, as a flow that moves.")];
            again.extend(self.kept_places().into_iter().map(|(var, kept)| P4Stmt::assign(kept, var)));
            again.push(P4Stmt::call(P4::call("resubmit_preserving_field_list", [P4::int(1)])));
            again.push(P4Stmt::exit());
            let again = P4Stmt::if_(self.cursor(c, "hit"), again);
            match bodies.iter_mut().find(|b| b.0 == t.default) {
                Some((_, body)) => body.insert(0, again),
                None => bodies.push((t.default, vec![again])),
            }
        }
        let apply = P4::name(self.s.names.tables[table.index()].clone()).method0("apply");
        let asked = self.dispatch(table, apply, bodies);
        out.push(self.unless_over(asked));
        out
    }

    /// `stay` where a table can be applied twice: a flow whose id is gone selects anew and asks again.
    fn stay_here(
        &mut self,
        c: CursorId,
        id: VarId,
        select: &[Stmt],
        (table, arms): (TableId, &[Arm]),
        flows: bool,
        w: &Worlds,
    ) -> Block {
        let select_block = self.block(select, w);
        let t = &self.s.p.tables[table.index()];
        let key = t.keys.first().map_or("id", |k| k.name.as_str());
        let key = self.field(&format!("{}_{key}", t.name), plan::ty(self.s.p.var(id).ty), false);
        self.keys.insert(table, vec![key.clone()]);
        let ask = P4Stmt::assign(key, self.s.var(id));
        let apply = P4::name(self.s.names.tables[table.index()].clone()).method0("apply");
        let after = w.clone().or(worlds::after(select, w));
        let bodies = self.bodies(arms, &after);
        let mut moves = select_block;
        moves.push(ask.clone());
        if !flows {
            moves.push(self.dispatch(table, apply, bodies));
            return moves;
        }
        let action = self.field(&format!("{}_action", t.name), P4Type::bit(8), false);
        let noted = |g: &Self| {
            let note = |a: &ActionId| (*a, vec![P4Stmt::assign(action.clone(), a.0 + 1)]);
            g.dispatch(table, apply.clone(), t.actions.iter().map(note).collect())
        };
        let width = self.s.p.var(id).ty.width();
        let known = self.cursor(c, "id");
        let known = if width == 24 { known } else { known.cast(P4Type::bit(u32::from(width))) };
        let hit = self.cursor(c, "hit");
        let gone = P4Stmt::if_(action.clone().equals(t.default.0 + 1), [P4Stmt::assign(hit.clone(), false)]);
        let stays = vec![P4Stmt::assign(self.s.var(id), known), ask, noted(self), gone];
        moves.push(noted(self));
        let chain = bodies.into_iter().map(|(a, body)| (action.clone().equals(a.0 + 1), body));
        let chain = P4Stmt::if_chain(chain.collect::<Vec<_>>(), None);
        let out = [P4Stmt::if_(hit.clone(), stays), P4Stmt::if_(hit.inverted(), moves)];
        out.into_iter().chain(chain).collect()
    }

    fn hash(
        &mut self,
        into: VarId,
        algorithm: HashAlgorithm,
        key: &Expr,
        data: &[Expr],
        w: &Worlds,
    ) -> Block {
        match algorithm {
            HashAlgorithm::Crc32 => self.crc32(into, key, data, w),
            HashAlgorithm::HalfSipHash => self.half_sip_hash(into, key, data, w),
        }
    }
}

/// `if else`, or `else if` where nothing but another condition follows.
pub(super) fn if_else(condition: P4, then: Block, mut otherwise: Block) -> P4Stmt {
    match otherwise.pop() {
        Some(P4Stmt { notes, kind: P4Kind::If(next) }) if otherwise.is_empty() && notes.is_empty() => {
            P4Kind::If(If { condition, then, otherwise: Some(Else::If(Box::new(next))) }).into()
        }
        last => {
            otherwise.extend(last);
            P4Stmt::if_else(condition, then, otherwise)
        }
    }
}

/// Puts a comment above the first statement.
fn noted(mut block: Block, note: String) -> Block {
    if let Some(first) = block.first_mut() {
        first.notes.insert(0, note.into());
    }
    block
}

/// `l4lb.rs:42 what`
pub(super) fn note(file: &str, at: Loc, what: &str) -> String {
    match at.line {
        0 => what.to_owned(),
        line => format!("{file}:{line} {what}"),
    }
}
