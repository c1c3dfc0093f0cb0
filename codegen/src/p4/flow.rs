//! Flow tables by `pipeline_ir::flow`: a register array of ways; `find` looks, `remember` writes.
//!
//! ```p4
//! // l4lb.rs:412 find in flows4
//! meta.flows4_key = meta.client4 ++ meta.client_port ++ meta.vip ++ meta.vip_port;
//! ...
//! flows4_look(meta.flow_hash);
//! if (!meta.flow_place && meta.flow_spill == 1) {
//!     flows4_look(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
//! }
//! ```

use std::collections::BTreeSet;

use p4::ast::{Block, Decl, DeclKind, Expr as P4, Stmt, Type as P4Type};
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::flow::{Layout, TICK_BITS, ticks};
use pipeline_ir::stmt::{StmtKind, event, walk};
use pipeline_ir::{CursorId, FlowTable, FlowTableId, Idle};

use super::control::Ingress;
use super::expr::{meta, number, sized};
use super::prelude;
use super::worlds::Worlds;

/// What `find` is given.
#[derive(Clone, Copy)]
pub(super) struct Find<'a> {
    pub(super) cursor: CursorId,
    pub(super) table: FlowTableId,
    pub(super) key: &'a [Expr],
    pub(super) hash: &'a Expr,
    pub(super) event: &'a Expr,
    pub(super) class: &'a Expr,
}

