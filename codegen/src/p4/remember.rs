//! `remember`: where it stands, or once, after everything else.
//!
//! p4c copies each action to where it is called, so a program that remembers a flow in several arms says so once, at
//! its end: nothing can read in between what is written there. Every way that remembers leaves by its end, all others
//! by `exit`.

use p4::ast::{Block, Expr as P4, Stmt};
use pipeline_ir::flow::Layout;
use pipeline_ir::stmt::{Place, Stmt as IrStmt, StmtKind, Verdict, walk};
use pipeline_ir::{CounterKind, CursorId, FlowTableId, Loc, Pipeline, VarId};

use super::control::{Ingress, if_else, note};
use super::worlds::Worlds;

/// The flow that is remembered at the end, its id, and where the source says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) cursor: CursorId,
    pub(super) id: VarId,
    pub(super) at: Vec<Loc>,
}

/// What is remembered at the end: one flow that several places remember, each of them the last but for headers,
/// variables and a verdict.
pub(super) fn last(p: &Pipeline) -> Option<Last> {
    let mut found: Vec<(CursorId, VarId, Loc)> = Vec::new();
    walk(&p.control, &mut |s| {
        if let StmtKind::Remember { cursor, id } = &s.kind {
            found.push((*cursor, *id, s.at));
        }
    });
    let (cursor, id, _) = *found.first()?;
    let one = found.len() > 1 && found.iter().all(|f| (f.0, f.1) == (cursor, id));
    let at = found.iter().map(|f| f.2).collect();
    (one && ends_with_it(&p.control, id, true)).then_some(Last { cursor, id, at })
}

/// Is all that a block remembers remembered just before its verdict, and is that the end of the control?
fn ends_with_it(block: &[IrStmt], id: VarId, end: bool) -> bool {
    block.iter().enumerate().all(|(i, s)| match &s.kind {
        StmtKind::Remember { .. } => end && leaves(&block[i + 1..], id),
        _ => s.kind.blocks().into_iter().all(|b| ends_with_it(b, id, end && i + 1 == block.len())),
    })
}

/// Does a block write only headers and variables, and then send or pass the packet?
fn leaves(block: &[IrStmt], id: VarId) -> bool {
    let Some((last, before)) = block.split_last() else { return false };
    matches!(last.kind, StmtKind::Verdict(Verdict::Forward(_) | Verdict::Pass)) && only_sets(before, id)
}

fn only_sets(block: &[IrStmt], id: VarId) -> bool {
    block.iter().all(|s| match &s.kind {
        StmtKind::Set { place, .. } | StmtKind::Checksum { place, .. } | StmtKind::Adjust { place, .. } => {
            *place != Place::Var(id)
        }
        StmtKind::Push(_) | StmtKind::Pop(_) | StmtKind::Truncate { .. } | StmtKind::Count { .. } => true,
        StmtKind::If { then, otherwise, .. } => only_sets(then, id) && only_sets(otherwise, id),
        _ => false,
    })
}

