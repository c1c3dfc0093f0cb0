//! A way out, where a target refuses a pipeline: which parts to leave out, in one pipe or in two.
//!
//! What is searched is what `--set NAME=off` takes out ([`off`]), and the whole is fitted again each time. First all
//! packets stay: only limiters, counters and actions are left out. Then, on a chip of several pipes, two of them share the
//! parser states of the first select: what comes to one of two states goes to the other pipe ([`pipes`]). Parts go one at a
//! time, the one that removes the most refusals or saves the most stages first, and come back where they need not have gone. A table keeps an action, beside
//! what a miss runs, that does more than drop, and nothing goes that takes other parts with it.

use super::{Chip, attempt, choose};
use crate::off::{off, pipes, set};
use hw_targets::Target;
use pipeline_ir::needs::Need;
use pipeline_ir::stmt::{Block, StmtKind, Verdict, any, walk};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{ActionId, Loc, Pipeline, StateId, Table, Transition};
use std::collections::BTreeSet;

/// Pipelines that are fitted at most in one search.
const BOUND: usize = 80;

/// Stages by which a chip's own compiler may need more than `fit` counts (`docs/fit-accuracy.md`): parts go while they save
/// stages, until so many are spare.
const RESERVE: u64 = 4;

/// What is off, and what is lost with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// As the source writes it: `TOO_BIG_RATE`, `Ipip6`, `ipv6`.
    pub name: String,
    /// What a deployment without it loses.
    pub lost: String,
}

/// One pipe's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// What is off in it and not in the others.
    pub off: Vec<Part>,
    /// Stages that it takes; none on a target without.
    pub stages: Option<u64>,
}

/// Slots that a ring needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Its name.
    pub ring: String,
    /// How many there are.
    pub slots: u32,
    /// Where it stands.
    pub at: Loc,
}

/// Settings with which a pipeline fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// One, or two among which a parser's states are shared.
    pub pipes: Vec<Pipe>,
    /// What is off in all of them.
    pub off: Vec<Part>,
    /// Rings that have other slots, in all of them.
    pub slots: Vec<Slots>,
}

/// Settings with which a target takes a pipeline that it refuses as it is.
///
/// # Errors
/// If none were found: what still speaks against the best that was tried.
pub fn propose(verified: &Verified, target: &Target) -> Result<Proposal, String> {
    let (base, slots) = powers_of_two(verified, target);
    let mut search = Search { target, base: &base, left: BOUND, best: None };
    search.best = search.greedy(&Whose::All);
    if let Some(one) = search.best.as_ref().filter(|one| one.fits()) {
        let pipe = Pipe { off: Vec::new(), stages: one.stages() };
        return Ok(Proposal { pipes: vec![pipe], off: one.parts(&base), slots });
    }
    for (a, b) in siblings(base.pipeline()) {
        if let Some(pipes) = search.two(&a, &b) {
            return Ok(shared(&base, &pipes, slots));
        }
    }
    Err(search.best.map_or_else(|| "nothing can be left out".to_owned(), |best| best.says(&base)))
}

/// The pipeline with rings of as many slots as the target can number, and which those are.
fn powers_of_two(verified: &Verified, target: &Target) -> (Verified, Vec<Slots>) {
    let missing = choose(verified, target).1;
    let mut p = verified.pipeline().clone();
    let mut list = Vec::new();
    for ring in &mut p.rings {
        if missing.iter().any(|n| n.word == "arith.modulo" && n.of == format!("ring {}", ring.name)) {
            ring.slots = 1 << ring.slots.max(2).ilog2();
            list.push(Slots { ring: ring.name.clone(), slots: ring.slots, at: ring.at });
        }
    }
    verify(p).map_or_else(|_| (verified.clone(), Vec::new()), |changed| (changed, list))
}

