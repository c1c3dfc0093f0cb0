//! What is concluded of one backend.

/// Does it answer?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Liveness {
    /// No quorum has ever said.
    #[default]
    Unknown,
    /// Yes.
    Up,
    /// No.
    Down,
}

/// Does it want new flows?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// No quorum has ever said.
    #[default]
    Unknown,
    /// Nobody asks: being alive is enough.
    Unprobed,
    /// Yes.
    Ready,
    /// No.
    NotReady,
}

/// How sure that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certainty {
    /// A quorum says so.
    Agreed,
    /// No quorum at present: it is what it was.
    #[default]
    Frozen,
    /// No quorum for the time in which reports expire: still what it was, and a reason for an alarm.
    Unknown,
}

/// What is known of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The last that a quorum agreed on, after flap damping.
    pub live: Liveness,
    /// The same for readiness.
    pub ready: Readiness,
    /// The lesser of both; of liveness alone where a quorum finds it down.
    pub certainty: Certainty,
    /// Passive signals speak against it: probe it faster.
    pub suspect: bool,
    /// The checkers agree that it is up (or ready), but it was up and down too often: it will be at this time, in
    /// milliseconds, if it stays so.
    pub held_until: Option<u64>,
}

impl Verdict {
    /// Alive, and not known to refuse new flows. What has never been told counts as no.
    #[must_use]
    pub fn in_service(&self) -> bool {
        self.live == Liveness::Up && matches!(self.ready, Readiness::Ready | Readiness::Unprobed)
    }
}

/// Are so many of a pool's backends down that the checks are likelier wrong than the backends? Then those that are down are
/// used too. `percent` is the share above which it is so (0: 50; 100 and more: never); `of` counts the backends that would
/// be in the ring if all were alive.
#[must_use]
pub fn panics(down: usize, of: usize, percent: u32) -> bool {
    let percent = if percent == 0 { 50 } else { percent as usize };
    down.saturating_mul(100) > of.saturating_mul(percent)
}
