//! Storing, checking and refusing rings.
#![allow(clippy::unwrap_used)]

mod common;

use common::{config, history, member, members, replay, slots};
use maglev_ring::{MAX_SLOTS, Ring, RingError, apportion, moved};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_stored_ring_is_the_same_ring(slots in slots(), history in history(), next in prop::collection::vec(1..=1_000_u32, 2..24)) {
        let ring = replay(slots, &history);
        let claims: Vec<_> = ring.claims().map(|(slot, between)| (slot, between.to_vec())).collect();
        let stored = Ring::from_parts_with_claims(ring.slots().to_vec(), ring.homes().to_vec(), claims).unwrap();
        prop_assert_eq!(&stored, &ring);
        prop_assert_eq!(stored.digest(), ring.digest());
        prop_assert_eq!(stored.update(&members(&next)).unwrap(), ring.update(&members(&next)).unwrap());
        prop_assert!(ring.claims().len() > 0 || Ring::from_parts(ring.slots().to_vec(), ring.homes().to_vec()).unwrap() == ring);
    }
}

#[test]
fn an_adopted_table_moves_only_what_the_counts_ask() {
    let adopted = Ring::from_parts(vec![7, 7, 7, 9], vec![7, 7, 7, 9]).unwrap();
    let evened = adopted.update(&[member(7, 1), member(9, 1)]).unwrap();
    assert_eq!(evened.shares(), [(7, 2), (9, 2)]);
    assert_eq!(moved(&adopted, &evened).len(), 1);
}

#[test]
fn bad_input_is_refused() {
    let build = |slots, weights: &[u32]| Ring::build(slots, &members(weights)).map(|_| ());
    for slots in [0, 1, 6, 255, 65_535, MAX_SLOTS - 1, MAX_SLOTS + 7, MAX_SLOTS * 2, u32::MAX] {
        let error = RingError::SlotCount { slots: slots as usize };
        assert_eq!(build(slots, &[1]), Err(error));
        assert_eq!(apportion(slots, &members(&[1])), Err(error));
    }
    assert_eq!(build(5, &[]), Err(RingError::NoMembers));
    assert_eq!(build(5, &[0, 0]), Err(RingError::NoMembers));
    assert_eq!(build(3, &[1, 1, 1, 1]), Err(RingError::TooManyMembers { members: 4, slots: 3 }));
    assert_eq!(build(3, &[1, 1, 1, 0]), Ok(()));
    let twice = [member(4, 1), member(5, 1), member(4, 0)];
    assert_eq!(Ring::build(5, &twice), Err(RingError::DuplicateId { id: 4 }));
    let ring = Ring::build(3, &members(&[1])).unwrap();
    assert_eq!(ring.update(&twice), Err(RingError::DuplicateId { id: 4 }));
    assert_eq!(ring.update(&[]), Err(RingError::NoMembers));
    assert_eq!(ring.update(&members(&[1; 4])), Err(RingError::TooManyMembers { members: 4, slots: 3 }));
}

#[test]
fn bad_parts_are_refused() {
    let refused = |slots: &[u32], homes: &[u32], claims: &[(u32, &[u32])], expected: RingError| {
        let claims = claims.iter().map(|&(slot, between)| (slot, between.to_vec()));
        let made = Ring::from_parts_with_claims(slots.to_vec(), homes.to_vec(), claims);
        assert_eq!(made, Err(expected));
    };
    refused(&[], &[], &[], RingError::SlotCount { slots: 0 });
    refused(&[1; 6], &[1; 6], &[], RingError::SlotCount { slots: 6 });
    refused(&[1, 2], &[1], &[], RingError::HomeCount { slots: 2, homes: 1 });
    let claims = |slot| RingError::Claims { slot };
    refused(&[1, 2], &[1, 1], &[(2, &[3])], claims(2)); // no such slot
    refused(&[1, 2], &[1, 1], &[(1, &[])], claims(1)); // empty
    refused(&[1, 2], &[1, 1], &[(0, &[3])], claims(0)); // between 1 and 1
    refused(&[1, 2], &[1, 1], &[(1, &[2])], claims(1)); // the owner
    refused(&[1, 2], &[1, 1], &[(1, &[1])], claims(1)); // the home
    refused(&[1, 2], &[1, 1], &[(1, &[3, 3])], claims(1)); // twice
    refused(&[1, 2], &[1, 1], &[(1, &[3]), (1, &[4])], claims(1)); // listed twice
    refused(&[2, 2], &[1, 1], &[(1, &[3]), (0, &[4])], claims(0)); // out of order
    refused(&[1, 2], &[1, 1], &[(1, &[3, 4, 5, 6, 7, 8, 9, 10])], claims(1)); // too long
    assert!(Ring::from_parts_with_claims(vec![1, 2], vec![1, 1], [(1, vec![3, 4, 5, 6, 7, 8, 9])]).is_ok());
}

