//! Every path through the control: it ends in a verdict, applies nothing twice, and uses flows in order.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostics};
use crate::expr::Type;
use crate::stmt::{Arm, Place, Stmt, StmtKind};
use crate::{ActionId, CursorId, FlowTableId, Loc, Pipeline, RingId, TableId, VarId};

/// What may be used once on a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Once {
    Table(TableId),
    FlowTable(FlowTableId),
    Ring(RingId),
    Truncate,
}

/// What has happened on the paths that lead to a statement.
#[derive(Clone, Default)]
struct Path {
    /// On some path.
    used: BTreeSet<Once>,
    /// Cursors that some path has filled.
    filled: BTreeSet<CursorId>,
    /// Cursors whose `stay` has run: on some path, and on all.
    may_stay: BTreeSet<CursorId>,
    must_stay: BTreeSet<CursorId>,
    /// On some path.
    remembered: BTreeSet<CursorId>,
}

impl Path {
    fn join(mut self, other: &Self) -> Self {
        self.used.extend(&other.used);
        self.filled.extend(&other.filled);
        self.may_stay.extend(&other.may_stay);
        self.must_stay.retain(|c| other.must_stay.contains(c));
        self.remembered.extend(&other.remembered);
        self
    }
}

/// Either way may have been taken; none: it ended.
fn join(a: Option<Path>, b: Option<Path>) -> Option<Path> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.join(&b)),
        (a, b) => a.or(b),
    }
}

struct Paths<'a> {
    p: &'a Pipeline,
    found: &'a mut Diagnostics,
    /// Tables and actions of the arms that are being run.
    open: Vec<(TableId, ActionId)>,
}

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    if p.control.is_empty() {
        let help = "add `fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict`";
        found.push(Code::Missing, Loc::default(), "there is no control", help);
        return;
    }
    let mut paths = Paths { p, found, open: Vec::new() };
    if paths.block(&p.control, Some(Path::default())).is_some() {
        let at = open_end(&p.control, Loc::default());
        let help = "end it with `forward(port)`, `pass()` or `drop(Reason)`";
        found.push(Code::NoVerdict, at, "a path ends here without a verdict", help);
    }
}

/// Does every path through the block end in a verdict?
fn ends(block: &[Stmt]) -> bool {
    block.iter().any(|s| match &s.kind {
        StmtKind::Verdict(_) => true,
        StmtKind::If { then, otherwise, .. } => ends(then) && ends(otherwise),
        StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } => {
            !arms.is_empty() && arms.iter().all(|a| ends(&a.body))
        }
        _ => false,
    })
}

/// Where a block that doesn't end is open; `at`, if it is empty.
fn open_end(block: &[Stmt], at: Loc) -> Loc {
    let Some(last) = block.last() else { return at };
    let open = match &last.kind {
        StmtKind::If { then, otherwise, .. } => {
            [then, otherwise].into_iter().find(|b| !ends(b)).map(|b| (b, last.at))
        }
        StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } => {
            arms.iter().find(|a| !ends(&a.body)).map(|a| (&a.body, a.at))
        }
        _ => None,
    };
    open.map_or(last.at, |(inner, at)| open_end(inner, at))
}

/// Is the variable set wherever the block goes on?
fn sets(block: &[Stmt], var: VarId) -> bool {
    block.iter().any(|s| {
        let inner = match &s.kind {
            StmtKind::Verdict(_) => true,
            StmtKind::If { then, otherwise, .. } => sets(then, var) && sets(otherwise, var),
            StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } => {
                !arms.is_empty() && arms.iter().all(|a| sets(&a.body, var))
            }
            _ => false,
        };
        inner || s.kind.written() == Some(Place::Var(var))
    })
}

