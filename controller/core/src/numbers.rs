//! Numbers that the data plane knows things by, and when each may be given again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Numbers of one kind. They are given in turn, so that a number comes back as late as can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Where the search for a free one begins.
    pub(crate) next: u32,
    /// Numbers that were given back, and until when they rest (milliseconds).
    pub(crate) resting: Arc<BTreeMap<u32, u64>>,
}

impl Numbers {
    /// The next number of `range` that nobody has and that has rested.
    pub(crate) fn take(&mut self, range: &Range<u32>, now: u64, has: impl Fn(u32) -> bool) -> Option<u32> {
        let first = if range.contains(&self.next) { self.next } else { range.start };
        let free = |n: &u32| !has(*n) && self.resting.get(n).is_none_or(|&until| until <= now);
        let number = (first..range.end).chain(range.start..first).find(free)?;
        self.next = number + 1;
        Some(number)
    }

    /// A number that was given back rests until then; those that have rested are forgotten.
    pub(crate) fn give_back(&mut self, number: u32, now: u64, until: u64) {
        let resting = Arc::make_mut(&mut self.resting);
        resting.retain(|_, &mut until| until > now);
        resting.insert(number, until);
    }

    /// No number rests for longer than that.
    pub(crate) fn rest_at_most_until(&mut self, latest: u64) {
        if self.resting.values().any(|until| *until > latest) {
            let resting = Arc::make_mut(&mut self.resting);
            resting.values_mut().for_each(|until| *until = latest.min(*until));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_go_round_and_rest() {
        let mut numbers = Numbers::default();
        let take =
            |numbers: &mut Numbers, now, held: &[u32]| numbers.take(&(0..3), now, |n| held.contains(&n));
        assert_eq!(take(&mut numbers, 0, &[]), Some(0));
        assert_eq!(take(&mut numbers, 0, &[0]), Some(1));
        numbers.give_back(1, 0, 100);
        assert_eq!(take(&mut numbers, 1, &[0]), Some(2));
        assert_eq!(take(&mut numbers, 99, &[0, 2]), None, "1 rests");
        assert_eq!(take(&mut numbers, 100, &[0, 2]), Some(1));
        numbers.give_back(0, 200, 300);
        assert_eq!(*numbers.resting, BTreeMap::from([(0, 300)]), "1 has rested");
    }
}
