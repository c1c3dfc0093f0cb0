//! What a variable stands for takes its place, where that is sooner done than to wait for the variable: a copy always, and a
//! flag where what it says is directly asked.
//!
//! ```text
//! too_short = total_length < ihl << 2          too_short = ..
//! odd = ihl != 5 || too_short                  odd = ihl != 5 || total_length < 20
//! ```

use std::collections::BTreeMap;

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Place, Stmt, StmtKind, walk};
use pipeline_ir::{Pipeline, VarId};

use super::early::changes;
use super::values::narrow;
use crate::p4::same;
use crate::ways::Facts;
use crate::ways::simplify::simplify;

/// A flag is asked for in so many comparisons at most, where a gateway asks.
pub(super) const MOST: usize = 1;

/// What an expression is that asks how long the frame is.
pub(super) type Told<'a> = dyn Fn(&Expr) -> Option<Expr> + 'a;

/// What flags and copies stand for, at a place in the control.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags {
    of: BTreeMap<VarId, Expr>,
    copies: BTreeMap<VarId, Expr>,
}

impl Flags {
    /// Those that are known in both.
    pub(super) fn keep(&mut self, before: &Self) {
        self.of.retain(|v, e| before.of.get(v) == Some(e));
        self.copies.retain(|v, e| before.copies.get(v) == Some(e));
    }

    /// After a statement.
    pub(super) fn after(&mut self, p: &Pipeline, s: &Stmt) {
        walk(std::slice::from_ref(s), &mut |s| {
            let stays = |v: &VarId, e: &mut Expr| {
                s.kind.written() != Some(Place::Var(*v)) && !changes(&p.vars, &s.kind, e)
            };
            self.of.retain(stays);
            self.copies.retain(stays);
        });
        if let StmtKind::Set { place: Place::Var(v), value } = &s.kind
            && !changes(&p.vars, &s.kind, value)
        {
            if value.ty == Type::Bool {
                self.of.insert(*v, value.clone());
            } else if matches!(value.kind, ExprKind::Field(..)) {
                self.copies.insert(*v, value.clone());
            }
        }
    }

    /// Puts what was copied in the place of the copies.
    pub(super) fn put_copies(&self, e: &mut Expr) {
        e.walk_mut(&mut |e| {
            if let ExprKind::Var(v) = &e.kind
                && let Some(of) = self.copies.get(v)
            {
                *e = of.clone();
            }
        });
    }

    /// The condition with what flags stand for, if that is `most` comparisons at most.
    pub(super) fn put(&self, p: &Pipeline, e: &Expr, most: usize, told: &Told<'_>) -> Expr {
        self.given(p, e, &Facts::any(p), (most, told))
    }

    fn given(&self, p: &Pipeline, e: &Expr, facts: &Facts, how: (usize, &Told<'_>)) -> Expr {
        let kind = match &e.kind {
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let first = self.given(p, a, facts, how);
                let then = facts.clone().given(p, a, *op == BinOp::And);
                let second = then.map_or_else(|| (**b).clone(), |then| self.given(p, b, &then, how));
                ExprKind::Binary(*op, Box::new(first), Box::new(second))
            }
            ExprKind::Unary(UnOp::Not, a) => {
                ExprKind::Unary(UnOp::Not, Box::new(self.given(p, a, facts, how)))
            }
            ExprKind::Var(v) => match self.of.get(v).and_then(|of| stands_for(p, of, facts, how.1)) {
                Some(of) if how.0 > MOST => {
                    let whole = self.given(p, &of, facts, how);
                    return if at_hand(&whole) { whole } else { e.clone() };
                }
                Some(of) if direct(&of).is_some_and(|parts| parts <= how.0) => return of,
                _ => return e.clone(),
            },
            _ => return e.clone(),
        };
        Expr { kind, ..e.clone() }
    }
}

/// What a flag stands for where more is known.
fn stands_for(p: &Pipeline, e: &Expr, facts: &Facts, told: &Told<'_>) -> Option<Expr> {
    let kind = match &e.kind {
        ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
            let idle = *op == BinOp::And;
            let first = stands_for(p, a, facts, told)?;
            let second = match facts.clone().given(p, a, idle) {
                Some(then) => stands_for(p, b, &then, told)?,
                None => Expr { kind: ExprKind::Bool(!idle), ..e.clone() },
            };
            match (&first.kind, &second.kind) {
                (ExprKind::Bool(known), _) => return Some(if *known == idle { second } else { first }),
                (_, ExprKind::Bool(known)) if *known == idle => return Some(first),
                _ => ExprKind::Binary(*op, Box::new(first), Box::new(second)),
            }
        }
        _ => {
            let told = told(e)?;
            if let ExprKind::Binary(op, a, b) = &told.kind
                && told.ty == Type::Bool
                && same::exprs(a, b)
            {
                return Some(Expr {
                    kind: ExprKind::Bool(matches!(op, BinOp::Eq | BinOp::Le | BinOp::Ge)),
                    ..told
                });
            }
            return Some(simplify(p, std::slice::from_ref(facts), &told).0);
        }
    };
    Some(Expr { kind, ..e.clone() })
}

/// Does a condition ask flags, and how values at hand compare?
fn at_hand(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Var(_) => true,
        ExprKind::Unary(UnOp::Not, a) => at_hand(a),
        ExprKind::Binary(BinOp::And | BinOp::Or, a, b) => at_hand(a) && at_hand(b),
        _ => direct(e).is_some(),
    }
}

/// The comparisons of a condition that asks how values at hand compare with numbers, or whether two are the same; none for
/// others.
fn direct(e: &Expr) -> Option<usize> {
    let at_hand = |e: &Expr| match &narrow(e).kind {
        ExprKind::Slice { of, .. } => matches!(of.kind, ExprKind::Field(..) | ExprKind::Var(_)),
        kind => matches!(kind, ExprKind::Field(..) | ExprKind::Var(_)),
    };
    match &e.kind {
        ExprKind::Bool(_) | ExprKind::Valid(_) => Some(1),
        ExprKind::Unary(UnOp::Not, a) => direct(a),
        ExprKind::Binary(BinOp::And | BinOp::Or, a, b) => Some(direct(a)? + direct(b)?),
        ExprKind::Binary(op, a, b) => match (&a.kind, &b.kind) {
            (_, ExprKind::Const(_)) => at_hand(a).then_some(1),
            (ExprKind::Const(_), _) => at_hand(b).then_some(1),
            _ if matches!(op, BinOp::Eq | BinOp::Ne) => (at_hand(a) && at_hand(b)).then_some(1),
            _ => None,
        },
        _ => None,
    }
}
