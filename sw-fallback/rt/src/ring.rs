//! Rings: two generations of slots per pool, of which one is in force.

use alloc::vec;
use alloc::vec::Vec;

/// Pools with rings of `SLOTS` slots.
#[derive(Clone, Debug)]
pub struct Ring<const SLOTS: u32> {
    pools: Vec<Pool>,
}

#[derive(Clone, Debug, Default)]
struct Pool {
    generation: Option<u8>,
    /// By the generation's parity: a word per slot, generation 8 | id 24; empty until first written. A free slot
    /// has a generation of the other parity.
    halves: [Vec<u32>; 2],
}

const ID_BITS: u32 = 24;

/// What a selection finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// The slot's id.
    Id(u32),
    /// The pool has no generation in force.
    NoPool,
    /// The slot is free in that generation.
    NoSlot,
}

impl<const SLOTS: u32> Ring<SLOTS> {
    /// Without entries.
    #[must_use]
    pub fn new(pools: u32) -> Self {
        Self { pools: vec![Pool::default(); pools as usize] }
    }

    /// The id for a hash.
    #[inline]
    #[must_use]
    pub fn select(&self, pool: impl Into<u128>, hash: u32) -> Selected {
        let pool = usize::try_from(pool.into()).ok().and_then(|i| self.pools.get(i));
        let Some((pool, generation)) = pool.and_then(|p| Some((p, p.generation?))) else {
            return Selected::NoPool;
        };
        let slot = hash.checked_rem(SLOTS).unwrap_or(0);
        match pool.halves[usize::from(generation & 1)].get(slot as usize) {
            Some(word) if word >> ID_BITS == u32::from(generation) => {
                Selected::Id(word & ((1 << ID_BITS) - 1))
            }
            _ => Selected::NoSlot,
        }
    }
}

/// A ring, whatever its size.
pub trait AnyRing {
    /// A pool's generation in force.
    fn generation(&self, pool: u32) -> Option<u8>;
    /// Puts a generation in force, or none. False: there is no such pool.
    fn set_generation(&mut self, pool: u32, generation: Option<u8>) -> bool;
    /// What a slot holds in a generation.
    fn slot(&self, pool: u32, generation: u8, slot: u32) -> Option<u32>;
    /// The slots of a pool's odd or even generations: generation 8 | id 24, a generation of the other parity where a slot
    /// is free; nothing where none was ever written.
    fn words(&self, pool: u32, odd: bool) -> &[u32];
    /// Writes a slot of a generation, or frees it. False: there is no such pool or slot.
    fn set_slot(&mut self, pool: u32, generation: u8, slot: u32, id: Option<u32>) -> bool;
}

impl<const SLOTS: u32> AnyRing for Ring<SLOTS> {
    fn generation(&self, pool: u32) -> Option<u8> {
        self.pools.get(pool as usize)?.generation
    }
    fn set_generation(&mut self, pool: u32, generation: Option<u8>) -> bool {
        self.pools.get_mut(pool as usize).map(|p| p.generation = generation).is_some()
    }
    fn slot(&self, pool: u32, generation: u8, slot: u32) -> Option<u32> {
        let half = &self.pools.get(pool as usize)?.halves[usize::from(generation & 1)];
        let word = half.get(slot as usize)?;
        (word >> ID_BITS == u32::from(generation)).then_some(word & ((1 << ID_BITS) - 1))
    }
    fn words(&self, pool: u32, odd: bool) -> &[u32] {
        self.pools.get(pool as usize).map_or(&[], |p| &p.halves[usize::from(odd)])
    }
    fn set_slot(&mut self, pool: u32, generation: u8, slot: u32, id: Option<u32>) -> bool {
        let Some(pool) = self.pools.get_mut(pool as usize).filter(|_| slot < SLOTS) else {
            return false;
        };
        let parity = generation & 1;
        let free = u32::from(parity ^ 1) << ID_BITS;
        let half = &mut pool.halves[usize::from(parity)];
        if half.is_empty() {
            half.resize(SLOTS as usize, free);
        }
        let word = id.map_or(free, |id| u32::from(generation) << ID_BITS | id & ((1 << ID_BITS) - 1));
        half.get_mut(slot as usize).map(|w| *w = word).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_take_turns() {
        let mut ring = Ring::<7>::new(2);
        assert_eq!(ring.select(0_u16, 3), Selected::NoPool);
        assert_eq!(ring.select(2_u16, 3), Selected::NoPool);
        assert!(ring.set_generation(0, Some(4)));
        assert_eq!(ring.select(0_u16, 3), Selected::NoSlot);
        assert!(ring.set_slot(0, 4, 3, Some(0xff_ffff)));
        assert!(ring.set_slot(0, 5, 3, Some(9)));
        assert_eq!(ring.select(0_u16, 10), Selected::Id(0xff_ffff));
        assert!(ring.set_generation(0, Some(5)));
        assert_eq!(ring.select(0_u16, 10), Selected::Id(9));
        assert!(ring.set_slot(0, 6, 3, Some(1)), "takes the place of generation 4");
        assert_eq!((ring.slot(0, 4, 3), ring.slot(0, 6, 3)), (None, Some(1)));
        assert!(ring.set_slot(0, 5, 3, None));
        assert_eq!(ring.select(0_u16, 10), Selected::NoSlot);
        assert_eq!(ring.words(0, true)[3] >> 24 & 1, 0, "free");
        assert_eq!((ring.words(0, false)[3], ring.words(1, false)), (6 << 24 | 1, &[][..]));
        assert!(!ring.set_slot(0, 5, 7, Some(1)));
        assert!(!ring.set_generation(2, Some(1)));
        assert_eq!(ring.generation(0), Some(5));
    }

    #[test]
    fn generation_0_is_not_a_free_slot() {
        let mut ring = Ring::<4>::new(1);
        assert!(ring.set_slot(0, 0, 1, Some(0)));
        assert!(ring.set_generation(0, Some(0)));
        assert_eq!(ring.select(0_u8, 1), Selected::Id(0));
        assert_eq!(ring.select(0_u8, 2), Selected::NoSlot);
        assert!(ring.set_generation(0, Some(1)));
        assert_eq!(ring.select(0_u8, 1), Selected::NoSlot);
    }
}
