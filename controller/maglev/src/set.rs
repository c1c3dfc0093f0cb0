//! Slots that are to be had.

/// A set of slots, a bit for each, twice over: a walk that goes past the end by less than a round need not turn.
pub(crate) struct SlotSet {
    words: Vec<u64>,
    slots: u32,
}

impl SlotSet {
    pub(crate) fn empty(slots: u32) -> Self {
        Self { words: vec![0; (2 * slots).div_ceil(64) as usize], slots }
    }

    /// Whether slot `at` modulo the slots is in the set; `at` is below twice their number.
    #[inline]
    pub(crate) fn has(&self, at: u32) -> bool {
        self.words[(at / 64) as usize] >> (at % 64) & 1 != 0
    }

    pub(crate) fn insert(&mut self, slot: u32) {
        for at in [slot, slot + self.slots] {
            self.words[(at / 64) as usize] |= 1 << (at % 64);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: u32) {
        for at in [slot, slot + self.slots] {
            self.words[(at / 64) as usize] &= !(1 << (at % 64));
        }
    }

    /// By rising number.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        let bits = (0..).zip(&self.words).flat_map(|(at, &word)| {
            let left = std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)));
            left.take_while(|&w| w != 0).map(move |w| at * 64 + w.trailing_zeros())
        });
        bits.take_while(|&slot| slot < self.slots)
    }
}
