//! The control, statement by statement, for packets of which something is known.

use super::facts::{Facts, Known};
use super::simplify::{negate, simplify, together};
use super::values::Values;
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{ActionId, CursorId, FlowTableId, Pipeline, TableId, VarId};

/// Facts are kept apart by the path taken, for so many paths: what one `if` has settled, a second one knows.
const MOST_WORLDS: usize = 8;

/// What is found out about a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The flow tables whose `find` may fill it, in the order of the control.
    pub tables: Vec<FlowTableId>,
    /// What its event can be, where it is filled; none: nothing fills it.
    pub events: Option<Values>,
    /// Can it be idle where `stay` or `remember` uses it?
    pub idle: bool,
}

/// Runs the control in all worlds at once.
pub(super) struct Pass<'a> {
    p: &'a Pipeline,
    /// The ways to have come here; none: every path has ended.
    worlds: Vec<Facts>,
    /// By cursor.
    pub(super) flows: Vec<Flow>,
    /// Checksums stay of fields, also of those whose number is known: a chip's deparser sums no numbers.
    pub(super) sums_fields: bool,
}

impl<'a> Pass<'a> {
    pub(super) fn new(p: &'a Pipeline, worlds: &[Facts]) -> Self {
        let idle = Flow { tables: Vec::new(), events: None, idle: false };
        Self { p, worlds: gather(p, worlds.to_vec()), flows: vec![idle; p.cursors.len()], sums_fields: false }
    }

    pub(super) fn block(&mut self, block: &[Stmt]) -> Block {
        let mut out = Block::new();
        self.run(block, &mut out);
        out
    }

    fn run(&mut self, block: &[Stmt], out: &mut Block) {
        for stmt in block {
            if self.worlds.is_empty() {
                return;
            }
            self.stmt(stmt, out);
        }
    }

    /// A block in some of the worlds; where it goes on, and its statements.
    fn inside(&mut self, worlds: Vec<Facts>, block: &[Stmt]) -> (Vec<Facts>, Block) {
        self.worlds = worlds;
        let out = self.block(block);
        (std::mem::take(&mut self.worlds), out)
    }

    fn expr(&self, e: &Expr) -> Expr {
        simplify(self.p, &self.worlds, e).0
    }

    fn exprs(&self, list: &[Expr]) -> Vec<Expr> {
        list.iter().map(|e| self.expr(e)).collect()
    }

    fn forget(&mut self, var: VarId) {
        for world in &mut self.worlds {
            world.forget(self.p, var);
        }
    }

    /// Is the write lost, since the header is never there?
    fn is_lost(&self, place: Place) -> bool {
        matches!(place, Place::Field(h, _) if self.worlds.iter().all(|w| w.header(h) == Known::No))
    }

    fn is_idle(&self, cursor: CursorId) -> bool {
        self.worlds.iter().all(|w| w.flow(cursor) == Known::No)
    }

    fn stmt(&mut self, stmt: &Stmt, out: &mut Block) {
        let at = stmt.at;
        let kind = match &stmt.kind {
            StmtKind::If { cond, then, otherwise } => return self.branch(stmt, (cond, then, otherwise), out),
            StmtKind::Set { place, value } => match self.set(*place, value) {
                Some(kind) => kind,
                None => return,
            },
            StmtKind::Push(_) | StmtKind::Pop(_) => match self.header(&stmt.kind) {
                Some(kind) => kind,
                None => return,
            },
            StmtKind::Checksum { .. } | StmtKind::Adjust { .. } => match self.sum(&stmt.kind) {
                Some(kind) => kind,
                None => return,
            },
            StmtKind::Hash { into, algorithm, key, data } => {
                let (key, data) = (self.expr(key), self.exprs(data));
                self.forget(*into);
                StmtKind::Hash { into: *into, algorithm: *algorithm, key, data }
            }
            StmtKind::Count { counter, index } => {
                StmtKind::Count { counter: *counter, index: self.expr(index) }
            }
            StmtKind::Limit { into, .. } => {
                self.forget(*into);
                stmt.kind.clone()
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let (pool, hash) = (self.expr(pool), self.expr(hash));
                self.forget(*into);
                StmtKind::Select { ring: *ring, pool, hash, into: *into }
            }
            StmtKind::Find { .. } => self.find(&stmt.kind),
            StmtKind::Apply { table, key, arms } => {
                let key = self.exprs(key);
                let arms = self.arms(*table, arms);
                StmtKind::Apply { table: *table, key, arms }
            }
            StmtKind::Stay { .. } => return self.stay(stmt, out),
            StmtKind::Remember { cursor, .. } if self.is_idle(*cursor) => return,
            StmtKind::Remember { cursor, .. } => {
                self.used(*cursor);
                stmt.kind.clone()
            }
            StmtKind::Truncate { .. } => stmt.kind.clone(),
            StmtKind::Verdict(verdict) => {
                let verdict = match verdict {
                    Verdict::Forward(port) => Verdict::Forward(self.expr(port)),
                    Verdict::Pass | Verdict::Drop(_) => verdict.clone(),
                };
                self.worlds.clear();
                StmtKind::Verdict(verdict)
            }
        };
        out.push(Stmt { kind, at });
    }

