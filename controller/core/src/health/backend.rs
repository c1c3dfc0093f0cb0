//! One backend: views in, a verdict out.

use super::damping::Damped;
use super::opinion::{Late, View};
use super::settings::Settings;
use super::suspect::Suspect;
use super::verdict::{Certainty, Liveness, Readiness, Verdict};
use crate::backend::Downs;
use control_proto::v1::{Health, HealthReport};

/// Votes on one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Votes {
    yes: u32,
    no: u32,
    all: u32,
}

impl Votes {
    fn count<'a>(votes: impl Iterator<Item = Option<&'a Option<bool>>>) -> Self {
        votes.flatten().fold(Self::default(), |v, vote| Self {
            yes: v.yes + u32::from(*vote == Some(true)),
            no: v.no + u32::from(*vote == Some(false)),
            all: v.all + 1,
        })
    }
    fn required(self, s: &Settings) -> u32 {
        s.min_agree.max(self.all / 2 + 1)
    }
    fn quorum(self, s: &Settings) -> Option<bool> {
        let required = self.required(s);
        (self.yes >= required).then_some(true).or((self.no >= required).then_some(false))
    }
}

/// What is kept of a backend.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    views: Vec<(u16, View)>,
    live: Damped,
    ready: Damped,
    unprobed: bool,
    /// The last time at which agreement had its support, of liveness and of readiness.
    live_supported: u64,
    ready_supported: u64,
    suspect: Suspect,
    pub(super) verdict: Verdict,
}