/// What is off in both stands apart.
fn shared(base: &Verified, pipes: &[Try; 2], slots: Vec<Slots>) -> Proposal {
    let [a, b] = pipes.each_ref().map(|pipe| pipe.parts(base));
    let off: Vec<Part> = a.iter().filter(|part| b.contains(part)).cloned().collect();
    let own = |parts: &[Part]| parts.iter().filter(|part| !off.contains(part)).cloned().collect();
    let pipes = vec![
        Pipe { off: own(&a), stages: pipes[0].stages() },
        Pipe { off: own(&b), stages: pipes[1].stages() },
    ];
    Proposal { pipes, off, slots }
}

/// How far from fitting: refusals, then stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    faults: usize,
    stages: u64,
}

/// A pipeline without some parts.
#[derive(Clone)]
struct Try {
    off: Vec<String>,
    verified: Verified,
    score: Score,
    why: String,
}

impl Try {
    fn fits(&self) -> bool {
        self.score.faults == 0
    }

    fn stages(&self) -> Option<u64> {
        (1..u64::MAX).contains(&self.score.stages).then_some(self.score.stages)
    }

    fn parts(&self, base: &Verified) -> Vec<Part> {
        self.off.iter().map(|name| part(base.pipeline(), name)).collect()
    }

    fn says(&self, base: &Verified) -> String {
        let names: Vec<String> = self.parts(base).into_iter().map(|p| format!("{}=off", p.name)).collect();
        let tried =
            if names.is_empty() { "as it is".to_owned() } else { format!("with {}", names.join(" ")) };
        let stages = self.stages().map(|n| format!("{n} stages are needed; ")).unwrap_or_default();
        format!("the best that was tried, {tried}: {stages}{}", self.why)
    }
}

/// Which packets a pipe takes.
enum Whose {
    All,
    /// All but those of a parser state, which go to another pipe, which does without the state that is named last.
    Not(usize, String, String),
}

impl Whose {
    /// The pipeline for these packets, without some parts.
    fn rest(&self, base: &Verified, target: &Target, off_now: &[String]) -> Option<Verified> {
        match self {
            Self::All => off(base, &off_now.iter().map(String::as_str).collect::<Vec<_>>()).ok(),
            Self::Not(pipe, _, others) => {
                let mut all = vec![vec![others.clone()]; 2];
                all[*pipe] = off_now.to_vec();
                let fates = pipes(base.pipeline(), target, &all).ok()?.swap_remove(*pipe);
                set(base, &fates.iter().map(|(name, fate)| (name.as_str(), *fate)).collect::<Vec<_>>()).ok()
            }
        }
    }
}

struct Search<'a> {
    target: &'a Target,
    base: &'a Verified,
    left: usize,
    best: Option<Try>,
}

