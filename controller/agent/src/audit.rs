//! When the data plane is read to see whether somebody else has written to it, and what was found.

use crate::plan::Held;
use crate::plane::{Plane, PlaneError};
use runtime_client::reconcile;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The pause after an audit is at least so many times what it took.
const SHARE: u32 = 4;
/// So often a change may cut an audit short; the next one is not.
const CUTS: u32 = 3;

/// When audits are due.
#[derive(Debug)]
pub(crate) struct Audits {
    every: Option<Duration>,
    due: Instant,
    /// Since when one is under way.
    began: Option<Instant>,
    cuts: u32,
}

impl Audits {
    /// So often, from now on; none: never.
    pub(crate) fn new(every: Option<Duration>) -> Self {
        Self { every, due: Instant::now() + every.unwrap_or_default(), began: None, cuts: 0 }
    }

    /// One is due that changes have cut short too often.
    pub(crate) fn must(&self) -> bool {
        self.cuts >= CUTS && self.every.is_some() && self.due <= Instant::now()
    }

    /// Reads the data plane when that is due.
    pub(crate) async fn read(&mut self, plane: Option<Plane>) -> Result<Held, PlaneError> {
        let (Some(_), Some(plane)) = (self.every, plane) else { return std::future::pending().await };
        tokio::time::sleep_until(self.due.into()).await;
        self.began = Some(Instant::now());
        plane.read().await
    }

    /// Something else came first.
    pub(crate) fn cut(&mut self) {
        if self.began.take().is_some() {
            self.cuts += 1;
            self.due = Instant::now() + self.every.unwrap_or_default() / 4;
        }
    }

    /// One has ended.
    pub(crate) fn done(&mut self) {
        let took = self.began.take().map_or(Duration::ZERO, |began| began.elapsed());
        self.cuts = 0;
        self.due = Instant::now() + self.every.unwrap_or_default().max(took * SHARE);
    }
}

impl Held {
    /// How many entries of which table are not the same in `read`.
    pub(crate) fn differs(&self, read: &Self) -> BTreeMap<&'static str, u64> {
        let none = Vec::new();
        let rings: BTreeSet<_> = self.rings.keys().chain(read.rings.keys()).collect();
        let slots = rings.into_iter().map(|at| {
            let (was, is) = (self.rings.get(at).unwrap_or(&none), read.rings.get(at).unwrap_or(&none));
            let owner = |ring: &[u32], slot: usize| ring.get(slot).copied().unwrap_or(0);
            (0..was.len().max(is.len())).filter(|&slot| owner(was, slot) != owner(is, slot)).count() as u64
        });
        let all = [
            ("the VIPs", reconcile(&self.services, &read.services).updates(true).len() as u64),
            (crate::layout::BACKEND, count(&self.backends, &read.backends)),
            (crate::layout::POOL, count(&self.pools, &read.pools)),
            (crate::layout::RING, slots.sum()),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// Keys whose values are not the same.
fn count<K: Ord, V: PartialEq>(was: &BTreeMap<K, V>, is: &BTreeMap<K, V>) -> u64 {
    let changed = was.iter().filter(|(key, value)| is.get(key) != Some(value)).count();
    let new = is.keys().filter(|key| !was.contains_key(key)).count();
    (changed + new) as u64
}
