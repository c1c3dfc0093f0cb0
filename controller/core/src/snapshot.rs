//! What watchers get.

use crate::backend::{Backend, Health, Life};
use crate::pool::Pool;
use crate::records::{self, Change};
use crate::state::State;
use crate::url;
use control_proto::v1;
use control_proto::v1::probe::How;
use maglev_ring::stable_key;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Pool {
    /// The backend as the contract tells it. What checkers and nodes report is for the server to add.
    #[must_use]
    pub fn tell(&self, backend: &Backend) -> v1::Backend {
        let panic = self.panics();
        let drain_deadline_ms = match backend.life {
            Life::Draining { deadline_ms, .. } => deadline_ms,
            _ => 0,
        };
        v1::Backend {
            spec: Some(backend.spec.clone()),
            id: backend.id,
            state: backend.state().into(),
            since_ms: backend.since_ms,
            drain_deadline_ms,
            in_ring: backend.in_ring(panic),
            in_table: backend.in_table(self.when_unhealthy(), panic),
            reason: backend.reason.clone(),
            ..v1::Backend::default()
        }
    }

    /// What a node needs of the pool.
    #[must_use]
    pub fn for_nodes(&self) -> v1::NodePool {
        let (when, panic) = (self.when_unhealthy(), self.panics());
        let there = self.backends.values().filter(|b| b.life != Life::Evicted);
        let (mut held, mut outside): (Vec<_>, Vec<_>) = there.partition(|b| b.in_table(when, panic));
        held.sort_unstable_by_key(|b| b.id);
        outside.sort_unstable_by_key(|b| b.id);
        let tell = |them: Vec<&Arc<Backend>>| them.into_iter().map(|b| node_backend(b)).collect();
        let slots: BTreeMap<u32, u32> =
            self.ring().map(|ring| ring.shares().into_iter().collect()).unwrap_or_default();
        let share =
            |(id, weight)| v1::Share { id, weight, slots: slots.get(&id).copied().unwrap_or_default() };
        v1::NodePool {
            number: self.about.number,
            name: self.about.name.clone(),
            version: self.node_version,
            backends: tell(held),
            table: Some(self.table.clone()),
            shares: self.members().into_iter().map(share).collect(),
            generation: self.generation,
            settings: self.about.settings.clone(),
            outside: tell(outside),
        }
    }

    fn weights_digest(&self) -> u64 {
        let words = self.members().into_iter().flat_map(|(id, weight)| [id, weight]);
        stable_key(&words.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
    }
}

fn node_backend(b: &Backend) -> v1::NodeBackend {
    let drain_deadline_ms = match b.life {
        Life::Draining { deadline_ms, .. } => deadline_ms,
        _ => 0,
    };
    let found = match b.health {
        Health::Pending => v1::BackendState::Pending,
        Health::Healthy => v1::BackendState::Healthy,
        Health::NotReady => v1::BackendState::NotReady,
        Health::Unhealthy => v1::BackendState::Unhealthy,
    };
    v1::NodeBackend {
        id: b.id,
        name: b.spec.name.clone(),
        address: b.spec.address.clone(),
        port: b.spec.port,
        weight: b.weight(),
        readiness_url: b.spec.readiness_url.clone(),
        drain_deadline_ms,
        found: found.into(),
    }
}

/// What nodes need, composed once per change.
#[derive(Clone, Debug, Default)]
pub struct NodeView {
    /// [`State::version`].
    pub version: u64,
    /// [`State::node_version`]: what came after it is for a lost registry only, and can wait.
    pub tables_version: u64,
    /// When that was accepted, milliseconds.
    pub accepted_ms: u64,
    /// By number.
    pub pools: BTreeMap<u32, Arc<v1::NodePool>>,
    /// All of them.
    pub vips: Vec<v1::Vip>,
    /// What records are made of.
    state: Option<State>,
}

impl NodeView {
    /// Of `state`; what is the same as in `before` is shared with it.
    #[must_use]
    pub fn of(state: &State, before: &Self) -> Self {
        let pool = |pool: &Arc<Pool>| {
            let number = pool.about.number;
            let same =
                |old: &&Arc<v1::NodePool>| old.version == pool.node_version && old.name == pool.about.name;
            let old = before.pools.get(&number).filter(same);
            (number, old.map_or_else(|| Arc::new(pool.for_nodes()), Arc::clone))
        };
        Self {
            version: state.version(),
            tables_version: state.node_version(),
            accepted_ms: state.marks.accepted_ms,
            pools: state.pools().values().map(pool).collect(),
            vips: state.vips().values().cloned().collect(),
            state: Some(state.clone()),
        }
    }

    /// What a node that has `before` must get; all, if it has nothing.
    #[must_use]
    pub fn since(&self, before: Option<&Self>) -> v1::NodeSnapshot {
        let news = |(number, pool): &(&u32, &Arc<v1::NodePool>)| {
            before
                .and_then(|b| b.pools.get(number))
                .is_none_or(|old| old.version != pool.version || old.name != pool.name)
        };
        v1::NodeSnapshot {
            version: self.version,
            vips: self.vips.clone(),
            pools: self.pools.iter().filter(news).map(|(_, pool)| (**pool).clone()).collect(),
            pool_numbers: self.pools.keys().copied().collect(),
            accepted_ms: self.accepted_ms,
            records: self.records(before),
            node: String::new(),
            tables_version: self.tables_version,
        }
    }

    fn records(&self, before: Option<&Self>) -> Vec<v1::Record> {
        let Some(state) = &self.state else { return Vec::new() };
        let nothing = State::new(state.settings().clone());
        let before = before.and_then(|before| before.state.as_ref()).unwrap_or(&nothing);
        let record = |c: Change| v1::Record { key: c.key, value: c.value };
        records::for_nodes(before, state).into_iter().map(record).collect()
    }
}

impl State {
    /// A pool as the contract tells it.
    #[must_use]
    pub fn pool_snapshot(&self, name: &str) -> Option<v1::PoolSnapshot> {
        let pool = self.pools().get(name)?;
        let vips: Vec<v1::Vip> = self.vips().values().filter(|v| v.pool == name).cloned().collect();
        Some(v1::PoolSnapshot {
            pool: Some(pool.about.clone()),
            version: pool.about.version,
            backends: pool.backends.values().map(|b| pool.tell(b)).collect(),
            table: Some(pool.table.clone()),
            weights_digest: pool.weights_digest(),
            vips,
        })
    }

    /// What checkers are to probe: every backend that may be in service, or is draining.
    #[must_use]
    pub fn targets(&self, suspect: impl Fn(&str, &str) -> bool) -> v1::ProbeTargets {
        let mut targets = Vec::new();
        for pool in self.pools().values() {
            let settings = pool.settings();
            for b in pool.backends.values().filter(|b| b.life != Life::Evicted) {
                targets.push(v1::ProbeTarget {
                    pool: b.spec.pool.clone(),
                    backend: b.spec.name.clone(),
                    address: b.spec.address.clone(),
                    liveness: Some(filled(settings.liveness.clone().unwrap_or_default(), b)),
                    readiness: readiness(&settings, b),
                    suspect: suspect(&b.spec.pool, &b.spec.name),
                });
            }
        }
        v1::ProbeTargets { version: self.version(), targets }
    }

    /// How many backends of a pool are alive and ready, and how many there are but for evicted ones.
    #[must_use]
    pub fn healthy(&self, pool: &str) -> (usize, usize) {
        let Some(pool) = self.pools().get(pool) else { return (0, 0) };
        let there = pool.backends.values().filter(|b| b.life != Life::Evicted);
        there.fold((0, 0), |(up, all), b| (up + usize::from(b.health == Health::Healthy), all + 1))
    }
}

fn readiness(settings: &v1::PoolSettings, backend: &Backend) -> Option<v1::Probe> {
    let general = settings.readiness.clone();
    let probe = match backend.spec.address.parse() {
        Ok(ip) if !backend.spec.readiness_url.is_empty() => {
            // It was read when it was registered.
            let own = url::probe(&backend.spec.readiness_url, ip).ok()?;
            v1::Probe {
                how: own.how,
                port: own.port,
                through_vip: String::new(),
                ..general.unwrap_or_default()
            }
        }
        _ => general?,
    };
    Some(filled(probe, backend))
}

/// The probe with what it leaves open filled in: TCP, the backend's port, every second, half a second.
fn filled(probe: v1::Probe, backend: &Backend) -> v1::Probe {
    let or = |value: u32, otherwise: u32| if value == 0 { otherwise } else { value };
    v1::Probe {
        how: Some(probe.how.unwrap_or(How::Tcp(v1::TcpProbe {}))),
        interval_ms: or(probe.interval_ms, 1_000),
        timeout_ms: or(probe.timeout_ms, 500),
        port: or(probe.port, backend.spec.port),
        through_vip: probe.through_vip,
    }
}
