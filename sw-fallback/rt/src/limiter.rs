//! Limiters: so many packets in a tick, all threads together.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Bits of a tick that a limiter keeps.
const TICK_BITS: u32 = 18;
const COUNT_BITS: u32 = 32 - TICK_BITS;

/// Lets at most `per_tick` packets through in one tick; clones share the count.
#[derive(Clone, Debug)]
pub struct Limiter {
    per_tick: u32,
    /// Tick 18 | packets let through in it 14.
    word: Arc<AtomicU32>,
}

impl Limiter {
    /// At most 16,383 in a tick.
    #[must_use]
    pub fn new(per_tick: u16) -> Self {
        Self { per_tick: u32::from(per_tick).min((1 << COUNT_BITS) - 1), word: Arc::default() }
    }

    /// Does this packet get through?
    #[inline]
    #[must_use]
    pub fn allow(&self, now: u32) -> bool {
        let tick = now & ((1 << TICK_BITS) - 1);
        let next = |word: u32| {
            let (last, count) = (word >> COUNT_BITS, word & ((1 << COUNT_BITS) - 1));
            let count = if last == tick { count } else { 0 };
            (count < self.per_tick).then_some(tick << COUNT_BITS | (count + 1))
        };
        self.word.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_has_its_share() {
        let limiter = Limiter::new(3);
        let other = limiter.clone();
        let allowed: [bool; 5] = [0, 0, 0, 0, 0].map(|t| limiter.allow(t));
        assert_eq!(allowed, [true, true, true, false, false]);
        assert!(!other.allow(0), "clones share the count");
        assert!(other.allow(1));
        assert!(!Limiter::new(0).allow(0));
    }
}
