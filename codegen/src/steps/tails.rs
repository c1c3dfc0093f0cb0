//! Nothing behind a verdict: what would stand there goes into the branches that go on.

use pipeline_ir::expr::{Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind, walk};
use pipeline_ir::{Loc, Var, VarId, VarKind};

use super::{declare, early, stmt, var};

/// Does a block end in a verdict?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Never,
    Sometimes,
    Always,
}

fn ends(block: &[Stmt]) -> Ends {
    let mut sometimes = false;
    for s in block {
        if matches!(s.kind, StmtKind::Verdict(_)) {
            return Ends::Always;
        }
        match ends_in(&s.kind) {
            Ends::Always => return Ends::Always,
            Ends::Sometimes => sometimes = true,
            Ends::Never => {}
        }
    }
    if sometimes { Ends::Sometimes } else { Ends::Never }
}

/// What becomes of the ways through a statement.
fn ends_in(kind: &StmtKind) -> Ends {
    let blocks = ways(kind);
    let of: Vec<Ends> = blocks.iter().map(|b| ends(b)).collect();
    let selects = match kind {
        // Without a pool or a server the packet is dropped.
        StmtKind::Select { .. } => true,
        StmtKind::Stay { select, .. } => ends(select) != Ends::Never,
        _ => false,
    };
    match () {
        () if of.is_empty() => {
            if selects {
                Ends::Sometimes
            } else {
                Ends::Never
            }
        }
        () if of.iter().all(|e| *e == Ends::Always) => Ends::Always,
        () if !selects && of.iter().all(|e| *e == Ends::Never) => Ends::Never,
        () => Ends::Sometimes,
    }
}

/// The blocks of which one is the last to run.
fn ways(kind: &StmtKind) -> Vec<&Block> {
    match kind {
        StmtKind::If { then, otherwise, .. } => vec![then, otherwise],
        StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } => arms.iter().map(|a| &a.body).collect(),
        _ => Vec::new(),
    }
}

fn ways_mut(kind: &mut StmtKind) -> Vec<&mut Block> {
    match kind {
        StmtKind::If { then, otherwise, .. } => vec![then, otherwise],
        StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } => {
            arms.iter_mut().map(|a| &mut a.body).collect()
        }
        _ => Vec::new(),
    }
}

/// Blocks on their way.
pub(super) struct Tails<'a> {
    pub(super) vars: &'a mut Vec<Var>,
    /// Says that a verdict was given, where several branches go on.
    pub(super) over: Option<VarId>,
}

impl Tails<'_> {
    pub(super) fn block(&mut self, block: Block) -> Block {
        let mut out = Block::new();
        let mut rest = block.into_iter();
        while let Some(mut s) = rest.next() {
            if matches!(s.kind, StmtKind::Verdict(_)) {
                out.push(s);
                return out;
            }
            let of_it = ends_in(&s.kind);
            let tail: Block = if of_it == Ends::Never { Block::new() } else { rest.by_ref().collect() };
            let at = tail.first().map_or(s.at, |t| t.at);
            let goes_on = ways(&s.kind).iter().filter(|b| ends(b) != Ends::Always).count();
            let clear = !matches!(s.kind, StmtKind::Stay { .. });
            let own = |block: &&mut Block| ends(block) != Ends::Always;
            match (tail.is_empty() || of_it == Ends::Always, goes_on, clear) {
                (true, ..) => {}
                (false, 1, true) => {
                    if let Some(block) = ways_mut(&mut s.kind).into_iter().find(own) {
                        block.extend(tail);
                    }
                }
                _ => {
                    self.inner(&mut s);
                    let over = self.over(at);
                    mark(&mut s, over);
                    out.push(s);
                    out.push(self.unless_over(over, tail, at));
                    return out;
                }
            }
            self.inner(&mut s);
            out.push(s);
        }
        out
    }

    /// The blocks in a statement.
    fn inner(&mut self, s: &mut Stmt) {
        if let StmtKind::Stay { select, .. } = &mut s.kind {
            *select = self.block(std::mem::take(select));
        }
        for block in ways_mut(&mut s.kind) {
            *block = self.block(std::mem::take(block));
        }
    }

    fn over(&mut self, at: Loc) -> VarId {
        *self.over.get_or_insert_with(|| declare(self.vars, "over", VarKind::Meta, Type::Bool, at))
    }

    fn unless_over(&mut self, over: VarId, tail: Block, at: Loc) -> Stmt {
        let cond = ExprKind::Unary(UnOp::Not, Box::new(var(over, Type::Bool, at)));
        let cond = Expr { kind: cond, ty: Type::Bool, at };
        stmt(StmtKind::If { cond, then: self.block(tail), otherwise: Block::new() }, at)
    }
}

/// Notes each verdict in a statement; where all ways through a block end in one, at its begin.
fn mark(s: &mut Stmt, over: VarId) {
    for block in ways_mut(&mut s.kind) {
        let mut asked = false;
        walk(block, &mut |s| {
            s.kind.exprs().into_iter().for_each(|e| asked |= early::reads(e, over));
        });
        match block.first() {
            Some(s) if s.kind.written() == Some(Place::Var(over)) => {}
            Some(s) if ends(block) == Ends::Always && !asked => block.insert(0, noted(over, s.at)),
            _ => mark_block(block, over),
        }
    }
}

fn noted(over: VarId, at: Loc) -> Stmt {
    let value = Expr { kind: ExprKind::Bool(true), ty: Type::Bool, at };
    stmt(StmtKind::Set { place: Place::Var(over), value }, at)
}

fn mark_block(block: &mut Block, over: VarId) {
    let mut out = Block::new();
    for mut s in std::mem::take(block) {
        let known = out.last().is_some_and(|s: &Stmt| s.kind.written() == Some(Place::Var(over)));
        if matches!(s.kind, StmtKind::Verdict(_)) && !known {
            out.push(noted(over, s.at));
        }
        mark(&mut s, over);
        out.push(s);
    }
    *block = out;
}
