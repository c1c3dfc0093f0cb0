//! One pool: its backends, and the ring that they make.

use crate::backend::{Backend, Health, Life};
use crate::{Refusal, names};
use bytes::Bytes;
use control_proto::v1;
use maglev_ring::{Member, Ring, RingError, stable_key};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A pool of backends.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Name, number and settings; `version` is that of the last change that a watcher of the pool sees.
    pub about: v1::Pool,
    /// By name.
    pub backends: BTreeMap<Arc<str>, Arc<Backend>>,
    /// Counts up by one with each new table.
    pub generation: u64,
    /// Version of the last change that a node must see.
    pub node_version: u64,
    pub(crate) kept: Option<Kept>,
    pub(crate) table: v1::Table,
}

/// The last ring that was in service, and how it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) ring: Arc<Ring>,
    /// Generation of the record that holds all of it.
    pub(crate) base: u64,
    /// Generations of the records that hold what changed since, with their bytes.
    pub(crate) deltas: Vec<(u64, usize)>,
}

impl Pool {
    pub(crate) fn new(about: v1::Pool) -> Self {
        Self {
            about,
            backends: BTreeMap::new(),
            generation: 0,
            node_version: 0,
            kept: None,
            table: v1::Table::default(),
        }
    }

    /// What becomes of the flows of a backend that is not alive.
    #[must_use]
    pub fn when_unhealthy(&self) -> v1::WhenUnhealthy {
        self.settings().when_unhealthy()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> v1::PoolSettings {
        self.about.settings.clone().unwrap_or_default()
    }

    /// Whether so many backends are unhealthy that all are used.
    #[must_use]
    pub fn panics(&self) -> bool {
        let percent = self.about.settings.as_ref().map_or(50, |s| s.panic_percent);
        let (mut all, mut bad) = (0_u64, 0_u64);
        for backend in self.backends.values().filter(|b| b.counts()) {
            all += 1;
            bad += u64::from(backend.health == Health::Unhealthy);
        }
        bad * 100 > all * u64::from(percent)
    }

    /// The ring's members, by rising id, with their weights.
    #[must_use]
    pub fn members(&self) -> Vec<(u32, u32)> {
        let panic = self.panics();
        let mut members: Vec<_> =
            self.backends.values().filter(|b| b.in_ring(panic)).map(|b| (b.id, b.weight())).collect();
        members.sort_unstable();
        members
    }

    /// The table that is in force: empty if nobody is in service.
    #[must_use]
    pub fn table(&self) -> &v1::Table {
        &self.table
    }

    /// The ring that is in force.
    #[must_use]
    pub fn ring(&self) -> Option<&Ring> {
        if self.table.slots.is_empty() { None } else { self.kept.as_ref().map(|kept| &*kept.ring) }
    }

    /// Whether the pool would have nobody to serve, or only backends that are not alive, without this one.
    #[must_use]
    pub fn last_in_service(&self, name: &str) -> bool {
        let panic = self.panics();
        let Some(this) = self.backends.get(name).filter(|b| b.in_ring(panic)) else {
            return false;
        };
        let mut others = self.backends.values().filter(|b| b.id != this.id && b.in_ring(panic));
        if this.health == Health::Healthy {
            !others.any(|b| b.health == Health::Healthy)
        } else {
            others.next().is_none()
        }
    }

    /// Brings the table in line with the members, if they are other than `before`.
    pub(crate) fn settle(&mut self, before: Option<&Self>) -> Result<(), Refusal> {
        let members = self.members();
        let known: BTreeSet<u32> = self.ids().collect();
        let same = |old: &Self| old.members() == members && old.ids().all(|id| known.contains(&id));
        if before.is_some_and(same) || members.is_empty() && self.table.slots.is_empty() {
            return Ok(());
        }
        if members.is_empty() {
            self.table = v1::Table::default();
            self.generation += 1;
            return Ok(());
        }
        let ring = self.next_ring(&known).map_err(|error| match error {
            RingError::TooManyMembers { members, slots } => {
                names::ring_too_small(&self.about.name, members, slots)
            }
            other => Refusal::invalid(other.to_string()),
        })?;
        let kept = self.kept.take();
        let changed = kept.as_ref().is_none_or(|kept| *kept.ring != ring);
        // Rings that are recorded are told apart by the generation: each has its own.
        self.generation += u64::from(changed || self.table.slots.is_empty());
        let kept = match kept {
            Some(kept) if !changed => kept,
            before => Kept::next(before, ring, self.generation),
        };
        if changed || self.table.slots.is_empty() {
            self.table = table(&kept.ring);
        }
        self.kept = Some(kept);
        Ok(())
    }

    /// Whether nodes get the same of both.
    pub(crate) fn same_for_nodes(&self, other: &Self) -> bool {
        let backends = |pool: &Self| {
            let (when, panic) = (pool.when_unhealthy(), pool.panics());
            let held = pool.backends.values().filter(move |b| b.in_table(when, panic)).cloned();
            held.collect::<Vec<_>>()
        };
        let same = |(a, b): (&Arc<Backend>, &Arc<Backend>)| {
            let deadline = |b: &Backend| matches!(b.life, Life::Draining { .. }).then_some(b.life);
            let (x, y) = (&a.spec, &b.spec);
            Arc::ptr_eq(a, b)
                || a.id == b.id
                    && deadline(a) == deadline(b)
                    && (&x.address, x.port, x.weight, &x.readiness_url)
                        == (&y.address, y.port, y.weight, &y.readiness_url)
        };
        let (mine, others) = (backends(self), backends(other));
        self.generation == other.generation
            && self.about.number == other.about.number
            && self.about.settings == other.about.settings
            && self.members() == other.members()
            && mine.len() == others.len()
            && mine.iter().zip(&others).all(same)
    }

    /// Ids of the backends that can come back into the ring.
    fn ids(&self) -> impl Iterator<Item = u32> {
        self.backends.values().filter(|b| b.life != Life::Evicted).map(|b| b.id)
    }

    fn next_ring(&self, known: &BTreeSet<u32>) -> Result<Ring, RingError> {
        let panic = self.panics();
        let member = |b: &Arc<Backend>| Member {
            id: b.id,
            key: stable_key(format!("{}/{}", b.spec.pool, b.spec.name).as_bytes()),
            weight: if b.in_ring(panic) { b.weight() } else { 0 },
        };
        let members: Vec<Member> =
            self.backends.values().filter(|b| b.life != Life::Evicted).map(member).collect();
        let slots = self.about.settings.as_ref().map_or(0, |s| s.ring_slots);
        match &self.kept {
            Some(kept) => without_the_gone(&kept.ring.update(&members)?, known),
            None => Ring::build(slots, &members),
        }
    }
}

/// Ends the claims of backends that never come back.
fn without_the_gone(ring: &Ring, known: &BTreeSet<u32>) -> Result<Ring, RingError> {
    let gone = |id: u32| !known.contains(&id);
    let mut last = (0, false);
    let claimed = ring.homes().iter().zip(ring.slots()).any(|(&home, &owner)| {
        if home != owner && home != last.0 {
            last = (home, gone(home));
        }
        home != owner && last.1
    });
    if !claimed && !ring.claims().any(|(_, between)| between.iter().any(|&id| gone(id))) {
        return Ok(ring.clone());
    }
    let mut homes = ring.homes().to_vec();
    let mut claims: BTreeMap<u32, Vec<u32>> = ring.claims().map(|(slot, ids)| (slot, ids.to_vec())).collect();
    for (slot, (home, &owner)) in homes.iter_mut().zip(ring.slots()).enumerate() {
        // Slots are below 2^20.
        let slot = slot as u32;
        if *home == owner && !claims.contains_key(&slot) {
            continue;
        }
        let mut chain = vec![*home];
        chain.extend(claims.remove(&slot).unwrap_or_default());
        chain.retain(|&id| id != owner && !gone(id));
        *home = chain.first().copied().unwrap_or(owner);
        if chain.len() > 1 {
            claims.insert(slot, chain.split_off(1));
        }
    }
    Ring::from_parts_with_claims(ring.slots().to_vec(), homes, claims)
}

/// A ring as nodes get it.
pub(crate) fn table(ring: &Ring) -> v1::Table {
    let words = |ids: &[u32]| Bytes::from(ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>());
    let homes = if ring.homes() == ring.slots() { Bytes::new() } else { words(ring.homes()) };
    let claims = ring.claims().map(|(slot, between)| v1::Claim { slot, between: between.to_vec() }).collect();
    v1::Table { slots: words(ring.slots()), digest: ring.digest(), homes, claims }
}

/// The ring of a table; none if nobody is in service.
pub(crate) fn ring(table: &v1::Table) -> Result<Option<Ring>, Refusal> {
    if table.slots.is_empty() {
        return Ok(None);
    }
    let words = |bytes: &Bytes| {
        let (words, rest) = bytes.as_chunks::<4>();
        if rest.is_empty() {
            Ok(words.iter().map(|w| u32::from_le_bytes(*w)).collect::<Vec<u32>>())
        } else {
            Err(())
        }
    };
    let cut = |()| Refusal::invalid("a table of half words");
    let slots = words(&table.slots).map_err(cut)?;
    let homes = if table.homes.is_empty() { slots.clone() } else { words(&table.homes).map_err(cut)? };
    let claims = table.claims.iter().map(|c| (c.slot, c.between.clone()));
    let ring =
        Ring::from_parts_with_claims(slots, homes, claims).map_err(|e| Refusal::invalid(e.to_string()))?;
    if ring.digest() != table.digest {
        return Err(Refusal::invalid("a table that has not the digest that it names"));
    }
    Ok(Some(ring))
}
