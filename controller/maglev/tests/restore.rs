//! Rule 3: who comes back gets its old slots.
#![allow(clippy::unwrap_used)]

mod common;

use common::{config, history, members, replay, slots};
use maglev_ring::{MAX_CLAIMS, Ring, moved};
use proptest::prelude::*;

/// The live positions of a set in the order of `ranks`, but for one that stays.
fn failing(set: &[u32], ranks: &[u32], at_most: usize) -> Vec<usize> {
    let mut live: Vec<usize> = (0..set.len()).filter(|&at| set[at] > 0).collect();
    live.sort_by_key(|&at| ranks[at]);
    live.pop();
    live.truncate(at_most);
    live
}

/// The sets after each of these goes out, one after the other; the first is the full set.
fn failures(set: &[u32], failing: &[usize]) -> Vec<Vec<u32>> {
    let mut sets = vec![set.to_vec()];
    for &at in failing {
        let mut next = sets.last().unwrap().clone();
        next[at] = 0;
        sets.push(next);
    }
    sets
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn failed_at_once_and_back_at_once(slots in slots(), history in history(), ranks in prop::collection::vec(any::<u32>(), 24), n in 1..24_usize) {
        let ring = replay(slots, &history);
        let set = history.last().unwrap();
        let sets = failures(set, &failing(set, &ranks, n));
        let down = ring.update(&members(sets.last().unwrap())).unwrap();
        let back = down.update(&members(set)).unwrap();
        prop_assert_eq!(moved(&back, &ring), [0_u32; 0]);
        // Histories here are shorter than the claims that a slot keeps, so homes and claims are equal too.
        prop_assert_eq!(back, ring);
    }

    #[test]
    fn not_listed_is_out_like_weight_zero(slots in slots(), history in history(), ranks in prop::collection::vec(any::<u32>(), 24)) {
        let ring = replay(slots, &history);
        let set = history.last().unwrap();
        let zero = members(failures(set, &failing(set, &ranks, 3)).last().unwrap());
        let unlisted: Vec<_> = zero.iter().copied().filter(|m| m.weight > 0).collect();
        prop_assert_eq!(ring.update(&zero).unwrap(), ring.update(&unlisted).unwrap());
    }

    #[test]
    fn failed_one_by_one(slots in slots(), history in history(), ranks in prop::collection::vec(any::<u32>(), 24)) {
        let ring = replay(slots, &history[..1.min(history.len())]);
        let sets = failures(&history[0], &failing(&history[0], &ranks, MAX_CLAIMS));
        let mut steps = vec![ring.clone()];
        for set in &sets[1..] {
            steps.push(steps.last().unwrap().update(&members(set)).unwrap());
        }
        // All back at once.
        let last = steps.last().unwrap().clone();
        prop_assert_eq!(&last.update(&members(&sets[0])).unwrap(), &ring);
        // Back in the reverse order: each step undoes one.
        let mut up = last;
        for (set, step) in sets.iter().zip(&steps).rev().skip(1) {
            up = up.update(&members(set)).unwrap();
            prop_assert_eq!(&up, step);
        }
    }

    #[test]
    fn a_live_member_has_no_claim(slots in slots(), history in history()) {
        let ring = replay(slots, &history);
        let live = |id: u32| history.last().unwrap()[id as usize - 1] > 0;
        for (slot, (&home, &owner)) in ring.homes().iter().zip(ring.slots()).enumerate() {
            prop_assert!(live(owner) && (home == owner || !live(home)), "slot {}", slot);
        }
        for (slot, between) in ring.claims() {
            prop_assert!(!between.is_empty() && between.len() < MAX_CLAIMS);
            prop_assert!(between.iter().all(|&id| !live(id)), "slot {}", slot);
        }
    }
}

#[test]
fn back_in_the_order_of_failure_ends_close() {
    for weights in [vec![1; 10], vec![1; 100], (1..=20).collect::<Vec<_>>()] {
        let ring = Ring::build(65_537, &members(&weights)).unwrap();
        let without = |out: &[usize]| {
            let mut set = weights.clone();
            out.iter().for_each(|&at| set[at] = 0);
            members(&set)
        };
        let down = ring.update(&without(&[0])).unwrap().update(&without(&[0, 1])).unwrap();
        let up = down.update(&without(&[1])).unwrap().update(&without(&[])).unwrap();
        let astray = moved(&ring, &up).len();
        assert!(astray <= 2 * weights.len(), "{astray} of 65,537 slots with {} backends", weights.len());
    }
}

#[test]
fn a_slot_keeps_eight_claims_at_most() {
    // Members fail one after another until one is left: its slots have seen many owners.
    let weights = [1; 40];
    let ring = Ring::build(251, &members(&weights)).unwrap();
    let mut set = weights;
    let mut down = ring.clone();
    for at in 0..39 {
        set[at] = 0;
        down = down.update(&members(&set)).unwrap();
    }
    assert_eq!(down.shares(), [(40, 251)]);
    let longest = down.claims().map(|(_, between)| between.len() + 1).max();
    assert!(longest.is_some_and(|n| n <= MAX_CLAIMS), "{longest:?}");
    // Slots with fewer owners than that still know their first.
    let same_home = ring.homes().iter().zip(down.homes()).filter(|(a, b)| a == b).count();
    assert!(same_home > 125, "{same_home}");
}

#[test]
fn a_claim_yields_to_the_counts() {
    // 1 fails, 4 joins and takes over what 2 and 3 had on loan, 1 returns: each of the others gives 21
    // slots and no more, so 1 gets back only those that 4 has too many.
    let ring = Ring::build(251, &members(&[1, 1, 1])).unwrap();
    let down = ring.update(&members(&[0, 1, 1])).unwrap();
    let joined = down.update(&members(&[0, 1, 1, 1])).unwrap();
    let back = joined.update(&members(&[1, 1, 1, 1])).unwrap();
    let own = |ring: &Ring, id| (0..251_usize).filter(|&s| ring.slots()[s] == id).collect::<Vec<_>>();
    let old = own(&ring, 1);
    assert!(own(&joined, 4).iter().all(|s| old.contains(s)));
    assert_eq!(
        (old.len(), own(&joined, 4).len(), own(&back, 1).len(), own(&back, 4).len()),
        (84, 83, 63, 62)
    );
    assert!(own(&back, 4).iter().all(|s| own(&joined, 4).contains(s)));
    // One old slot was left with 2 or 3.
    let returned = own(&back, 1).iter().filter(|s| old.contains(s)).count();
    assert!((21..=22).contains(&returned), "{returned}");
    // Nobody is out, so nobody has a claim.
    assert_eq!(back.homes(), back.slots());
}