    fn branch(&mut self, stmt: &Stmt, (cond, then, otherwise): (&Expr, &Block, &Block), out: &mut Block) {
        let cond = self.expr(cond);
        let worlds = std::mem::take(&mut self.worlds);
        let given = |truth| worlds.iter().filter_map(|w| w.clone().given(self.p, &cond, truth)).collect();
        let (yes, no): (Vec<Facts>, Vec<Facts>) = (given(true), given(false));
        if yes.is_empty() || no.is_empty() {
            let (taken, worlds) = if yes.is_empty() { (otherwise, no) } else { (then, yes) };
            self.worlds = worlds;
            return self.run(taken, out);
        }
        let (mut ends, then) = self.inside(yes, then);
        let (others, otherwise) = self.inside(no, otherwise);
        ends.extend(others);
        self.worlds = gather(self.p, ends);
        let kind = match (then.is_empty(), otherwise.is_empty()) {
            (true, true) => return,
            (true, false) => StmtKind::If { cond: negate(cond), then: otherwise, otherwise: Block::new() },
            _ => StmtKind::If { cond, then, otherwise },
        };
        out.push(Stmt { kind, at: stmt.at });
    }

    /// None: it changes nothing.
    fn set(&mut self, place: Place, value: &Expr) -> Option<StmtKind> {
        if self.is_lost(place) {
            return None;
        }
        let (value, values) = simplify(self.p, &self.worlds, value);
        let same = match (place, &value.kind) {
            (Place::Var(a), ExprKind::Var(b)) => a == *b,
            (Place::Field(h, f), ExprKind::Field(i, g)) => (h, f) == (*i, *g),
            _ => false,
        };
        let mut kept = true;
        for (world, value) in self.worlds.iter_mut().zip(values) {
            kept &= value.only().is_some() && world.get(self.p, place) == value;
            world.set(self.p, place, value);
        }
        // Fields are set even to what they are: a header that is pushed is written as a whole.
        let kept = kept && matches!(place, Place::Var(_));
        (!same && !kept).then_some(StmtKind::Set { place, value })
    }

    /// None: it is lost.
    fn sum(&mut self, kind: &StmtKind) -> Option<StmtKind> {
        match kind {
            StmtKind::Checksum { place, data } if !self.is_lost(*place) => {
                let data = if self.sums_fields { data.clone() } else { self.exprs(data) };
                self.unknown(*place);
                Some(StmtKind::Checksum { place: *place, data })
            }
            StmtKind::Adjust { place, old, new } if !self.is_lost(*place) => {
                let (old, new) = (self.expr(old), self.expr(new));
                self.unknown(*place);
                Some(StmtKind::Adjust { place: *place, old, new })
            }
            _ => None,
        }
    }

    /// A checksum: 16 bits of anything.
    fn unknown(&mut self, place: Place) {
        for world in &mut self.worlds {
            world.set(self.p, place, Values::any(0xffff));
        }
    }

    /// None: it is as it should be.
    fn header(&mut self, kind: &StmtKind) -> Option<StmtKind> {
        let (StmtKind::Push(h) | StmtKind::Pop(h)) = kind else { return None };
        let push = matches!(kind, StmtKind::Push(_));
        let done = if push { Known::Yes } else { Known::No };
        let idle = self.worlds.iter().all(|w| w.header(*h) == done);
        for world in &mut self.worlds {
            if push {
                world.push(self.p, *h);
            } else {
                world.pop(*h);
            }
        }
        (!idle).then(|| kind.clone())
    }