#[test]
fn tables_never_change_between_versions() {
    // FNV-1a over the little-endian words 2, 1, 1, computed by hand.
    let by_hand = [2_u8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(Ring::build(2, &members(&[1])).unwrap().digest(), by_hand);
    // A stored ring and a rebuilt one must agree: these values are a promise.
    let check = |slots, history: &[&[u32]], digest: u64| {
        let sets: Vec<Vec<u32>> = history.iter().map(|w| w.to_vec()).collect();
        assert_eq!(replay(slots, &sets).digest(), digest, "{slots} slots, {history:?}");
    };
    check(251, &[&[1, 2, 3]], 0xda56_e486_f114_47ad);
    check(65_536, &[&[1; 100]], 0x9d09_5960_02ef_18dc);
    check(65_537, &[&[1; 100]], 0xf886_9168_4aec_c7d8);
    check(65_537, &[&[5, 5, 5, 5], &[5, 0, 5, 7], &[0, 9, 5, 7]], 0xa663_afd1_4a28_d10f);
}

#[test]
fn moved_names_the_slots() {
    let ring = |owners: &[u32]| Ring::from_parts(owners.to_vec(), owners.to_vec()).unwrap();
    assert_eq!(moved(&ring(&[1, 2, 3]), &ring(&[1, 2, 3])), [0_u32; 0]);
    assert_eq!(moved(&ring(&[1, 2, 3]), &ring(&[2, 2, 1])), [0, 2]);
    assert_eq!(moved(&ring(&[1, 2]), &ring(&[1, 3, 4])), [1, 2]);
    assert_eq!(moved(&ring(&[1, 3, 4]), &ring(&[1, 2])), [1, 2]);
}

#[test]
fn errors_say_what_is_wrong() {
    let check = |error: RingError, text: &str| assert_eq!(error.to_string(), text);
    check(
        RingError::SlotCount { slots: 6 },
        "a ring cannot have 6 slots: use a prime (65537) or a power of two (65536), from 2 to 1048576",
    );
    check(RingError::NoMembers, "a ring needs at least one member with a weight above 0");
    check(
        RingError::TooManyMembers { members: 9, slots: 3 },
        "9 members with a weight above 0 do not fit into 3 slots",
    );
    check(
        RingError::TooManyMembers { members: 40_000, slots: 65_537 },
        "40000 members: a ring has at most 32768",
    );
    check(RingError::DuplicateId { id: 4 }, "backend id 4 is listed twice");
    check(RingError::HomeCount { slots: 2, homes: 1 }, "1 homes for 2 slots");
    check(RingError::Claims { slot: 4 }, "the claims on slot 4 are malformed");
}

#[test]
fn a_ring_has_no_more_than_so_many_owners() {
    let member = |id| maglev_ring::Member { id, key: u64::from(id), weight: 1 };
    let most = maglev_ring::MAX_MEMBERS as u32;
    let refused = |members| Err(RingError::TooManyMembers { members, slots: 65_537 });
    let all: Vec<_> = (0..most).map(member).collect();
    // All of them leave while as many others come.
    let others: Vec<_> = (most..2 * most).map(member).collect();
    let ring = Ring::build(65_537, &all).unwrap().update(&others).unwrap();
    assert_eq!(ring.shares().len(), others.len());
    assert!(ring.shares().iter().all(|&(id, _)| id >= most));
    let more: Vec<_> = (0..=most).map(member).collect();
    assert_eq!(Ring::build(65_537, &more).map(|_| ()), refused(more.len()));
    let owners: Vec<u32> = (0..65_537).collect();
    assert_eq!(Ring::from_parts(owners.clone(), owners).map(|_| ()), refused(65_537));
}
