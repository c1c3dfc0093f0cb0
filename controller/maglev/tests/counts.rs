//! Rule 1: counts are Sainte-Laguë's, a pure function of the weights.
#![allow(clippy::unwrap_used)]

mod common;

use common::{config, members, slots, weights};
use maglev_ring::{Ring, apportion};
use proptest::prelude::*;

fn counts(slots: u32, weights: &[u32]) -> Vec<u32> {
    apportion(slots, &members(weights)).unwrap().iter().map(|s| s.slots).collect()
}

/// Sainte-Laguë by its definition: slot by slot to the highest quotient, ties to the first.
fn by_definition(slots: u32, weights: &[u32]) -> Vec<u32> {
    let mut counts = vec![0_u32; weights.len()];
    for _ in 0..slots {
        let mut best = 0;
        for at in 1..weights.len() {
            let bid = |at: usize, other: usize| u64::from(weights[at]) * (2 * u64::from(counts[other]) + 1);
            if bid(at, best) > bid(best, at) {
                best = at;
            }
        }
        counts[best] += 1;
    }
    counts
}

#[test]
fn known_counts() {
    let check = |slots, weights: &[u32], expected: &[u32]| {
        assert_eq!(counts(slots, weights), expected, "{slots} slots, weights {weights:?}");
    };
    check(2, &[1], &[2]);
    check(2, &[1, 1], &[1, 1]);
    check(3, &[1, 1], &[2, 1]); // the tie goes to the lower id
    check(5, &[1, 1, 1], &[2, 2, 1]);
    check(7, &[53_000, 24_000, 23_000], &[3, 2, 2]); // the textbook example
    check(256, &[10, 1, 1], &[214, 21, 21]);
    check(251, &[1_000, 1], &[251, 0]); // a share of a quarter slot is none
    check(251, &[u32::MAX, u32::MAX], &[126, 125]);
    check(251, &[u32::MAX, 1, u32::MAX], &[126, 0, 125]);
    check(4, &[1, 1, 1, 1], &[1, 1, 1, 1]);
}

#[test]
fn deviations_are_told() {
    let shares = apportion(3, &members(&[1, 0, 1])).unwrap();
    let seen: Vec<_> = shares.iter().map(|s| (s.id, s.weight, s.slots, s.deviation_milli)).collect();
    assert_eq!(seen, [(1, 1, 2, 500), (3, 1, 1, -500)]);

    // One heavy member among many light ones that round alike: the case that the documentation names.
    let mut weights = vec![1; 656];
    weights[0] = 100;
    let shares = apportion(65_537, &members(&weights)).unwrap();
    assert_eq!((shares[0].slots, shares[0].deviation_milli), (8_650, -30_397));
    assert!(!shares[0].within_one_slot());
    assert!(shares[1..].iter().all(|s| s.within_one_slot()));
}

#[test]
fn usual_weights_stay_within_one_slot() {
    let ramp: Vec<u32> = (1..=100).collect();
    let tiers: Vec<u32> = (0..1_000).map(|n| [10, 20, 50, 100][n % 4]).collect();
    let canary = [vec![1], vec![100; 99]].concat();
    for weights in [vec![1; 1_000], vec![10, 1, 1], ramp, tiers, canary] {
        for slots in [65_536, 65_537] {
            let shares = apportion(slots, &members(&weights)).unwrap();
            assert!(shares.iter().all(|s| s.within_one_slot()), "{slots} slots, weights {weights:?}");
        }
    }
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn the_quick_way_equals_the_definition(slots in prop_oneof![Just(251_u32), Just(256)], weights in weights()) {
        prop_assert_eq!(counts(slots, &weights), by_definition(slots, &weights));
    }

    #[test]
    fn counts_do_not_leave_the_documented_bound(slots in slots(), weights in weights()) {
        let n = i128::try_from(weights.len()).unwrap();
        let total: i128 = weights.iter().map(|&w| i128::from(w)).sum();
        let shares = apportion(slots, &members(&weights)).unwrap();
        prop_assert_eq!(shares.iter().map(|s| s.slots).sum::<u32>(), slots);
        for share in shares {
            let (weight, count) = (i128::from(share.weight), i128::from(share.slots));
            let deviation = count * total - i128::from(slots) * weight; // in 1/total slots
            prop_assert!(2 * deviation.abs() <= total + weight * (n - 2), "{:?}", share);
            prop_assert_eq!(share.within_one_slot(), deviation.abs() < total);
        }
    }

    #[test]
    fn nobody_moves_against_a_change(slots in slots(), weights in weights(), at in any::<prop::sample::Index>(), to in 0..=1_000_u32) {
        let at = at.index(weights.len());
        let before = counts(slots, &weights);
        let mut changed = weights.clone();
        changed[at] = to;
        let mut after = counts(slots, &changed);
        if to == 0 {
            after.insert(at, 0);
        }
        let rises = to >= weights[at];
        for other in 0..weights.len() {
            let grew_or_same = after[other] >= before[other];
            let fell_or_same = after[other] <= before[other];
            let as_it_should = if (other == at) == rises { grew_or_same } else { fell_or_same };
            prop_assert!(as_it_should, "member {}: {} then {}", other, before[other], after[other]);
        }
    }

    #[test]
    fn rings_have_these_counts(slots in slots(), history in common::history()) {
        let ring = common::replay(slots, &history);
        let expected: Vec<(u32, u32)> = apportion(slots, &members(history.last().unwrap())).unwrap()
            .iter().map(|s| (s.id, s.slots)).filter(|s| s.1 > 0).collect();
        prop_assert_eq!(&ring.shares(), &expected);
        prop_assert_eq!(Ring::build(slots, &members(history.last().unwrap())).unwrap().shares(), expected);
    }
}
