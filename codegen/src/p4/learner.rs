//! Flow tables that the data plane fills: a table with `add_on_miss`, looked up without and with leave to write.
//!
//! ```p4
//! // l4lb.rs:457 find in flows4
//! meta.flows4_src = meta.client4;
//! ...
//! meta.flows4_write = 0;
//! flows4.apply();
//! meta.flow_hit = meta.flows4_found;
//! ```
//!
//! `find` only looks. `remember` applies the same table again, with leave: an entry that is there is rearmed with the
//! time-out of its event; one that is not is added, and a last look tells whether there was room.

use std::collections::BTreeMap;

use p4::ast::{
    ActionRef, Annotation, Block, Decl, Expr as P4, Key, Param, Stmt, Table as P4Table, Type as P4Type,
};
use pipeline_ir::{CursorId, FlowTableId, VarId};

use super::control::{Ingress, if_else, note};
use super::expr::meta;
use super::flow::Find;
use super::worlds::Worlds;

/// Keys of the tables that are used.
pub(super) type Learners = BTreeMap<FlowTableId, Vec<P4>>;

/// What a lookup may write.
const LOOK: u32 = 0;
/// Rearm with the time-out that is given, or add.
const WRITE: u32 = 1;
/// Rearm with the time-out that the entry has.
const REFRESH: u32 = 2;

/// Time-outs of a class, in the order of the table's profiles.
const NEW: u32 = 0;
const TCP: u32 = 1;
const UDP: u32 = 2;
const CLOSING: u32 = 3;

impl Ingress<'_> {
    /// A field of metadata for a flow table.
    fn of_table(&mut self, t: FlowTableId, ending: &str) -> P4 {
        let table = &self.s.p.flow_tables[t.index()];
        let ty = match ending {
            "found" => P4Type::Bool,
            "id" => P4Type::bit(u32::from(table.id_width)),
            _ => P4Type::bit(8),
        };
        let name = format!("{}_{ending}", table.name);
        self.field(&name, ty, false)
    }

    fn look(&mut self, t: FlowTableId, leave: u32) -> Stmt {
        Stmt::assign(self.of_table(t, "write"), leave)
    }

    fn apply_flows(&self, t: FlowTableId) -> P4 {
        P4::name(self.s.names.flow_tables[t.index()].clone()).method0("apply")
    }

    /// `find`.
    pub(super) fn find_learned(&mut self, f: Find<'_>, w: &Worlds) -> Block {
        let (c, t) = (f.cursor, f.table);
        let table = &self.s.p.flow_tables[t.index()];
        let mut out = Vec::new();
        let mut keys = Vec::new();
        for (e, k) in f.key.iter().zip(&table.keys) {
            let place =
                self.field(&format!("{}_{}", table.name, k.name), P4Type::bit(u32::from(k.width)), false);
            out.push(Stmt::assign(place.clone(), self.s.value(e, w)));
            keys.push(place);
        }
        let mut out = self.side_by_side(out);
        self.learners.insert(t, keys);
        if self.several_tables(c) {
            out.push(Stmt::assign(self.cursor(c, "table"), t.0 + 1));
        }
        out.push(Stmt::assign(self.cursor(c, "event"), self.s.value(f.event, w)));
        let class = self.class(f.class, table.idle.len(), w);
        out.push(Stmt::assign(self.cursor(c, "class"), class));
        out.push(self.look(t, LOOK));
        out.push(Stmt::call(self.apply_flows(t)));
        let (found, id) = (self.of_table(t, "found"), self.of_table(t, "id"));
        let id = if table.id_width == 24 { id } else { id.cast(P4Type::bit(24)) };
        out.push(Stmt::assign(self.cursor(c, "place"), found.clone()));
        out.push(Stmt::assign(self.cursor(c, "hit"), found));
        out.push(Stmt::assign(self.cursor(c, "id"), id));
        out
    }

    /// `remember`, for the tables in one of which the flow was looked up.
    pub(super) fn remember_learned(&mut self, tables: &[FlowTableId], c: CursorId, id: VarId) -> Block {
        let event = self.cursor(c, "event");
        let is = |name: &str| event.clone().equals(P4::name(name));
        let stays = self.each(tables, c, |g, t| {
            let profile = |g: &mut Self, state| vec![g.profile(t, c, state)];
            let refresh = vec![g.look(t, REFRESH)];
            let mut out = vec![g.look(t, WRITE)];
            let by_event = vec![
                (is("EVENT_DATA"), profile(g, TCP)),
                (is("EVENT_DATAGRAM"), profile(g, UDP)),
                (is("EVENT_CLOSE"), profile(g, CLOSING)),
            ];
            out.extend(Stmt::if_chain(by_event, Some(refresh)));
            out.push(Stmt::call(g.apply_flows(t)));
            out
        });
        let moves = self.each(tables, c, |g, t| g.add(t, c, id));
        let named = event.clone().greater_equal(P4::name("EVENT_OPEN"));
        let known = named.clone().and(event.clone().less_equal(P4::name("EVENT_CLOSE")));
        let stored = named.and(event.less_equal(P4::name("EVENT_DATAGRAM")));
        let moves = Stmt::if_(self.cursor(c, "place").inverted().and(stored), moves);
        let stays = vec![Stmt::if_(known, stays)];
        vec![if_else(self.cursor(c, "hit"), stays, vec![moves])]
    }

    /// The time-out of a state in the flow's class.
    fn profile(&mut self, t: FlowTableId, c: CursorId, state: u32) -> Stmt {
        let class = self.cursor(c, "class").cast(P4Type::bit(8)).binary(p4::ast::BinaryOp::ShiftLeft, 2u32);
        let profile = if state == 0 { class } else { class.bit_or(state) };
        Stmt::assign(self.of_table(t, "profile"), profile)
    }

    /// Adds a flow, and looks whether it is there.
    fn add(&mut self, t: FlowTableId, c: CursorId, id: VarId) -> Block {
        let counted = Stmt::if_else(
            self.apply_flows(t).member("hit"),
            vec![self.count(t, "stored")],
            vec![self.count(t, "not_stored")],
        );
        vec![
            Stmt::assign(self.of_table(t, "id"), self.s.var(id)),
            self.profile(t, c, NEW),
            self.look(t, WRITE),
            Stmt::call(self.apply_flows(t)),
            self.look(t, LOOK),
            counted,
        ]
    }
}

