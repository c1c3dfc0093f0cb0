//! One backend, and what its state means for the data plane.

use control_proto::v1::{BackendSpec, BackendState, WhenUnhealthy};

/// What the operator wants of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It serves as its health allows.
    InService,
    /// Its flows may stay until the deadline.
    Draining {
        /// As it was asked for, milliseconds.
        window_ms: u64,
        /// When its flows are purged, milliseconds.
        deadline_ms: u64,
    },
    /// It is gone; it is told of for a while.
    Evicted,
}

/// What the checkers found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Not once ready.
    Pending,
    /// Alive and ready.
    Healthy,
    /// Alive, not ready.
    NotReady,
    /// Not alive.
    Unhealthy,
}

/// When a backend went down lately, milliseconds, the last few: who leads next holds it down for as long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Downs {
    /// It was alive, and then not.
    pub live: Vec<u64>,
    /// It was ready, and then not.
    pub ready: Vec<u64>,
}

/// More are not kept: with so many the hold is at its longest.
const DOWNS: usize = 8;

impl Downs {
    /// Its health was one thing, and is another.
    pub(crate) fn note(&mut self, was: Health, is: Health, now: u64) {
        let downs = match (was, is) {
            (Health::Healthy | Health::NotReady, Health::Unhealthy) => &mut self.live,
            (Health::Healthy, Health::NotReady) => &mut self.ready,
            _ => return,
        };
        downs.push(now);
        downs.drain(..downs.len().saturating_sub(DOWNS));
    }
}

/// A backend of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// As registered, with what was left open filled in.
    pub spec: BackendSpec,
    /// 24 bits: incarnation << 14 | slot. Never 0.
    pub id: u32,
    /// What the operator wants of it.
    pub life: Life,
    /// What the checkers found last.
    pub health: Health,
    /// Whether they know still. If not, `health` is frozen.
    pub known: bool,
    /// Since when it is in this state, milliseconds.
    pub since_ms: u64,
    /// Why, in words.
    pub reason: String,
    /// When it went down lately.
    pub downs: Downs,
}

impl Backend {
    /// The state, by the table in DESIGN §7.
    #[must_use]
    pub fn state(&self) -> BackendState {
        match (self.life, self.health, self.known) {
            (Life::Evicted, ..) => BackendState::Evicted,
            (Life::Draining { .. }, ..) => BackendState::Draining,
            (Life::InService, Health::Pending, _) => BackendState::Pending,
            (Life::InService, _, false) => BackendState::Unknown,
            (Life::InService, Health::Healthy, true) => BackendState::Healthy,
            (Life::InService, Health::NotReady, true) => BackendState::NotReady,
            (Life::InService, Health::Unhealthy, true) => BackendState::Unhealthy,
        }
    }

    /// Weight in the ring. 0 is out.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.spec.weight.unwrap_or(crate::DEFAULT_WEIGHT)
    }

    /// Whether new flows may come to it. In a panic, backends that are not alive are used too.
    #[must_use]
    pub fn in_ring(&self, panic: bool) -> bool {
        let fit = self.health == Health::Healthy || panic && self.health == Health::Unhealthy;
        self.life == Life::InService && fit && self.weight() > 0
    }

    /// Whether the flows that it has stay with it.
    #[must_use]
    pub fn in_table(&self, when_unhealthy: WhenUnhealthy, panic: bool) -> bool {
        let alive = match self.health {
            Health::Pending => false,
            Health::Healthy | Health::NotReady => true,
            Health::Unhealthy => panic || when_unhealthy == WhenUnhealthy::Keep,
        };
        self.life != Life::Evicted && alive
    }

    /// Whether it counts when it is asked how many of a pool are unhealthy.
    pub(crate) fn counts(&self) -> bool {
        self.life == Life::InService && self.health != Health::Pending && self.weight() > 0
    }
}
