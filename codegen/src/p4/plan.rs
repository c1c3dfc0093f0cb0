//! What is decided before a line is written: where variables live, which actions do an arm's work themselves, and
//! what a second pass must find again.
//!
//! v1model applies a table once. When a live flow's backend turns out to be gone, the packet is resubmitted and
//! comes back with the variables of field list 1: all that was written before the `stay` and is read from there on.
//! What stands before the `stay` runs in the first pass only, so nothing counts twice.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::expr::{Builtin, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Place, Stmt, StmtKind, Verdict, walk};
use pipeline_ir::{ActionId, CursorId, ParserOp, Pipeline, TableId, Transition, VarId, VarKind};

use super::asked;
use super::means::Means;
use super::ports;
use super::remember::{self, Last};

/// A statement's identity: where it lies in memory.
pub(super) type At = *const Stmt;

/// What is decided.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Variables that live in metadata.
    pub(super) in_metadata: BTreeSet<VarId>,
    /// Of these, those that lie in a container of their own.
    pub(super) alone: BTreeSet<VarId>,
    /// Actions' data of which only the bits of a port are kept.
    ports: BTreeSet<VarId>,
    /// Variables to declare before a statement, and whether they begin at zero.
    pub(super) declare: BTreeMap<At, Vec<(VarId, bool)>>,
    /// The block that a local is declared in, as the way to it: statement and block, from the outside in.
    scopes: BTreeMap<VarId, Vec<(usize, usize)>>,
    /// Variables that lie in the header that goes from ingress to egress, and their fields there.
    pub(super) bridged: BTreeMap<VarId, String>,
    /// Actions that do what their arms say.
    pub(super) absorbed: BTreeSet<ActionId>,
    /// Variables that something reads.
    pub(super) read: BTreeSet<VarId>,
    /// Variables that something writes.
    pub(super) written: BTreeSet<VarId>,
    /// Variables that a second pass finds again.
    pub(super) kept: BTreeSet<VarId>,
    /// Cursors that a second pass finds again.
    pub(super) kept_cursors: BTreeSet<CursorId>,
    /// Tables whose action a second pass finds again.
    pub(super) kept_tables: BTreeSet<TableId>,
    /// The ingress port is read in a second pass.
    pub(super) keeps_port: bool,
    /// The flow that is remembered at the end.
    pub(super) last: Option<Last>,
    /// There is a second pass.
    pub(super) resubmits: bool,
    /// Of `kept`, those that the parser of a second pass must not find, or writes again.
    pub(super) parsed_again: BTreeSet<VarId>,
    /// The parser reads the ingress port.
    pub(super) parser_reads_port: bool,
}

impl Plan {
    /// Decides.
    pub(super) fn new(p: &Pipeline, means: Means, decisions: usize) -> Self {
        let resubmits = means.resubmits && has_stay(&p.control);
        let mut plan = Self { resubmits, last: remember::last(p), ..Self::default() };
        plan.note_reads(p);
        if resubmits {
            plan.keep(p, &p.control, &mut Later::default());
        }
        plan.parsed_again(p);
        if means.steps {
            plan.alone = asked::asked(p, decisions);
            plan.ports = ports::ports(p);
        }
        plan.absorb(p, means);
        plan.place(p, means);
        plan
    }

    /// Is a variable kept as a port, in as many bits?
    pub(super) fn is_port(&self, var: VarId) -> bool {
        self.ports.contains(&var) && !self.bridged.contains_key(&var)
    }

    /// Can two locals be in force at one place?
    pub(super) fn meet(&self, a: VarId, b: VarId) -> bool {
        match (self.scopes.get(&a), self.scopes.get(&b)) {
            (Some(a), Some(b)) => a.starts_with(b) || b.starts_with(a),
            _ => true,
        }
    }

    fn note_reads(&mut self, p: &Pipeline) {
        let mut later = Later::default();
        later.block(&p.control);
        self.read = later.vars;
        for e in parser_exprs(p) {
            vars_of(e, &mut self.read);
        }
        writes(p, &p.control, &mut self.written);
        self.written.extend(parser_writes(p));
    }

    /// What the second pass finds again in spite of its parser.
    fn parsed_again(&mut self, p: &Pipeline) {
        let mut parser = Later { vars: parser_writes(p), port: false };
        parser_exprs(p).into_iter().for_each(|e| parser.expr(e));
        self.parsed_again = parser.vars.intersection(&self.kept).copied().collect();
        self.parser_reads_port = parser.port;
        self.keeps_port |= parser.port && self.resubmits;
    }

