//! The state as records: what differs between two states, and a state from all of its records.
//!
//! | key | holds |
//! | --- | --- |
//! | `meta` | the format, and the counters |
//! | `pool/NAME` | settings and counters of a pool |
//! | `backend/POOL/NAME` | one backend |
//! | `ring/POOL/base` | a ring: owner per slot as two bytes into a list of ids, and the slots on loan |
//! | `ring/POOL/GENERATION` | the slots of it that changed since, in the order of the generations |
//! | `vip/ADDRESS/PROTOCOL/PORT` | one VIP |
//! | `event/NUMBER` | one event |
//! | `rest/KIND/NUMBER` | until when a number that was given back is not given again |

use crate::backend::{Backend, Downs, Health, Life};
use crate::numbers::Numbers;
use crate::pool::{self, Kept, Pool};
use crate::ring_records::{self, RingRecord, SlotsRecord};
use crate::state::{Marks, State, VipKey};
use crate::{Settings, apply_key};
use bytes::Bytes;
use control_proto::v1;
use maglev_ring::Ring;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// One record's change: bytes, or none if it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its key.
    pub key: String,
    /// What it is from now on.
    pub value: Option<Bytes>,
}

/// Why records can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They were written by a later version.
    #[error("the records have format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// One is damaged.
    #[error("record `{0}` can't be read: {1}")]
    Damaged(String, String),
}

#[derive(Clone, PartialEq, Message)]
struct MetaRecord {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(uint64, tag = "2")]
    version: u64,
    #[prost(uint64, tag = "3")]
    node_version: u64,
    #[prost(uint64, tag = "4")]
    accepted_ms: u64,
    #[prost(uint64, tag = "5")]
    event: u64,
    #[prost(uint32, tag = "6")]
    next_backend: u32,
    #[prost(uint32, tag = "7")]
    next_vip: u32,
    #[prost(uint32, tag = "8")]
    next_pool: u32,
}

#[derive(Clone, PartialEq, Message)]
struct PoolRecord {
    #[prost(message, optional, tag = "1")]
    about: Option<v1::Pool>,
    #[prost(uint64, tag = "2")]
    generation: u64,
    #[prost(uint64, tag = "3")]
    node_version: u64,
    #[prost(bool, tag = "4")]
    serves: bool,
}

#[derive(Clone, PartialEq, Message)]
struct BackendRecord {
    #[prost(message, optional, tag = "1")]
    spec: Option<v1::BackendSpec>,
    #[prost(uint32, tag = "2")]
    id: u32,
    /// 0 in service, 1 draining, 2 evicted.
    #[prost(uint32, tag = "3")]
    life: u32,
    #[prost(uint64, tag = "4")]
    window_ms: u64,
    #[prost(uint64, tag = "5")]
    deadline_ms: u64,
    /// 0 pending, 1 healthy, 2 not ready, 3 unhealthy.
    #[prost(uint32, tag = "6")]
    health: u32,
    #[prost(bool, tag = "7")]
    known: bool,
    #[prost(uint64, tag = "8")]
    since_ms: u64,
    #[prost(string, tag = "9")]
    reason: String,
    #[prost(uint64, repeated, tag = "10")]
    live_downs_ms: Vec<u64>,
    #[prost(uint64, repeated, tag = "11")]
    ready_downs_ms: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct RestRecord {
    #[prost(uint64, tag = "1")]
    until_ms: u64,
}

impl BackendRecord {
    fn of(b: &Backend) -> Self {
        let (life, window_ms, deadline_ms) = match b.life {
            Life::InService => (0, 0, 0),
            Life::Draining { window_ms, deadline_ms } => (1, window_ms, deadline_ms),
            Life::Evicted => (2, 0, 0),
        };
        let health = match b.health {
            Health::Pending => 0,
            Health::Healthy => 1,
            Health::NotReady => 2,
            Health::Unhealthy => 3,
        };
        Self {
            spec: Some(b.spec.clone()),
            id: b.id,
            life,
            window_ms,
            deadline_ms,
            health,
            known: b.known,
            since_ms: b.since_ms,
            reason: b.reason.clone(),
            live_downs_ms: b.downs.live.clone(),
            ready_downs_ms: b.downs.ready.clone(),
        }
    }

