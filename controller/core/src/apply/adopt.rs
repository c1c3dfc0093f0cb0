//! A registry that was lost is filled again with what a node has in force, and with the records that the node kept for it.

use super::{Told, Work};
use crate::backend::{Backend, Downs, Health, Life};
use crate::pool::{self, Kept, Pool};
use crate::state::State;
use crate::{Refusal, check};
use control_proto::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Work<'_> {
    pub(super) fn adopt(&mut self, snapshot: &v1::NodeSnapshot) -> Result<Told, Refusal> {
        if !self.old.is_new() {
            return Err(Refusal::failed("the registry is not empty: nothing is adopted"));
        }
        self.adopt_tables(snapshot)?;
        let remembered = self.remembered(snapshot);
        let lost = match remembered {
            Ok(state) => {
                self.new = state;
                String::new()
            }
            Err(why) => format!(": tables only, labels are lost: {why}"),
        };
        let node: String = snapshot.node.escape_debug().take(63).collect();
        let from = if node.is_empty() { "a node".to_owned() } else { format!("node {node}") };
        let pools = &self.new.pools;
        let there =
            pools.values().flat_map(|pool| pool.backends.values()).filter(|b| b.life != Life::Evicted);
        let (pools, backends, version) = (pools.len(), there.count(), snapshot.version);
        let text = format!("{pools} pools and {backends} backends, from {from}, version {version}{lost}");
        self.begin()?;
        self.event("registry.adopted", "", "", text);
        Ok(Told::Nothing)
    }

    /// All that the registry knew, by the records that the node kept; or why they are of no use. The tables are adopted already.
    fn remembered(&self, snapshot: &v1::NodeSnapshot) -> Result<State, String> {
        let adopted = &self.new;
        if snapshot.records.is_empty() {
            return Err("it has no records".into());
        }
        let rings = adopted.pools.iter().filter_map(|(name, pool)| Some((name.as_str(), pool.ring()?)));
        let state = State::of_node((*adopted.settings).clone(), &snapshot.records, rings);
        let mut state = state.map_err(|e| e.to_string())?;
        let tables = |state: &State| state.pools.values().map(|p| forwards(p)).collect::<Vec<_>>();
        if tables(&state) != tables(adopted) {
            return Err("its records are not those of its tables".into());
        }
        for (name, pool) in &state.pools {
            for backend in pool.backends.values() {
                let (spec, _) = check::backend(Some(&backend.spec)).map_err(|refused| refused.text)?;
                if spec != backend.spec || spec.pool != *name {
                    return Err(format!("its record of backend `{}` can't be right", spec.name));
                }
            }
        }
        state.vips = Arc::clone(&adopted.vips);
        state.marks.version = state.marks.version.max(adopted.marks.version);
        // Numbers that were given when no node heard of it any more are far from these.
        (state.backend_ids.next, state.vip_numbers.next) =
            (adopted.backend_ids.next, adopted.vip_numbers.next);
        Ok(state)
    }

    fn adopt_tables(&mut self, snapshot: &v1::NodeSnapshot) -> Result<(), Refusal> {
        let (mut ids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for offered in &snapshot.pools {
            let pool = self.adopt_pool(offered)?;
            if !numbers.insert(offered.number) || pool.backends.values().any(|b| !ids.insert(b.id)) {
                return Err(Refusal::invalid("a number is offered twice"));
            }
            self.new.pools.insert(offered.name.clone(), Arc::new(pool));
        }
        if let Some(unknown) = snapshot.pool_numbers.iter().find(|n| !numbers.contains(n)) {
            return Err(Refusal::invalid(format!("pool number {unknown} is not in what is offered")));
        }
        let mut vips = BTreeMap::new();
        for vip in &snapshot.vips {
            let key = super::vips::key(&vip.address, vip.protocol, vip.port)?;
            if !self.new.pools.contains_key(&vip.pool) || vips.insert(key, vip.clone()).is_some() {
                return Err(Refusal::invalid(format!("VIP {key} is offered twice, or leads nowhere")));
            }
        }
        let highest = vips.values().map(|v| v.number).max().unwrap_or_default();
        self.new.vips = Arc::new(vips);
        // What was given and taken back lately is not known: go far from what is in use.
        self.new.vip_numbers.next = (highest + (1 << 15)) % (1 << 16);
        let bits = self.new.settings.slot_bits;
        let incarnation = ids.last().map_or(0, |id| (id >> bits) + 1);
        self.new.backend_ids.next = (incarnation << bits) % (1 << 24);
        let generations = snapshot.pools.iter().map(|p| p.generation);
        self.new.marks.version = generations.chain([snapshot.version]).max().unwrap_or_default();
        Ok(())
    }

    fn adopt_pool(&self, offered: &v1::NodePool) -> Result<Pool, Refusal> {
        check::pool_name(&offered.name)?;
        if offered.number == 0 || offered.number >= self.new.settings.pools {
            return Err(Refusal::invalid(format!("pool number {} is out of range", offered.number)));
        }
        let table = offered.table.clone().unwrap_or_default();
        let ring = pool::ring(&table)?;
        let mut settings = offered.settings.clone().unwrap_or_default();
        if let Some(ring) = &ring {
            settings.ring_slots = ring.slot_count();
        }
        let settings = check::pool_settings(Some(&settings), &self.new.settings)?;
        let about = v1::Pool {
            name: offered.name.clone(),
            number: offered.number,
            settings: Some(settings),
            version: 0,
        };
        let mut pool = Pool::new(about);
        for held in offered.backends.iter().chain(&offered.outside) {
            let backend = self.adopt_backend(&offered.name, held)?;
            if pool.backends.insert(held.name.as_str().into(), Arc::new(backend)).is_some() {
                return Err(Refusal::invalid(format!("backend `{}` is offered twice", held.name)));
            }
        }
        let shares: Vec<(u32, u32)> = offered.shares.iter().map(|s| (s.id, s.weight)).collect();
        let owners = ring.as_ref().map(maglev_ring::Ring::shares).unwrap_or_default();
        let strange = owners.iter().any(|(id, _)| shares.iter().all(|(member, _)| member != id));
        if pool.members() != shares || strange || ring.is_some() == shares.is_empty() {
            return Err(Refusal::invalid(format!(
                "the shares of pool `{}` are not those of its backends",
                offered.name
            )));
        }
        pool.generation = offered.generation;
        pool.kept = ring.map(|ring| Kept { ring: Arc::new(ring), base: 0, deltas: Vec::new() });
        pool.table = table;
        Ok(pool)
    }

    /// Frozen as it was until checkers report.
    fn adopt_backend(&self, pool: &str, held: &v1::NodeBackend) -> Result<Backend, Refusal> {
        let (spec, _) = check::backend(Some(&v1::BackendSpec {
            pool: pool.to_owned(),
            name: held.name.clone(),
            address: held.address.clone(),
            port: held.port,
            weight: Some(held.weight),
            readiness_url: held.readiness_url.clone(),
            ..v1::BackendSpec::default()
        }))?;
        if held.id == 0 || held.id >= 1 << 24 {
            return Err(Refusal::invalid(format!("{} is no backend id", held.id)));
        }
        let life = match held.drain_deadline_ms {
            0 => Life::InService,
            deadline_ms => {
                let window_ms = deadline_ms.saturating_sub(self.now).max(self.new.settings.drain_ms);
                Life::Draining { window_ms, deadline_ms }
            }
        };
        let health = match held.found() {
            v1::BackendState::Pending => Health::Pending,
            v1::BackendState::Healthy => Health::Healthy,
            v1::BackendState::NotReady => Health::NotReady,
            v1::BackendState::Unhealthy => Health::Unhealthy,
            other => return Err(Refusal::invalid(format!("`{}`: no checker finds {other:?}", held.name))),
        };
        let reason = "adopted from a node: frozen until checkers report".into();
        let (since_ms, downs) = (self.now, Downs::default());
        Ok(Backend { spec, id: held.id, life, health, known: false, since_ms, reason, downs })
    }
}

/// What nodes forward by. Records are newer in what else there is.
fn forwards(pool: &Pool) -> v1::NodePool {
    let mut told = v1::NodePool { version: 0, outside: Vec::new(), ..pool.for_nodes() };
    told.backends.iter_mut().for_each(|b| b.found = 0);
    told
}
