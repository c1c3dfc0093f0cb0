//! Memory that a packet may still be reading is not used again before that packet is done.

use super::sys;
use std::time::{Duration, Instant};

/// No packet takes this long.
const LONG: Duration = Duration::from_millis(50);

/// When memory was given free last.
#[derive(Debug, Default)]
pub(super) struct Grace {
    freed: Option<Instant>,
    /// Tests feed packets one by one: nobody reads meanwhile.
    pub(super) quiet: bool,
}

impl Grace {
    /// Something was taken out of the packets' sight.
    pub(super) fn freed(&mut self) {
        self.freed = Some(Instant::now());
    }

    /// Returns when nobody reads what was freed before.
    pub(super) fn wait(&mut self) {
        if let Some(since) = self.freed.take()
            && !self.quiet
            && since.elapsed() < LONG
        {
            sys::wait_for_programs();
        }
    }
}
