//! Slot counts, and each member's order of preference over the slots.

use crate::set::SlotSet;
use crate::{MAX_SLOTS, RingError};

/// Checks that `slots` is a size for which every skip gives a full permutation.
pub(crate) fn check_slot_count(slots: usize) -> Result<u32, RingError> {
    let bad = RingError::SlotCount { slots };
    let count = u32::try_from(slots).map_err(|_| bad)?;
    let legal = (2..=MAX_SLOTS).contains(&count) && (count.is_power_of_two() || is_prime(count));
    if legal { Ok(count) } else { Err(bad) }
}

/// Trial division: at most 1,023 steps for the sizes in question.
fn is_prime(n: u32) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

/// How many slots of a walk are looked at together at most.
pub(crate) const STRIDE: usize = 4;

/// A walk through all slots in one member's order of preference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    next: u32,
    slots: u32,
    /// Modulo `slots`, how far 0 to `STRIDE` steps lead.
    ahead: [u32; STRIDE + 1],
}

impl Walk {
    /// The order of the member with this key, from its first preference. `slots` is a legal count.
    pub(crate) fn new(key: u64, slots: u32) -> Self {
        let seed = mix(key ^ 0x6d61_676c_6576_2d31);
        let next = reduce(mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)), slots);
        let step = mix(seed.wrapping_add(0x3c6e_f372_fe94_f82a));
        let skip =
            if slots.is_power_of_two() { reduce(step, slots) | 1 } else { 1 + reduce(step, slots - 1) };
        let mut walk = Self { next, slots, ahead: [0; STRIDE + 1] };
        for steps in 1..walk.ahead.len() {
            walk.ahead[steps] = walk.wrap(walk.ahead[steps - 1] + skip);
        }
        walk
    }

    /// Modulo the slots, of which `sum` is below twice their number.
    #[inline]
    fn wrap(&self, sum: u32) -> u32 {
        sum.min(sum.wrapping_sub(self.slots))
    }

    /// The next slot. After as many steps as there are slots, the walk begins again.
    #[cfg(test)]
    pub(crate) fn step(&mut self) -> u32 {
        let slot = self.next;
        self.pass(slot);
        slot
    }

    /// Goes on behind a slot.
    #[inline]
    pub(crate) fn pass(&mut self, slot: u32) {
        self.next = self.wrap(slot + self.ahead[1]);
    }

    /// Goes on behind the next slot that is in the set and `gives`, if there is one. `LOOKS` slots are looked at
    /// together, at most `STRIDE`: many where few slots are in the set, so that the processor need not guess when one
    /// comes.
    #[inline]
    pub(crate) fn find<const LOOKS: usize>(
        &mut self,
        set: &SlotSet,
        gives: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        for _ in 0..self.slots.div_ceil(LOOKS as u32) {
            let mut found = 0;
            for steps in 0..LOOKS {
                found |= set.bit(self.next + self.ahead[steps]) << steps;
            }
            while found != 0 {
                let slot = self.wrap(self.next + self.ahead[found.trailing_zeros() as usize]);
                if gives(slot) {
                    self.pass(slot);
                    return Some(slot);
                }
                found &= found - 1;
            }
            self.next = self.wrap(self.next + self.ahead[LOOKS]);
        }
        None
    }

    /// How far slots are along this walk.
    pub(crate) fn distance(&self) -> Distance {
        let slots = u64::from(self.slots);
        Distance { inverse: u64::from(inverse(self.ahead[1], self.slots)), slots, scale: u64::MAX / slots }
    }
}

/// Turns slots into numbers of steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance {
    /// Of the walk's skip.
    inverse: u64,
    slots: u64,
    /// 2^64 / slots, rounded down.
    scale: u64,
}

impl Distance {
    /// After how many steps `walk`, whose distance this is, comes to `slot`.
    #[inline]
    pub(crate) fn to(&self, walk: &Walk, slot: u32) -> u64 {
        let ahead = u64::from(slot) + self.slots - u64::from(walk.next);
        // Below 2^41, so the quotient is exact or one too small.
        let product = ahead * self.inverse;
        let quotient = ((u128::from(product) * u128::from(self.scale)) >> 64) as u64;
        let rest = product - quotient * self.slots;
        rest.min(rest.wrapping_sub(self.slots))
    }

