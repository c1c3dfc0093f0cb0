//! Packets for a controller: of those that the pipeline passes to the host, some a second.
//!
//! Nothing here waits for the controller: what comes too fast, or while too many wait, is counted and left out.

use crate::devices::{Device, Receive, wait};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A packet that was passed to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Punted {
    /// The port that it came in by.
    pub port: u32,
    /// The frame as it was passed.
    pub frame: Vec<u8>,
}

/// Packets that wait for the controller at most.
const WAITING: usize = 256;

/// What became of packets for the controller.
#[derive(Debug, Default)]
pub struct PuntCounts {
    given: AtomicU64,
    over_rate: AtomicU64,
    waiting: AtomicU64,
    unread: AtomicU64,
}

impl PuntCounts {
    /// A client had not read those before.
    pub fn unread(&self, packets: u64) {
        self.unread.fetch_add(packets, Relaxed);
    }

    /// `given` on their way; left out: `over_rate`, `waiting` (too many waited to be sent), `unread` (a client was too
    /// slow).
    #[must_use]
    pub fn read(&self) -> BTreeMap<&'static str, u64> {
        let all = [
            ("given", &self.given),
            ("over_rate", &self.over_rate),
            ("waiting", &self.waiting),
            ("unread", &self.unread),
        ];
        all.into_iter().map(|(name, n)| (name, n.load(Relaxed))).collect()
    }
}

/// Where a data plane puts packets for the controller.
#[derive(Debug)]
pub struct Punt {
    rate: u32,
    bucket: Mutex<Bucket>,
    to: SyncSender<Punted>,
    counts: Arc<PuntCounts>,
}

/// Packets that may come now, and since when that is known.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    since: Instant,
}

/// Where they come out.
#[derive(Debug)]
pub struct Inbox {
    /// Packets; none any more when the data plane is gone.
    pub packets: Receiver<Punted>,
    /// What becomes of them.
    pub counts: Arc<PuntCounts>,
}

impl Punt {
    /// So many packets a second, at least 1; those of a tenth of a second may come at once.
    #[must_use]
    pub fn new(rate: u32) -> (Arc<Self>, Inbox) {
        let (to, packets) = sync_channel(WAITING);
        let counts = Arc::<PuntCounts>::default();
        let inbox = Inbox { packets, counts: Arc::clone(&counts) };
        let bucket = Mutex::new(Bucket { tokens: 1.0, since: Instant::now() });
        (Arc::new(Self { rate: rate.max(1), bucket, to, counts }), inbox)
    }

    fn allows(&self) -> bool {
        // Who would have to wait for another thread is over the rate.
        let Ok(mut bucket) = self.bucket.try_lock() else { return false };
        let now = Instant::now();
        let rate = f64::from(self.rate);
        let new = now.saturating_duration_since(bucket.since).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + new).min((rate / 10.0).max(1.0));
        bucket.since = now;
        let allowed = bucket.tokens >= 1.0;
        bucket.tokens -= f64::from(u8::from(allowed));
        allowed
    }

    /// Takes a packet, if there is room for it. It never waits.
    pub fn offer(&self, port: u32, frame: &[u8]) {
        let what = if !self.allows() {
            &self.counts.over_rate
        } else if self.to.try_send(Punted { port, frame: frame.to_vec() }).is_ok() {
            &self.counts.given
        } else {
            &self.counts.waiting
        };
        what.fetch_add(1, Relaxed);
    }

    /// What has become of packets.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.read()
    }
}

/// Listens on an interface beside the kernel's stack, as long as it lives.
#[derive(Debug)]
pub struct Listener {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Gives what a device hears to `punt`, as a port's packets.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(port: u32, device: Device, punt: Arc<Punt>) -> std::io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let named = std::thread::Builder::new().name(format!("punt-{port}"));
        let thread = named.spawn(move || listen(port, device.receive, &punt, &stopped))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// How soon a thread sees that it shall stop.
const PAUSE_MILLIS: i32 = 50;
/// After this many packets at once the thread rests: the kernel drops what its ring has no room for, which costs least.
const REST: Duration = Duration::from_millis(5);

fn listen(port: u32, mut from: Box<dyn Receive>, punt: &Punt, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        match from.receive(&mut |frame| punt.offer(port, frame)) {
            Ok(0) => {
                let waited = from.wake().map(|fd| wait(&[fd], PAUSE_MILLIS).is_ok());
                if waited != Some(true) {
                    std::thread::sleep(Duration::from_millis(PAUSE_MILLIS.unsigned_abs().into()));
                }
            }
            Ok(_) => std::thread::sleep(REST),
            Err(error) if error.passes() => {
                std::thread::sleep(Duration::from_millis(PAUSE_MILLIS.unsigned_abs().into()));
            }
            Err(error) => {
                tracing::warn!("port {port}: no more packets for the controller: {error}");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_too_fast_is_left_out_and_counted() {
        let (punt, inbox) = Punt::new(1000);
        (0..10_000).for_each(|_| punt.offer(1, &[0; 60]));
        let counts = punt.counts();
        assert_eq!(counts["given"] + counts["over_rate"], 10_000);
        assert!((1..1000).contains(&counts["given"]), "{counts:?}");
        assert_eq!(inbox.packets.try_iter().count() as u64, counts["given"]);
        std::thread::sleep(Duration::from_millis(20));
        punt.offer(7, &[1]);
        assert_eq!(inbox.packets.try_recv(), Ok(Punted { port: 7, frame: vec![1] }));
    }

    #[test]
    fn nobody_waits_for_a_slow_reader() {
        let (punt, inbox) = Punt::new(10_000_000);
        for _ in 0..2 * WAITING {
            std::thread::sleep(Duration::from_micros(10));
            punt.offer(1, &[0; 60]);
        }
        let counts = punt.counts();
        assert_eq!((counts["given"], counts["waiting"]), (WAITING as u64, WAITING as u64), "{counts:?}");
        drop(inbox);
        punt.offer(1, &[0; 60]);
    }
}
