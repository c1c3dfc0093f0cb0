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

/// How many slots of a walk are looked at together.
const STRIDE: usize = 4;
/// Instead of a slot.
const NOWHERE: u32 = u32::MAX;

/// A walk through all slots in one member's order of preference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    next: u32,
    skip: u32,
    slots: u32,
}

impl Walk {
    /// The order of the member with this key, from its first preference. `slots` is a legal count.
    pub(crate) fn new(key: u64, slots: u32) -> Self {
        let seed = mix(key ^ 0x6d61_676c_6576_2d31);
        let next = reduce(mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)), slots);
        let step = mix(seed.wrapping_add(0x3c6e_f372_fe94_f82a));
        let skip =
            if slots.is_power_of_two() { reduce(step, slots) | 1 } else { 1 + reduce(step, slots - 1) };
        Self { next, skip, slots }
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

    /// The slot that it comes to next.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// The slot that it comes to behind this one.
    #[inline]
    pub(crate) fn behind(&self, slot: u32) -> u32 {
        self.wrap(slot + self.skip)
    }

    /// Goes on behind a slot.
    #[inline]
    pub(crate) fn pass(&mut self, slot: u32) {
        self.next = self.behind(slot);
    }

    /// Goes on behind the next slot that is in the set and `gives`, if there is one. `STRIDE` slots are looked at
    /// together, so that the processor need not guess which it is.
    #[inline]
    pub(crate) fn find(&mut self, set: &SlotSet, gives: impl Fn(u32) -> bool) -> Option<u32> {
        let mut ahead = [0; STRIDE + 1];
        for steps in 1..ahead.len() {
            ahead[steps] = self.behind(ahead[steps - 1]);
        }
        // A slot at least is passed each time.
        for _ in 0..self.slots {
            let mut seen = NOWHERE;
            for steps in ahead[..STRIDE].iter().rev() {
                let at = self.next + steps;
                seen = if set.has(at) { at } else { seen };
            }
            if seen == NOWHERE {
                self.next = self.wrap(self.next + ahead[STRIDE]);
                continue;
            }
            let slot = self.wrap(seen);
            self.pass(slot);
            if gives(slot) {
                return Some(slot);
            }
        }
        None
    }
}

/// Tells how far slots are along a walk, as a share of the whole round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Distance {
    /// In 2^-64 of a round: a step, and what the next slot by number is further away.
    step: u64,
    slot: u64,
}

impl Distance {
    pub(crate) fn of(walk: &Walk) -> Self {
        Self::with(inverse(walk.skip, walk.slots), walk.slots)
    }

    /// Of each of these walks over the same slots. One inversion, that of the skips' product, serves all (Montgomery).
    pub(crate) fn of_all<'a>(walks: impl DoubleEndedIterator<Item = &'a Walk> + Clone) -> Vec<Self> {
        let Some(&Walk { slots, .. }) = walks.clone().next() else { return Vec::new() };
        let times = |a: u32, b: u32| (u64::from(a) * u64::from(b) % u64::from(slots)) as u32;
        let mut product = 1;
        let before = |walk: &Walk| {
            let with = times(product, walk.skip);
            std::mem::replace(&mut product, with)
        };
        let before: Vec<u32> = walks.clone().map(before).collect();
        let mut inverse = inverse(product, slots);
        let mut all: Vec<Self> = (walks.rev().zip(before.iter().rev()))
            .map(|(walk, &before)| {
                let own = times(inverse, before);
                inverse = times(inverse, walk.skip);
                Self::with(own, slots)
            })
            .collect();
        all.reverse();
        all
    }

    /// Of a walk whose skip has this inverse.
    fn with(inverse: u32, slots: u32) -> Self {
        // Rounded, by less than 1: `to` is off by less than slots^2, which is 2^40 at most, an eighth of half a step.
        let step = u64::MAX / u64::from(slots);
        Self { step, slot: step * u64::from(inverse) }
    }

    /// Where on the way round, in 2^-64 of it, `walk`, whose distance this is, comes to `slot`: half a step more than
    /// its steps, or almost.
    #[inline]
    pub(crate) fn to(&self, walk: &Walk, slot: u32) -> u64 {
        // So that the walk's part is computed once for many slots.
        let from = (self.step / 2).wrapping_sub(u64::from(walk.next).wrapping_mul(self.slot));
        u64::from(slot).wrapping_mul(self.slot).wrapping_add(from)
    }

    /// Takes the slot out of `few` that `walk`, whose distance this is, comes to first, and goes on behind it.
    pub(crate) fn take_nearest(&self, walk: &mut Walk, few: &mut Vec<u32>) -> Option<u32> {
        let mut nearest = (u64::MAX, usize::MAX);
        for (at, &slot) in few.iter().enumerate() {
            let distance = self.to(walk, slot);
            nearest = if distance < nearest.0 { (distance, at) } else { nearest };
        }
        // No distance is the maximum, so none is missed.
        let slot = (nearest.1 < few.len()).then(|| few.swap_remove(nearest.1))?;
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

/// Of FNV-1a with 64 bits.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a with 64 bits, over bytes.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    bytes.into_iter().fold(FNV_BASIS, step)
}

