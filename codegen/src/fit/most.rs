//! How far the sizes of a pipeline can grow on a target.
//!
//! A size is changed in the pipeline's own data, one at a time, and the whole is fitted again: what is found is what
//! `fit` says, not a formula of its own.

use super::{Chip, attempt};
use hw_targets::Target;
use pipeline_ir::Pipeline;
use pipeline_ir::verify::{Verified, verify};
use std::collections::BTreeMap;

/// What has a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sized {
    /// Entries of a table, by its place in the pipeline.
    Table(usize),
    /// Pools of a ring.
    Pools(usize),
    /// Entries of a flow table.
    Flows(usize),
}

/// How far one size can grow while the others stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Most {
    /// What grows.
    pub what: Sized,
    /// Its name: `table vip4`, `pools of ring`.
    pub name: String,
    /// As the pipeline says.
    pub now: u64,
    /// The most with which all fits; none if nothing fits, however small it is.
    pub most: Option<u64>,
    /// What stops it from growing on.
    pub then: String,
}

/// All sizes that can change.
#[must_use]
pub fn sizes(p: &Pipeline) -> Vec<(Sized, String, u64)> {
    let tables = p.tables.iter().enumerate().filter(|(_, t)| t.const_entries.is_empty());
    let tables = tables.map(|(i, t)| (Sized::Table(i), format!("table {}", t.name), u64::from(t.size)));
    let rings = p.rings.iter().enumerate();
    let rings = rings.map(|(i, r)| (Sized::Pools(i), format!("pools of {}", r.name), u64::from(r.pools)));
    let flows = p.flow_tables.iter().enumerate();
    let flows = flows.map(|(i, f)| (Sized::Flows(i), format!("flows of {}", f.name), u64::from(f.entries)));
    tables.chain(rings).chain(flows).collect()
}

/// The pipeline with other sizes; none if the language does not allow one of them.
#[must_use]
pub fn with(verified: &Verified, sizes: &BTreeMap<Sized, u64>) -> Option<Verified> {
    let mut p = verified.pipeline().clone();
    for (what, size) in sizes {
        let size = u32::try_from(*size).ok()?;
        match what {
            Sized::Table(i) => p.tables.get_mut(*i)?.size = size,
            Sized::Pools(i) => p.rings.get_mut(*i)?.pools = size,
            Sized::Flows(i) => p.flow_tables.get_mut(*i)?.entries = size,
        }
    }
    verify(p).ok()
}

/// The pipeline with every size so many times as big, as far as keys can tell that many apart.
#[must_use]
pub fn scaled(verified: &Verified, times: u64) -> Option<Verified> {
    let p = verified.pipeline();
    let grown = |(what, _, now): (Sized, String, u64)| (what, (now * times).min(top(p, what)).max(now));
    with(verified, &sizes(p).into_iter().map(grown).collect())
}

/// The most of each size, where the target has stages.
#[must_use]
pub fn most(verified: &Verified, target: &Target) -> Vec<Most> {
    if Chip::of(target).is_none() {
        return Vec::new();
    }
    let grow = |(what, name, now)| {
        let (most, then) = search(verified, target, what);
        Most { what, name, now, most, then }
    };
    sizes(verified.pipeline()).into_iter().map(grow).collect()
}

/// The biggest size that fits, and what speaks against the next.
fn search(verified: &Verified, target: &Target, what: Sized) -> (Option<u64>, String) {
    let step = match what {
        // Ways of a flow table are a power of two.
        Sized::Flows(_) => None,
        _ => Some(1),
    };
    let top = top(verified.pipeline(), what);
    let (mut low, mut high) = (None, if step.is_none() { 8 } else { 1 });
    let mut why = loop {
        match refused(verified, target, what, high) {
            None if high >= top => return (Some(top), "no more can be named".into()),
            None => low = Some(high),
            Some(why) => break why,
        }
        high = (high * 2).min(top);
    };
    let (Some(mut fits), Some(_)) = (low, step) else { return (low, why) };
    while high - fits > (fits / 256).max(1) {
        let middle = fits + (high - fits) / 2;
        match refused(verified, target, what, middle) {
            None => fits = middle,
            Some(other) => (high, why) = (middle, other),
        }
    }
    (Some(fits), why)
}

/// The most that a key can tell apart, or a number hold.
fn top(p: &Pipeline, what: Sized) -> u64 {
    let values = |bits: u32| 1u64.checked_shl(bits).unwrap_or(u64::MAX).min(1 << 31);
    match what {
        Sized::Table(i) => {
            let t = &p.tables[i];
            values(t.slot_bits.map_or_else(|| t.keys.iter().map(|k| u32::from(k.width)).sum(), u32::from))
        }
        Sized::Pools(i) => values(p.rings[i].pool_width.into()),
        Sized::Flows(_) => 1 << 28,
    }
}

/// Why it does not fit at a size; none: it does.
fn refused(verified: &Verified, target: &Target, what: Sized, size: u64) -> Option<String> {
    let Some(other) = with(verified, &BTreeMap::from([(what, size)])) else {
        return Some("the language has no such size".into());
    };
    let (_, faults) = attempt(&other, target);
    faults.0.first().map(|f| f.message.clone())
}
