//! Numbers, and why they are these.

/// How verdicts are made. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many checkers at least must agree. 2: one checker alone can't tell a dead backend from its own dead cable, so
    /// with 2 a single checker changes nothing. A deployment with one checker sets 1 and has the panic threshold as its
    /// only protection from that.
    pub min_agree: u32,
    /// Failures in a row that make a checker's opinion "down" or "not ready".
    pub failures_down: u32,
    /// Passes in a row that make it "up" or "ready".
    pub passes_up: u32,
    /// A report that was not renewed for this long is gone.
    pub expiry_ms: u64,
    /// How far back the clock of one checker may lie for a report to count as overtaken by a later one. Further back means
    /// that its clock was set: then what comes is new.
    pub late_ms: u64,
    /// Checkers with unexpired reports; one more is refused.
    pub max_checkers: usize,
    /// Of backends that come and go.
    pub damping: Damping,
    /// By passive signals.
    pub suspicion: Suspicion,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_agree: 2,
            failures_down: 3,
            passes_up: 2,
            expiry_ms: 15_000,
            late_ms: 5_000,
            max_checkers: 64,
            damping: Damping::default(),
            suspicion: Suspicion::default(),
        }
    }
}

/// Exponential hold-down. A backend that went down `n` times within [`window_ms`](Self::window_ms) comes up again at once
/// while `n` is at most [`free`](Self::free); then only after the checkers have agreed for
/// `first_ms * 2^(n - free - 1)`, at most [`longest_ms`](Self::longest_ms), without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damping {
    /// Over which ways down are counted.
    pub window_ms: u64,
    /// Ways down that cost nothing: a restart, and another.
    pub free: u32,
    /// The first hold.
    pub first_ms: u64,
    /// The longest.
    pub longest_ms: u64,
}

impl Default for Damping {
    fn default() -> Self {
        Self { window_ms: 600_000, free: 2, first_ms: 10_000, longest_ms: 300_000 }
    }
}

/// A level that rises with each signal, drains with time, and makes a backend suspect from `threshold` until it is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// An ICMP error to our outer source: nothing but a broken way to the backend makes one.
    pub icmp_error: u64,
    /// A client's reset right after its SYN: also scanners and impatient clients make these.
    pub early_reset: u64,
    /// From here on it is suspect.
    pub threshold: u64,
    /// No signals rise it higher: suspicion ends at most `ceiling / per_second` seconds after the last one.
    pub ceiling: u64,
    /// What drains each second.
    pub per_second: u64,
}

impl Default for Suspicion {
    fn default() -> Self {
        Self { icmp_error: 4, early_reset: 1, threshold: 10, ceiling: 20, per_second: 1 }
    }
}
