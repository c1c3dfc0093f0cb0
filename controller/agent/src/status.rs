//! What the agent knows of itself, for reports, metrics and readiness.

use crate::kept::LeftOut;
use control_core::node::{Desired, Pool};
use control_proto::v1::PassiveSignal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};

/// How long a node that had the current table stays ready without it: changes and short breaks withdraw nothing.
pub const HOLD: Duration = Duration::from_secs(5);

/// Alarms that are kept until the controller hears of them.
pub(crate) const UNHEARD: usize = 64;

/// Upper bounds of the push latency's histogram, milliseconds.
pub(crate) const BUCKETS: [u64; 12] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000];

/// Now, ms since 1970, by a clock that never jumps: the system's when it was first asked, and the time since.
#[must_use]
pub(crate) fn unix_ms() -> u64 {
    static BEGAN: OnceLock<(Instant, Duration)> = OnceLock::new();
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (began, at) = BEGAN.get_or_init(|| (Instant::now(), wall()));
    (*at + began.elapsed()).as_millis() as u64
}

/// A pool's table in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// As the controller counts.
    pub generation: u64,
    /// Of the table.
    pub digest: u64,
    /// Since when: ms since 1970.
    pub since_ms: u64,
}

/// ICMP errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Since the agent began.
    pub seen: u64,
    /// Of these, those that the controller heard of.
    pub heard: u64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Version of the snapshot in force.
    pub version: u64,
    /// Tables in force by pool.
    pub pools: BTreeMap<u32, InForce>,
    /// What is wrong, by what it is about.
    pub alarms: BTreeMap<String, String>,
    /// Alarms that the controller has not heard yet, whether they are over or not; the latest `UNHEARD`.
    pub unheard: VecDeque<String>,
    /// Whether the data plane holds what is desired now.
    pub synced: bool,
    /// When that was last so.
    pub synced_at: Option<Instant>,
    /// When the controller last told what is desired, or that nothing else is: ms since 1970; 0: never.
    pub heard_ms: u64,
    /// With which controller; none: with none.
    pub controller: Option<String>,
    /// From acceptance to the flip of the last change, ms.
    pub push_ms: f64,
    /// Changes by the first bound (5 ms to 60 s) that their latency does not exceed, and those beyond.
    pub pushes: [u64; BUCKETS.len() + 1],
    /// Sum of their latencies.
    pub push_sum_ms: f64,
    /// Flows by backend; none where they can't be read.
    pub flows: Option<BTreeMap<u32, u64>>,
    /// The version in force when the count of them began.
    pub flows_version: u64,
    /// ICMP errors about the tunnels to backends, by backend.
    pub signals: BTreeMap<u32, Signals>,
    /// Snapshots that were refused.
    pub refused: u64,
    /// Updates that the data plane took.
    pub updates: u64,
    /// What the data plane has no tables for.
    pub left_out: LeftOut,
    /// Entries that somebody else had changed, found by audits.
    pub foreign: u64,
}

/// Facts that tasks share.
#[derive(Clone, Debug, Default)]
pub struct Status {
    facts: Arc<Mutex<Facts>>,
    changed: Arc<Notify>,
    version: Arc<watch::Sender<u64>>,
}

impl Facts {
    /// Whether that is news.
    fn raise(&mut self, about: &str, text: &str) -> bool {
        let news = self.alarms.insert(about.to_owned(), text.to_owned()).is_none_or(|old| old != text);
        if news {
            self.unheard.push_back(format!("{about}: {text}"));
            let extra = self.unheard.len().saturating_sub(UNHEARD);
            self.unheard.drain(..extra);
        }
        news
    }

    /// The alarms of a report: what is wrong, and what was since the last report that was heard.
    pub(crate) fn alarms_to_report(&self) -> Vec<String> {
        let now: Vec<String> = self.alarms.iter().map(|(about, text)| format!("{about}: {text}")).collect();
        let over = self.unheard.iter().filter(|alarm| !now.contains(alarm)).cloned().collect();
        [over, now].concat()
    }

    /// What was seen since the last report that was heard.
    pub(crate) fn signals_to_report(&self) -> Vec<PassiveSignal> {
        let news = self.signals.iter().filter(|(_, signals)| signals.seen > signals.heard);
        let signal = |(&id, signals): (&u32, &Signals)| PassiveSignal {
            id,
            icmp_errors: signals.seen - signals.heard,
            early_resets: 0,
        };
        news.map(signal).collect()
    }

