//! Which tables wait for which.
//!
//! A table waits a stage for what writes a field that it looks at, reads or writes; it comes no earlier than what reads a
//! field that it writes, and than the condition or table that it hangs on. Tables on two branches of one condition never
//! see the same packet: neither waits.

use super::Logical;
use std::collections::BTreeSet;

/// That one table comes after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// The other, which stands before it.
    pub(super) on: usize,
    /// Stages in between, at least.
    pub(super) stages: u64,
}

/// What each table waits for.
pub(super) fn waits(tables: &[Logical]) -> Vec<Vec<Wait>> {
    let of = |j: usize| (0..j).filter_map(move |i| Some(Wait { on: i, stages: wait(tables, i, j)? }));
    let mut waits: Vec<Vec<Wait>> = (0..tables.len()).map(|j| of(j).collect()).collect();
    let mut known: Vec<BTreeSet<usize>> = waits.iter().map(|w| w.iter().map(|w| w.on).collect()).collect();
    // What a table waits for comes before the conditions that lead to it: nothing comes between them.
    for j in 0..tables.len() {
        for (above, _) in &tables[j].path {
            let before: Vec<usize> = waits[j].iter().map(|w| w.on).filter(|i| i < above).collect();
            for on in before {
                if known[*above].insert(on) {
                    waits[*above].push(Wait { on, stages: 0 });
                }
            }
        }
    }
    waits
}

fn wait(tables: &[Logical], i: usize, j: usize) -> Option<u64> {
    let (a, b) = (&tables[i], &tables[j]);
    if exclusive(a, b) {
        return None;
    }
    if meet(&a.writes, &b.looks) || meet(&a.writes, &b.reads) || meet(&a.writes, &b.writes) {
        return Some(1);
    }
    let reads = meet(&a.looks, &b.writes) || meet(&a.reads, &b.writes);
    (reads || b.path.iter().any(|step| step.0 == i)).then_some(0)
}

fn meet(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    a.intersection(b).next().is_some()
}

/// Are they on different branches of one condition or table? What both hang on stands at one place in both paths.
pub(super) fn exclusive(a: &Logical, b: &Logical) -> bool {
    a.path.iter().zip(&b.path).any(|(x, y)| x.0 == y.0 && x.1 != y.1)
}

/// Stages behind each table, by the longest chain that waits for it.
pub(super) fn behind(waits: &[Vec<Wait>]) -> Vec<u64> {
    let mut behind = vec![0; waits.len()];
    for j in (0..waits.len()).rev() {
        for wait in &waits[j] {
            behind[wait.on] = behind[wait.on].max(behind[j] + wait.stages);
        }
    }
    behind
}

/// The longest chain of tables that wait a stage for each other.
pub(super) fn chain(waits: &[Vec<Wait>]) -> Vec<usize> {
    let behind = behind(waits);
    let most = behind.iter().copied().max().unwrap_or(0);
    let Some(mut at) = behind.iter().position(|b| *b == most) else { return Vec::new() };
    let mut chain = vec![at];
    while behind[at] > 0 {
        let follows = |j: &usize| waits[*j].iter().any(|w| w.on == at && w.stages + behind[*j] == behind[at]);
        let Some(next) = (at + 1..waits.len()).find(follows) else { break };
        let waited = waits[next].iter().any(|w| w.on == at && w.stages > 0);
        if waited {
            chain.push(next);
        } else if let Some(last) = chain.last_mut() {
            *last = next;
        }
        at = next;
    }
    chain
}