/// [`fnv1a`] over the four bytes of each word, lowest first. Each step waits for the one before, and a byte of 0 only
/// multiplies: those at a small word's high end are one multiplication.
pub(crate) fn fnv1a_words(words: impl IntoIterator<Item = u32>) -> u64 {
    const TWO: u64 = FNV_PRIME.wrapping_mul(FNV_PRIME);
    const THREE: u64 = TWO.wrapping_mul(FNV_PRIME);
    let step = |hash: u64, word: u32| {
        let byte = |at: u32| u64::from(word >> (8 * at) & 0xff);
        let low = (hash ^ byte(0)).wrapping_mul(FNV_PRIME) ^ byte(1);
        if word >> 16 == 0 {
            return low.wrapping_mul(THREE);
        }
        let high = low.wrapping_mul(FNV_PRIME) ^ byte(2);
        if word >> 24 == 0 {
            return high.wrapping_mul(TWO);
        }
        (high.wrapping_mul(FNV_PRIME) ^ byte(3)).wrapping_mul(FNV_PRIME)
    };
    words.into_iter().fold(FNV_BASIS, step)
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
                let (from, distance) = (walk, Distance::of(&walk));
                let steps = |walk: &Walk, slot| {
                    ((u128::from(distance.to(walk, slot)) * u128::from(slots)) >> 64) as u32
                };
                for expected in 0..slots.min(2_000) {
                    let slot = walk.step();
                    assert_eq!(steps(&from, slot), expected, "key {key}, {slots} slots");
                }
                walk.pass(from.next);
                assert_eq!(steps(&walk, from.next), slots - 1);
            }
        }
    }

    #[test]
    fn distances_are_the_same_together() {
        for slots in [2_u32, 3, 4, 251, 256, 65_536, 65_537, 1_048_573, 1 << 20] {
            for count in [0, 1, 2, 100] {
                let walks: Vec<Walk> = (0..count).map(|key| Walk::new(key, slots)).collect();
                let alone = walks.iter().map(Distance::of);
                assert!(alone.eq(Distance::of_all(walks.iter())), "{count} walks, {slots} slots");
            }
        }
    }

    #[test]
    fn neighbouring_keys_have_unrelated_orders() {
        // 1,000 pairs out of 65,537 x 65,536 possible ones: a repeat would mean a poor hash.
        let pairs = |slots| {
            let mut pairs: Vec<_> =
                (0..1_000).map(|key| Walk::new(key, slots)).map(|walk| (walk.next, walk.skip)).collect();
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

    #[test]
    fn words_are_four_bytes_each() {
        let words: Vec<u32> = (0..32).flat_map(|bit| [1 << bit, (1 << bit) - 1, !(1 << bit)]).collect();
        for end in 0..words.len() {
            let words = &words[..end];
            assert_eq!(fnv1a_words(words.iter().copied()), fnv1a(words.iter().flat_map(|w| w.to_le_bytes())));
        }
    }
}
