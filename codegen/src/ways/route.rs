//! The ways through the parser.

use super::facts::Facts;
use super::values::Values;
use pipeline_ir::expr::Expr;
use pipeline_ir::stmt::Place;
use pipeline_ir::{Case, FieldId, HeaderId, ParserOp, Pattern, Pipeline, StateId, Transition};
use std::ops::Range;

/// At most so many ways are given, those of the source's first cases.
pub const MOST_WAYS: usize = 64;

/// At most so many beginnings of ways are looked at.
const MOST_STEPS: usize = 4096;

/// A state on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state.
    pub state: StateId,
    /// Its select takes one of these cases, which stand side by side and go to the same state. Empty: the state has
    /// no select, or none of its cases matches.
    pub cases: Range<usize>,
}

/// A way through the parser, from its start to accept: all packets that no end of the frame stops before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The states, in order.
    pub steps: Vec<Step>,
    /// The headers that are valid behind the parser, with their first byte in the frame. No other is.
    pub headers: Vec<(HeaderId, u32)>,
    /// Bytes of all of them: here the payload starts.
    pub bytes: u32,
    /// Bytes that a frame of this way has at least: more than `bytes` where the parser looks ahead.
    pub frame: u32,
    /// What the parser has made sure of.
    pub facts: Facts,
}

impl Way {
    /// The names of the states, as `start-ipv4-tcp`.
    #[must_use]
    pub fn name(&self, p: &Pipeline) -> String {
        let names = self.steps.iter().filter_map(|s| p.parser.states.get(s.state.index()));
        names.map(|s| s.name.as_str()).collect::<Vec<_>>().join("-")
    }

    /// Has every select on it taken a case that names a value?
    #[must_use]
    pub fn is_named(&self, p: &Pipeline) -> bool {
        let named = |case: &Case| case.patterns.iter().any(|p| *p != Pattern::Any);
        self.steps.iter().all(|step| match p.parser.states.get(step.state.index()).map(|s| &s.next) {
            Some(Transition::Select { cases, .. }) => {
                let taken = cases.get(step.cases.clone()).unwrap_or_default();
                !taken.is_empty() && taken.iter().all(named)
            }
            _ => true,
        })
    }

    /// The value of a field, if the parser has made sure of it.
    #[must_use]
    pub fn constant(&self, p: &Pipeline, header: HeaderId, field: FieldId) -> Option<u128> {
        self.facts.field(p, header, field).only()
    }
}

/// Every way, in the order of the source's cases, depth first: a pipeline names the most frequent case first.
///
/// The parser's law holds: a case is taken where no case before it matches; no case at all means accept.
#[must_use]
pub fn ways(p: &Pipeline) -> Vec<Way> {
    let start = Way { steps: Vec::new(), headers: Vec::new(), bytes: 0, frame: 0, facts: Facts::start(p) };
    let mut open = vec![(start, Some(p.parser.start))];
    let mut done = Vec::new();
    for _ in 0..MOST_STEPS {
        match open.pop() {
            Some((way, Some(state))) => open.extend(way.onward(p, state).into_iter().rev()),
            Some((mut way, None)) if done.len() < MOST_WAYS => {
                way.facts = way.clone().end();
                done.push(way);
            }
            _ => break,
        }
    }
    done
}

/// What is known where parsing ends, also where the frame ends first; none: there are too many ways.
pub(super) fn ends(p: &Pipeline) -> Option<Vec<Facts>> {
    let start = Way { steps: Vec::new(), headers: Vec::new(), bytes: 0, frame: 0, facts: Facts::start(p) };
    let mut open = vec![(start, Some(p.parser.start))];
    let mut ends = Vec::new();
    for _ in 0..MOST_STEPS {
        match open.pop() {
            Some((way, Some(state))) => {
                way.cuts(p, state, &mut ends);
                open.extend(way.onward(p, state));
            }
            Some((way, None)) => ends.push(way.end()),
            None => return Some(ends),
        }
    }
    None
}

impl Way {
    /// What is known where it ends.
    fn end(mut self) -> Facts {
        self.facts.frame_has(self.frame);
        self.facts
    }