impl Search<'_> {
    /// Fits the pipeline without these parts; none where that means nothing, or too much was tried.
    fn without(&mut self, whose: &Whose, off_now: Vec<String>) -> Option<Try> {
        self.left = self.left.checked_sub(1)?;
        let verified = whose.rest(self.base, self.target, &off_now)?;
        let (fitted, faults) = attempt(&verified, self.target);
        let stages = match fitted.placement() {
            Some(placement) if placement.stuck.is_none() => placement.stages.len() as u64,
            // What a chip lacks is settled before its stages are counted.
            _ if Chip::of(self.target).is_some() => u64::MAX,
            _ => 0,
        };
        let why = faults.0.first().map_or_else(String::new, |f| f.message.clone());
        Some(Try { off: off_now, verified, score: Score { faults: faults.0.len(), stages }, why })
    }

    /// Does it fit with stages to spare?
    fn is_spare(&self, t: &Try) -> bool {
        t.fits() && Chip::of(self.target).is_none_or(|chip| t.score.stages + RESERVE <= chip.stages)
    }

    /// Leaves parts out, one after the other, until it fits with stages to spare, or none helps: actions only where counters
    /// and limiters don't do; then takes back what need not have gone.
    fn greedy(&mut self, whose: &Whose) -> Option<Try> {
        let first = self.first(whose)?;
        let mut now = self.without(whose, first.clone())?;
        for parts in [harmless, optional] {
            while !self.is_spare(&now) {
                let parts = parts(now.verified.pipeline());
                let tries = parts.into_iter().filter_map(|part| self.without(whose, with(&now.off, part)));
                let tries = tries.filter(|t| keeps(now.verified.pipeline(), t.verified.pipeline(), &t.off));
                match tries.min_by_key(|t| t.score).filter(|t| t.score < now.score) {
                    Some(better) => now = better,
                    None => break,
                }
            }
        }
        for name in now.off.clone().into_iter().skip(first.len()).rev() {
            let rest = now.off.iter().filter(|n| **n != name).cloned().collect();
            let back = self.without(whose, rest);
            let as_good = |t: &Try| self.is_spare(t) || t.score <= now.score;
            now = back.filter(|t| t.fits() && as_good(t)).unwrap_or(now);
        }
        Some(now)
    }

    /// What is off from the beginning: the other pipe's parser state, and actions that only drop what is left.
    fn first(&mut self, whose: &Whose) -> Option<Vec<String>> {
        let Whose::Not(_, state, _) = whose else { return Some(Vec::new()) };
        let half = whose.rest(self.base, self.target, std::slice::from_ref(state))?;
        let names = |p: &Pipeline| -> BTreeSet<String> {
            useless(p).into_iter().map(|id| p.actions[id.index()].name.clone()).collect()
        };
        let before = names(self.base.pipeline());
        Some([state.clone()].into_iter().chain(names(half.pipeline()).difference(&before).cloned()).collect())
    }

    /// Two pipes: what comes to `b` goes to the second, what comes to `a` to the first.
    fn two(&mut self, a: &str, b: &str) -> Option<[Try; 2]> {
        let first = self.greedy(&Whose::Not(0, b.to_owned(), a.to_owned()))?;
        // A pair is as far from fitting as the worse of its halves.
        if self.best.as_ref().is_some_and(|best| best.score <= first.score) {
            return None;
        }
        let second = self.greedy(&Whose::Not(1, a.to_owned(), b.to_owned()))?;
        let worse = if second.score > first.score { &second } else { &first };
        if first.fits() && second.fits() {
            return Some([first, second]);
        }
        if self.best.as_ref().is_none_or(|best| worse.score < best.score) {
            self.best = Some(worse.clone());
        }
        None
    }
}

fn with(off: &[String], part: String) -> Vec<String> {
    off.iter().cloned().chain([part]).collect()
}

/// What can be left out without losing what a table does.
fn harmless(p: &Pipeline) -> Vec<String> {
    let counters = p.counters.iter().map(|c| c.name.clone());
    counters.chain(p.limiters.iter().map(|l| l.name.clone())).collect()
}

/// What can be left out without losing a packet's way, least loss first.
fn optional(p: &Pipeline) -> Vec<String> {
    let useless = useless(p);
    let actions =
        (0..p.actions.len()).map(|i| ActionId(i as u32)).filter(|id| is_one_of_several(p, *id, &useless));
    harmless(p).into_iter().chain(actions.map(|id| p.actions[id.index()].name.clone())).collect()
}

/// Does a pipeline still have the tables of another, their actions but those that are off, and a way out of a port?
fn keeps(whole: &Pipeline, rest: &Pipeline, off: &[String]) -> bool {
    let names = |p: &Pipeline| -> BTreeSet<String> {
        let tables = p.tables.iter().map(|t| &t.name).chain(p.flow_tables.iter().map(|t| &t.name));
        let all = tables.chain(p.rings.iter().map(|r| &r.name)).chain(p.actions.iter().map(|a| &a.name));
        all.filter(|name| !off.contains(name)).cloned().collect()
    };
    let forwards = |p: &Pipeline| any(&p.control, |s| matches!(s, StmtKind::Verdict(Verdict::Forward(_))));
    names(whole) == names(rest) && forwards(whole) == forwards(rest)
}

/// Has every table with this action another one that entries can have, and that is of use?
fn is_one_of_several(p: &Pipeline, id: ActionId, useless: &BTreeSet<ActionId>) -> bool {
    let others = |t: &Table| t.actions.iter().any(|a| *a != id && *a != t.default && !useless.contains(a));
    p.tables.iter().filter(|t| t.actions.contains(&id)).all(|t| t.default != id && others(t))
}

