//! All backends.

use super::Name;
use super::backend::Tracked;
use super::checkers::{CheckerRefused, Checkers};
use super::opinion::{Late, sane};
use super::settings::Settings;
use super::verdict::Verdict;
use crate::backend::Downs;
use control_proto::v1::HealthReport;
use std::collections::{BTreeMap, BTreeSet};

/// What became of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// They count.
    pub taken: u64,
    /// Older than what was taken, or the same again: they change nothing and renew nothing.
    pub late: u64,
    /// Of a backend that is not tracked.
    pub unknown: u64,
    /// They contradict themselves.
    pub malformed: u64,
}

/// A verdict that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whose.
    pub name: Name,
    /// What it is now.
    pub verdict: Verdict,
}

/// The aggregator: reports in, verdicts out.
///
/// ```
/// use control_core::health::{Health, Liveness, Settings, Verdict};
/// use control_proto::v1::{Health as Found, HealthReport};
///
/// let mut health = Health::new(Settings::default());
/// health.track("web", "a", &Verdict::default(), 0);
/// for checker in ["c1", "c2"] {
///     let pass = HealthReport { pool: "web".into(), backend: "a".into(), state: Found::Healthy.into(),
///         checked_at_ms: 1, consecutive_passes: 2, ..HealthReport::default() };
///     health.report(checker, vec![pass], 10)?;
/// }
/// assert_eq!(health.changes()[0].verdict.live, Liveness::Up);
/// assert!(health.next_deadline() <= Some(15_010));
/// # Ok::<(), control_core::health::CheckerRefused>(())
/// ```
#[derive(Clone, Debug)]
pub struct Health {
    settings: Settings,
    checkers: Checkers,
    pools: BTreeMap<String, BTreeMap<String, usize>>,
    /// `None`: the place is free.
    backends: Vec<Option<(Name, Tracked)>>,
    free: Vec<usize>,
    /// When to look at which backend again; never later than needed, at times sooner.
    wakes: BTreeSet<(u64, usize)>,
    wake_of: Vec<Option<u64>>,
    changed: BTreeSet<Name>,
    suspicions: u64,
    now: u64,
}

