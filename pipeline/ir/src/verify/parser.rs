//! The parser: no loops, no header twice, nothing out of reach.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostics};
use crate::expr::Type;
use crate::{Case, HeaderId, Loc, ParserOp, Pattern, Pipeline, State, StateId, Transition};

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    if p.parser.states.is_empty() {
        let help = "add a function `#[state] fn start(p: &mut Packet, h: &mut Headers) -> State`";
        found.push(Code::Missing, Loc::default(), "there is no parser state", help);
        return;
    }
    for state in &p.parser.states {
        if let Transition::Select { on, cases, at } = &state.next {
            let types: Vec<Type> = on.iter().map(|e| e.ty).collect();
            select(&types, cases, *at, found);
        }
    }
    let mut order = Order { p, marks: vec![Mark::New; p.parser.states.len()], done: Vec::new(), found };
    order.visit(p.parser.start);
    let Order { marks, mut done, .. } = order;
    for (state, mark) in p.parser.states.iter().zip(&marks) {
        if *mark == Mark::New {
            let message = format!("parser state `{}` is never entered", state.name);
            found.push(Code::Unreachable, state.at, message, "go to it from another state, or remove it");
        }
    }
    if found.0.iter().all(|d| d.code != Code::ParserLoop) {
        done.reverse();
        extracted_once(p, &done, found);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Depth first: states by the order in which all behind them are done.
struct Order<'a> {
    p: &'a Pipeline,
    marks: Vec<Mark>,
    done: Vec<StateId>,
    found: &'a mut Diagnostics,
}

impl Order<'_> {
    /// Not recursive, so that a long chain of states can't exhaust the stack.
    fn visit(&mut self, start: StateId) {
        let mut open = vec![(start, next(&self.p.parser.states[start.index()]))];
        self.marks[start.index()] = Mark::Open;
        while let Some((id, waiting)) = open.last_mut() {
            let id = *id;
            let Some(to) = waiting.pop() else {
                self.marks[id.index()] = Mark::Done;
                self.done.push(id);
                open.pop();
                continue;
            };
            match self.marks[to.index()] {
                Mark::Done => {}
                Mark::Open => {
                    let from = &self.p.parser.states[id.index()];
                    let to = &self.p.parser.states[to.index()];
                    let message = format!("`{}` goes back to `{}`, without a bound", from.name, to.name);
                    let help = "bound it: `#[state(repeat = N)]`, with a header stack of N";
                    self.found.push(Code::ParserLoop, from.at, message, help);
                }
                Mark::New => {
                    self.marks[to.index()] = Mark::Open;
                    open.push((to, next(&self.p.parser.states[to.index()])));
                }
            }
        }
    }
}

/// The states that a state can go to.
fn next(state: &State) -> Vec<StateId> {
    match &state.next {
        Transition::Accept => Vec::new(),
        Transition::To(to) => vec![*to],
        Transition::Select { cases, .. } => cases.iter().filter_map(|c| c.to).collect(),
    }
}

/// `order`: each state before those that it goes to.
fn extracted_once(p: &Pipeline, order: &[StateId], found: &mut Diagnostics) {
    let mut before: Vec<BTreeSet<HeaderId>> = vec![BTreeSet::new(); p.parser.states.len()];
    for id in order {
        let state = &p.parser.states[id.index()];
        let mut have = before[id.index()].clone();
        for op in &state.ops {
            let ParserOp::Extract { header, at } = op else { continue };
            if !have.insert(*header) {
                let name = &p.headers[header.index()].name;
                let message =
                    format!("header `{name}` can be extracted before, on a way to `{}`", state.name);
                let help = "declare a header for each place where it can stand, or a stack `[T; N]`";
                found.push(Code::ParserTwice, *at, message, help);
            }
        }
        for to in next(state) {
            before[to.index()].extend(have.iter().copied());
        }
    }
}

fn select(types: &[Type], cases: &[Case], at: Loc, found: &mut Diagnostics) {
    if types.is_empty() {
        found.push(Code::Mismatch, at, "a select over nothing", "select on a field or a variable");
    }
    for (i, case) in cases.iter().enumerate() {
        if case.patterns.len() != types.len() {
            let message = format!("{} patterns for {} values", case.patterns.len(), types.len());
            found.push(Code::Mismatch, case.at, message, "write one pattern for each value");
        }
        for (pattern, ty) in case.patterns.iter().zip(types) {
            check_pattern(*pattern, *ty, case.at, found);
        }
        let all = |c: &Case| c.patterns.iter().all(|p| *p == Pattern::Any);
        if cases[..i].iter().any(|c| all(c) || c.patterns == case.patterns) {
            let message = "a case before this one takes all that it could match";
            found.push(Code::Unreachable, case.at, message, "put it before that case, or remove it");
        }
    }
}

fn check_pattern(pattern: Pattern, ty: Type, at: Loc, found: &mut Diagnostics) {
    let numbers = match pattern {
        Pattern::Any => return,
        Pattern::Value(v) => vec![v],
        Pattern::Range { low, high } => {
            if low > high {
                let message = format!("the range {low}..={high} is empty");
                found.push(Code::Mismatch, at, message, "put the lower number first");
            }
            vec![low, high]
        }
        Pattern::Mask { value, mask } => vec![value, mask],
    };
    for v in numbers.into_iter().filter(|v| *v > ty.mask()) {
        let message = format!("{v} does not fit {ty}; at most {}", ty.mask());
        found.push(Code::Overflow, at, message, "choose a number that the value can have");
    }
}