impl Tracked {
    /// From what was known before, or from nothing.
    pub(super) fn new(was: &Verdict, now: u64) -> Self {
        let live = match was.live {
            Liveness::Unknown => None,
            up_or_down => Some(up_or_down == Liveness::Up),
        };
        let ready = match was.ready {
            Readiness::Unknown | Readiness::Unprobed => None,
            probed => Some(probed == Readiness::Ready),
        };
        Self {
            views: Vec::new(),
            live: Damped::new(live),
            ready: Damped::new(ready),
            unprobed: was.ready == Readiness::Unprobed,
            live_supported: now,
            ready_supported: now,
            suspect: Suspect::default(),
            verdict: Verdict { live: was.live, ready: was.ready, ..Verdict::default() },
        }
    }
    /// When it went down before it was tracked here.
    pub(super) fn remember(&mut self, downs: &Downs, now: u64) {
        self.live.remember(&downs.live, now);
        self.ready.remember(&downs.ready, now);
    }
    /// It is somewhere else now: what was seen there doesn't hold here, what was concluded stays until checkers agree.
    pub(super) fn moved(&mut self, now: u64) {
        self.views.clear();
        self.suspect = Suspect::default();
        (self.live_supported, self.ready_supported) = (now, now);
    }
    /// A report of a checker.
    pub(super) fn hear(
        &mut self,
        checker: u16,
        report: HealthReport,
        s: &Settings,
        now: u64,
    ) -> Result<(), Late> {
        let at = self.views.iter().position(|(number, _)| *number == checker);
        if report.state() == Health::Unknown {
            if let Some(at) = at {
                self.views.swap_remove(at);
            }
            return Ok(());
        }
        match at {
            None => self.views.push((checker, View::new(report, s, now))),
            Some(at) if self.views[at].1.received.saturating_add(s.expiry_ms) <= now => {
                self.views[at].1 = View::new(report, s, now);
            }
            Some(at) => self.views[at].1.hear(report, s, now)?,
        }
        Ok(())
    }
    /// Passive signals.
    pub(super) fn signal(&mut self, icmp_errors: u64, early_resets: u64, s: &Settings, now: u64) {
        self.suspect.hear(icmp_errors, early_resets, &s.suspicion, now);
    }
    /// Concludes anew; says when to do so again if nothing is heard until then.
    pub(super) fn conclude(&mut self, s: &Settings, now: u64) -> Option<u64> {
        self.views.retain(|(_, view)| view.received.saturating_add(s.expiry_ms) > now);
        let live = Votes::count(self.views.iter().map(|(_, v)| Some(&v.live.value)));
        let ready = Votes::count(self.views.iter().map(|(_, v)| v.ready.as_ref().map(|r| &r.value)));
        let (live_quorum, mut ready_quorum) = (live.quorum(s), ready.quorum(s));
        if let Some(agreed) = live_quorum {
            let support = self.support(live.required(s), |v| v.live.value == Some(agreed));
            self.live_supported = self.live_supported.max(support);
        }
        if let Some(agreed) = ready_quorum {
            let support = self
                .support(ready.required(s), |v| v.ready.as_ref().is_some_and(|r| r.value == Some(agreed)));
            self.ready_supported = self.ready_supported.max(support);
            self.unprobed = false;
        }
        // Nobody asks, and those who could are enough.
        let unprobed = ready.all == 0 && live_quorum.is_some();
        if unprobed {
            (self.ready, self.unprobed) = (Damped::default(), true);
        }
        if ready.all == 0 {
            self.ready_supported = self.ready_supported.max(self.live_supported);
            ready_quorum = None;
        }
        let live_held = self.live.hear(live_quorum, &s.damping, now);
        let ready_held = self.ready.hear(ready_quorum, &s.damping, now);
        let held = live_held.max(ready_held);
        // What is down is down, ready or not.
        let sure =
            live_quorum == Some(false) || live_quorum.is_some() && (unprobed || ready_quorum.is_some());
        self.verdict = self.now(sure, held, s, now);
        self.wake(held, sure, s, now)
    }
    fn now(&mut self, sure: bool, held_until: Option<u64>, s: &Settings, now: u64) -> Verdict {
        let lost = now >= self.live_supported.min(self.ready_supported).saturating_add(s.expiry_ms);
        Verdict {
            live: match self.live.value {
                None => Liveness::Unknown,
                Some(true) => Liveness::Up,
                Some(false) => Liveness::Down,
            },
            ready: match self.ready.value {
                None if self.unprobed => Readiness::Unprobed,
                None => Readiness::Unknown,
                Some(true) => Readiness::Ready,
                Some(false) => Readiness::NotReady,
            },
            certainty: match (sure, lost) {
                (true, _) => Certainty::Agreed,
                (false, false) => Certainty::Frozen,
                (false, true) => Certainty::Unknown,
            },
            suspect: self.suspect.is(&s.suspicion, now),
            held_until,
        }
    }
    /// When the `required`-th newest of those that agree came: up to then there was agreement, whatever is heard later.
    fn support(&self, required: u32, agrees: impl Fn(&View) -> bool) -> u64 {
        let mut received: Vec<u64> =
            self.views.iter().filter(|(_, v)| agrees(v)).map(|(_, v)| v.received).collect();
        received.sort_unstable_by(|a, b| b.cmp(a));
        received.get((required as usize).saturating_sub(1)).copied().unwrap_or(0)
    }
    fn wake(&self, held: Option<u64>, sure: bool, s: &Settings, now: u64) -> Option<u64> {
        let expires = self.views.iter().map(|(_, v)| v.received.saturating_add(s.expiry_ms)).min();
        let lost = self.live_supported.min(self.ready_supported).saturating_add(s.expiry_ms);
        let lost = (!sure && lost > now).then_some(lost);
        [expires, lost, held, self.suspect.until(&s.suspicion)].into_iter().flatten().min()
    }
    /// The unexpired reports, with their checkers' numbers.
    pub(super) fn views(&self, s: &Settings, now: u64) -> impl Iterator<Item = &View> {
        self.views.iter().map(|(_, v)| v).filter(move |v| v.received.saturating_add(s.expiry_ms) > now)
    }
    /// Why it is what it is, in words.
    pub(super) fn reason(&self, s: &Settings) -> String {
        let live = Votes::count(self.views.iter().map(|(_, v)| Some(&v.live.value)));
        let ready = Votes::count(self.views.iter().map(|(_, v)| v.ready.as_ref().map(|r| &r.value)));
        let mut text = format!("{} of {} checkers find it alive", live.yes, live.all);
        if live.no > 0 {
            text += &format!(", {} dead", live.no);
        }
        if ready.all > 0 {
            text += &format!("; {} of {} ready", ready.yes, ready.all);
        }
        let why = self.views.iter().map(|(_, v)| v.report.detail.as_str()).find(|d| !d.is_empty());
        if let Some(why) = why {
            text += &format!(" ({why})");
        }
        match self.verdict.certainty {
            Certainty::Agreed => {}
            _ => text += &format!("; no {} agree: frozen", live.required(s)),
        }
        if self.verdict.held_until.is_some() {
            text += "; held down: it came and went too often";
        }
        text
    }
}
