//! One checker's opinion of one backend.

use super::settings::Settings;
use control_proto::v1::{Health, HealthReport};

/// Liveness, or readiness, as one checker sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Opinion {
    /// What it thinks; `None`: it has not seen enough.
    pub(super) value: Option<bool>,
}

impl Opinion {
    /// A report: what the last probe found, and how often in a row.
    fn hear(&mut self, found: bool, in_a_row: u32, s: &Settings) {
        let enough = if found { s.passes_up } else { s.failures_down };
        if in_a_row >= enough {
            self.value = Some(found);
        }
    }
}

/// The last report of one checker, and what its reports came to.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) report: HealthReport,
    /// When it came.
    pub(super) received: u64,
    pub(super) live: Opinion,
    /// `None`: it doesn't probe readiness.
    pub(super) ready: Option<Opinion>,
}

/// A report that is older than one that was taken, or that one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

/// A report that makes sense.
pub(super) fn sane(report: &HealthReport) -> bool {
    let known = Health::try_from(report.state).is_ok() && Health::try_from(report.ready).is_ok();
    let one = |state: Health, passes: u32, failures: u32| match state {
        Health::Unknown => true,
        Health::Healthy | Health::Draining => failures == 0,
        Health::Unhealthy => passes == 0,
    };
    known
        && one(report.state(), report.consecutive_passes, report.consecutive_failures)
        && one(report.ready(), report.ready_passes, report.ready_failures)
}

impl View {
    /// The first report of a checker, or the first after a long silence.
    pub(super) fn new(report: HealthReport, s: &Settings, now: u64) -> Self {
        let mut view =
            Self { report: HealthReport::default(), received: now, live: Opinion::default(), ready: None };
        view.take(report, s, now);
        view
    }
    /// A further report.
    pub(super) fn hear(&mut self, report: HealthReport, s: &Settings, now: u64) -> Result<(), Late> {
        let behind = self.report.checked_at_ms.checked_sub(report.checked_at_ms);
        if behind.is_some_and(|by| by < s.late_ms) {
            return Err(Late);
        }
        self.take(report, s, now);
        Ok(())
    }
    fn take(&mut self, report: HealthReport, s: &Settings, now: u64) {
        let alive = report.state() != Health::Unhealthy;
        let says = if alive { report.consecutive_passes } else { report.consecutive_failures };
        self.live.hear(alive, says, s);
        let asks_for_none = report.state() == Health::Draining || report.ready() == Health::Draining;
        match report.ready() {
            // Its own wish: nothing to be sure of.
            _ if asks_for_none => self.ready.get_or_insert_default().hear(false, u32::MAX, s),
            Health::Unknown => self.ready = None,
            found => {
                let ready = found == Health::Healthy;
                let says = if ready { report.ready_passes } else { report.ready_failures };
                self.ready.get_or_insert_default().hear(ready, says, s);
            }
        }
        self.received = now;
        self.report = report;
    }
}
