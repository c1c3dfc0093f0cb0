//! What was found of each backend, and what of it the controller is to be told now.
//!
//! A report is due at once when a probe found something else than before, and for the first three results after that,
//! which is where counts matter; else every three to four seconds, so that it is renewed several times before it expires.
//! Each report tells the latest, so what waited while the controller was away is told once, not one by one.

use crate::probe::{Found, Outcome};
use crate::target::Key;
use control_proto::v1::{Health, HealthReport};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Results after a change that are told one by one: three failures in a row take a backend down.
const TELLING: u32 = 3;
/// An unchanged report is renewed after this, in milliseconds, and a part of [`SPREAD_MS`] that differs between backends.
const RENEW_MS: u64 = 3_000;
const SPREAD_MS: u64 = 1_000;

/// Which of a backend's probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Does it answer?
    Live,
    /// Does it want new flows?
    Ready,
}

/// A backend's place on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    at: usize,
    /// A seat that was given up and taken again is another one.
    turn: u64,
}

/// Results of one kind of probe.
#[derive(Clone, Debug, Default)]
struct Side {
    state: Health,
    in_a_row: u32,
    latency_us: u32,
    detail: String,
}

#[derive(Debug)]
struct Entry {
    turn: u64,
    key: Key,
    live: Side,
    ready: Option<Side>,
    checked_at: u64,
    due: bool,
    /// When it was told last, and which check; `None`: never on this stream.
    told: Option<(u64, u64)>,
    spread: u64,
}

/// How many are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Backends on the board.
    pub all: usize,
    /// Whose last liveness probe failed.
    pub failing: usize,
    /// Of which this checker can't tell, or can't tell yet.
    pub unknown: usize,
    /// Probes made since the start.
    pub probes: u64,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    turns: u64,
    probes: u64,
}

/// The board.
#[derive(Debug)]
pub struct Board {
    inner: Mutex<Inner>,
    begin: Instant,
    /// Milliseconds since 1970 at the beginning. What is told runs on from there: a clock that is set moves nothing.
    wall: u64,
}

impl Default for Board {
    fn default() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Self { inner: Mutex::default(), begin: Instant::now(), wall }
    }
}

impl Board {
    /// Gives a backend a seat.
    pub fn sit(&self, key: Key, probes_readiness: bool) -> Seat {
        let mut inner = self.lock();
        inner.turns += 1;
        let turn = inner.turns;
        let spread = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % SPREAD_MS;
        let ready = probes_readiness.then(Side::default);
        let entry =
            Entry { turn, key, live: Side::default(), ready, checked_at: 0, due: false, told: None, spread };
        let at = match inner.free.pop() {
            Some(at) => {
                inner.entries[at] = Some(entry);
                at
            }
            None => {
                inner.entries.push(Some(entry));
                inner.entries.len() - 1
            }
        };
        Seat { at, turn }
    }
    /// Takes it away.
    pub fn leave(&self, seat: Seat) {
        let mut inner = self.lock();
        let place = inner.entries.get_mut(seat.at);
        if let Some(place) = place.filter(|p| p.as_ref().is_some_and(|e| e.turn == seat.turn)) {
            *place = None;
            inner.free.push(seat.at);
        }
    }
    /// Writes down what a probe found. Does nothing for a seat that was given up.
    pub fn record(&self, seat: Seat, kind: Kind, outcome: &Outcome) {
        let now = self.now();
        let mut inner = self.lock();
        inner.probes += 1;
        let entry = inner.entries.get_mut(seat.at).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|e| e.turn == seat.turn) else { return };
        let side = match kind {
            Kind::Live => &mut entry.live,
            Kind::Ready => entry.ready.get_or_insert_default(),
        };
        let changed = side.hear(outcome);
        if changed {
            let detail = &side.detail;
            tracing::debug!(
                "{}/{}: {kind:?} is {:?} {detail}",
                entry.key.pool,
                entry.key.backend,
                side.state
            );
        }
        entry.due |= changed || side.in_a_row <= TELLING;
        entry.checked_at = now.max(entry.checked_at + 1);
    }
    /// Up to `most` reports that are due, the changed ones first.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<HealthReport> {
        let now = self.now();
        let mut reports = Vec::new();
        let mut inner = self.lock();
        for changed in [true, false] {
            for entry in inner.entries.iter_mut().flatten() {
                if reports.len() == most {
                    return reports;
                }
                let renewed = entry.told.is_none_or(|(at, checked)| {
                    checked < entry.checked_at && at + RENEW_MS + entry.spread <= now
                });
                if entry.checked_at > 0 && if changed { entry.due } else { renewed } {
                    entry.due = false;
                    entry.told = Some((now, entry.checked_at));
                    reports.push(entry.report());
                }
            }
        }
        reports
    }
    /// A new stream: all is to be told again.
    pub fn tell_all(&self) {
        for entry in self.lock().entries.iter_mut().flatten() {
            entry.told = None;
        }
    }
    /// How many are what.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let inner = self.lock();
        let mut tally = Tally { probes: inner.probes, ..Tally::default() };
        for entry in inner.entries.iter().flatten() {
            tally.all += 1;
            tally.failing += usize::from(entry.live.state == Health::Unhealthy);
            tally.unknown += usize::from(entry.live.state == Health::Unknown);
        }
        tally
    }
    fn now(&self) -> u64 {
        self.wall + u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(0)
    }
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is whole before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A board that several tasks write on.
pub type Shared = Arc<Board>;

impl Side {
    /// Takes a result; is it another one than before?
    fn hear(&mut self, outcome: &Outcome) -> bool {
        let (state, detail) = match &outcome.found {
            Found::Pass => (Health::Healthy, ""),
            Found::Fail(why) => (Health::Unhealthy, why.as_ref()),
            Found::Trouble(why) => (Health::Unknown, why.as_ref()),
        };
        let changed = self.state != state || self.in_a_row == 0;
        self.in_a_row = if changed { 1 } else { self.in_a_row.saturating_add(1) };
        self.state = state;
        if self.detail != detail {
            detail.clone_into(&mut self.detail);
        }
        if state == Health::Healthy {
            self.latency_us = u32::try_from(outcome.latency.as_micros()).unwrap_or(u32::MAX);
        }
        changed
    }
    fn counts(&self) -> (u32, u32) {
        match self.state {
            Health::Healthy => (self.in_a_row, 0),
            Health::Unhealthy => (0, self.in_a_row),
            _ => (0, 0),
        }
    }
}

impl Entry {
    fn report(&self) -> HealthReport {
        let (consecutive_passes, consecutive_failures) = self.live.counts();
        let (ready_passes, ready_failures) = self.ready.as_ref().map_or((0, 0), Side::counts);
        let unready = self.ready.as_ref().filter(|r| !r.detail.is_empty() && self.live.detail.is_empty());
        // Until the first readiness probe is done, a checker that has one must not look like a checker without.
        let waits = self.ready.as_ref().is_some_and(|r| r.in_a_row == 0 || r.state == Health::Unknown);
        let state =
            if waits && self.live.state == Health::Healthy { Health::Unknown } else { self.live.state };
        HealthReport {
            pool: self.key.pool.clone(),
            backend: self.key.backend.clone(),
            checker: String::new(),
            state: state.into(),
            ready: self.ready.as_ref().map_or(Health::Unknown, |r| r.state).into(),
            checked_at_ms: self.checked_at,
            consecutive_passes,
            consecutive_failures,
            latency_us: self.live.latency_us,
            detail: unready.map_or_else(|| self.live.detail.clone(), |r| format!("readiness: {}", r.detail)),
            ready_passes,
            ready_failures,
        }
    }
}