    fn read(self) -> Option<Backend> {
        let life = match self.life {
            0 => Life::InService,
            1 => Life::Draining { window_ms: self.window_ms, deadline_ms: self.deadline_ms },
            2 => Life::Evicted,
            _ => return None,
        };
        let health = match self.health {
            0 => Health::Pending,
            1 => Health::Healthy,
            2 => Health::NotReady,
            3 => Health::Unhealthy,
            _ => return None,
        };
        let (id, known, since_ms, reason) = (self.id, self.known, self.since_ms, self.reason);
        let downs = Downs { live: self.live_downs_ms, ready: self.ready_downs_ms };
        Some(Backend { spec: self.spec?, id, life, health, known, since_ms, reason, downs })
    }
}

fn put(key: String, record: &impl Message) -> Change {
    Change { key, value: Some(record.encode_to_vec().into()) }
}

fn delete(key: String) -> Change {
    Change { key, value: None }
}

fn vip_key(key: &VipKey) -> String {
    format!("vip/{}/{}/{}", key.address, key.protocol, key.port)
}

fn meta(state: &State) -> MetaRecord {
    let Marks { version, node_version, accepted_ms, event } = state.marks;
    let (next_backend, next_vip, next_pool) =
        (state.backend_ids.next, state.vip_numbers.next, state.pool_numbers.next);
    MetaRecord {
        format: FORMAT,
        version,
        node_version,
        accepted_ms,
        event,
        next_backend,
        next_vip,
        next_pool,
    }
}

/// The records that turn `old` into `new`.
pub(crate) fn difference(old: &State, new: &State) -> Vec<Change> {
    let mut changes = but_rings(old, new);
    for (name, pool) in changed_pools(old, new) {
        of_ring(old.pools.get(name).and_then(|old| old.kept.as_ref()), pool, &mut changes);
    }
    for (name, pool) in gone_pools(old, new) {
        changes.extend(pool.kept.iter().flat_map(|kept| ring_keys(name, kept)).map(delete));
    }
    if !Arc::ptr_eq(&old.vips, &new.vips) {
        let news = new.vips.iter().filter(|(key, vip)| old.vips.get(key) != Some(vip));
        changes.extend(news.map(|(key, vip)| put(vip_key(key), vip)));
        changes.extend(old.vips.keys().filter(|k| !new.vips.contains_key(k)).map(|k| delete(vip_key(k))));
    }
    let first = |state: &State| state.events.front().map_or(state.marks.event + 1, |e| e.number);
    changes.extend((first(old)..first(new).min(old.marks.event + 1)).map(|n| delete(event_key(n))));
    let from = new.events.partition_point(|e| e.number <= old.marks.event);
    changes.extend(new.events.range(from..).map(|e| put(event_key(e.number), &**e)));
    changes
}

/// What nodes keep for a registry that is lost: the records that turn `old` into `new`, but for those of VIPs, events and rings in
/// service, which nodes have (or need not have) anyway. A pool's last ring is here as long as nobody serves.
pub(crate) fn for_nodes(old: &State, new: &State) -> Vec<Change> {
    let mut changes = but_rings(old, new);
    let idle = |pool: &Arc<Pool>| pool.kept.as_ref().filter(|_| pool.table.slots.is_empty()).cloned();
    for (name, pool) in changed_pools(old, new).chain(gone_pools(old, new)) {
        let was = old.pools.get(name).and_then(idle);
        let is = new.pools.get(name).and_then(idle);
        match is {
            Some(is) if was.as_ref() != Some(&is) => {
                changes.push(put(format!("ring/{name}/base"), &RingRecord::of(&is.ring, pool.generation)));
            }
            None if was.is_some() => changes.push(delete(format!("ring/{name}/base"))),
            _ => {}
        }
    }
    changes
}

fn changed_pools<'a>(old: &'a State, new: &'a State) -> impl Iterator<Item = (&'a String, &'a Arc<Pool>)> {
    let same =
        |name: &String, pool: &Arc<Pool>| old.pools.get(name).is_some_and(|old| Arc::ptr_eq(old, pool));
    new.pools.iter().filter(move |(name, pool)| !same(name, pool))
}

fn gone_pools<'a>(old: &'a State, new: &'a State) -> impl Iterator<Item = (&'a String, &'a Arc<Pool>)> {
    old.pools.iter().filter(|(name, _)| !new.pools.contains_key(*name))
}

/// The counters, the pools, their backends, and the numbers that rest.
fn but_rings(old: &State, new: &State) -> Vec<Change> {
    let mut changes = vec![put("meta".into(), &meta(new))];
    for (name, pool) in changed_pools(old, new) {
        of_pool(old.pools.get(name).map(|p| &**p), pool, &mut changes);
    }
    for (name, pool) in gone_pools(old, new) {
        changes.push(delete(format!("pool/{name}")));
        changes.extend(pool.backends.keys().map(|b| delete(format!("backend/{name}/{b}"))));
    }
    for (kind, old, new) in [
        ("backend", &old.backend_ids, &new.backend_ids),
        ("vip", &old.vip_numbers, &new.vip_numbers),
        ("pool", &old.pool_numbers, &new.pool_numbers),
    ] {
        of_numbers(kind, old, new, &mut changes);
    }
    changes
}

