//! What a checksum changes by: of two values that are put together, only the parts that differ take a step.
//!
//! ```text
//! adjust(sum, ttl ++ protocol, ttl - 1 ++ protocol)     step = ttl - 1
//!                                                       adjust(sum, ttl ++ protocol, step ++ protocol)
//! ```

use std::ops::Range;

use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::stmt::Block;

use super::Steps;
use super::small::parts;
use super::values;
use crate::p4::{same, worlds::Worlds};

/// The parts of two values, as far as they are put together alike.
pub(crate) struct Change {
    old: Vec<Expr>,
    new: Vec<Expr>,
    /// Those from the first that differs to the last.
    differs: Range<usize>,
}

/// The parts that a value is put together of; of a number, the parts that the other value has.
fn parts_beside(e: &Expr, other: &Expr) -> Vec<Expr> {
    let (mut list, mut others) = (Vec::new(), Vec::new());
    parts(e, BinOp::Concat, &mut list);
    parts(other, BinOp::Concat, &mut others);
    if !matches!(e.kind, ExprKind::Const(_)) || e.ty != other.ty {
        return list.into_iter().cloned().collect();
    }
    let mut top = e.ty.width();
    let part = |other: &&Expr| {
        let high = top - 1;
        top -= other.ty.width();
        values::slice(e.clone(), high, top)
    };
    others.iter().map(part).collect()
}

impl Change {
    /// None where the whole changes.
    pub(crate) fn of(old: &Expr, new: &Expr) -> Option<Self> {
        let (a, b) = (parts_beside(old, new), parts_beside(new, old));
        let alike = a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.ty == b.ty);
        let differ: Vec<usize> = (0..a.len().min(b.len())).filter(|i| !same::exprs(&a[*i], &b[*i])).collect();
        let (mut first, mut last) = (*differ.first()?, *differ.last()?);
        let low = |at: usize| a[at + 1..].iter().map(|e| u32::from(e.ty.width())).sum::<u32>();
        // A part that is no whole bytes would share its container with what stands beside it.
        while first > 0 && !low(first - 1).is_multiple_of(8) {
            first -= 1;
        }
        while last + 1 < a.len() && !low(last).is_multiple_of(8) {
            last += 1;
        }
        let part = alike && last + 1 - first < a.len();
        part.then_some(Self { old: a, new: b, differs: first..last + 1 })
    }

    /// What changes, before and after.
    pub(crate) fn pieces(&self) -> Option<(Expr, Expr)> {
        Some((join(&self.old[self.differs.clone()])?, join(&self.new[self.differs.clone()])?))
    }

    /// The highest bit of what changes, and the lowest.
    pub(crate) fn bits(&self) -> (u32, u32) {
        let bits = |list: &[Expr]| list.iter().map(|e| u32::from(e.ty.width())).sum::<u32>();
        let low = bits(&self.old[self.differs.end..]);
        (low + bits(&self.old[self.differs.clone()]) - 1, low)
    }

    fn with(&self, list: &[Expr], piece: &Expr) -> Option<Expr> {
        let [before, after] = [&list[..self.differs.start], &list[self.differs.end..]];
        join(before.iter().chain([piece]).chain(after))
    }
}

fn join<'e>(list: impl IntoIterator<Item = &'e Expr>) -> Option<Expr> {
    list.into_iter().cloned().reduce(values::join)
}

impl Steps<'_> {
    /// Old and new value of what a checksum covers.
    pub(super) fn change(&mut self, old: &Expr, new: &Expr, w: &Worlds, out: &mut Block) -> (Expr, Expr) {
        if let Some(change) = Change::of(old, new)
            && let Some((a, b)) = change.pieces()
        {
            let (a, b) = (self.operand(&a, w, out), self.operand(&b, w, out));
            if let (Some(old), Some(new)) = (change.with(&change.old, &a), change.with(&change.new, &b)) {
                return (old, new);
            }
        }
        (self.operand(old, w, out), self.operand(new, w, out))
    }
}
