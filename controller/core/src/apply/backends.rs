//! Backends come, change, drain and go.

use super::{Told, Work};
use crate::backend::{Backend, Downs, Health, Life};
use crate::{Refusal, check, names};
use control_proto::v1;
use std::net::IpAddr;
use std::sync::Arc;

/// Longest window of a drain: a day, in milliseconds.
const LONGEST_DRAIN: u64 = 86_400_000;

impl Work<'_> {
    pub(super) fn register(&mut self, spec: Option<&v1::BackendSpec>) -> Result<Told, Refusal> {
        let (spec, ip) = check::backend(spec)?;
        let told = Told::Backend(spec.pool.clone(), spec.name.clone());
        if let Some(there) = self.pool(&spec.pool)?.backends.get(&*spec.name)
            && there.life != Life::Evicted
        {
            if there.spec == spec {
                return Ok(told);
            }
            return Err(Refusal::exists(format!(
                "backend `{}` is in pool `{}` already, with other data: update it",
                spec.name, spec.pool
            )));
        }
        self.fits(&spec, ip)?;
        let id = self.backend_id()?;
        let (now, pool, name) = (self.now, spec.pool.clone(), spec.name.clone());
        let text = format!("id {id}, {}, weight {}", spec.address, spec.weight.unwrap_or_default());
        let backend = Backend {
            spec,
            id,
            life: Life::InService,
            health: Health::Pending,
            known: false,
            since_ms: now,
            reason: "not ready yet".into(),
            downs: Downs::default(),
        };
        self.pool_mut(&pool)?.backends.insert(name.as_str().into(), Arc::new(backend));
        self.event("backend.registered", &pool, &name, text);
        Ok(told)
    }

    /// Whether the pool can have this backend beside the others.
    fn fits(&self, spec: &v1::BackendSpec, ip: IpAddr) -> Result<(), Refusal> {
        let pool = self.pool(&spec.pool)?;
        let others =
            || pool.backends.values().filter(|b| b.life != Life::Evicted && b.spec.name != spec.name);
        if let Some(twin) = others()
            .find(|b| b.life == Life::InService && b.spec.address == spec.address && b.spec.port == spec.port)
        {
            return Err(Refusal::exists(format!(
                "backend `{}` of pool `{}` is at {} port {} already",
                twin.spec.name, spec.pool, spec.address, spec.port
            )));
        }
        for (key, vip) in self.new.vips.iter() {
            if key.address == ip {
                return Err(Refusal::invalid(format!(
                    "{ip} is the address of VIP {key}: its packets would come back"
                )));
            }
            if vip.pool == spec.pool && key.address.is_ipv6() && ip.is_ipv4() {
                return Err(Refusal::invalid(format!(
                    "backend `{}` is IPv4, and IPv6 VIP {key} leads to pool `{}`: IPv6 packets reach IPv6 backends only",
                    spec.name, spec.pool
                )));
            }
        }
        let slots = pool.settings().ring_slots;
        let members = others().filter(|b| b.weight() > 0).count() + usize::from(spec.weight != Some(0));
        if members > slots as usize {
            return Err(names::ring_too_small(&spec.pool, members, slots));
        }
        Ok(())
    }

    fn backend_id(&mut self) -> Result<u32, Refusal> {
        let room = self.new.settings.backends;
        let low = (1 << self.new.settings.slot_bits) - 1;
        let pools = self.new.pools.clone();
        let held: std::collections::BTreeSet<u32> = pools
            .values()
            .flat_map(|p| p.backends.values())
            .filter(|b| b.life != Life::Evicted)
            .map(|b| b.id & low)
            .collect();
        if held.len() >= room as usize {
            return Err(Refusal::failed(format!(
                "there are {room} backends, as many as a node's table has room for"
            )));
        }
        // In turn through 24 bits: the slots first, then the incarnation.
        let id = self.new.backend_ids.take(&(1..1 << 24), self.now, |id| held.contains(&(id & low)));
        id.ok_or_else(|| Refusal::failed("all backend ids were in use within the last hour"))
    }

    pub(super) fn update(&mut self, spec: Option<&v1::BackendSpec>) -> Result<Told, Refusal> {
        let (spec, ip) = check::backend(spec)?;
        let there = Arc::clone(self.backend(&spec.pool, &spec.name)?);
        let told = Told::Backend(spec.pool.clone(), spec.name.clone());
        if there.life == Life::Evicted {
            return Err(Refusal::failed(format!("backend `{}` was evicted: register it again", spec.name)));
        }
        if there.spec == spec {
            return Ok(told);
        }
        self.fits(&spec, ip)?;
        if spec.weight == Some(0) && self.pool(&spec.pool)?.last_in_service(&spec.name) {
            return Err(names::last_one(&spec.pool, &spec.name, "give it weight 0"));
        }
        let text = changes(&there.spec, &spec);
        let (pool, name) = (spec.pool.clone(), spec.name.clone());
        self.backend_mut(&pool, &name)?.spec = spec;
        self.event("backend.updated", &pool, &name, text);
        Ok(told)
    }

    pub(super) fn deregister(&mut self, request: &v1::DeregisterBackendRequest) -> Result<Told, Refusal> {
        let (pool, name) = (&request.pool, &request.name);
        let Some(there) = self.pool(pool)?.backends.get(&**name).map(Arc::clone) else {
            return Ok(Told::Nothing);
        };
        if !request.force && self.pool(pool)?.last_in_service(name) {
            return Err(names::last_one(pool, name, "take it away"));
        }
        self.pool_mut(pool)?.backends.remove(&**name);
        self.retire(&there);
        self.event("backend.deregistered", pool, name, format!("id {}", there.id));
        Ok(Told::Nothing)
    }

    pub(super) fn drain(&mut self, request: &v1::DrainBackendRequest) -> Result<Told, Refusal> {
        let (pool, name) = (&request.pool, &request.name);
        let there = Arc::clone(self.backend(pool, name)?);
        let told = Told::Backend(pool.clone(), name.clone());
        let window_ms = if request.window_ms == 0 { self.new.settings.drain_ms } else { request.window_ms };
        if window_ms > LONGEST_DRAIN {
            return Err(Refusal::invalid(format!(
                "a drain of {window_ms} ms; at most a day, {LONGEST_DRAIN}"
            )));
        }
        match there.life {
            Life::Evicted => return Ok(told),
            Life::Draining { window_ms: same, .. } if same == window_ms => return Ok(told),
            _ => {}
        }
        if !request.force && self.pool(pool)?.last_in_service(name) {
            return Err(names::last_one(pool, name, "drain it"));
        }
        let deadline_ms = self.now + window_ms;
        let backend = self.backend_mut(pool, name)?;
        backend.life = Life::Draining { window_ms, deadline_ms };
        backend.reason = format!("drained: its flows may stay for {} s", window_ms.div_ceil(1_000));
        Ok(told)
    }

    pub(super) fn undrain(&mut self, request: &v1::UndrainBackendRequest) -> Result<Told, Refusal> {
        let (pool, name) = (&request.pool, &request.name);
        match self.backend(pool, name)?.life {
            Life::InService => {}
            Life::Evicted => {
                return Err(Refusal::failed(format!("backend `{name}` was evicted: register it again")));
            }
            Life::Draining { .. } => {
                let spec = self.backend(pool, name)?.spec.clone();
                if let Ok(ip) = spec.address.parse() {
                    self.fits(&spec, ip)?;
                }
                let backend = self.backend_mut(pool, name)?;
                backend.life = Life::InService;
                backend.reason = "the drain was taken back".into();
            }
        }
        Ok(Told::Backend(pool.clone(), name.clone()))
    }

    pub(super) fn flows_gone(&mut self, ids: &[u32]) -> Result<Told, Refusal> {
        let over = |b: &Backend| matches!(b.life, Life::Draining { .. }) && ids.contains(&b.id);
        self.evict(over, "drained: no flow is left")
    }

    /// Ends what has come to its end.
    pub(super) fn tick(&mut self) -> Result<Told, Refusal> {
        let now = self.now;
        let rest = self.new.settings.reuse_after_ms;
        let over = |b: &Backend| matches!(b.life, Life::Draining { deadline_ms, .. } if deadline_ms <= now);
        self.evict(over, "drained: the window has ended")?;
        let stale = |b: &Backend| b.life == Life::Evicted && b.since_ms.saturating_add(rest) <= now;
        for pool in self.new.pools.values_mut() {
            // Just evicted ones have an older `since` still.
            let old = self.old.pools.get(&pool.about.name);
            let told = |name: &str| old.and_then(|p| p.backends.get(name)).is_some_and(|b| stale(b));
            if pool.backends.keys().any(|name| told(name)) {
                Arc::make_mut(pool).backends.retain(|name, _| !told(name));
            }
        }
        Ok(Told::Nothing)
    }

    fn evict(&mut self, over: impl Fn(&Backend) -> bool, reason: &str) -> Result<Told, Refusal> {
        let all = self.new.pools.values().flat_map(|pool| pool.backends.values());
        let ending: Vec<Arc<Backend>> = all.filter(|b| over(b)).map(Arc::clone).collect();
        for gone in ending {
            self.retire(&gone);
            let backend = self.backend_mut(&gone.spec.pool, &gone.spec.name)?;
            backend.life = Life::Evicted;
            backend.reason = reason.into();
        }
        Ok(Told::Nothing)
    }
}

/// In words, what an update changes.
fn changes(old: &v1::BackendSpec, new: &v1::BackendSpec) -> String {
    let mut parts = Vec::new();
    if old.address != new.address {
        parts.push(format!("address {} -> {}", old.address, new.address));
    }
    if old.port != new.port {
        parts.push(format!("port {} -> {}", old.port, new.port));
    }
    if old.weight != new.weight {
        parts.push(format!(
            "weight {} -> {}",
            old.weight.unwrap_or_default(),
            new.weight.unwrap_or_default()
        ));
    }
    if old.labels != new.labels {
        parts.push("other labels".into());
    }
    if old.readiness_url != new.readiness_url {
        parts.push("another readiness URL".into());
    }
    parts.join(", ")
}