fn event_key(number: u64) -> String {
    format!("event/{number:020}")
}

fn of_numbers(kind: &str, old: &Numbers, new: &Numbers, changes: &mut Vec<Change>) {
    if Arc::ptr_eq(&old.resting, &new.resting) {
        return;
    }
    for (&number, &until_ms) in new.resting.iter().filter(|(n, until)| old.resting.get(n) != Some(until)) {
        changes.push(put(format!("rest/{kind}/{number}"), &RestRecord { until_ms }));
    }
    for number in old.resting.keys().filter(|n| !new.resting.contains_key(n)) {
        changes.push(delete(format!("rest/{kind}/{number}")));
    }
}

fn of_pool(old: Option<&Pool>, new: &Pool, changes: &mut Vec<Change>) {
    let name = &new.about.name;
    let serves = !new.table.slots.is_empty();
    let (about, generation, node_version) = (Some(new.about.clone()), new.generation, new.node_version);
    changes.push(put(format!("pool/{name}"), &PoolRecord { about, generation, node_version, serves }));
    for (backend, it) in &new.backends {
        let before = old.and_then(|old| old.backends.get(backend));
        if before.is_none_or(|before| !Arc::ptr_eq(before, it) && before != it) {
            changes.push(put(format!("backend/{name}/{backend}"), &BackendRecord::of(it)));
        }
    }
    for backend in old.iter().flat_map(|old| old.backends.keys()).filter(|b| !new.backends.contains_key(*b)) {
        changes.push(delete(format!("backend/{name}/{backend}")));
    }
}

fn of_ring(old: Option<&Kept>, new: &Pool, changes: &mut Vec<Change>) {
    let (name, Some(kept)) = (&new.about.name, &new.kept) else { return };
    if old.is_some_and(|old| old.base == kept.base && old.deltas.len() == kept.deltas.len()) {
        return;
    }
    match (old, kept.deltas.last()) {
        (Some(old), Some((generation, _))) if old.base == kept.base => {
            let slots = ring_records::changed(&old.ring, &kept.ring);
            changes.push(put(format!("ring/{name}/{generation:020}"), &slots));
        }
        _ => {
            changes.extend(old.iter().flat_map(|old| ring_keys(name, old)).map(delete));
            changes.push(put(format!("ring/{name}/base"), &RingRecord::of(&kept.ring, kept.base)));
        }
    }
}

fn ring_keys(pool: &str, kept: &Kept) -> Vec<String> {
    let deltas = kept.deltas.iter().map(|(generation, _)| format!("ring/{pool}/{generation:020}"));
    deltas.chain([format!("ring/{pool}/base")]).collect()
}

impl State {
    /// The state that these records hold.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(settings: Settings, records: &BTreeMap<String, Bytes>) -> Result<Self, LoadError> {
        let mut loading =
            Loading { state: Self::new(settings), kept: BTreeMap::new(), serve: BTreeSet::new() };
        // Pools before their backends and rings.
        let early = |key: &str| key == "meta" || key.starts_with("pool/");
        for early_ones in [true, false] {
            for (key, value) in records.iter().filter(|(key, _)| early(key) == early_ones) {
                loading.take(key, value)?;
            }
        }
        loading.done()
    }

    /// The state that these records of a node hold ([`for_nodes`]), with the rings in service by their pools' names. It has neither VIPs
    /// nor events.
    pub(crate) fn of_node<'a>(
        settings: Settings,
        records: &[v1::Record],
        rings: impl Iterator<Item = (&'a str, &'a Ring)>,
    ) -> Result<Self, LoadError> {
        let kept = records.iter().filter_map(|r| Some((r.key.clone(), r.value.clone()?)));
        let mut all: BTreeMap<String, Bytes> = kept.collect();
        for (name, ring) in rings {
            all.insert(format!("ring/{name}/base"), RingRecord::of(ring, 0).encode_to_vec().into());
        }
        Self::load(settings, &all)
    }
}

struct Loading {
    state: State,
    kept: BTreeMap<String, ring_records::Growing>,
    serve: BTreeSet<String>,
}

