//! What is known early is computed early: beside what comes before the tables, and not between them.
//!
//! ```text
//! apply vip4(..)                            event = if tcp.flags & 2 ..
//! event = if tcp.flags & 2 ..               apply vip4(..)
//! ```
//!
//! Only variables of a block are set early, which nobody looks at where the block is not run.

use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind, walk};
use pipeline_ir::{Var, VarId, VarKind};

use crate::p4::same;

/// Moves what is known early, in a block and those inside.
pub(super) fn early(vars: &[Var], block: &mut Block) {
    let mut at = 0;
    while at < block.len() {
        let (before, rest) = block.split_at_mut(at);
        let mut found = Vec::new();
        if let Some(s) = rest.first_mut() {
            inside(vars, s, &|s| place(vars, before, s).is_some(), &mut found);
        }
        if is_early(vars, &block[at]) && place(vars, &block[..at], &block[at]).is_some() {
            found.push(block.remove(at));
        }
        for s in found {
            let to = place(vars, &block[..at], &s).unwrap_or(at);
            block.insert(to, s);
            at += 1;
        }
        at += 1;
    }
    for s in block {
        s.kind.blocks_mut().into_iter().for_each(|inner| early(vars, inner));
    }
}

/// Where a statement may stand so that it does not wait for what is looked up before it; none: it doesn't.
fn place(vars: &[Var], before: &[Stmt], s: &Stmt) -> Option<usize> {
    let stop = before.iter().rposition(|o| !passes(vars, s, o)).map_or(0, |i| i + 1);
    before[stop..].iter().position(looks_up).map(|i| stop + i)
}

/// Takes out of the blocks of a statement what may stand before it.
fn inside(vars: &[Var], s: &mut Stmt, may: &dyn Fn(&Stmt) -> bool, found: &mut Vec<Stmt>) {
    let whole: Vec<Expr> = s.kind.exprs().into_iter().cloned().collect();
    let shared = shared(s);
    let looks = matches!(s.kind, StmtKind::Apply { .. } | StmtKind::Stay { .. });
    let may = |s: &Stmt| may(s) && may_leave(vars, s, looks, &whole, &shared);
    for block in s.kind.blocks_mut() {
        let mut at = 0;
        while at < block.len() {
            let (before, rest) = block.split_at_mut(at);
            let first = |s: &Stmt| may(s) && before.iter().all(|o| passes(vars, s, o));
            if is_early(vars, &rest[0]) && first(&rest[0]) {
                found.push(block.remove(at));
                continue;
            }
            inside(vars, &mut rest[0], &first, found);
            at += 1;
        }
    }
}

/// Sets a variable of the block to a value without effects.
fn is_early(vars: &[Var], s: &Stmt) -> bool {
    matches!(&s.kind, StmtKind::Set { place: Place::Var(v), .. } if vars[v.index()].kind == VarKind::Local)
}

pub(super) fn looks_up(s: &Stmt) -> bool {
    let mut looks = false;
    walk(std::slice::from_ref(s), &mut |s| {
        looks |= matches!(s.kind, StmtKind::Apply { .. } | StmtKind::Stay { .. } | StmtKind::Find { .. });
    });
    looks
}

/// Variables that more than one block of a statement mentions.
fn shared(s: &Stmt) -> Vec<VarId> {
    let of = |block: &Block| {
        let mut vars = Vec::new();
        walk(block, &mut |s| vars.extend(mentioned(s)));
        vars.sort();
        vars.dedup();
        vars
    };
    let mut all: Vec<VarId> = s.kind.blocks().into_iter().flat_map(of).collect();
    all.sort();
    let twice = all.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]);
    twice.collect()
}

/// Variables that a statement itself reads or writes.
pub(crate) fn mentioned(s: &Stmt) -> Vec<VarId> {
    let mut vars = Vec::new();
    for e in s.kind.exprs() {
        e.walk(&mut |e| {
            if let ExprKind::Var(v) = e.kind {
                vars.push(v);
            }
        });
    }
    if let Some(Place::Var(v)) = s.kind.written() {
        vars.push(v);
    }
    if let StmtKind::Remember { id, .. } = s.kind {
        vars.push(id);
    }
    vars
}

/// May the first statement of an inner block stand before the whole? `looks`: the whole looks something up.
fn may_leave(vars: &[Var], s: &Stmt, looks: bool, whole: &[Expr], shared: &[VarId]) -> bool {
    let StmtKind::Set { place: Place::Var(v), value } = &s.kind else { return false };
    let mut known = true;
    value.walk(&mut |e| {
        known &= !looks
            || !matches!(e.kind, ExprKind::Var(v) if matches!(vars[v.index()].kind, VarKind::Param(_)));
    });
    is_early(vars, s) && known && !shared.contains(v) && !whole.iter().any(|e| reads(e, *v))
}

pub(super) fn reads(e: &Expr, var: VarId) -> bool {
    e.any(|e| e.kind == ExprKind::Var(var))
}

/// May a statement that sets a variable stand before another?
pub(crate) fn passes(vars: &[Var], s: &Stmt, other: &Stmt) -> bool {
    let StmtKind::Set { place: Place::Var(v), value } = &s.kind else { return false };
    let mut free = true;
    walk(std::slice::from_ref(other), &mut |o| {
        free &= !mentioned(o).contains(v) && !changes(vars, &o.kind, value);
    });
    free
}

/// Does a statement change what an expression says?
pub(super) fn changes(vars: &[Var], s: &StmtKind, e: &Expr) -> bool {
    let applies = matches!(s, StmtKind::Apply { .. } | StmtKind::Stay { .. });
    let mut changes = false;
    e.walk(&mut |e| {
        changes |= match (&e.kind, s) {
            (ExprKind::Field(h, _) | ExprKind::Valid(h), StmtKind::Push(o) | StmtKind::Pop(o)) => h == o,
            (ExprKind::Field(h, f), _) => s.written() == Some(Place::Field(*h, *f)),
            (ExprKind::Var(v), _) => {
                s.written() == Some(Place::Var(*v))
                    || applies && matches!(vars[v.index()].kind, VarKind::Param(_))
            }
            _ => false,
        };
    });
    changes
}

/// Moves steps of bits before the condition that they hang on, where a table's action may take them.
pub(super) fn bits(vars: &[Var], block: &mut Block) {
    let mut at = 0;
    while at < block.len() {
        for inner in block[at].kind.blocks_mut() {
            bits(vars, inner);
        }
        let mut found = Vec::new();
        if matches!(block[at].kind, StmtKind::If { .. }) {
            inside(vars, &mut block[at], &is_bits, &mut found);
        }
        at += found.len() + 1;
        let to = at - found.len() - 1;
        block.splice(to..to, found);
    }
}

fn is_bits(s: &Stmt) -> bool {
    let of_bits = |op: &BinOp| matches!(op, BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor);
    matches!(&s.kind, StmtKind::Set { value, .. } if matches!(&value.kind, ExprKind::Binary(op, ..) if of_bits(op)))
}

/// Where both branches of a condition do the same, there is none.
pub(super) fn join(block: &mut Block) {
    for mut s in std::mem::take(block) {
        s.kind.blocks_mut().into_iter().for_each(join);
        match s.kind {
            StmtKind::If { then, otherwise, .. } if same::blocks(&then, &otherwise) => block.extend(then),
            _ => block.push(s),
        }
    }
}