    fn find(&mut self, kind: &StmtKind) -> StmtKind {
        let StmtKind::Find { cursor, table, key, hash, event, class } = kind else { return kind.clone() };
        let (key, hash, class) = (self.exprs(key), self.expr(hash), self.expr(class));
        let (event, events) = simplify(self.p, &self.worlds, event);
        for world in &mut self.worlds {
            world.find(*cursor);
        }
        if let Some(flow) = self.flows.get_mut(cursor.index()) {
            if !flow.tables.contains(table) {
                flow.tables.push(*table);
            }
            flow.events = together(&events).into_iter().chain(flow.events.take()).reduce(|a, b| a.join(&b));
        }
        StmtKind::Find { cursor: *cursor, table: *table, key, hash, event, class }
    }

    fn used(&mut self, cursor: CursorId) {
        let idle = self.worlds.iter().any(|w| w.flow(cursor) != Known::Yes);
        if let Some(flow) = self.flows.get_mut(cursor.index()) {
            flow.idle |= idle;
        }
    }

    /// An idle flow selects, then the table is applied.
    fn stay(&mut self, stmt: &Stmt, out: &mut Block) {
        let StmtKind::Stay { cursor, id, select, table, arms } = &stmt.kind else { return };
        if self.is_idle(*cursor) {
            self.run(select, out);
            if self.worlds.is_empty() {
                return;
            }
            let id = Expr { kind: ExprKind::Var(*id), ty: self.p.var(*id).ty, at: stmt.at };
            let key = vec![self.expr(&id)];
            let arms = self.arms(*table, arms);
            out.push(Stmt { kind: StmtKind::Apply { table: *table, key, arms }, at: stmt.at });
            return;
        }
        self.used(*cursor);
        let before = self.worlds.clone();
        let (moves, select) = self.inside(before.clone(), select);
        let may_stay = before.into_iter().filter(|w| w.flow(*cursor) != Known::No);
        self.worlds = may_stay.collect();
        self.forget(*id);
        self.worlds.extend(moves);
        self.worlds = gather(self.p, std::mem::take(&mut self.worlds));
        let arms = self.arms(*table, arms);
        let kind = StmtKind::Stay { cursor: *cursor, id: *id, select, table: *table, arms };
        out.push(Stmt { kind, at: stmt.at });
    }

    fn arms(&mut self, table: TableId, arms: &[Arm]) -> Vec<Arm> {
        let before = std::mem::take(&mut self.worlds);
        let mut ends = Vec::new();
        let mut out = Vec::new();
        for arm in arms {
            let worlds = before.iter().map(|w| self.chosen(w.clone(), table, arm.action)).collect();
            let (end, body) = self.inside(worlds, &arm.body);
            ends.extend(end);
            out.push(Arm { action: arm.action, body, at: arm.at });
        }
        self.worlds = gather(self.p, ends);
        out
    }

    /// A table has chosen an action: its parameters are the entry's, or 0 if no entry can have it.
    fn chosen(&self, mut world: Facts, table: TableId, action: ActionId) -> Facts {
        let (Some(declared), Some(of)) =
            (self.p.tables.get(table.index()), self.p.actions.get(action.index()))
        else {
            return world;
        };
        for param in &of.params {
            if of.default_only && declared.default == action {
                world.set(self.p, Place::Var(*param), Values::one(0));
            } else {
                world.forget(self.p, *param);
            }
        }
        world
    }
}

/// No world twice, and not too many: the two that are most alike become one.
fn gather(p: &Pipeline, worlds: Vec<Facts>) -> Vec<Facts> {
    let mut kept: Vec<Facts> = Vec::new();
    for world in worlds {
        if !kept.contains(&world) {
            kept.push(world);
        }
    }
    while kept.len() > MOST_WORLDS {
        let pairs = (0..kept.len()).flat_map(|a| (a + 1..kept.len()).map(move |b| (a, b)));
        let Some((a, b)) = pairs.min_by_key(|(a, b)| kept[*a].distance(&kept[*b])) else { break };
        let other = kept.remove(b);
        kept[a] = kept[a].join(p, &other);
    }
    kept
}
