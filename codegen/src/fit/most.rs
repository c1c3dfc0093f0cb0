//! How far the sizes of a pipeline can grow on a target.
//!
//! A size is changed in the pipeline's own data, one at a time, and the whole is fitted again: what is found is what
//! `fit` says, not a formula of its own. What a target's file sets as a rule of its own ([`RULES`]) is lifted for that,
//! so that stages and blocks decide; all other sizes stay as they are placed under those rules.

use super::{Chip, attempt, flow_entries, ring_pools};
use hw_targets::Target;
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{FlowTableId, Pipeline, RingId};
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
    /// As it is placed.
    pub now: u64,
    /// As the pipeline says.
    pub declared: u64,
    /// The limit of the target that makes less of what is declared, with its source.
    pub rule: Option<String>,
    /// The most with which all fits; none if nothing fits, however small it is.
    pub most: Option<u64>,
    /// The size that was tried next, and refused; none where the key can name no more.
    pub next: Option<u64>,
    /// What stops it from growing on: what is said of `next`.
    pub then: String,
}

/// Limits that are not the chip's: how much of what is declared is placed.
pub const RULES: [&str; 2] = ["ring_pools", "flow_entries"];

/// The target without its [`RULES`].
#[must_use]
pub fn lifted(target: &Target) -> Target {
    let mut out = target.clone();
    for (_, limit) in out.limits.iter_mut().filter(|(name, _)| RULES.contains(&name.as_str())) {
        limit.value = u32::MAX.into();
    }
    out
}

/// How much of a declared size is placed, and by which of the [`RULES`] if it is less.
#[must_use]
pub fn placed(p: &Pipeline, target: &Target, what: Sized, declared: u64) -> (u64, Option<&'static str>) {
    let (placed, rule) = match what {
        Sized::Table(_) => return (declared, None),
        Sized::Pools(i) => (ring_pools(p, target, RingId(i as u32)), RULES[0]),
        // Ways are a power of two, and 8 at least.
        Sized::Flows(i) => (1 << flow_entries(p, target, FlowTableId(i as u32)).max(8).ilog2(), RULES[1]),
    };
    (placed.into(), (u64::from(placed) < declared).then_some(rule))
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
    sized(verified, sizes).ok()
}

/// As [`with`], with what the language says of a size that it does not allow.
fn sized(verified: &Verified, sizes: &BTreeMap<Sized, u64>) -> Result<Verified, String> {
    let mut p = verified.pipeline().clone();
    for (what, size) in sizes {
        let size = u32::try_from(*size).map_err(|_| format!("a size has 32 bits, and {size} has more"))?;
        let place = match what {
            Sized::Table(i) => p.tables.get_mut(*i).map(|t| &mut t.size),
            Sized::Pools(i) => p.rings.get_mut(*i).map(|r| &mut r.pools),
            Sized::Flows(i) => p.flow_tables.get_mut(*i).map(|t| &mut t.entries),
        };
        *place.ok_or("the pipeline has no such part")? = size;
    }
    verify(p).map_err(|found| {
        found.0.first().map_or_else(String::new, |f| format!("the language: {}: {}", f.message, f.help))
    })
}

/// The pipeline with every size so many times as big, as far as keys can tell that many apart.
#[must_use]
pub fn scaled(verified: &Verified, times: u64) -> Option<Verified> {
    let p = verified.pipeline();
    let grown = |(what, _, now): (Sized, String, u64)| (what, (now * times).min(top(p, what).0).max(now));
    with(verified, &sizes(p).into_iter().map(grown).collect())
}

/// The most of each size, where the target has stages.
#[must_use]
pub fn most(verified: &Verified, target: &Target) -> Vec<Most> {
    if Chip::of(target).is_none() {
        return Vec::new();
    }
    let (p, free) = (verified.pipeline(), lifted(target));
    let sizes = sizes(p);
    let now = sizes.iter().map(|(what, _, declared)| (*what, placed(p, target, *what, *declared).0));
    let Some(base) = with(verified, &now.collect()) else { return Vec::new() };
    let grow = |(what, name, declared)| {
        let (now, rule) = placed(p, target, what, declared);
        let source = |rule| target.limits.get(rule).map_or("", |l: &hw_targets::Limit| l.source.as_str());
        let rule = rule.map(|rule| format!("limit {rule} of {}: {}", target.name, source(rule)));
        let Found { most, next, then } = search(&base, &free, what, now);
        Most { what, name, now, declared, rule, most, next, then }
    };
    sizes.into_iter().map(grow).collect()
}

/// What [`search`] finds.
struct Found {
    most: Option<u64>,
    next: Option<u64>,
    then: String,
}

/// The biggest size that fits, and what speaks against the next.
fn search(verified: &Verified, target: &Target, what: Sized, now: u64) -> Found {
    // Ways of a flow table are a power of two.
    let (mut high, fine) = if matches!(what, Sized::Flows(_)) { (8, false) } else { (1, true) };
    let (top, named) = top(verified.pipeline(), what);
    // Where all fits as it is, nothing smaller need be tried.
    if refused(verified, target, what, now).is_none() {
        high = now;
    }
    let mut low = None;
    let mut then = loop {
        match refused(verified, target, what, high) {
            None if high >= top => return Found { most: Some(top), next: None, then: named },
            None => low = Some(high),
            Some(why) => break why,
        }
        high = (high * 2).min(top);
    };
    let (Some(mut fits), true) = (low, fine) else { return Found { most: low, next: Some(high), then } };
    while high - fits > (fits / 256).max(1) {
        let middle = fits + (high - fits) / 2;
        match refused(verified, target, what, middle) {
            None => fits = middle,
            Some(other) => (high, then) = (middle, other),
        }
    }
    Found { most: Some(fits), next: Some(high), then }
}

/// The most that a key can tell apart, or a number hold, and which.
fn top(p: &Pipeline, what: Sized) -> (u64, String) {
    let values = |bits: u32| 1u64.checked_shl(bits).unwrap_or(u64::MAX).min(1 << 31);
    match what {
        Sized::Table(i) => match p.tables[i].slot_bits {
            Some(bits) => (values(bits.into()), format!("slot_bits {bits}: its key can name no more slots")),
            None => {
                let bits = p.tables[i].keys.iter().map(|k| u32::from(k.width)).sum();
                (values(bits), format!("its key has {bits} bits: it can name no more entries"))
            }
        },
        Sized::Pools(i) => {
            let bits = p.rings[i].pool_width;
            (values(bits.into()), format!("a pool's number has {bits} bits: it can name no more"))
        }
        Sized::Flows(_) => (1 << 31, "a size has 32 bits".into()),
    }
}

/// Why it does not fit at a size; none: it does.
fn refused(verified: &Verified, target: &Target, what: Sized, size: u64) -> Option<String> {
    match sized(verified, &BTreeMap::from([(what, size)])) {
        Err(why) => Some(why),
        Ok(other) => attempt(&other, target).1.0.first().map(|f| f.message.clone()),
    }
}
