//! Idle time-outs (specification §9.1.8 and §16.4): hits are seen by the direct counters, which are looked at as often as
//! the time-outs ask for. An entry is found idle late by an eighth of its time-out (at most 1 s), never early.

use crate::device::{Device, Name};
use crate::encode;
use crate::host::Host;
use p4runtime_proto::p4::v1;
use pipeline_ir::entry::{CheckedEntry, TableEntry};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use sw_fallback::plane::Count;

/// Entries that are looked at while other calls wait.
const PIECE: usize = 256;
/// The shortest and the longest time between two looks at an entry.
const LOOKS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// Entries without a time-out of which it is kept when they were last seen hit, at most.
const SEEN: usize = 65_536;

/// The entries with a time-out, and what was seen of others.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    timers: BTreeMap<Name, Timer>,
    due: BTreeSet<(Instant, Name)>,
    seen: BTreeMap<Name, Seen>,
}

/// What an entry's counter was, and since when.
#[derive(Clone, Copy, Debug)]
struct Seen {
    count: Count,
    hit: Instant,
}

#[derive(Debug)]
struct Timer {
    entry: TableEntry,
    timeout: Duration,
    seen: Seen,
    due: Instant,
}

impl Seen {
    fn look(&mut self, count: Count, now: Instant) -> Duration {
        if self.count != count {
            *self = Self { count, hit: now };
        }
        now.saturating_duration_since(self.hit)
    }
}

impl Timer {
    /// When to look again.
    fn next(&self, now: Instant) -> Instant {
        let step = (self.timeout / 8).clamp(LOOKS.0, LOOKS.1);
        let end = self.seen.hit + self.timeout;
        // Not just before it is over.
        if end <= now + step { end.max(now) } else { now + step }
    }
}

impl Idle {
    /// An entry is written, with a time-out above 0 or none.
    pub(crate) fn set(
        &mut self,
        name: Name,
        entry: &CheckedEntry,
        timeout_ns: i64,
        count: Count,
        now: Instant,
    ) {
        self.forget(&name);
        let timeout = Duration::from_nanos(u64::try_from(timeout_ns).unwrap_or(0));
        let (CheckedEntry::Table(entry), false) = (entry, timeout.is_zero()) else { return };
        let seen = Seen { count, hit: now };
        let mut timer = Timer { entry: entry.clone(), timeout, seen, due: now };
        timer.due = timer.next(now);
        self.due.insert((timer.due, name.clone()));
        self.timers.insert(name, timer);
    }

    /// An entry is gone.
    pub(crate) fn forget(&mut self, name: &Name) {
        self.seen.remove(name);
        if let Some(timer) = self.timers.remove(name) {
            self.due.remove(&(timer.due, name.clone()));
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Since an entry was seen hit for the last time, or for the first time at all.
    pub(crate) fn elapsed(&mut self, name: &Name, count: Count, now: Instant) -> Duration {
        if let Some(timer) = self.timers.get_mut(name) {
            return timer.seen.look(count, now);
        }
        if let Some(seen) = self.seen.get_mut(name) {
            return seen.look(count, now);
        }
        if self.seen.len() < SEEN {
            self.seen.insert(name.clone(), Seen { count, hit: now });
        }
        Duration::ZERO
    }

    /// The entries to be looked at now, but not too many.
    fn take_due(&mut self, now: Instant) -> Vec<(Name, TableEntry)> {
        let mut taken = Vec::new();
        while taken.len() < PIECE {
            match self.due.first() {
                Some((at, _)) if *at <= now => {}
                _ => break,
            }
            if let Some((_, name)) = self.due.pop_first()
                && let Some(timer) = self.timers.get(&name)
            {
                taken.push((name, timer.entry.clone()));
            }
        }
        taken
    }

    /// An entry was looked at. Was it idle for its time? It begins anew then.
    fn looked(&mut self, name: &Name, count: Option<Count>, now: Instant) -> bool {
        let Some(count) = count else {
            // It went in another way than by a client.
            self.timers.remove(name);
            return false;
        };
        let Some(timer) = self.timers.get_mut(name) else { return false };
        let is_idle = timer.seen.look(count, now) >= timer.timeout;
        if is_idle {
            timer.seen.hit = now;
        }
        timer.due = timer.next(now);
        self.due.insert((timer.due, name.clone()));
        is_idle
    }
}

/// How long nothing is to be looked at where nothing has a time-out.
const REST: Duration = Duration::from_millis(50);

impl<H: Host> Device<H> {
    /// What has been idle for its time, if anything, and how long nothing is to be looked at now.
    pub(crate) fn idle(&mut self, now: Instant) -> (Option<v1::IdleTimeoutNotification>, Duration) {
        let mut found = Vec::new();
        for (name, entry) in self.idle.take_due(now) {
            let count = self.host.plane().hits(&entry);
            if self.idle.looked(&name, count, now) {
                let note = self.notes.get(&name);
                let id = self.map.id_of_table(entry.table());
                let message = id.map(|id| encode::entry(&self.map, id, &CheckedEntry::Table(entry), note));
                found.extend(message);
            }
        }
        let due = self.idle.due.first().map(|(at, _)| at.saturating_duration_since(now));
        let pause = due.map_or(REST, |due| due.clamp(Duration::from_millis(2), REST));
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let timestamp = i64::try_from(timestamp).unwrap_or(i64::MAX);
        let notification = v1::IdleTimeoutNotification { table_entry: found, timestamp };
        ((!notification.table_entry.is_empty()).then_some(notification), pause)
    }

    /// Since an entry's last hit, as far as it was seen.
    pub(crate) fn since_hit(&mut self, name: &Name, count: Count) -> Duration {
        // Nobody has hit what is not in force.
        if self.saved.is_some() { Duration::ZERO } else { self.idle.elapsed(name, count, Instant::now()) }
    }
}
