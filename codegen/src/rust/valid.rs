//! Which headers are known to be valid at a statement, so that writes to their fields need no test.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, UnOp};
use pipeline_ir::stmt::{self, Stmt, StmtKind};
use pipeline_ir::{HeaderId, ParserOp, Pipeline, StateId, Transition};
use std::collections::BTreeSet;

/// Headers known to be valid.
pub(super) type Known = BTreeSet<HeaderId>;

/// What parsing implies: headers that are extracted before another one, whatever the path.
pub(super) struct Implied {
    before: Vec<Known>,
}

impl Implied {
    pub(super) fn new(p: &Pipeline) -> Self {
        let popped = popped(&p.control);
        let entered = on_entry(p);
        let mut before: Vec<Option<Known>> = vec![None; p.headers.len()];
        for (state, known) in p.parser.states.iter().zip(&entered) {
            let Some(mut known) = known.clone() else { continue };
            for op in &state.ops {
                let ParserOp::Extract { header, .. } = op else { continue };
                let slot = &mut before[header.index()];
                *slot = Some(match slot.take() {
                    Some(other) => other.intersection(&known).copied().collect(),
                    None => known.clone(),
                });
                known.insert(*header);
            }
        }
        // A header that the control pushes can be valid without all this.
        let pushed = pushed(&p.control);
        let all = before.into_iter().enumerate().map(|(i, known)| {
            let pushed = pushed.contains(&HeaderId(i as u32));
            let known = known.filter(|_| !pushed).unwrap_or_else(BTreeSet::new);
            known.difference(&popped).copied().collect()
        });
        Self { before: all.collect() }
    }

    /// What a condition with this outcome implies.
    pub(super) fn of(&self, cond: &Expr, outcome: bool) -> Known {
        let mut known = Known::new();
        self.add(cond, outcome, &mut known);
        known
    }

    fn add(&self, cond: &Expr, outcome: bool, known: &mut Known) {
        match &cond.kind {
            ExprKind::Valid(h) if outcome => {
                known.insert(*h);
                known.extend(self.before[h.index()].iter().copied());
            }
            ExprKind::Unary(UnOp::Not, a) => self.add(a, !outcome, known),
            ExprKind::Binary(BinOp::And, a, b) if outcome => {
                self.add(a, true, known);
                self.add(b, true, known);
            }
            ExprKind::Binary(BinOp::Or, a, b) if !outcome => {
                self.add(a, false, known);
                self.add(b, false, known);
            }
            _ => {}
        }
    }
}

/// Headers extracted on every path to each state; none: no path leads there.
fn on_entry(p: &Pipeline) -> Vec<Option<Known>> {
    let mut entered: Vec<Option<Known>> = vec![None; p.parser.states.len()];
    if let Some(start) = entered.get_mut(p.parser.start.index()) {
        *start = Some(Known::new());
    }
    // States form a DAG: what is known settles within as many rounds as there are states.
    for _ in 0..p.parser.states.len() {
        for (i, state) in p.parser.states.iter().enumerate() {
            let Some(mut known) = entered[i].clone() else { continue };
            known.extend(state.ops.iter().filter_map(extracted));
            for to in successors(&state.next) {
                let Some(slot) = entered.get_mut(to.index()) else { continue };
                *slot = Some(match slot.take() {
                    Some(other) => other.intersection(&known).copied().collect(),
                    None => known.clone(),
                });
            }
        }
    }
    entered
}

pub(super) fn extracted(op: &ParserOp) -> Option<HeaderId> {
    if let ParserOp::Extract { header, .. } = op { Some(*header) } else { None }
}

pub(super) fn successors(next: &Transition) -> Vec<StateId> {
    match next {
        Transition::Accept => Vec::new(),
        Transition::To(to) => vec![*to],
        Transition::Select { cases, .. } => cases.iter().filter_map(|c| c.to).collect(),
    }
}

/// Headers that a block pushes.
pub(super) fn pushed(block: &[Stmt]) -> Known {
    let mut all = Known::new();
    stmt::walk(block, &mut |s| {
        if let StmtKind::Push(h) = s.kind {
            all.insert(h);
        }
    });
    all
}

/// Headers that a block pops.
pub(super) fn popped(block: &[Stmt]) -> Known {
    let mut all = Known::new();
    stmt::walk(block, &mut |s| {
        if let StmtKind::Pop(h) = s.kind {
            all.insert(h);
        }
    });
    all
}