impl Ingress<'_> {
    /// What is remembered at the end.
    pub(super) fn remember_last(&mut self) -> Block {
        let Some(last) = self.s.plan.last.clone() else { return Vec::new() };
        let w = self.last_worlds.clone();
        let mut out = self.remember(last.cursor, last.id, &w);
        if let Some(first) = out.first_mut() {
            for at in last.at.iter().rev() {
                first.notes.insert(0, note(&self.s.p.file, *at, "remember").into());
            }
        }
        out
    }

    /// `remember`.
    pub(super) fn remember(&mut self, c: CursorId, id: VarId, w: &Worlds) -> Block {
        // An idle cursor's event is PEEK: nothing happens.
        let tables: Vec<FlowTableId> = w.cursor(self.s.p, c).into_iter().flatten().collect();
        if tables.is_empty() || self.s.style.means.staged {
            return Vec::new();
        }
        if self.s.style.means.learns {
            return self.remember_learned(&tables, c, id);
        }
        let event = self.cursor(c, "event");
        let between = |last: &str| {
            let first = event.clone().greater_equal(P4::name("EVENT_OPEN"));
            first.and(event.clone().less_equal(P4::name(last)))
        };
        let value = self.cursor(c, "value");
        let (id_now, class) = (value.clone().slice(47u32, 24u32), value.slice(20u32, 19u32));
        let next = self.next_state(c);
        let write =
            |g: &mut Self, t| vec![g.call(t, c, "write", [id_now.clone(), next.clone(), class.clone()])];
        let write = self.each(&tables, c, write);
        let stays = vec![Stmt::if_(between("EVENT_CLOSE"), write)];
        let moves = vec![Stmt::if_(between("EVENT_DATAGRAM"), self.store(&tables, c, id))];
        vec![if_else(self.cursor(c, "hit"), stays, moves)]
    }

    /// The same for whichever table the flow was looked up in; it was in one of them.
    pub(super) fn each(
        &mut self,
        tables: &[FlowTableId],
        c: CursorId,
        mut body: impl FnMut(&mut Self, FlowTableId) -> Block,
    ) -> Block {
        let Some((last, before)) = tables.split_last() else { return Vec::new() };
        let mut out = body(self, *last);
        if !before.is_empty() {
            let which = self.cursor(c, "table");
            for t in before.iter().rev() {
                let then = body(self, *t);
                out = vec![if_else(which.clone().equals(t.0 + 1), then, out)];
            }
        }
        out
    }

    /// The state of a flow that stays.
    fn next_state(&mut self, c: CursorId) -> P4 {
        let event = self.cursor(c, "event");
        let is = |name: &str| event.clone().equals(P4::name(name));
        let state = self.cursor(c, "value").slice(23u32, 21u32);
        let is_new = state.clone().equals(P4::name("FLOW_NEW"));
        let datagram = is_new.clone().and(is("EVENT_DATAGRAM")).choose(P4::name("FLOW_UDP"), state);
        let data = is_new.and(is("EVENT_DATA")).choose(P4::name("FLOW_TCP"), datagram);
        is("EVENT_CLOSE").choose(P4::name("FLOW_CLOSING"), data)
    }

    /// Stores a flow that moves.
    fn store(&mut self, tables: &[FlowTableId], c: CursorId, id: VarId) -> Block {
        let (hash, second) = (self.cursor(c, "hash"), self.second(c));
        let found = self.cursor(c, "rank").differs(0u32);
        let full = self.cursor(c, "rank").equals(0u32);
        let mut claim = self.claim(tables, c, &hash);
        let mut beyond = self.claim(tables, c, &second);
        let spill = self.each(tables, c, |g, t| vec![g.call(t, c, "spill", [hash.clone()])]);
        beyond.push(Stmt::if_(found.clone(), spill));
        claim.push(Stmt::if_(full, beyond));
        let place = self.cursor(c, "place");
        let mut free = place.clone().inverted();
        for t in tables {
            free = free.and(self.storable(*t, c, tables.len() > 1));
        }
        let stored = self.each(tables, c, |g, t| {
            let class = g.cursor(c, "class");
            let width = g.s.p.flow_tables[t.index()].id_width;
            let id = if width == 24 { g.s.var(id) } else { g.s.var(id).cast(p4::ast::Type::bit(24)) };
            vec![g.call(t, c, "write", [id, P4::name("FLOW_NEW"), class]), g.count(t, "stored")]
        });
        let not_stored = self.each(tables, c, |g, t| vec![g.count(t, "not_stored")]);
        vec![Stmt::if_(free, claim), Stmt::if_else(place.or(found), stored, not_stored)]
    }

    /// Chooses a way in a bucket.
    fn claim(&mut self, tables: &[FlowTableId], c: CursorId, hash: &P4) -> Block {
        for field in ["way0", "way1", "way2", "way3"] {
            self.cursor(c, field);
        }
        let choose = |g: &mut Self, t| g.call(t, c, "choose", Vec::<P4>::new());
        let one = tables.iter().all(|t| self.owner(*t, c) == self.owner(tables[0], c));
        let mut out = self.each(tables, c, |g, t| {
            let mut body = vec![g.call(t, c, "ways", [hash.clone()])];
            if !one {
                body.push(choose(g, t));
            }
            body
        });
        if one {
            out.push(choose(self, tables[0]));
        }
        out
    }

    /// Is this no key that marks a way under construction?
    fn storable(&mut self, t: FlowTableId, c: CursorId, several: bool) -> P4 {
        let key = self.flow_key(t, c);
        let good = match self.s.p.flow_tables[t.index()].layout() {
            Layout::Narrow => key.slice(79u32, 16u32).differs(P4::sized_hex(64, u128::from(u64::MAX))),
            Layout::Wide => key.slice(175u32, 144u32).differs(P4::sized_hex(32, u128::from(u32::MAX))),
        };
        if several { self.cursor(c, "table").differs(t.0 + 1).or(good) } else { good }
    }

    pub(super) fn count(&self, t: FlowTableId, what: &str) -> Stmt {
        let name = &self.s.p.flow_tables[t.index()].name;
        let counter = P4::name(format!("{name}_{what}"));
        self.s.style.arch.count(counter, P4::int(0), CounterKind::Packets)
    }
}