    /// Finds what is written before a `stay` and read from there on; `later` is what is read after the block.
    fn keep(&mut self, p: &Pipeline, block: &[Stmt], later: &mut Later) {
        let Some(k) =
            block.iter().position(|s| has_stay(s.kind.blocks().into_iter().flatten()) || is_stay(s))
        else {
            return;
        };
        let mut rest = later.clone();
        rest.block(&block[k + 1..]);
        rest.own(&block[k]);
        let mut whole = rest.clone();
        whole.block(&block[k..=k]);
        let mut written = BTreeSet::new();
        writes(p, &block[..k], &mut written);
        self.kept.extend(whole.vars.intersection(&written));
        self.keeps_port |= whole.port;
        walk(&block[..k], &mut |s| {
            if let StmtKind::Find { cursor, .. } = &s.kind {
                self.kept_cursors.insert(*cursor);
            }
        });
        if let StmtKind::Apply { table, .. } = &block[k].kind {
            self.kept_tables.insert(*table);
            writes(p, &block[k..=k], &mut written);
            self.kept.extend(whole.vars.intersection(&written));
        }
        for inner in block[k].kind.blocks() {
            self.keep(p, inner, &mut rest.clone());
        }
    }

    fn place(&mut self, p: &Pipeline, means: Means) {
        self.in_metadata.extend(self.kept.iter().copied());
        walk(&p.control, &mut |s| match &s.kind {
            StmtKind::Apply { key, .. } => key.iter().for_each(|e| vars_of(e, &mut self.in_metadata)),
            StmtKind::Select { pool, hash, .. } => {
                vars_of(pool, &mut self.in_metadata);
                // A part of it is the slot's key.
                if means.steps {
                    vars_of(hash, &mut self.in_metadata);
                }
            }
            // An action reads it.
            StmtKind::Find { key, .. } if means.staged => {
                key.iter().for_each(|e| vars_of(e, &mut self.in_metadata));
            }
            StmtKind::Stay { id, .. } => {
                self.in_metadata.insert(*id);
            }
            _ => {}
        });
        self.in_metadata.extend(&self.alone);
        self.in_metadata.extend(parser_writes(p));
        for e in parser_exprs(p) {
            vars_of(e, &mut self.in_metadata);
        }
        for (i, var) in p.vars.iter().enumerate() {
            let id = VarId(i as u32);
            if var.kind != VarKind::Local {
                self.in_metadata.insert(id);
            } else if !self.in_metadata.contains(&id) {
                self.declare_local(p, id);
            }
        }
    }

    /// Declares a local in the innermost block that holds all its mentions.
    fn declare_local(&mut self, p: &Pipeline, var: VarId) {
        let wanted = BTreeSet::from([var]);
        let mut block: &[Stmt] = &p.control;
        let mut way = Vec::new();
        loop {
            let Some(first) = block.iter().position(|s| mentions(std::slice::from_ref(s), &wanted) > 0)
            else {
                return;
            };
            let total = mentions(&block[first..], &wanted);
            let mut inner = block[first].kind.blocks().into_iter().enumerate();
            if let Some((which, inner)) = inner.find(|(_, b)| mentions(b, &wanted) == total) {
                way.push((first, which));
                block = inner;
                continue;
            }
            self.scopes.insert(var, way);
            let zero = !matches!(defined(&block[first..], var), Defined::Yes | Defined::Never);
            self.declare.entry(&raw const block[first]).or_default().push((var, zero));
            return;
        }
    }
}

/// What is read from some point on.
#[derive(Clone, Default)]
struct Later {
    vars: BTreeSet<VarId>,
    port: bool,
}

impl Later {
    fn expr(&mut self, e: &Expr) {
        vars_of(e, &mut self.vars);
        e.walk(&mut |e| self.port |= e.kind == ExprKind::Builtin(Builtin::IngressPort));
    }
    /// What the statement reads, without its blocks.
    fn own(&mut self, s: &Stmt) {
        s.kind.exprs().into_iter().for_each(|e| self.expr(e));
        match &s.kind {
            StmtKind::Stay { id: v, .. }
            | StmtKind::Remember { id: v, .. }
            | StmtKind::Adjust { place: Place::Var(v), .. } => {
                self.vars.insert(*v);
            }
            _ => {}
        }
    }
    fn block(&mut self, block: &[Stmt]) {
        walk(block, &mut |s| self.own(s));
    }
}

/// Variables that the parser writes.
pub(super) fn parser_writes(p: &Pipeline) -> BTreeSet<VarId> {
    let ops = p.parser.states.iter().flat_map(|s| &s.ops);
    let var = |op: &ParserOp| match op {
        ParserOp::Lookahead { into: var, .. } | ParserOp::Set { var, .. } => Some(*var),
        ParserOp::Extract { .. } => None,
    };
    ops.filter_map(var).collect()
}