impl Ingress<'_> {
    /// A field of a cursor, declared when first used.
    pub(super) fn cursor(&mut self, c: CursorId, ending: &str) -> P4 {
        let ty = match ending {
            "hit" | "place" => P4Type::Bool,
            "index" | "hash" => P4Type::bit(32),
            "value" | "way0" | "way1" | "way2" | "way3" => P4Type::bit(48),
            "rank" => P4Type::bit(20),
            "event" => P4Type::bit(3),
            "class" => P4Type::bit(2),
            "spill" => P4Type::bit(1),
            "id" => P4Type::bit(24),
            _ => P4Type::bit(8),
        };
        let kept = matches!(ending, "class" | "event" | "hash" | "index" | "place" | "table" | "value");
        let kept = kept && self.s.plan.kept_cursors.contains(&c);
        let name = format!("{}_{ending}", self.s.names.cursors[c.index()]);
        self.field(&name, ty, kept)
    }

    /// Who has the time-outs of a flow table for a cursor: the cursor, if all tables that it is looked up in agree.
    pub(super) fn owner(&self, t: FlowTableId, c: CursorId) -> String {
        let idle = |t: FlowTableId| &self.s.p.flow_tables[t.index()].idle;
        let agree = self.finds().filter(|f| f.0 == c).all(|f| idle(f.1) == idle(t));
        let cursor = &self.s.names.cursors[c.index()];
        let table = &self.s.p.flow_tables[t.index()].name;
        if agree { cursor.clone() } else { format!("{cursor}_{table}") }
    }

    /// The key of a flow table, all 80 or 176 bits.
    pub(super) fn flow_key(&mut self, t: FlowTableId, c: CursorId) -> P4 {
        let table = &self.s.p.flow_tables[t.index()];
        let kept = self.s.plan.kept_cursors.contains(&c);
        self.field(&format!("{}_key", table.name), P4Type::bit(table.layout().key_bits()), kept)
    }

    /// Name of a helper of a flow table; a second cursor over the same table has its own.
    fn helper(&mut self, t: FlowTableId, c: CursorId, ending: &str) -> String {
        self.flow_helpers.insert((t, c));
        self.field("now", P4Type::bit(u32::from(TICK_BITS)), true);
        let name = match ending {
            "idle" | "choose" => format!("{}_{ending}", self.owner(t, c)),
            _ => format!("{}_{ending}{}", self.s.p.flow_tables[t.index()].name, self.ending(t, c)),
        };
        self.flow_called.insert(name.clone());
        name
    }

    /// What tells a table's helpers for a second cursor from those for the first.
    fn ending(&self, t: FlowTableId, c: CursorId) -> String {
        let first = self.finds().filter(|f| f.1 == t).map(|f| f.0).min();
        if first == Some(c) { String::new() } else { format!("_{}", c.0 + 1) }
    }

    /// Cursor and table of every `find`.
    fn finds(&self) -> impl Iterator<Item = (CursorId, FlowTableId)> + use<> {
        let mut found = BTreeSet::new();
        walk(&self.s.p.control, &mut |s| {
            if let StmtKind::Find { cursor, table, .. } = &s.kind {
                found.insert((*cursor, *table));
            }
        });
        found.into_iter()
    }

    pub(super) fn call(
        &mut self,
        t: FlowTableId,
        c: CursorId,
        ending: &str,
        args: impl IntoIterator<Item = P4>,
    ) -> Stmt {
        Stmt::call(P4::call(self.helper(t, c, ending), args))
    }

    /// The hash that chooses the second bucket.
    pub(super) fn second(&mut self, c: CursorId) -> P4 {
        let hash = self.cursor(c, "hash");
        hash.clone().slice(15u32, 0u32).concat(hash.slice(31u32, 16u32))
    }

    /// `find`.
    pub(super) fn find(&mut self, f: Find<'_>, w: &Worlds) -> Block {
        let means = &self.s.style.means;
        match (means.learns, means.staged) {
            (true, _) => self.find_learned(f, w),
            (_, true) => self.find_staged(f, w),
            _ => self.find_in_registers(f, w),
        }
    }

    fn find_in_registers(&mut self, f: Find<'_>, w: &Worlds) -> Block {
        let (c, t) = (f.cursor, f.table);
        let table = &self.s.p.flow_tables[t.index()];
        let spare = table.layout().key_bits().saturating_sub(table.key_bits());
        let mut parts: Vec<P4> = f.key.iter().map(|e| self.s.sized(e, w)).collect();
        if spare > 0 {
            parts.push(P4::sized(spare, 0));
        }
        let mut out = Vec::new();
        let key = self.flow_key(t, c);
        out.extend(P4::join(p4::ast::BinaryOp::Concat, parts).map(|value| Stmt::assign(key, value)));
        if self.several_tables(c) {
            out.push(Stmt::assign(self.cursor(c, "table"), t.0 + 1));
        }
        out.push(Stmt::assign(self.cursor(c, "hash"), self.s.value(f.hash, w)));
        out.push(Stmt::assign(self.cursor(c, "event"), self.s.value(f.event, w)));
        out.push(Stmt::assign(self.cursor(c, "class"), self.class(f.class, table.idle.len(), w)));
        self.cursor(c, "index");
        let hash = self.cursor(c, "hash");
        out.push(self.call(t, c, "look", [hash]));
        let again = self.second(c);
        let again = self.call(t, c, "look", [again]);
        let unseen = self.cursor(c, "place").inverted().and(self.cursor(c, "spill").equals(1u32));
        out.push(Stmt::if_(unseen, [again]));
        let live = self.is_live(t, c);
        out.push(Stmt::assign(self.cursor(c, "hit"), live));
        out
    }

    /// A class that the table has: beyond them, the last.
    pub(super) fn class(&self, class: &Expr, classes: usize, w: &Worlds) -> P4 {
        let last = classes.clamp(1, 4) as u128 - 1;
        match class.kind {
            ExprKind::Const(n) => number(n.min(last)),
            _ if last == 3 => self.s.value(class, w),
            _ if last == 0 => number(0),
            _ => {
                let value = self.s.sized(class, w);
                value.clone().greater(number(last)).choose(sized(2, last), value)
            }
        }
    }

    fn is_live(&mut self, t: FlowTableId, c: CursorId) -> P4 {
        let value = self.cursor(c, "value");
        let idle = P4::call(self.helper(t, c, "idle"), [value.clone()]);
        let age = meta("now").plus(P4::int(1)).minus(value.clone().slice(17u32, 0u32));
        let reopened = value
            .slice(23u32, 21u32)
            .equals(P4::name("FLOW_CLOSING"))
            .and(self.cursor(c, "event").equals(P4::name("EVENT_OPEN")));
        self.cursor(c, "place").and(age.less_equal(idle)).and(reopened.inverted())
    }

    /// Can more than one table fill a cursor?
    pub(super) fn several_tables(&self, c: CursorId) -> bool {
        self.finds().filter(|f| f.0 == c).count() > 1
    }
}

