//! Flow tables in registers that a packet meets once each: two ways, each a register of whose it is and until when, and
//! one of the id.
//!
//! ```p4
//! flows_look0.apply();    // finds, rearms or takes a place in the first way
//! flows_look1.apply();    // the same in the second, unless the first has it
//! flows_know1.apply();    // the id: read where the flow was found, written where it took a place
//! flows_know0.apply();
//! ```
//!
//! What a packet does to a register it does when it looks, so the ring is asked before, and `remember` has nothing left
//! to do. A flow that takes the first way while it has the second brings its id along: it stays where it was. A flow
//! whose id is gone comes back in a second pass, which writes what it would read.

use std::collections::BTreeSet;

use p4::ast::{Block, Decl, Expr as P4, Field, Stmt, Type as P4Type};
use pipeline_ir::expr::ExprKind;
use pipeline_ir::flow::ticks;
use pipeline_ir::stmt::{Arm, Place, Stmt as IrStmt, StmtKind, any, walk};
use pipeline_ir::{ActionId, CursorId, FlowTable, FlowTableId, Idle, TableId, VarId};

use super::control::Ingress;
use super::expr::meta;
use super::flow::Find;
use super::info::Sizes;
use super::plan;
use super::prelude;
use super::worlds::{self, Worlds};
use crate::steps::early::passes;

/// Where the flows of a table that a cursor is looked up in lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Staged {
    table: FlowTableId,
    cursor: CursorId,
    id: VarId,
}

/// Ways of a table.
const WAYS: u32 = 2;
/// Bits of the chip's time, in nanoseconds.
const CLOCK_BITS: u32 = 48;

/// Bits of a register's word for an id.
fn cell(bits: u32) -> u32 {
    bits.next_power_of_two().max(8)
}

