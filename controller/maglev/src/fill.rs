//! A first fill: all slots are free, and the members take one each, in turn, until each has its count.

use crate::order::{STRIDE, Walk};
use crate::set::SlotSet;

/// A member that takes slots in its order of preference.
struct Taker {
    walk: Walk,
    at: u16,
    wants: u32,
}

/// Who gets each slot, by position in `takers`, whose counts add up to the slots.
pub(crate) fn fill(slots: u32, takers: impl Iterator<Item = (Walk, u32)>) -> Vec<u16> {
    let taker = |(at, (walk, wants))| Taker { walk, at, wants };
    let takers = (0..).zip(takers).map(taker).filter(|taker| taker.wants > 0).collect();
    let mut fill =
        Fill { takers, turn: 0, free: SlotSet::full(slots), left: slots, at: vec![0; slots as usize] };
    fill.walk::<1>(slots / 2);
    // From there on a round through the free slots costs less than a walk that finds one of them.
    fill.walk::<STRIDE>((slots / 2).isqrt());
    fill.choose();
    fill.at
}

struct Fill {
    /// Those that want slots, and whose turn it is.
    takers: Vec<Taker>,
    turn: usize,
    free: SlotSet,
    left: u32,
    at: Vec<u16>,
}

impl Fill {
    /// Everyone in turn walks to the first free slot, until `stop` are left.
    fn walk<const LOOKS: usize>(&mut self, stop: u32) {
        while self.left > stop && !self.takers.is_empty() {
            for taker in &mut self.takers[self.turn..] {
                let Some(slot) = taker.walk.find::<LOOKS>(&self.free, |_| true) else { return };
                self.free.remove(slot);
                self.at[slot as usize] = taker.at;
                taker.wants -= 1;
                self.left -= 1;
                self.turn += 1;
                if self.left == stop {
                    return;
                }
            }
            self.end_round();
        }
    }

    /// Everyone in turn takes the free slot that its walk would meet first.
    fn choose(&mut self) {
        let mut free: Vec<u32> = self.free.slots().collect();
        while !free.is_empty() && !self.takers.is_empty() {
            for taker in &mut self.takers[self.turn..] {
                let distance = taker.walk.distance();
                let Some(slot) = distance.take_nearest(&mut taker.walk, &mut free) else { return };
                self.at[slot as usize] = taker.at;
                taker.wants -= 1;
            }
            self.end_round();
        }
    }

    /// Whoever has enough leaves.
    fn end_round(&mut self) {
        self.turn = 0;
        self.takers.retain(|taker| taker.wants > 0);
    }
}
