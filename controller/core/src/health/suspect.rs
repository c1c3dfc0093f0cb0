//! Passive signals.

use super::settings::Suspicion;

/// The level of one backend, in thousandths of a point.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspect {
    level: u64,
    at: u64,
    on: bool,
}

impl Suspect {
    /// Signals came in.
    pub(super) fn hear(&mut self, icmp_errors: u64, early_resets: u64, s: &Suspicion, now: u64) {
        self.drain(s, now);
        let points = icmp_errors
            .saturating_mul(s.icmp_error)
            .saturating_add(early_resets.saturating_mul(s.early_reset));
        let level = self.level.saturating_add(points.saturating_mul(1_000));
        self.level = level.min(s.ceiling.saturating_mul(1_000));
        self.on |= self.level >= s.threshold.saturating_mul(1_000);
    }
    /// Is it suspect?
    pub(super) fn is(&mut self, s: &Suspicion, now: u64) -> bool {
        self.drain(s, now);
        self.on
    }
    /// When it will not be any more.
    pub(super) fn until(&self, s: &Suspicion) -> Option<u64> {
        let drains = s.per_second.max(1);
        self.on.then(|| self.at.saturating_add(self.level.div_ceil(drains)))
    }
    /// A point a second is a thousandth a millisecond.
    fn drain(&mut self, s: &Suspicion, now: u64) {
        let drained = now.saturating_sub(self.at).saturating_mul(s.per_second.max(1));
        self.level = self.level.saturating_sub(drained);
        self.at = now;
        self.on &= self.level > 0;
    }
}
