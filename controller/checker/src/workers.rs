//! When each probe is made: every target by itself, at its own pace, so many at once.
//!
//! Probes of a thousand backends are spread over the interval from the start (each begins at a random point of it), and stay
//! so: each pause is the interval, give or take a tenth. A checker that falls behind makes up for nothing: it probes late.

use crate::board::{Kind, Seat, Shared};
use crate::probe::{Found, Outcome};
use crate::probe::{Means, probe};
use crate::target::{Key, Plan, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// Suspect backends are probed so many times as often.
const SUSPECT: u32 = 4;

/// What every worker uses.
struct Common {
    board: Shared,
    means: Means,
    room: Semaphore,
}

/// The workers of all targets.
pub struct Workers {
    common: Arc<Common>,
    running: BTreeMap<Key, Running>,
    seed: u64,
}

struct Running {
    target: Target,
    seat: Seat,
    suspect: Arc<AtomicBool>,
    tasks: Vec<AbortHandle>,
}

impl Workers {
    /// None yet. At most `room` probes are under way at once; `id` is the checker's, so that no two probe in step.
    #[must_use]
    pub fn new(board: Shared, means: Means, room: usize, id: &str) -> Self {
        let room = Semaphore::new(room.min(Semaphore::MAX_PERMITS));
        // FNV-1a.
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let seed = id.bytes().fold(0xcbf2_9ce4_8422_2325, fnv) ^ u64::from(std::process::id());
        Self { common: Arc::new(Common { board, means, room }), running: BTreeMap::new(), seed }
    }
    /// These are the targets now. One that is as it was goes on as it did; one that is only suspect now, or not any more, keeps
    /// its counts. Must be called in a tokio runtime.
    pub fn set(&mut self, targets: Vec<Target>) {
        let mut gone = std::mem::take(&mut self.running);
        for target in targets {
            let old = gone.remove(&target.key);
            let running = match old {
                Some(mut running) if same(&running.target, &target) => {
                    running.suspect.store(target.suspect, Ordering::Relaxed);
                    running.target = target;
                    running
                }
                Some(running) => {
                    self.stop(&running);
                    self.start(target)
                }
                None => self.start(target),
            };
            if let Some(twice) = self.running.insert(running.target.key.clone(), running) {
                self.stop(&twice);
            }
        }
        gone.values().for_each(|running| self.stop(running));
    }
    /// The targets.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.running.values().map(|r| &r.target)
    }
    fn start(&mut self, target: Target) -> Running {
        let seat = self.common.board.sit(target.key.clone(), target.ready.is_some());
        let suspect = Arc::new(AtomicBool::new(target.suspect));
        let sides = [(Kind::Live, Some(&target.live)), (Kind::Ready, target.ready.as_ref())];
        let tasks = sides.into_iter().filter_map(|(kind, plan)| Some((kind, plan?))).map(|(kind, plan)| {
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let worker = Worker {
                plan: plan.clone(),
                kind,
                seat,
                suspect: Arc::clone(&suspect),
                common: Arc::clone(&self.common),
                random: self.seed,
            };
            tokio::spawn(worker.run()).abort_handle()
        });
        let tasks = tasks.collect();
        Running { target, seat, suspect, tasks }
    }
    fn stop(&self, running: &Running) {
        running.tasks.iter().for_each(AbortHandle::abort);
        self.common.board.leave(running.seat);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.running.values().for_each(|running| self.stop(running));
    }
}

fn same(a: &Target, b: &Target) -> bool {
    a.live == b.live && a.ready == b.ready
}

struct Worker {
    plan: Result<Plan, String>,
    kind: Kind,
    seat: Seat,
    suspect: Arc<AtomicBool>,
    common: Arc<Common>,
    random: u64,
}

impl Worker {
    async fn run(mut self) {
        let plan = match self.plan.clone() {
            Ok(plan) => plan,
            Err(why) => return self.cannot(why).await,
        };
        let mut next = Instant::now() + plan.interval.mul_f64(self.unit());
        loop {
            sleep_until(next).await;
            let outcome = {
                let Ok(_permit) = self.common.room.acquire().await else { return };
                probe(&plan, &self.common.means).await
            };
            self.common.board.record(self.seat, self.kind, &outcome);
            let often = if self.suspect.load(Ordering::Relaxed) { SUSPECT } else { 1 };
            let pause = (plan.interval / often).mul_f64(0.9 + 0.2 * self.unit());
            next = (next + pause).max(Instant::now());
        }
    }
    /// A target that can't be probed is told as that, again and again.
    async fn cannot(self, why: String) {
        let outcome = Outcome { found: Found::Trouble(why.into()), latency: Duration::ZERO };
        loop {
            self.common.board.record(self.seat, self.kind, &outcome);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    /// From 0 to 1: SplitMix64.
    fn unit(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(((z ^ z >> 31) >> 32) as u32) / f64::from(u32::MAX)
    }
}