/// Actions that only drop, wherever their tables are looked up.
fn useless(p: &Pipeline) -> BTreeSet<ActionId> {
    let (mut drops, mut useful) = (BTreeSet::new(), BTreeSet::new());
    walk(&p.control, &mut |s| {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &s.kind {
            for arm in arms {
                if only_drops(&arm.body) {
                    drops.insert(arm.action)
                } else {
                    useful.insert(arm.action)
                };
            }
        }
    });
    &drops - &useful
}

fn only_drops(block: &Block) -> bool {
    let others = |s: &StmtKind| matches!(s, StmtKind::Verdict(Verdict::Forward(_) | Verdict::Pass));
    !any(block, others) && block.last().is_some_and(|s| matches!(s.kind, StmtKind::Verdict(Verdict::Drop(_))))
}

/// Pairs of parser states among which the first select chooses.
fn siblings(p: &Pipeline) -> Vec<(String, String)> {
    let mut at = p.parser.start;
    for _ in 0..p.parser.states.len() {
        let Some(state) = p.parser.states.get(at.index()) else { break };
        match &state.next {
            Transition::Accept => break,
            Transition::To(to) => at = *to,
            Transition::Select { cases, .. } => {
                let mut said = BTreeSet::from([p.parser.start]);
                let next: Vec<StateId> =
                    cases.iter().filter_map(|c| c.to).filter(|id| said.insert(*id)).collect();
                if let [only] = next[..] {
                    at = only;
                    continue;
                }
                let name = |id: &StateId| p.parser.states[id.index()].name.clone();
                let after = |(i, a): (usize, &StateId)| {
                    let b = next[i + 1..].iter();
                    b.map(|b| (name(a), name(b))).collect::<Vec<_>>()
                };
                return next.iter().enumerate().flat_map(after).collect();
            }
        }
    }
    Vec::new()
}

/// A part as the source writes it, with what is lost.
fn part(p: &Pipeline, name: &str) -> Part {
    let constant = name.to_ascii_uppercase();
    let (name, lost) = if p.limiters.iter().any(|l| l.name == name) {
        (constant, "lets no packet through")
    } else if p.counters.iter().any(|c| c.name == name) {
        (constant, "counts nothing")
    } else if p.flow_tables.iter().any(|t| t.name == name) {
        (constant, "knows no flow")
    } else if p.tables.iter().any(|t| t.name == name) {
        (constant, "has no entries")
    } else if p.actions.iter().any(|a| a.name == name) {
        (camel(name), "is no entry's action")
    } else {
        (name.to_owned(), "is the other pipe's")
    };
    let lost = format!("{name} {lost}");
    Part { name, lost }
}

fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// For each need that is not met: the one part with which it goes, as a setting; none where no part carries it alone.
pub(super) fn switches(verified: &Verified, target: &Target, missing: &[Need]) -> Vec<Option<String>> {
    let p = verified.pipeline();
    let unmet = |rest: &Verified| choose(rest, target).1;
    let without = |name: &str| off(verified, &[name]).ok();
    let alone = |name: String| {
        let rest = without(&name).filter(|rest| keeps(p, rest.pipeline(), std::slice::from_ref(&name)))?;
        Some((name, unmet(&rest)))
    };
    let parts: Vec<(String, Vec<Need>)> = optional(p).into_iter().filter_map(alone).collect();
    let met = |need: &Need, unmet: &[Need]| !unmet.iter().any(|n| n.word == need.word && n.of == need.of);
    let carrier = |need: &Need| {
        let own = ["flow table ", "table "].iter().find_map(|kind| need.of.strip_prefix(kind));
        let own = own.filter(|name| without(name).is_some_and(|rest| met(need, &unmet(&rest))));
        let carries = || parts.iter().find(|(_, unmet)| met(need, unmet)).map(|(name, _)| name.as_str());
        own.or_else(carries).map(|name| format!("--set {}=off", part(p, name).name))
    };
    missing.iter().map(carrier).collect()
}