impl Health {
    /// With nothing tracked.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            checkers: Checkers::default(),
            pools: BTreeMap::new(),
            backends: Vec::new(),
            free: Vec::new(),
            wakes: BTreeSet::new(),
            wake_of: Vec::new(),
            changed: BTreeSet::new(),
            suspicions: 0,
            now: 0,
        }
    }
    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Counts reports of this backend from now on. `was` is what was known (a new leader reads it from the registry; only
    /// `live` and `ready` matter): it holds, frozen, until checkers agree. A backend that is tracked already is left alone.
    pub fn track(&mut self, pool: &str, backend: &str, was: &Verdict, now: u64) {
        self.advance(now);
        if self.find(pool, backend).is_some() {
            return;
        }
        let name = Name { pool: pool.to_owned(), backend: backend.to_owned() };
        let tracked = Some((name, Tracked::new(was, self.now)));
        let at = match self.free.pop() {
            Some(at) => {
                self.backends[at] = tracked;
                at
            }
            None => {
                self.backends.push(tracked);
                self.wake_of.push(None);
                self.backends.len() - 1
            }
        };
        self.pools.entry(pool.to_owned()).or_default().insert(backend.to_owned(), at);
        self.conclude(at);
    }
    /// When a backend that is tracked went down before, by the registry: it comes up no sooner than with whoever saw that.
    pub fn remember(&mut self, pool: &str, backend: &str, downs: &Downs) {
        let (at, now) = (self.find(pool, backend), self.now);
        if let Some((_, tracked)) = at.and_then(|at| self.backends[at].as_mut()) {
            tracked.remember(downs, now);
        }
    }
    /// Forgets a backend; its reports are unknown ones from now on.
    pub fn forget(&mut self, pool: &str, backend: &str) {
        let Some(of_pool) = self.pools.get_mut(pool) else { return };
        let Some(at) = of_pool.remove(backend) else { return };
        if of_pool.is_empty() {
            self.pools.remove(pool);
        }
        if let Some((name, _)) = self.backends[at].take() {
            self.changed.remove(&name);
        }
        self.set_wake(at, None);
        self.free.push(at);
    }
    /// Its address, port or probe has changed: reports about the old one don't count any more. The verdict stays until checkers
    /// agree on another.
    pub fn moved(&mut self, pool: &str, backend: &str, now: u64) {
        self.advance(now);
        if let Some(at) = self.find(pool, backend) {
            let now = self.now;
            if let Some((_, tracked)) = &mut self.backends[at] {
                tracked.moved(now);
            }
            self.conclude(at);
        }
    }
    /// Reports of one checker, in the order in which they came.
    ///
    /// # Errors
    /// If this checker is not heard at all.
    pub fn report(
        &mut self,
        checker: &str,
        reports: Vec<HealthReport>,
        now: u64,
    ) -> Result<Intake, CheckerRefused> {
        self.advance(now);
        let number = self.checkers.number(checker, &self.settings, self.now)?;
        let mut intake = Intake::default();
        for mut report in reports {
            let Some(at) = self.find(&report.pool, &report.backend) else {
                intake.unknown += 1;
                continue;
            };
            if !sane(&report) {
                intake.malformed += 1;
                continue;
            }
            checker.clone_into(&mut report.checker);
            shorten(&mut report.detail);
            let Some((_, tracked)) = &mut self.backends[at] else { continue };
            match tracked.hear(number, report, &self.settings, self.now) {
                Ok(()) => intake.taken += 1,
                Err(Late) => intake.late += 1,
            }
            self.conclude(at);
        }
        Ok(intake)
    }
    /// Passive signals of a node, since its last ones.
    pub fn signal(&mut self, pool: &str, backend: &str, icmp_errors: u64, early_resets: u64, now: u64) {
        self.advance(now);
        let Some(at) = self.find(pool, backend) else { return };
        if let Some((_, tracked)) = &mut self.backends[at] {
            tracked.signal(icmp_errors, early_resets, &self.settings, self.now);
        }
        self.conclude(at);
    }
    /// Time has passed.
    pub fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
        while let Some(&(wake, at)) = self.wakes.first().filter(|(wake, _)| *wake <= self.now) {
            self.wakes.remove(&(wake, at));
            self.wake_of[at] = None;
            self.conclude(at);
        }
    }
    /// When to call [`advance`](Self::advance) next, if nothing else happens: at times sooner than something changes, never
    /// later.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.wakes.first().map(|(wake, _)| *wake)
    }
    /// The verdicts that changed since this was asked last, by rising name.
    pub fn changes(&mut self) -> Vec<Changed> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .filter_map(|name| {
                let verdict = self.verdict(&name.pool, &name.backend)?.clone();
                Some(Changed { name, verdict })
            })
            .collect()
    }
    /// Rises whenever a backend becomes suspect, or is not any more.
    #[must_use]
    pub fn suspicions(&self) -> u64 {
        self.suspicions
    }
    /// What is known of a backend; `None` if it is not tracked.
    #[must_use]
    pub fn verdict(&self, pool: &str, backend: &str) -> Option<&Verdict> {
        self.tracked(pool, backend).map(|t| &t.verdict)
    }
    /// Why, in words.
    #[must_use]
    pub fn reason(&self, pool: &str, backend: &str) -> Option<String> {
        self.tracked(pool, backend).map(|t| t.reason(&self.settings))
    }
    /// The unexpired reports of a backend, by rising checker.
    #[must_use]
    pub fn reports(&self, pool: &str, backend: &str) -> Vec<HealthReport> {
        let tracked = self.tracked(pool, backend).into_iter();
        let mut reports: Vec<HealthReport> =
            tracked.flat_map(|t| t.views(&self.settings, self.now)).map(|v| v.report.clone()).collect();
        reports.sort_by(|a, b| a.checker.cmp(&b.checker));
        reports
    }
    /// The checkers that reported within the expiry, by rising name, and when their last message came.
    #[must_use]
    pub fn checkers(&self) -> Vec<(String, u64)> {
        self.checkers.heard(&self.settings, self.now).map(|(name, last)| (name.to_owned(), last)).collect()
    }

    fn tracked(&self, pool: &str, backend: &str) -> Option<&Tracked> {
        self.find(pool, backend).and_then(|at| self.backends[at].as_ref()).map(|(_, t)| t)
    }
    fn find(&self, pool: &str, backend: &str) -> Option<usize> {
        self.pools.get(pool)?.get(backend).copied()
    }
    fn conclude(&mut self, at: usize) {
        let Some((name, tracked)) = &mut self.backends[at] else { return };
        let was = tracked.verdict.clone();
        let wake = tracked.conclude(&self.settings, self.now);
        if tracked.verdict != was {
            self.suspicions += u64::from(tracked.verdict.suspect != was.suspect);
            self.changed.insert(name.clone());
        }
        // One that is set and sooner stays: it costs one look too many, not a search at each report.
        let sooner = match (self.wake_of[at], wake) {
            (Some(set), Some(wake)) => wake < set,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if sooner {
            self.set_wake(at, wake);
        }
    }
    fn set_wake(&mut self, at: usize, wake: Option<u64>) {
        if let Some(set) = std::mem::replace(&mut self.wake_of[at], wake) {
            self.wakes.remove(&(set, at));
        }
        if let Some(wake) = wake {
            self.wakes.insert((wake, at));
        }
    }
}

/// What a checker says in words is for people, and comes from the network.
fn shorten(text: &mut String) {
    const LONGEST: usize = 200;
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
}