/// The two actions and the table of each flow table that is used.
pub(super) fn tables(g: &Ingress<'_>) -> Vec<Decl> {
    let mut out = Vec::new();
    for (t, keys) in &g.learners {
        let table = &g.s.p.flow_tables[t.index()];
        let name = g.s.names.flow_tables[t.index()].clone();
        let field = |ending: &str| meta(&format!("{}_{ending}", table.name));
        let [stay, learn] = ["stay", "learn"].map(|a| format!("{}_{a}", table.name));
        let may = |what: u32| field("write").equals(what);
        let profile = field("profile").cast(P4Type::named("ExpireTimeProfileId_t"));
        let set = Stmt::call(P4::call("set_entry_expire_time", [profile.clone()]));
        let restart = Stmt::call(P4::call0("restart_expire_timer"));
        let found = vec![
            Stmt::assign(field("found"), true),
            Stmt::assign(field("id"), "id"),
            Stmt::if_(may(WRITE), [set]),
            Stmt::if_(may(REFRESH), [restart]),
        ];
        let add = P4::call("add_entry", [P4::string(stay.clone()), field("id"), profile]);
        let missed = vec![Stmt::assign(field("found"), false), Stmt::if_(may(WRITE), [Stmt::call(add)])];
        let id = Param::new(P4Type::bit(u32::from(table.id_width)), "id");
        let seen = |decl: Decl, name: &str| decl.annotate(Annotation::name(format!(".{name}")));
        out.push(seen(Decl::action(stay.clone(), [id], found), &stay));
        out.push(seen(Decl::action(learn.clone(), [], missed), &learn));
        let keys = keys.iter().zip(&table.keys).map(|(e, k)| Key::exact(e.clone()).named(k.name.clone()));
        let actions = [ActionRef::new(stay).table_only(), ActionRef::new(learn.clone()).default_only()];
        let decl = P4Table::new(name)
            .keys(keys)
            .actions(actions)
            .value("add_on_miss", true)
            .value("default_idle_timeout_for_data_plane_added_entries", 1u32)
            .value("idle_timeout_with_auto_delete", true)
            .const_default_action(P4::call0(learn))
            .size(table.entries);
        out.push(seen(decl.into(), &table.name).note(note(
            &g.s.p.file,
            table.at,
            "flow table: learned entries",
        )));
    }
    out
}