/// The helpers of all flow tables that something calls: functions and actions.
pub(super) fn helpers(g: &Ingress<'_>) -> (Vec<Decl>, Vec<Decl>) {
    let (mut functions, mut actions) = (Vec::new(), Vec::new());
    let mut owners = BTreeSet::new();
    for (t, c) in &g.flow_helpers {
        let (table, owner) = (&g.s.p.flow_tables[t.index()], g.owner(*t, *c));
        let cursor = &g.s.names.cursors[c.index()];
        if owners.insert(owner.clone()) {
            let idle = idle(&table.idle, g.tick_ns);
            let holes = [("OWNER", owner.as_str()), ("CURSOR", cursor), ("IDLE", &idle)];
            let (f, a) = prelude::fill(prelude::ROOM, &holes);
            let chooses = g.flow_called.contains(&format!("{owner}_choose"));
            functions.extend(f.into_iter().take(if chooses { 2 } else { 1 }));
            actions.extend(a.into_iter().filter(|_| chooses));
        }
        let own = of_table(table, &g.s.names.flow_tables[t.index()], cursor, &g.ending(*t, *c));
        actions.extend(own.into_iter().filter(|d| match &d.kind {
            DeclKind::Action(a) => g.flow_called.contains(&a.name),
            _ => true,
        }));
    }
    (functions, actions)
}

/// The actions of a flow table for a cursor.
fn of_table(table: &FlowTable, register: &str, cursor: &str, ending: &str) -> Vec<Decl> {
    let key = format!("meta.{}_key", table.name);
    let buckets = format!("{}_BUCKETS", table.name.to_uppercase());
    let ways = ["way0", "way1", "way2", "way3"];
    let same = ways.map(|w| {
        let test = match table.layout() {
            Layout::Narrow => format!("{w}[127:48] == {key}"),
            Layout::Wide => format!("{w}[255:224] == {key}[175:144] && {w}[191:48] == {key}[143:0]"),
        };
        (format!("SAME({w})"), test)
    });
    let (cell, entry) = match table.layout() {
        Layout::Narrow => ("128", key),
        Layout::Wide => ("256", format!("{key}[175:144] ++ 32w0 ++ {key}[143:0]")),
    };
    let mut holes: Vec<(&str, &str)> = same.iter().map(|(h, t)| (h.as_str(), t.as_str())).collect();
    holes.extend([("BUCKETS", buckets.as_str()), ("CELL", cell), ("ENTRY", &entry)]);
    let own =
        ["look", "ways", "write", "spill"].map(|a| (format!("TABLE_{a}("), format!("TABLE_{a}{ending}(")));
    holes.extend(own.iter().map(|(h, t)| (h.as_str(), t.as_str())));
    holes.extend([("REGISTER", register), ("CURSOR", cursor), ("TABLE", table.name.as_str())]);
    prelude::fill(prelude::FLOW, &holes).1
}

/// Time-outs by state and class, in ticks.
fn idle(classes: &[Idle], tick_ns: u64) -> String {
    let most = (1u32 << TICK_BITS) - 1;
    let by_class = |of: fn(&Idle) -> u64| {
        let limits: Vec<u32> = classes.iter().map(|i| ticks(of(i), tick_ns).min(most)).collect();
        let often = |limit: &u32| limits.iter().filter(|l| *l == limit).count();
        let usual = limits.iter().copied().max_by_key(|l| (often(l), std::cmp::Reverse(*l))).unwrap_or(0);
        let others = limits.iter().enumerate().filter(|(_, l)| **l != usual);
        others.fold(format!("18w{usual}"), |rest, (class, limit)| {
            format!("(value[20:19] == {class} ? 18w{limit} : {rest})")
        })
    };
    let states: [(&str, String); 4] = [
        ("FLOW_NEW", by_class(|i| i.new)),
        ("FLOW_TCP", by_class(|i| i.tcp)),
        ("FLOW_UDP", by_class(|i| i.udp)),
        ("FLOW_CLOSING", by_class(|i| i.closing)),
    ];
    states.iter().rev().fold("18w0".to_owned(), |rest, (state, limit)| {
        format!("(value[23:21] == {state} ? {limit} : {rest})")
    })
}

/// Values of events and states, as constants.
pub(super) fn constants(states_too: bool) -> Vec<Decl> {
    let events = [
        ("EVENT_OPEN", event::OPEN),
        ("EVENT_DATA", event::DATA),
        ("EVENT_DATAGRAM", event::DATAGRAM),
        ("EVENT_CLOSE", event::CLOSE),
    ];
    use pipeline_ir::flow::state;
    let states = [
        ("FLOW_FREE", state::FREE),
        ("FLOW_NEW", state::NEW),
        ("FLOW_TCP", state::TCP),
        ("FLOW_UDP", state::UDP),
        ("FLOW_CLOSING", state::CLOSING),
    ];
    let states = states.map(|(name, value)| (name, u128::from(value)));
    let constants = events.into_iter().chain(states.into_iter().filter(|_| states_too));
    constants.map(|(name, value)| Decl::constant(P4Type::bit(3), name, P4::int(value))).collect()
}
