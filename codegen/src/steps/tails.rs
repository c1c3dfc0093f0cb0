//! Nothing behind a verdict: what would stand there goes into the branches that go on.

use pipeline_ir::expr::{Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind};
use pipeline_ir::{Loc, Var, VarId, VarKind};

use super::{declare, stmt, var};

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

/// Notes each verdict in a statement.
fn mark(s: &mut Stmt, over: VarId) {
    for block in ways_mut(&mut s.kind) {
        mark_block(block, over);
    }
}

fn mark_block(block: &mut Block, over: VarId) {
    let mut out = Block::new();
    for mut s in std::mem::take(block) {
        if matches!(s.kind, StmtKind::Verdict(_)) {
            let value = Expr { kind: ExprKind::Bool(true), ty: Type::Bool, at: s.at };
            out.push(stmt(StmtKind::Set { place: Place::Var(over), value }, s.at));
        }
        mark(&mut s, over);
        out.push(s);
    }
    *block = out;
}
