//! From reports to observations: the aggregator looks after the backends that the state knows.

use control_core::health::{Certainty, Health, Liveness, Readiness, Verdict};
use control_core::{Backend, Life, Observation, Pool, State};
use control_proto::v1::Probe;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The backends that are looked after.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    pools: BTreeMap<String, (Arc<Pool>, Backends)>,
}

type Backends = BTreeMap<Arc<str>, Arc<Backend>>;

fn probes(pool: &Pool) -> (Option<Probe>, Option<Probe>) {
    let settings = pool.settings();
    (settings.liveness, settings.readiness)
}

impl Tracked {
    /// Looks after those that `state` has, and no others.
    pub(crate) fn follow(&mut self, state: &State, health: &mut Health, now: u64) {
        let gone: Vec<String> =
            self.pools.keys().filter(|name| !state.pools().contains_key(*name)).cloned().collect();
        for name in gone {
            for backend in self.pools.remove(&name).into_iter().flat_map(|(_, backends)| backends.into_keys())
            {
                health.forget(&name, &backend);
            }
        }
        for (name, pool) in state.pools() {
            if self.pools.get(name).is_some_and(|(old, _)| Arc::ptr_eq(old, pool)) {
                continue;
            }
            let before = self.pools.remove(name);
            let all_moved = before.as_ref().is_some_and(|(old, _)| probes(old) != probes(pool));
            let mut old = before.map(|(_, backends)| backends).unwrap_or_default();
            let there = pool.backends.iter().filter(|(_, b)| b.life != Life::Evicted);
            let there: BTreeMap<_, _> = there.map(|(name, b)| (Arc::clone(name), Arc::clone(b))).collect();
            for (backend, it) in &there {
                match old.remove(backend) {
                    Some(was) if was.id == it.id => {
                        let place =
                            |b: &Backend| (b.spec.address.clone(), b.spec.port, b.spec.readiness_url.clone());
                        if all_moved || !Arc::ptr_eq(&was, it) && place(&was) != place(it) {
                            health.moved(name, backend, now);
                        }
                    }
                    was => {
                        if was.is_some() {
                            health.forget(name, backend);
                        }
                        health.track(name, backend, &known(it), now);
                        health.remember(name, backend, &it.downs);
                    }
                }
            }
            for backend in old.into_keys() {
                health.forget(name, &backend);
            }
            self.pools.insert(name.clone(), (Arc::clone(pool), there));
        }
    }
}

/// What the state knows, as the aggregator puts it.
fn known(backend: &Backend) -> Verdict {
    let (live, ready) = match backend.health {
        control_core::Health::Pending => (Liveness::Unknown, Readiness::Unknown),
        control_core::Health::Healthy => (Liveness::Up, Readiness::Ready),
        control_core::Health::NotReady => (Liveness::Up, Readiness::NotReady),
        control_core::Health::Unhealthy => (Liveness::Down, Readiness::Unknown),
    };
    Verdict { live, ready, ..Verdict::default() }
}

/// What the aggregator concluded since it was asked last.
pub(crate) fn observations(health: &mut Health, state: &State) -> Vec<Observation> {
    let mut seen = Vec::new();
    for changed in health.changes() {
        let (pool, name) = (changed.name.pool, changed.name.backend);
        let Some(backend) = state.pools().get(&pool).and_then(|p| p.backends.get(&*name)) else { continue };
        let Some(found) = found(&changed.verdict) else { continue };
        let reason = health.reason(&pool, &name).unwrap_or_default();
        seen.push(Observation { pool, backend: name, id: backend.id, health: found, reason });
    }
    seen
}

/// What a verdict says about the state: nothing as long as it is frozen for less than reports last.
fn found(verdict: &Verdict) -> Option<Option<control_core::Health>> {
    match (verdict.certainty, verdict.live, verdict.ready) {
        (Certainty::Frozen, ..) => None,
        (Certainty::Unknown, ..) => Some(None),
        (Certainty::Agreed, Liveness::Unknown, _) => None,
        (Certainty::Agreed, Liveness::Down, _) => Some(Some(control_core::Health::Unhealthy)),
        (Certainty::Agreed, Liveness::Up, Readiness::Ready | Readiness::Unprobed) => {
            Some(Some(control_core::Health::Healthy))
        }
        (Certainty::Agreed, Liveness::Up, _) => Some(Some(control_core::Health::NotReady)),
    }
}