pub(super) fn parser_exprs(p: &Pipeline) -> Vec<&Expr> {
    let mut found = Vec::new();
    for state in &p.parser.states {
        for op in &state.ops {
            if let ParserOp::Set { value, .. } = op {
                found.push(value);
            }
        }
        if let Transition::Select { on, .. } = &state.next {
            found.extend(on);
        }
    }
    found
}

/// Variables that an expression reads.
pub(super) fn vars_of(e: &Expr, into: &mut BTreeSet<VarId>) {
    e.walk(&mut |e| {
        if let ExprKind::Var(v) = e.kind {
            into.insert(v);
        }
    });
}

/// Is there a `stay` anywhere inside?
pub(super) fn has_stay<'a>(block: impl IntoIterator<Item = &'a Stmt>) -> bool {
    block.into_iter().any(|s| is_stay(s) || has_stay(s.kind.blocks().into_iter().flatten()))
}

fn is_stay(s: &Stmt) -> bool {
    matches!(s.kind, StmtKind::Stay { .. })
}

/// Variables that statements write.
fn writes(p: &Pipeline, block: &[Stmt], into: &mut BTreeSet<VarId>) {
    walk(block, &mut |s| {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &s.kind {
            into.extend(arms.iter().flat_map(|a| &p.actions[a.action.index()].params));
        }
        if let Some(v) = written(s) {
            into.insert(v);
        }
    });
}

/// The variable that a statement itself writes.
fn written(s: &Stmt) -> Option<VarId> {
    match s.kind.written()? {
        Place::Var(v) => Some(v),
        Place::Field(..) => None,
    }
}

/// How often statements read or write some variables.
pub(super) fn mentions(block: &[Stmt], vars: &BTreeSet<VarId>) -> usize {
    let mut count = 0;
    walk(block, &mut |s| {
        count += usize::from(written(s).is_some_and(|v| vars.contains(&v)));
        if let StmtKind::Remember { id, .. } = &s.kind {
            count += usize::from(vars.contains(id));
        }
        for e in s.kind.exprs() {
            e.walk(&mut |e| count += usize::from(matches!(e.kind, ExprKind::Var(v) if vars.contains(&v))));
        }
    });
    count
}

/// Variables that the control may read before it has written them. Parameters of actions are none: an action writes them.
pub(super) fn read_first(p: &Pipeline) -> BTreeSet<VarId> {
    let all = p.vars.iter().enumerate().filter(|(_, var)| !matches!(var.kind, VarKind::Param(_)));
    let all = all.map(|(i, _)| VarId(i as u32));
    all.filter(|var| defined(&p.control, *var) == Defined::No).collect()
}

/// Is a variable written before it is read?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defined {
    /// On every way.
    Yes,
    /// Nowhere is it read or written, or no way leads on.
    Never,
    /// On some ways; it has not been read.
    Some,
    /// It is read first.
    No,
}

fn defined(block: &[Stmt], var: VarId) -> Defined {
    let mut state = Defined::Some;
    for s in block {
        let mut reads = Later::default();
        reads.own(s);
        if reads.vars.contains(&var) && !matches!(s.kind, StmtKind::Stay { .. }) {
            return Defined::No;
        }
        if written(s) == Some(var) {
            return Defined::Yes;
        }
        match &s.kind {
            StmtKind::If { then, otherwise, .. } => match (defined(then, var), defined(otherwise, var)) {
                (Defined::No, _) | (_, Defined::No) => return Defined::No,
                (Defined::Yes | Defined::Never, Defined::Yes) | (Defined::Yes, Defined::Never) => {
                    return Defined::Yes;
                }
                _ => state = Defined::Some,
            },
            StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. }
                if arms.iter().any(|a| defined(&a.body, var) == Defined::No) =>
            {
                return Defined::No;
            }
            StmtKind::Verdict(Verdict::Forward(_) | Verdict::Pass | Verdict::Drop(_)) => {
                return Defined::Never;
            }
            _ => {}
        }
    }
    state
}

/// The P4 type of a variable.
pub(super) fn ty(ty: Type) -> p4::ast::Type {
    match ty {
        Type::Bool => p4::ast::Type::Bool,
        Type::Bits(w) => p4::ast::Type::Bits(u32::from(w)),
    }
}

/// The statement with a `stay` in it, or inside it.
pub(super) fn stay_index(block: &[Stmt]) -> Option<usize> {
    block.iter().position(|s| is_stay(s) || has_stay(s.kind.blocks().into_iter().flatten()))
}