impl Ingress<'_> {
    fn cursor_field(&mut self, c: CursorId, ending: &str, ty: P4Type) -> P4 {
        let name = format!("{}_{ending}", self.s.names.cursors[c.index()]);
        self.field(&name, ty, false)
    }

    /// A flag of a flow table.
    fn table_flag(&mut self, t: FlowTableId, ending: &str) -> P4 {
        let name = format!("{}_{ending}", self.s.p.flow_tables[t.index()].name);
        self.field(&name, P4Type::Bool, false)
    }

    /// `find`: notes what is looked for. Whose event stays 0 is looked for nowhere.
    pub(super) fn find_staged(&mut self, f: Find<'_>, w: &Worlds) -> Block {
        let (c, t) = (f.cursor, f.table);
        let mut out = Vec::new();
        if self.several_tables(c) {
            out.push(Stmt::assign(self.cursor(c, "table"), t.0 + 1));
        }
        let event = self.cursor_field(c, "event", P4Type::bit(3));
        out.push(Stmt::assign(event, self.s.value(f.event, w)));
        if self.common_hash(c).is_none() {
            out.push(Stmt::assign(self.cursor(c, "hash"), self.s.value(f.hash, w)));
        }
        let parts: Vec<P4> = f.key.iter().map(|e| self.s.sized(e, w)).collect();
        self.digests.insert(t, parts);
        let name = format!("{}_digest", self.s.names.cursors[c.index()]);
        self.field(&name, P4Type::bit(32), false);
        let mark = P4::name(format!("{}_mark", self.s.p.flow_tables[t.index()].name));
        out.push(Stmt::call(mark.method0("apply")));
        out
    }

    /// The variable that has the hash of all flows that a cursor is filled with, if it is one, in metadata, and not set
    /// behind the first of them.
    fn common_hash(&self, c: CursorId) -> Option<VarId> {
        let (mut hashes, mut set_since) = (BTreeSet::new(), BTreeSet::new());
        walk(&self.s.p.control, &mut |s| {
            if let StmtKind::Find { cursor, hash, .. } = &s.kind
                && *cursor == c
            {
                hashes.insert(match hash.kind {
                    ExprKind::Var(v) => Some(v),
                    _ => None,
                });
            }
            if let (Some(Place::Var(v)), false) = (s.kind.written(), hashes.is_empty()) {
                set_since.insert(v);
            }
        });
        let hash = hashes.pop_first().flatten().filter(|_| hashes.is_empty())?;
        (!set_since.contains(&hash) && self.s.plan.in_metadata.contains(&hash)).then_some(hash)
    }

    /// What registers say of a flow: each is asked by itself, and each stage writes one.
    pub(super) fn seen(&self) -> BTreeSet<String> {
        let cursors = self.staged.iter().map(|s| &self.s.names.cursors[s.cursor.index()]);
        cursors.flat_map(|cursor| (0..WAYS).map(move |n| format!("{cursor}_seen{n}"))).collect()
    }

    /// Does a statement take a part of a hash that is asked for behind a `stay` of its block? It is done inside, where the
    /// ring has a server: what stands before the ring's tables, these wait for.
    pub(super) fn waits_for_ring(&self, block: &[IrStmt], at: usize) -> bool {
        let s = &block[at];
        let StmtKind::Set { place: Place::Var(v), value } = &s.kind else { return false };
        let mut hashes = Vec::new();
        walk(&block[..at], &mut |s| {
            if let StmtKind::Hash { into, .. } = s.kind {
                hashes.push(into);
            }
        });
        let of_hash = value.any(|e| matches!(e.kind, ExprKind::Var(v) if hashes.contains(&v)));
        let stay = block[at..].iter().position(|s| matches!(s.kind, StmtKind::Stay { .. })).map(|i| at + i);
        let Some((StmtKind::Stay { select, id, .. }, stay)) = stay.map(|i| (&block[i].kind, i)) else {
            return false;
        };
        let asks_ring = matches!(&select[..], [only] if matches!(only.kind, StmtKind::Select { .. }));
        let mut between = block[at + 1..stay].iter().chain(select);
        let passes = between.all(|other| passes(&self.s.p.vars, s, other));
        self.s.style.means.staged
            && of_hash
            && asks_ring
            && passes
            && id != v
            && self.s.plan.in_metadata.contains(v)
    }

    /// Where the hash of a cursor's flow lies.
    fn place_of_hash(&self, c: CursorId) -> P4 {
        let own = || meta(&format!("{}_hash", self.s.names.cursors[c.index()]));
        self.common_hash(c).map_or_else(own, |hash| self.s.var(hash))
    }

    /// `stay`: asks the ring, then the flow tables, then the table of ids.
    pub(super) fn stay_staged(
        &mut self,
        c: CursorId,
        id: VarId,
        select: &[IrStmt],
        (table, arms): (TableId, &[Arm]),
        w: &Worlds,
    ) -> Block {
        let after = w.clone().or(worlds::after(select, w));
        let tables: Vec<FlowTableId> = w.cursor(self.s.p, c).into_iter().flatten().collect();
        let mut inner = self.look_staged(&tables, c, id);
        let key = if tables.is_empty() { self.s.var(id) } else { self.own_part(c, id) };
        self.keys.insert(table, vec![key]);
        let mut bodies = self.bodies(arms, &after);
        if !tables.is_empty() {
            self.again(c, self.s.p.tables[table.index()].default, &mut bodies);
        }
        let apply = P4::name(self.s.names.tables[table.index()].clone()).method0("apply");
        inner.extend(self.count_staged(&tables, c));
        inner.push(self.dispatch(table, apply, bodies));
        let mut out = Block::new();
        match (select, self.over) {
            ([only], _) if matches!(only.kind, StmtKind::Select { .. }) => {
                self.selected = Some(inner);
                out.extend(self.block(select, w));
            }
            (_, Some(over)) => {
                // What selects nothing leaves 0.
                out.push(Stmt::assign(self.s.var(id), 0u32));
                out.extend(self.block(select, w));
                out.push(Stmt::if_(self.s.var(over).inverted(), inner));
            }
            (_, None) => {
                out.push(Stmt::assign(self.s.var(id), 0u32));
                out.extend(self.block(select, w));
                out.extend(inner);
            }
        }
        out
    }

    /// Of where the registers' ids come to, the id.
    fn own_part(&mut self, c: CursorId, id: VarId) -> P4 {
        let width = u32::from(self.s.p.var(id).ty.width());
        let place = self.staged_place(c, id);
        if cell(width) == width { place } else { place.slice(width - 1, 0u32) }
    }

    fn look_staged(&mut self, tables: &[FlowTableId], c: CursorId, id: VarId) -> Block {
        let width = u32::from(self.s.p.var(id).ty.width());
        let wide = cell(width) != width && !tables.is_empty();
        let (place, own) = (self.staged_place(c, id), self.s.var(id));
        let mut out = std::mem::take(&mut self.behind_ring);
        if wide {
            out.push(Stmt::assign(place, own.clone().cast(P4Type::bit(cell(width)))));
        }
        if !tables.is_empty() {
            let looks = self.each(tables, c, |g, t| {
                g.staged.insert(Staged { table: t, cursor: c, id });
                let name = &g.s.p.flow_tables[t.index()].name;
                let tables = ["look0", "look1", "know1", "know0"].map(|part| format!("{name}_{part}"));
                tables.map(|t| Stmt::call(P4::name(t).method0("apply"))).into()
            });
            out.extend(looks);
        }
        if wide {
            out.push(Stmt::assign(own, self.own_part(c, id)));
        }
        out
    }

    /// Where the registers' ids come to.
    fn staged_place(&mut self, c: CursorId, id: VarId) -> P4 {
        let width = u32::from(self.s.p.var(id).ty.width());
        if cell(width) == width {
            return self.s.var(id);
        }
        let name = format!("{}_id", self.s.names.cursors[c.index()]);
        self.field(&name, P4Type::bit(cell(width)), false)
    }

    /// A flow that was found, but whose id is gone, comes back.
    fn again(&mut self, c: CursorId, default: ActionId, bodies: &mut Vec<(ActionId, Block)>) {
        let hit = self.cursor_field(c, "hit", P4Type::Bool);
        let again = vec![self.s.style.arch.send_again().note("Once more, as a flow that moves.")];
        match bodies.iter_mut().find(|b| b.0 == default) {
            Some((_, body)) => *body = vec![Stmt::if_else(hit, again, std::mem::take(body))],
            None => bodies.push((default, vec![Stmt::if_(hit, again)])),
        }
    }

    fn count_staged(&mut self, tables: &[FlowTableId], c: CursorId) -> Block {
        let mut out = Vec::new();
        for t in tables {
            for n in 0..WAYS {
                let bits = self.s.style.arch.predicate_bits();
                self.cursor_field(c, &format!("seen{n}"), P4Type::bit(bits));
            }
            let hit = self.cursor_field(c, "hit", P4Type::Bool);
            let (wrote, none) = (self.table_flag(*t, "wrote"), self.table_flag(*t, "no_room"));
            let stored = Stmt::if_(wrote.and(hit.inverted()), [self.count(*t, "stored")]);
            out.extend([stored, Stmt::if_(none, [self.count(*t, "not_stored")])]);
        }
        out
    }

    /// Sets the clock.
    pub(super) fn clock_staged(&mut self) -> Block {
        let [clock, before, now] =
            ["clock", "clock_before", "now"].map(|f| self.field(f, P4Type::bit(32), false));
        let counted = P4::name("flow_clock_before").method("execute", [P4::int(0)]);
        vec![
            Stmt::assign(clock.clone(), self.s.style.arch.clock(self.tick_ns).cast(P4Type::bit(32))),
            Stmt::assign(before.clone(), counted),
            Stmt::assign(now, before.bit_or(clock)),
        ]
    }
}

