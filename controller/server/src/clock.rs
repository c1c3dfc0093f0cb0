//! Milliseconds since 1970 that never jump: the system's clock when the process began, and the time since.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    at: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }

    pub(crate) fn now(&self) -> u64 {
        u64::try_from((self.at + self.began.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    /// When that will be.
    pub(crate) fn instant(&self, ms: u64) -> tokio::time::Instant {
        let ahead = Duration::from_millis(ms.saturating_sub(self.now()));
        // No timer has to be exact a day ahead.
        tokio::time::Instant::now() + ahead.min(Duration::from_secs(86_400))
    }
}