    /// The controller heard of these.
    pub(crate) fn heard(&mut self, alarms: &[String], signals: &[PassiveSignal]) {
        self.unheard.retain(|alarm| !alarms.contains(alarm));
        for signal in signals {
            self.signals.entry(signal.id).or_default().heard += signal.icmp_errors;
        }
    }
}

impl Status {
    /// The facts, for as short as possible.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits for something worth a report.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Says that something is worth a report.
    pub fn touch(&self) {
        self.changed.notify_one();
    }

    /// Something is wrong, or is not any more.
    pub fn alarm(&self, about: &str, text: Option<String>) {
        let changed = {
            let mut facts = self.facts();
            match &text {
                Some(text) => facts.raise(about, text),
                None => facts.alarms.remove(about).is_some(),
            }
        };
        if changed {
            match text {
                Some(text) => tracing::warn!("{about}: {text}"),
                None => tracing::info!("{about}: all right again"),
            }
            self.touch();
        }
    }

    /// Whether traffic may be sent here.
    #[must_use]
    pub fn ready(&self) -> bool {
        let facts = self.facts();
        facts.version > 0 && (facts.synced || facts.synced_at.is_some_and(|at| at.elapsed() < HOLD))
    }

    /// What is left out; the log and the controller hear of it when that is news.
    pub(crate) fn leaves_out(&self, left_out: &LeftOut) {
        let before = std::mem::replace(&mut self.facts().left_out, left_out.clone());
        if before == *left_out {
            return;
        }
        match left_out.vips {
            0 => tracing::info!("{left_out}"),
            _ => tracing::warn!("{left_out}"),
        }
        self.touch();
    }

    /// The data plane does not hold what is desired, or nobody knows.
    pub fn behind(&self) {
        let mut facts = self.facts();
        if facts.synced {
            facts.synced = false;
            facts.synced_at = Some(Instant::now());
        }
    }

    /// The data plane holds these pools, which are all of the desired that it has tables for. `live`: the controller said it, and
    /// it did not come from the disk.
    pub fn in_sync(&self, desired: &Desired, pools: &BTreeMap<u32, Arc<Pool>>, live: bool) {
        let now = unix_ms();
        let mut facts = self.facts();
        let news = !facts.synced || facts.version != desired.version();
        facts.synced = true;
        facts.synced_at = Some(Instant::now());
        if !news {
            return;
        }
        let first = facts.version == 0;
        if live && !first && desired.tables_version() > facts.version && desired.accepted_ms() > 0 {
            let took = now.saturating_sub(desired.accepted_ms());
            facts.push_ms = took as f64;
            facts.push_sum_ms += took as f64;
            let bucket = BUCKETS.partition_point(|bound| *bound < took);
            facts.pushes[bucket] += 1;
        }
        facts.version = desired.version();
        let before = std::mem::take(&mut facts.pools);
        for (&number, pool) in pools {
            let (generation, digest) = (pool.generation, pool.digest);
            let same = before.get(&number).filter(|b| b.generation == generation && b.digest == digest);
            let since_ms = same.map_or(now, |b| b.since_ms);
            facts.pools.insert(number, InForce { generation, digest, since_ms });
        }
        drop(facts);
        self.version.send_replace(desired.version());
        self.touch();
    }

    /// Waits until a version, or a later one, is in force.
    pub(crate) async fn in_force(&self, version: u64) {
        let mut there = self.version.subscribe();
        // The sender lives as long as this.
        drop(there.wait_for(|now| *now >= version).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_is_over_is_still_told_once() {
        let status = Status::default();
        status.alarm("snapshot", Some("version 1 was refused".into()));
        status.alarm("snapshot", None);
        status.alarm("controller", Some("gone".into()));
        let told = status.facts().alarms_to_report();
        assert_eq!(told, ["snapshot: version 1 was refused", "controller: gone"]);
        // Raised while the report is under way.
        status.alarm("snapshot", Some("version 2 was refused".into()));
        status.facts().heard(&told, &[]);
        status.alarm("snapshot", None);
        assert_eq!(
            status.facts().alarms_to_report(),
            ["snapshot: version 2 was refused", "controller: gone"]
        );
        for version in 0..1000 {
            status.alarm("snapshot", Some(format!("version {version} was refused")));
        }
        assert_eq!(
            status.facts().alarms_to_report().len(),
            UNHEARD + 1,
            "the latest, and what is wrong still"
        );
    }
}
