//! Slots that are to be had, and who takes which.

use crate::order::{Distance, Walk};

/// Slots on offer. Each giver gives so many of its own as it has too many, then the rest of them is not
/// to be had any more.
pub(crate) struct Pool {
    set: Vec<u64>,
    slots: u32,
    /// Slots to be had, and how many of them will be taken.
    open: u32,
    left: u32,
    /// By giver: its slots that are to be had.
    offered: Vec<u32>,
    /// The slots to be had, once they are few.
    few: Option<Vec<u32>>,
}

/// A member that takes slots in its order of preference.
pub(crate) struct Taker {
    pub(crate) at: u32,
    walk: Walk,
    distance: Option<Distance>,
}

impl Taker {
    pub(crate) fn new(at: u32, walk: Walk) -> Self {
        Self { at, walk, distance: None }
    }
}

impl Pool {
    /// All slots, of one giver.
    pub(crate) fn full(slots: u32) -> Self {
        let mut set = vec![u64::MAX; slots.div_ceil(64) as usize];
        if let Some(last) = set.last_mut().filter(|_| !slots.is_multiple_of(64)) {
            *last = (1 << (slots % 64)) - 1;
        }
        Self { set, slots, open: slots, left: slots, offered: vec![slots], few: None }
    }

    /// These slots of `holder[slot]`, who gives up to `surplus` of them.
    pub(crate) fn new(slots: u32, offers: &[u32], holder: &[u32], surplus: &[u32]) -> Self {
        let mut pool = Self {
            set: vec![0; slots.div_ceil(64) as usize],
            slots,
            open: 0,
            left: 0,
            offered: vec![0; surplus.len()],
            few: None,
        };
        for &slot in offers {
            let giver = holder[slot as usize] as usize;
            if surplus[giver] > 0 {
                pool.set[(slot / 64) as usize] |= 1 << (slot % 64);
                pool.offered[giver] += 1;
                pool.open += 1;
            }
        }
        pool.left = pool.offered.iter().zip(surplus).map(|(offered, surplus)| offered.min(surplus)).sum();
        pool
    }

    /// Every taker takes a slot in turn, until it wants no more (`take` says so) or none is left.
    pub(crate) fn share_out(
        &mut self,
        mut takers: Vec<Taker>,
        mut take: impl FnMut(&mut Self, &mut Taker) -> bool,
    ) {
        while self.left > 0 && !takers.is_empty() {
            takers.retain_mut(|taker| self.left > 0 && take(self, taker));
        }
    }

    #[inline]
    fn has(&self, slot: u32) -> bool {
        self.set[(slot / 64) as usize] >> (slot % 64) & 1 == 1
    }

    /// The first slot in the taker's order that is to be had: that `gives` and is in the pool.
    ///
    /// A slot that was passed by cannot be had again, so each walk goes round once. When few slots are left, the
    /// one that the walk meets first is computed: a walk would pass by all others to find it.
    #[inline]
    pub(crate) fn first(&mut self, taker: &mut Taker, gives: impl Fn(u32) -> bool) -> Option<u32> {
        // The cost of a round through the few against that of a walk.
        if u64::from(self.open) * u64::from(self.open) > u64::from(self.slots) {
            let mut walk = taker.walk;
            let slot = (0..self.slots).map(|_| walk.step()).find(|&slot| self.has(slot) && gives(slot));
            taker.walk = walk;
            return slot;
        }
        let few = self.few.get_or_insert_with(|| members(&self.set).filter(|&slot| gives(slot)).collect());
        let distance = *taker.distance.get_or_insert_with(|| taker.walk.distance());
        let nearest = few.iter().enumerate().min_by_key(|&(_, &slot)| distance.to(&taker.walk, slot));
        let slot = few.swap_remove(nearest?.0);
        taker.walk.pass(slot);
        Some(slot)
    }

    /// A slot has left the pool; its giver has `surplus` more to give.
    #[inline]
    pub(crate) fn taken(&mut self, slot: u32, giver: u32, surplus: u32, holder: &[u32]) {
        self.set[(slot / 64) as usize] &= !(1 << (slot % 64));
        self.left -= 1;
        self.open -= 1;
        let offered = &mut self.offered[giver as usize];
        *offered -= 1;
        if surplus > 0 || *offered == 0 {
            return;
        }
        self.open -= std::mem::take(offered);
        if let Some(few) = &mut self.few {
            few.retain(|&other| holder[other as usize] != giver);
        }
    }
}

/// The slots in a set.
fn members(set: &[u64]) -> impl Iterator<Item = u32> {
    (0..).zip(set).flat_map(|(at, &word)| {
        let left = std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)));
        left.take_while(|&w| w != 0).map(move |w| at * 64 + w.trailing_zeros())
    })
}