    /// What is known where the frame ends in a state.
    fn cuts(&self, p: &Pipeline, id: StateId, ends: &mut Vec<Facts>) {
        let mut way = self.clone();
        for op in p.parser.states.get(id.index()).iter().flat_map(|s| &s.ops) {
            if !matches!(op, ParserOp::Set { .. }) {
                ends.push(way.clone().end());
            }
            way.op(p, op);
        }
    }

    /// Through a state: the longer ways, and the state behind each; none: accept.
    fn onward(mut self, p: &Pipeline, id: StateId) -> Vec<(Self, Option<StateId>)> {
        let Some(state) = p.parser.states.get(id.index()) else { return Vec::new() };
        for op in &state.ops {
            self.op(p, op);
        }
        let step = |cases: Range<usize>, facts: Facts| {
            let mut longer = Self { facts, ..self.clone() };
            longer.steps.push(Step { state: id, cases });
            longer
        };
        match &state.next {
            Transition::Accept => vec![(step(0..0, self.facts.clone()), None)],
            Transition::To(to) => vec![(step(0..0, self.facts.clone()), Some(*to))],
            Transition::Select { on, cases, .. } => {
                let to = |run: &Range<usize>| cases.get(run.start).and_then(|c| c.to);
                let ways = runs(cases).into_iter().filter_map(|run| {
                    let facts = taken(p, &self.facts, on, cases, &run)?;
                    Some((step(run.clone(), facts), to(&run)))
                });
                ways.collect()
            }
        }
    }

    fn op(&mut self, p: &Pipeline, op: &ParserOp) {
        match op {
            ParserOp::Extract { header, .. } => {
                self.headers.push((*header, self.bytes));
                self.bytes += p.header_type(*header).bytes();
                self.frame = self.frame.max(self.bytes);
                self.facts.extract(*header);
            }
            ParserOp::Lookahead { into, offset, .. } => {
                let bits = offset + u32::from(p.var(*into).ty.width());
                self.frame = self.frame.max(self.bytes + bits.div_ceil(8));
                self.facts.forget(p, *into);
            }
            ParserOp::Set { var, value, .. } => {
                let values = self.facts.value(p, value);
                self.facts.know(p, Place::Var(*var), values);
            }
        }
    }
}

/// Cases side by side that go to the same state; at the end none of them.
fn runs(cases: &[Case]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        match runs.last_mut().filter(|run| cases[run.start].to == case.to) {
            Some(run) => run.end = i + 1,
            None => runs.push(i..i + 1),
        }
    }
    runs.push(cases.len()..cases.len());
    runs
}

/// What holds where one of these cases is taken, and none before them; an empty run: none at all. None: that can't be.
fn taken(p: &Pipeline, before: &Facts, on: &[Expr], cases: &[Case], run: &Range<usize>) -> Option<Facts> {
    let mut rest = before.clone();
    for case in &cases[..run.start] {
        rest = missed(p, rest, on, case)?;
    }
    if run.is_empty() {
        return Some(rest);
    }
    let mut all: Option<Facts> = None;
    for case in &cases[run.clone()] {
        let matched = matched(p, rest.clone(), on, case);
        all = match (all, matched) {
            (Some(a), Some(b)) => Some(a.join(p, &b)),
            (a, b) => a.or(b),
        };
        match missed(p, rest, on, case) {
            Some(facts) => rest = facts,
            None => break,
        }
    }
    all
}

/// What holds where every pattern matches.
fn matched(p: &Pipeline, mut facts: Facts, on: &[Expr], case: &Case) -> Option<Facts> {
    for (e, pattern) in on.iter().zip(&case.patterns) {
        let values = facts.value(p, e).taken(*pattern, true)?;
        facts = facts.only(p, e, values);
    }
    Some(facts)
}

/// What holds where they don't all match: more than before only if it is plain which of them doesn't.
fn missed(p: &Pipeline, facts: Facts, on: &[Expr], case: &Case) -> Option<Facts> {
    let mut open: Option<(&Expr, Values)> = None;
    for (e, pattern) in on.iter().zip(&case.patterns) {
        let values = facts.value(p, e);
        if values.taken(*pattern, true).is_none() {
            return Some(facts);
        }
        let Some(others) = values.taken(*pattern, false) else { continue };
        if open.replace((e, others)).is_some() {
            return Some(facts);
        }
    }
    let (e, others) = open?;
    Some(facts.only(p, e, others))
}