/// Where the clock is set: on the way to where flows are looked up, before any table is, so that nothing waits for it.
pub(super) fn clock_at(block: &[IrStmt]) -> Option<plan::At> {
    let finds = |block: &[IrStmt]| any(block, |s| matches!(s, StmtKind::Find { .. }));
    let looks = |s: &StmtKind| matches!(s, StmtKind::Find { .. } | StmtKind::Stay { .. });
    let at = block.iter().position(|s| finds(std::slice::from_ref(s)))?;
    let here = block.first().map(|s| s as plan::At);
    let alone = !any(&block[..at], |s| matches!(s, StmtKind::Apply { .. })) && !any(&block[at + 1..], looks);
    match &block[at].kind {
        StmtKind::If { then, otherwise, .. } if alone => match (any(then, looks), any(otherwise, looks)) {
            (true, false) => clock_at(then),
            (false, true) => clock_at(otherwise),
            _ => here,
        },
        _ => here,
    }
}

/// The types of what registers hold.
pub(super) fn types(staged: &BTreeSet<Staged>) -> Vec<Decl> {
    let words =
        |name: &str, fields: [&str; 2]| Decl::structure(name, fields.map(|f| Field::new(P4Type::bit(32), f)));
    if staged.is_empty() {
        return Vec::new();
    }
    vec![
        words("flow_entry_t", ["digest", "until"]).note("Whose a place is, and until when."),
        words("flow_clock_t", ["last", "before"]),
    ]
}

/// What the control says of where its metadata lies: a register takes whole words.
pub(super) fn whole(g: &Ingress<'_>, control: Decl) -> Decl {
    let digests = g.staged.iter().map(|s| format!("{}_digest", g.s.names.cursors[s.cursor.index()]));
    let now = (!g.staged.is_empty()).then(|| "now".to_owned());
    let words: BTreeSet<String> = digests.chain(now).collect();
    words.iter().filter_map(|w| g.s.style.arch.whole(w, 32)).fold(control, Decl::annotate)
}