    /// Takes the slot out of `few` that `walk`, whose distance this is, comes to first, and goes on behind it.
    pub(crate) fn take_nearest(&self, walk: &mut Walk, few: &mut Vec<u32>) -> Option<u32> {
        let (nearest, _) = few.iter().enumerate().min_by_key(|&(_, &slot)| self.to(walk, slot))?;
        let slot = few.swap_remove(nearest);
        walk.pass(slot);
        Some(slot)
    }
}

/// The inverse of `skip` modulo `slots`, which have no common factor (Euclid's algorithm).
fn inverse(skip: u32, slots: u32) -> u32 {
    let slots = i64::from(slots);
    let (mut rest, mut next) = (slots, i64::from(skip));
    let (mut factor, mut next_factor) = (0, 1);
    while next > 0 {
        let quotient = rest / next;
        (rest, next) = (next, rest - quotient * next);
        (factor, next_factor) = (next_factor, factor - quotient * next_factor);
    }
    factor.rem_euclid(slots) as u32
}

/// Scales a uniform 64-bit value to `0..bound`.
fn reduce(value: u64, bound: u32) -> u32 {
    // The product is below `bound * 2^64`, so the high half fits `bound`'s type.
    ((u128::from(value) * u128::from(bound)) >> 64) as u32
}

/// A bijection on 64-bit words in which each input bit affects every output bit (two rounds of
/// multiply and xor-shift; constants of the SplitMix64 finaliser).
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// FNV-1a with 64 bits, over bytes.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// A 64-bit key for [`crate::Member::key`], made from a backend's name.
///
/// The value is the same on every machine and in every version: 64-bit FNV-1a over the bytes.
/// Choose a name that outlives restarts, such as `pool/host:port`.
#[must_use]
pub fn stable_key(name: &[u8]) -> u64 {
    fnv1a(name.iter().copied())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn slot_counts() {
        for good in [2, 3, 4, 5, 251, 256, 65_536, 65_537, 1_048_573, 1 << 20] {
            assert_eq!(check_slot_count(good), Ok(u32::try_from(good).unwrap()));
        }
        for bad in [0, 1, 6, 255, 65_535, 1_048_575, (1 << 20) + 7, 1 << 21, usize::MAX] {
            assert_eq!(check_slot_count(bad), Err(RingError::SlotCount { slots: bad }));
        }
    }

    #[test]
    fn every_walk_visits_every_slot_once() {
        for slots in [2_u32, 3, 4, 5, 251, 256] {
            for key in (0..300).chain([u64::MAX, 1 << 63]) {
                let mut walk = Walk::new(key, slots);
                let mut seen: Vec<u32> = (0..slots).map(|_| walk.step()).collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..slots).collect::<Vec<_>>(), "key {key}, {slots} slots");
            }
        }
    }

    #[test]
    fn distances_are_steps() {
        for slots in [2_u32, 3, 4, 5, 251, 256, 65_536, 65_537, 1_048_573, 1 << 20] {
            for key in (0..20).chain([u64::MAX, 1 << 63]) {
                let mut walk = Walk::new(key, slots);
                walk.pass(key as u32 % slots);
                let (from, distance) = (walk, walk.distance());
                for steps in 0..u64::from(slots.min(2_000)) {
                    let slot = walk.step();
                    assert_eq!(distance.to(&from, slot), steps, "key {key}, {slots} slots");
                }
                walk.pass(from.next);
                assert_eq!(distance.to(&walk, from.next), u64::from(slots) - 1);
            }
        }
    }

    #[test]
    fn neighbouring_keys_have_unrelated_orders() {
        // 1,000 pairs out of 65,537 x 65,536 possible ones: a repeat would mean a poor hash.
        let pairs = |slots| {
            let mut pairs: Vec<_> =
                (0..1_000).map(|key| Walk::new(key, slots)).map(|walk| (walk.next, walk.ahead[1])).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs.len()
        };
        assert_eq!(pairs(65_537), 1_000);
        assert_eq!(pairs(65_536), 1_000);
    }

    #[test]
    fn stable_key_is_fnv1a() {
        // Test vectors of the FNV reference page.
        assert_eq!(stable_key(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stable_key(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stable_key(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