impl Paths<'_> {
    /// Runs a block; none: every path of it ended.
    fn block(&mut self, block: &[Stmt], mut path: Option<Path>) -> Option<Path> {
        for stmt in block {
            let Some(here) = path else {
                let help = "remove it, or make the verdict before it depend on something";
                self.found.push(Code::Unreachable, stmt.at, "every path has ended before this", help);
                return None;
            };
            path = self.stmt(stmt, here);
        }
        path
    }

    fn stmt(&mut self, stmt: &Stmt, mut path: Path) -> Option<Path> {
        let at = stmt.at;
        match &stmt.kind {
            StmtKind::Verdict(_) => return None,
            StmtKind::If { then, otherwise, .. } => {
                let taken = self.block(then, Some(path.clone()));
                return join(taken, self.block(otherwise, Some(path)));
            }
            StmtKind::Apply { table, arms, .. } => {
                self.once(&mut path, Once::Table(*table), at);
                self.data_kept(*table, at);
                return self.arms(*table, arms, &path, at);
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                self.stay(&mut path, *cursor, *table, at);
                if !sets(select, *id) {
                    let message = format!("`{}` may be left without an id", self.p.var(*id).name);
                    let help = "end each way through the closure in an id, or in a drop";
                    self.found.push(Code::FlowUse, at, message, help);
                }
                let selected = self.block(select, Some(path.clone()));
                let path = join(Some(path), selected)?;
                return self.arms(*table, arms, &path, at);
            }
            StmtKind::Find { cursor, table, .. } => self.find(&mut path, *cursor, *table, at),
            StmtKind::Remember { cursor, id } => self.remember(&mut path, *cursor, *id, at),
            StmtKind::Select { ring, .. } => self.once(&mut path, Once::Ring(*ring), at),
            StmtKind::Truncate { .. } => self.once(&mut path, Once::Truncate, at),
            StmtKind::Set { .. }
            | StmtKind::Push(_)
            | StmtKind::Pop(_)
            | StmtKind::Hash { .. }
            | StmtKind::Checksum { .. }
            | StmtKind::Adjust { .. }
            | StmtKind::Count { .. }
            | StmtKind::Limit { .. } => {}
        }
        Some(path)
    }

    fn once(&mut self, path: &mut Path, what: Once, at: Loc) {
        if path.used.insert(what) {
            return;
        }
        let p = self.p;
        let (message, help) = match what {
            Once::Table(t) => (format!("table `{}` is applied", p.tables[t.index()].name), TWICE_TABLE),
            Once::FlowTable(t) => {
                (format!("flow table `{}` is asked", p.flow_tables[t.index()].name), TWICE_TABLE)
            }
            Once::Ring(r) => (format!("ring `{}` is asked", p.rings[r.index()].name), TWICE_TABLE),
            Once::Truncate => ("the packet is truncated".to_owned(), "truncate in one place, last"),
        };
        let message = format!("{message} on a path that has done so before");
        self.found.push(Code::AppliedTwice, at, message, help);
    }

    /// Applying a table writes the data of its actions: no arm that is open may still be reading them.
    fn data_kept(&mut self, table: TableId, at: Loc) {
        let inner = &self.p.tables[table.index()];
        for (outer, action) in &self.open {
            let named = &self.p.actions[action.index()];
            if inner.actions.contains(action) && !named.params.is_empty() {
                let outer = &self.p.tables[outer.index()].name;
                let message = format!(
                    "table `{}` overwrites the data of `{}`, in whose arm of table `{outer}` this stands",
                    inner.name, named.name
                );
                let help = "copy what is needed into Meta and apply the table after the match, or give it an \
                            action enum of its own";
                self.found.push(Code::DataLost, at, message, help);
            }
        }
    }

    fn arms(&mut self, table: TableId, arms: &[Arm], path: &Path, at: Loc) -> Option<Path> {
        let p = self.p;
        let declared = &p.tables[table.index()];
        let name = |id: ActionId| &p.actions[id.index()].name;
        for action in declared.actions.iter().filter(|id| arms.iter().all(|a| a.action != **id)) {
            let message = format!("table `{}`: there is no arm for `{}`", declared.name, name(*action));
            self.found.push(Code::Arms, at, message, "add an arm for it; `{}` if it does nothing");
        }
        let mut after = None;
        for (i, arm) in arms.iter().enumerate() {
            if !declared.actions.contains(&arm.action) {
                let message = format!("`{}` is no action of table `{}`", name(arm.action), declared.name);
                self.found.push(Code::Arms, arm.at, message, "remove the arm");
            }
            if arms[..i].iter().any(|a| a.action == arm.action) {
                let message = format!("table `{}`: a second arm for `{}`", declared.name, name(arm.action));
                self.found.push(Code::Arms, arm.at, message, "keep one of them");
            }
            self.open.push((table, arm.action));
            after = join(after, self.block(&arm.body, Some(path.clone())));
            self.open.pop();
        }
        // Without arms the path goes on, so that nothing else is reported for it.
        if arms.is_empty() { Some(path.clone()) } else { after }
    }

    fn flow_use(&mut self, cursor: CursorId, at: Loc, message: &str, help: &str) {
        let message = format!("flow `{}` {message}", self.p.cursors[cursor.index()].name);
        self.found.push(Code::FlowUse, at, message, help);
    }

    fn find(&mut self, path: &mut Path, cursor: CursorId, table: FlowTableId, at: Loc) {
        self.once(path, Once::FlowTable(table), at);
        if path.may_stay.contains(&cursor) {
            self.flow_use(cursor, at, "is looked up after `stay_or`", "look it up before");
        }
        if !path.filled.insert(cursor) {
            let help = "a flow has one `find` on a path: use another `let` for another flow";
            self.flow_use(cursor, at, "is looked up twice", help);
        }
    }

    fn stay(&mut self, path: &mut Path, cursor: CursorId, table: TableId, at: Loc) {
        self.once(path, Once::Table(table), at);
        self.data_kept(table, at);
        if !path.filled.contains(&cursor) {
            let help = "fill it with `FLOWS.find(...)`; what has no flows selects and applies the table";
            self.flow_use(cursor, at, "is looked up on no path to here", help);
        }
        if !path.may_stay.insert(cursor) {
            self.flow_use(cursor, at, "is asked to stay twice", "use `stay_or` once for a flow");
        }
        path.must_stay.insert(cursor);
        let declared = &self.p.tables[table.index()];
        if !self.p.actions[declared.default.index()].default_only {
            let message = format!(
                "table `{}` decides whether a flow stays, but entries can hold its default `{}`",
                declared.name,
                self.p.actions[declared.default.index()].name
            );
            let help = "mark the default `#[default_only]`: then to have an entry is to be alive";
            self.found.push(Code::FlowUse, at, message, help);
        }
    }

    fn remember(&mut self, path: &mut Path, cursor: CursorId, id: VarId, at: Loc) {
        if !path.must_stay.contains(&cursor) {
            let help = "put `remember` into an arm of its `stay_or`, or after that match";
            self.flow_use(cursor, at, "is remembered where it may not have stayed or moved", help);
        }
        if !path.remembered.insert(cursor) {
            self.flow_use(cursor, at, "is remembered twice", "remember a flow once, when it is forwarded");
        }
        let var = self.p.var(id);
        for table in self.tables_of(cursor) {
            let table = &self.p.flow_tables[table.index()];
            if var.ty != Type::Bits(table.id_width) {
                let want = table.id_width;
                let message = format!("`{}` is {}, but `{}` holds bit<{want}>", var.name, var.ty, table.name);
                self.found.push(Code::Mismatch, at, message, "use ids of one width");
            }
        }
    }

    /// The flow tables in which a cursor is looked up, anywhere.
    fn tables_of(&self, wanted: CursorId) -> BTreeSet<FlowTableId> {
        let mut tables = BTreeSet::new();
        crate::stmt::walk(&self.p.control, &mut |s| {
            if let StmtKind::Find { cursor, table, .. } = &s.kind
                && *cursor == wanted
            {
                tables.insert(*table);
            }
        });
        tables
    }
}

const TWICE_TABLE: &str =
    "chips look a table up once for a packet: merge the two places, or declare a second one";