/// Registers, actions and tables of all flow tables.
pub(super) fn helpers(g: &Ingress<'_>, sizes: &Sizes) -> Vec<Decl> {
    if g.staged.is_empty() {
        return Vec::new();
    }
    let round = 1u64 << (CLOCK_BITS - g.tick_ns.max(1).ilog2());
    let (half, round) = ((round / 2).to_string(), round.to_string());
    let mut out = fill(prelude::STAGED_CLOCK, &[("HALF_ROUND", &half), ("ONE_ROUND", &round)]);
    for s in &g.staged {
        out.extend(of_table(g, *s, sizes));
    }
    out
}

fn of_table(g: &Ingress<'_>, s: Staged, sizes: &Sizes) -> Vec<Decl> {
    let table = &g.s.p.flow_tables[s.table.index()];
    let cells = (sizes.flows(table) / WAYS).max(2);
    let bits = cells.next_power_of_two().ilog2();
    let width = u32::from(g.s.p.var(s.id).ty.width());
    let cursor = &g.s.names.cursors[s.cursor.index()];
    let place = match cell(width) == width {
        true => g.s.var(s.id),
        false => meta(&format!("{cursor}_id")),
    };
    let [new, tcp, udp] = idle(table, g.tick_ns);
    let numbers = [cells, bits, bits - 1, cell(width), g.s.style.arch.predicate_bits(), new, tcp, udp];
    let [cells, bits, last, cell, seen, new, tcp, udp] = numbers.map(|n| n.to_string());
    let hashed = p4::print::expr(&g.place_of_hash(s.cursor));
    let (place, again) = (p4::print::expr(&place), p4::print::expr(&g.s.style.arch.is_again()));
    let key =
        g.digests.get(&s.table).map(|parts| p4::print::expr(&P4::list(parts.clone()))).unwrap_or_default();
    let holes = [("CURSOR", cursor.as_str()), ("TABLE", &table.name), ("KEY", &key)];
    let mut out = fill(prelude::STAGED_DIGEST, &holes);
    for n in (0..WAYS).map(|n| n.to_string()) {
        let (register, seen_at) = (format!("{}_{n}", table.name), format!("seen{n}"));
        let names = ["open", "data", "datagram", "close", "read", "write"];
        let actions = names.map(|a| (format!("TABLE_{a}N"), format!("{}_{a}{n}", table.name)));
        let mut holes: Vec<(&str, &str)> = vec![("TABLE_N", &register), ("seenN", &seen_at)];
        holes.extend(actions.iter().map(|(h, with)| (h.as_str(), with.as_str())));
        holes.extend([("IDLE_OF_NEW", &*new), ("IDLE_OF_TCP", &*tcp), ("IDLE_OF_UDP", &*udp)]);
        holes.extend([("CURSOR", &**cursor), ("TABLE", &*table.name), ("CELLS", &*cells), ("CELL", &*cell)]);
        holes.extend([("BITS", &*bits), ("LAST", &*last), ("SEEN", &*seen), ("PLACE", &*place)]);
        holes.push(("HASHED", &*hashed));
        out.extend(fill(prelude::STAGED_WAY, &holes));
    }
    let of_outcomes = [("LIVE_SAME", "8"), ("LIVE_OTHER", "4"), ("DEAD_SAME", "2"), ("DEAD_OTHER", "1")];
    let mut holes = of_outcomes.to_vec();
    holes.extend([("CURSOR", &**cursor), ("TABLE", &*table.name), ("AGAIN", &*again)]);
    out.extend(fill(prelude::STAGED, &holes));
    out
}

/// Time-outs in ticks, the longest of all classes: new, TCP, UDP.
fn idle(table: &FlowTable, tick_ns: u64) -> [u32; 3] {
    let longest = |of: fn(&Idle) -> u64| table.idle.iter().map(|i| ticks(of(i), tick_ns)).max().unwrap_or(0);
    [longest(|i| i.new), longest(|i| i.tcp), longest(|i| i.udp)]
}

/// Declarations from text with holes.
fn fill(text: &str, holes: &[(&str, &str)]) -> Vec<Decl> {
    let text = holes.iter().fold(text.to_owned(), |text, (hole, with)| text.replace(hole, with));
    p4::parse(&text).map(|program| program.decls).unwrap_or_default()
}
