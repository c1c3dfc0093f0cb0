//! Slots that are to be had, and who takes which.

use crate::order::{Distance, Walk};
use crate::set::SlotSet;

/// Slots on offer. Each giver gives so many of its own as it has too many, then the rest of them is not
/// to be had any more.
pub(crate) struct Pool {
    set: SlotSet,
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
    pub(crate) at: u16,
    pub(crate) id: u32,
    walk: Walk,
    distance: Option<Distance>,
}

impl Taker {
    pub(crate) fn new(at: u16, id: u32, walk: Walk) -> Self {
        Self { at, id, walk, distance: None }
    }
}

impl Pool {
    /// These slots of `holder[slot]`, who gives up to `surplus` of them.
    pub(crate) fn new(slots: u32, offers: &[u32], holder: &[u16], surplus: &[u32]) -> Self {
        let mut pool = Self {
            set: SlotSet::empty(slots),
            slots,
            open: 0,
            left: 0,
            offered: vec![0; surplus.len()],
            few: None,
        };
        for &slot in offers {
            let giver = usize::from(holder[slot as usize]);
            if surplus[giver] > 0 {
                pool.set.insert(slot);
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

    /// The first slot in the taker's order that is to be had: that `gives` and is in the pool.
    ///
    /// A slot that was passed by cannot be had again, so each walk goes round once. When few slots are left, the
    /// one that the walk meets first is computed: a walk would pass by all others to find it.
    #[inline]
    pub(crate) fn first(&mut self, taker: &mut Taker, gives: impl Fn(u32) -> bool) -> Option<u32> {
        // The cost of a round through the few against that of a walk.
        if u64::from(self.open) * u64::from(self.open) > u64::from(self.slots) {
            return taker.walk.find(&self.set, gives);
        }
        let few = self.few.get_or_insert_with(|| self.set.slots().filter(|&slot| gives(slot)).collect());
        let distance = *taker.distance.get_or_insert_with(|| Distance::of(&taker.walk));
        distance.take_nearest(&mut taker.walk, few)
    }

    /// A slot has left the pool; its giver has `surplus` more to give.
    #[inline]
    pub(crate) fn taken(&mut self, slot: u32, giver: u16, surplus: u32, holder: &[u16]) {
        self.set.remove(slot);
        self.left -= 1;
        self.open -= 1;
        let offered = &mut self.offered[usize::from(giver)];
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