impl Loading {
    fn take(&mut self, key: &str, value: &Bytes) -> Result<(), LoadError> {
        let damaged = |why: &str| LoadError::Damaged(key.to_owned(), why.to_owned());
        let undecoded = |e: prost::DecodeError| damaged(&e.to_string());
        let mut parts = key.splitn(3, '/');
        let part = |p: Option<&str>| p.map(str::to_owned).ok_or_else(|| damaged("its key is cut"));
        match parts.next() {
            Some("meta") => self.meta(&MetaRecord::decode(value.clone()).map_err(undecoded)?),
            Some("pool") => self
                .pool(PoolRecord::decode(value.clone()).map_err(undecoded)?)
                .ok_or_else(|| damaged("no name")),
            Some("backend") => {
                let read = BackendRecord::decode(value.clone()).map_err(undecoded)?;
                let backend = read.read().ok_or_else(|| damaged("no such state"))?;
                let pool = self
                    .state
                    .pools
                    .get_mut(&backend.spec.pool)
                    .ok_or_else(|| damaged("its pool is missing"))?;
                let name: Arc<str> = backend.spec.name.as_str().into();
                Arc::make_mut(pool).backends.insert(name, Arc::new(backend));
                Ok(())
            }
            Some("ring") => {
                let (pool, which) = (part(parts.next())?, part(parts.next())?);
                let kept = self.kept.entry(pool).or_default();
                if which == "base" {
                    kept.base(&RingRecord::decode(value.clone()).map_err(undecoded)?);
                } else {
                    let generation = which.parse().map_err(|_| damaged("its key is no generation"))?;
                    kept.delta(
                        generation,
                        value.len(),
                        SlotsRecord::decode(value.clone()).map_err(undecoded)?,
                    );
                }
                Ok(())
            }
            Some("vip") => {
                let vip = v1::Vip::decode(value.clone()).map_err(undecoded)?;
                let key = apply_key(&vip.address, vip.protocol, vip.port).map_err(|e| damaged(&e.text))?;
                Arc::make_mut(&mut self.state.vips).insert(key, vip);
                Ok(())
            }
            Some("event") => {
                let event = v1::Event::decode(value.clone()).map_err(undecoded)?;
                Arc::make_mut(&mut self.state.events).push_back(Arc::new(event));
                Ok(())
            }
            Some("rest") => {
                let (kind, number) = (part(parts.next())?, part(parts.next())?);
                let number = number.parse().map_err(|_| damaged("its key is no number"))?;
                let until = RestRecord::decode(value.clone()).map_err(undecoded)?.until_ms;
                self.rest(&kind, number, until).ok_or_else(|| damaged("no such kind"))
            }
            _ => Err(damaged("no such kind of record")),
        }
    }

    fn meta(&mut self, read: &MetaRecord) -> Result<(), LoadError> {
        if read.format != FORMAT {
            return Err(LoadError::Format(read.format));
        }
        let (version, node_version) = (read.version, read.node_version);
        self.state.marks = Marks { version, node_version, accepted_ms: read.accepted_ms, event: read.event };
        self.state.backend_ids.next = read.next_backend;
        self.state.vip_numbers.next = read.next_vip;
        self.state.pool_numbers.next = read.next_pool;
        Ok(())
    }

    fn pool(&mut self, read: PoolRecord) -> Option<()> {
        let mut pool = Pool::new(read.about?);
        (pool.generation, pool.node_version) = (read.generation, read.node_version);
        let name = pool.about.name.clone();
        if read.serves {
            self.serve.insert(name.clone());
        }
        self.state.pools.insert(name, Arc::new(pool));
        Some(())
    }

    fn rest(&mut self, kind: &str, number: u32, until: u64) -> Option<()> {
        let numbers = match kind {
            "backend" => &mut self.state.backend_ids,
            "vip" => &mut self.state.vip_numbers,
            "pool" => &mut self.state.pool_numbers,
            _ => return None,
        };
        Arc::make_mut(&mut numbers.resting).insert(number, until);
        Some(())
    }

    fn done(mut self) -> Result<State, LoadError> {
        for (name, growing) in std::mem::take(&mut self.kept) {
            let damaged = |why: String| LoadError::Damaged(format!("ring/{name}"), why);
            let kept = growing.done().map_err(damaged)?;
            let missing = || damaged("its pool is missing".into());
            let pool = Arc::make_mut(self.state.pools.get_mut(&name).ok_or_else(missing)?);
            if self.serve.remove(&name) {
                pool.table = pool::table(&kept.ring);
            }
            pool.kept = Some(kept);
        }
        match self.serve.first() {
            Some(name) => Err(LoadError::Damaged(format!("pool/{name}"), "its ring is missing".into())),
            None => Ok(self.state),
        }
    }
}
