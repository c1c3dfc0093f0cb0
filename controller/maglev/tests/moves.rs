//! Rule 2: an update moves the slots that it must, and no other.
#![allow(clippy::unwrap_used)]

mod common;

use common::{config, count, counts, history, member, members, replay, slots, weight};
use maglev_ring::{Ring, moved};
use proptest::prelude::*;

/// Each owner gives exactly its surplus, so nobody who gains loses a slot as well.
fn check_least_moves(before: &Ring, after: &Ring) -> Result<(), TestCaseError> {
    let (had, has) = (counts(before), counts(after));
    let mut given = std::collections::BTreeMap::new();
    for slot in moved(before, after) {
        *given.entry(before.slots()[slot as usize]).or_insert(0_u32) += 1;
    }
    for &id in had.keys().chain(has.keys()) {
        prop_assert_eq!(count(&given, id), count(&had, id).saturating_sub(count(&has, id)), "backend {}", id);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn any_change_moves_the_least(slots in slots(), history in history(), next in prop::collection::vec(0..=1_000_u32, 2..24)) {
        prop_assume!(next.iter().any(|&w| w > 0));
        let before = replay(slots, &history);
        check_least_moves(&before, &before.update(&members(&next)).unwrap())?;
    }

    #[test]
    fn no_change_moves_nothing(slots in slots(), history in history()) {
        let ring = replay(slots, &history);
        prop_assert_eq!(&ring.update(&members(history.last().unwrap())).unwrap(), &ring);
    }

    #[test]
    fn a_leaving_member_moves_its_own_slots_only(slots in slots(), history in history(), at in any::<prop::sample::Index>()) {
        let mut set = history.last().unwrap().clone();
        let at = at.index(set.len());
        let before = replay(slots, &history);
        let id = u32::try_from(at).unwrap() + 1;
        set[at] = 0;
        prop_assume!(set.iter().any(|&w| w > 0));
        let after = before.update(&members(&set)).unwrap();
        let own: Vec<u32> = (0..slots).filter(|&s| before.slots()[s as usize] == id).collect();
        prop_assert_eq!(moved(&before, &after), own);
    }

    #[test]
    fn a_joining_member_takes_its_share_only(slots in slots(), history in history(), weight in weight()) {
        let before = replay(slots, &history);
        let mut set = members(history.last().unwrap());
        set.push(member(1_000, weight));
        let after = before.update(&set).unwrap();
        let own: Vec<u32> = (0..slots).filter(|&s| after.slots()[s as usize] == 1_000).collect();
        prop_assert_eq!(moved(&before, &after), own);
    }

    #[test]
    fn a_weight_change_moves_the_difference(slots in slots(), history in history(), at in any::<prop::sample::Index>(), to in 0..=1_000_u32) {
        let before = replay(slots, &history);
        let mut set = history.last().unwrap().clone();
        let at = at.index(set.len());
        set[at] = to;
        prop_assume!(set.iter().any(|&w| w > 0));
        let after = before.update(&members(&set)).unwrap();
        let id = u32::try_from(at).unwrap() + 1;
        let (had, has) = (count(&counts(&before), id), count(&counts(&after), id));
        let moved = moved(&before, &after);
        prop_assert_eq!(moved.len(), had.abs_diff(has) as usize);
        let mover = if has > had { &after } else { &before };
        prop_assert!(moved.iter().all(|&s| mover.slots()[s as usize] == id));
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(slots in slots(), history in history(), next in prop::collection::vec(1..=1_000_u32, 2..24)) {
        let before = replay(slots, &history);
        let mut set = members(&next);
        let (updated, built) = (before.update(&set).unwrap(), Ring::build(slots, &set).unwrap());
        set.reverse();
        set.push(member(500, 0));
        prop_assert_eq!(updated, before.update(&set).unwrap());
        prop_assert_eq!(built, Ring::build(slots, &set).unwrap());
    }
}
