//! How late this machine is: a thread that wants to sleep and to work for a few milliseconds in turn, and counts by how much
//! that takes longer.
//!
//! On a quiet machine it hardly ever does; where more wants to run than there are processors, every process waits like
//! this thread. A bar on time is given that much more, so that it judges the programs and not what runs beside them.

use crate::sys;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long it sleeps.
const SLEEP: Duration = Duration::from_millis(10);
/// How long it works then, of a processor's time.
const WORK: Duration = Duration::from_millis(1);
/// Less than that is what a beat may be late.
const USUAL: Duration = Duration::from_millis(2);

/// A running metronome; it stops when this guard goes.
#[derive(Debug)]
pub struct Metronome {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    late_us: AtomicU64,
    over: AtomicBool,
}

impl Metronome {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            while !own.over.load(Ordering::Relaxed) {
                let start = Instant::now();
                std::thread::sleep(SLEEP);
                let before = sys::thread_time();
                while sys::thread_time().saturating_sub(before) < WORK && !own.over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
                own.late_us.fetch_add(late(start.elapsed()), Ordering::Relaxed);
            }
        });
        Self { shared }
    }

    /// By how many seconds it has been late in all.
    #[must_use]
    pub fn late(&self) -> f64 {
        Duration::from_micros(self.shared.late_us.load(Ordering::Relaxed)).as_secs_f64()
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

/// Microseconds of lateness in a beat that took so long.
fn late(took: Duration) -> u64 {
    let late = took.saturating_sub(SLEEP + WORK);
    if late > USUAL { late.as_micros() as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unusual_is_late() {
        for (ms, want) in [(10, 0), (13, 0), (14, 3_000), (111, 100_000)] {
            assert_eq!(late(Duration::from_millis(ms)), want, "{ms} ms");
        }
    }
}
