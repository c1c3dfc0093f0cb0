//! What the property tests share: members, and how to draw them.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

use maglev_ring::{Member, Ring, stable_key};
use proptest::prelude::*;

/// Members 1, 2, 3, ... with these weights (0 = out).
pub(crate) fn members(weights: &[u32]) -> Vec<Member> {
    (1..).zip(weights).map(|(id, &weight)| member(id, weight)).collect()
}

pub(crate) fn member(id: u32, weight: u32) -> Member {
    Member { id, key: stable_key(format!("backend-{id}").as_bytes()), weight }
}

/// Slots per backend id.
pub(crate) fn counts(ring: &Ring) -> BTreeMap<u32, u32> {
    ring.shares().into_iter().collect()
}

/// A count out of the table, 0 if the id has no slot.
pub(crate) fn count(counts: &BTreeMap<u32, u32>, id: u32) -> u32 {
    counts.get(&id).copied().unwrap_or(0)
}

pub(crate) fn slots() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(251_u32), 4 => Just(256), 1 => Just(65_537)]
}

pub(crate) fn weight() -> impl Strategy<Value = u32> {
    prop_oneof![1..=3_u32, 1..=100_u32, 1..=1_000_u32]
}

/// Weights of live members.
pub(crate) fn weights() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        prop::collection::vec(weight(), 2..40),
        (1..=1_000_u32, 2..40_usize).prop_map(|(w, n)| vec![w; n])
    ]
}

/// Desired sets, one after the other, over the same ids; at least one member of each is live.
pub(crate) fn history() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let out_or_in = prop_oneof![1 => Just(0), 2 => weight()];
    (2..24_usize).prop_flat_map(move |n| {
        let set = prop::collection::vec(out_or_in.clone(), n)
            .prop_filter("nobody is live", |w| w.iter().any(|&w| w > 0));
        prop::collection::vec(set, 1..7)
    })
}

/// The ring at the end of a history.
pub(crate) fn replay(slots: u32, history: &[Vec<u32>]) -> Ring {
    let first = Ring::build(slots, &members(&history[0])).unwrap();
    history[1..].iter().fold(first, |ring, weights| ring.update(&members(weights)).unwrap())
}

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
