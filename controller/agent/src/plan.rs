//! From what the data plane holds to what it is to hold: the fewest writes, in an order in which every packet on the way
//! meets a whole table.
//!
//! 1. **prepare**: backends that come or change; the slots in which a pool's standby generation differs from its new table.
//! 2. **flip**: one write to `pool` for each pool whose table is new; a pool without a table loses its generation.
//! 3. **services**: VIPs.
//! 4. **remove**: pools that are gone, and backends, whose flows this purges.
//!
//! Two generations of a pool take turns, an odd and an even one. The one that was in force before is not written until a
//! grace period has passed since the flip; then [`standby`] gives it the table in force, so that the next change is written
//! as its own difference only.

use crate::layout::Layout;
use crate::wanted::Wanted;
use p4runtime_proto::p4::v1::{TableEntry, Update};
use runtime_client::{Plan, delete, insert, modify, reconcile};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the data plane holds, as it was read and then written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// VIPs.
    pub services: Vec<TableEntry>,
    /// Backends by id.
    pub backends: BTreeMap<u32, Arc<TableEntry>>,
    /// Generations in force.
    pub pools: BTreeMap<u32, u8>,
    /// Slots by pool and generation; 0 where there is none.
    pub rings: BTreeMap<(u32, u8), Vec<u32>>,
}

/// Updates, and what the data plane holds when they have taken effect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// In this order.
    pub updates: Vec<Update>,
    /// What so many of the updates come to, in the order of their numbers.
    pub effects: Vec<(usize, Effect)>,
}

/// What an update changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// All VIPs.
    Services(Vec<TableEntry>),
    /// A backend is this, or gone.
    Backend(u32, Option<Arc<TableEntry>>),
    /// A pool's generation.
    Pool(u32, Option<u8>),
    /// A slot's owner; 0: none.
    Slot(u32, u8, u32, u32),
}

/// The writes of a change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    /// Backends and standby rings.
    pub prepare: Step,
    /// Generations.
    pub flip: Step,
    /// VIPs.
    pub services: Step,
    /// What goes.
    pub remove: Step,
}

impl Held {
    /// The slots that packets of a pool go by; none: they are dropped.
    #[must_use]
    pub(crate) fn in_force(&self, pool: u32) -> Option<&[u32]> {
        let generation = self.pools.get(&pool)?;
        self.rings.get(&(pool, *generation)).map(Vec::as_slice)
    }

    /// Takes note of what was written.
    pub(crate) fn note(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            match effect {
                Effect::Services(all) => self.services = all,
                Effect::Backend(id, Some(entry)) => drop(self.backends.insert(id, entry)),
                Effect::Backend(id, None) => drop(self.backends.remove(&id)),
                Effect::Pool(pool, Some(generation)) => drop(self.pools.insert(pool, generation)),
                Effect::Pool(pool, None) => drop(self.pools.remove(&pool)),
                Effect::Slot(pool, generation, slot, id) => {
                    let ring = self.rings.entry((pool, generation)).or_default();
                    if ring.len() <= slot as usize {
                        ring.resize(slot as usize + 1, 0);
                    }
                    ring[slot as usize] = id;
                }
            }
        }
    }

    /// The generation that a pool's next table is written to.
    fn standby(&self, pool: u32, wanted: &[u32]) -> u8 {
        if let Some(generation) = self.pools.get(&pool) {
            return generation ^ 1;
        }
        let mut own = self.rings.range((pool, 0)..=(pool, u8::MAX)).map(|((_, g), slots)| (*g, slots));
        let alike = |slots: &[u32]| slots.iter().zip(wanted).filter(|(a, b)| a == b).count();
        own.by_ref().max_by_key(|(g, slots)| (alike(slots), *g)).map_or(1, |(g, _)| g)
    }
}

impl Step {
    fn push(&mut self, updates: impl IntoIterator<Item = Update>, effect: Effect) {
        self.updates.extend(updates);
        self.effects.push((self.updates.len(), effect));
    }

    /// The first updates, about so many of them, and what they come to.
    #[must_use]
    pub(crate) fn first(mut self, most: usize) -> Self {
        let count = self.effects.partition_point(|(end, _)| *end <= most).max(1);
        self.effects.truncate(count);
        self.updates.truncate(self.effects.last().map_or(0, |(end, _)| *end));
        self
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }
}

impl Steps {
    /// Whether there is nothing to write.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.prepare.is_empty() && self.flip.is_empty() && self.services.is_empty() && self.remove.is_empty()
    }
}

/// What must be written. Pools that wait stay as they are, and so do backends that their tables in force have.
#[must_use]
pub(crate) fn steps(
    layout: &Layout,
    held: &Held,
    wanted: &Wanted,
    waiting: &BTreeSet<u32>,
    can_modify: bool,
) -> Steps {
    let mut steps = Steps::default();
    let stays: BTreeSet<u32> =
        waiting.iter().filter_map(|pool| held.in_force(*pool)).flatten().copied().collect();
    backends(held, wanted, &stays, can_modify, &mut steps);
    for (&pool, p) in wanted.pools.iter().filter(|(pool, _)| !waiting.contains(pool)) {
        let before = held.pools.get(&pool).copied();
        if p.slots.is_empty() {
            if let Some(generation) = before {
                steps.flip.push([delete(key(&layout.pool(pool, generation)))], Effect::Pool(pool, None));
            }
            continue;
        }
        if held.in_force(pool) == Some(p.slots.as_slice()) {
            continue;
        }
        let to = held.standby(pool, &p.slots);
        fill(layout, held, pool, to, &p.slots, can_modify, &mut steps.prepare);
        let entry = layout.pool(pool, to);
        let updates =
            before.map_or_else(|| vec![insert(entry.clone())], |_| change(entry.clone(), can_modify));
        steps.flip.push(updates, Effect::Pool(pool, Some(to)));
    }
    if held.services != wanted.services {
        let plan = reconcile(&wanted.services, &held.services);
        if !plan.is_empty() {
            steps.services.push(plan.updates(can_modify), Effect::Services(wanted.services.clone()));
        }
    }
    for (&pool, &generation) in held.pools.iter().filter(|(pool, _)| !wanted.pools.contains_key(pool)) {
        steps.remove.push([delete(key(&layout.pool(pool, generation)))], Effect::Pool(pool, None));
    }
    steps
}

fn change(entry: TableEntry, can_modify: bool) -> Vec<Update> {
    Plan { modify: vec![entry], ..Plan::default() }.updates(can_modify)
}

fn backends(held: &Held, wanted: &Wanted, stays: &BTreeSet<u32>, can_modify: bool, steps: &mut Steps) {
    let place = |id: u32| id & ((1 << control_core::node::SLOT_BITS) - 1);
    let mut gone: BTreeMap<u32, (u32, &TableEntry)> = BTreeMap::new();
    for (&id, entry) in &held.backends {
        if !wanted.backends.contains_key(&id) && !wanted.unresolved.contains(&id) {
            gone.insert(place(id), (id, entry));
        }
    }
    for (&id, entry) in &wanted.backends {
        match held.backends.get(&id) {
            Some(there) if Arc::ptr_eq(there, entry) || there == entry => {}
            Some(_) => {
                let updates = change(TableEntry::clone(entry), can_modify);
                steps.prepare.push(updates, Effect::Backend(id, Some(Arc::clone(entry))));
            }
            None => {
                // An earlier incarnation has the place: it can't wait for its turn.
                if let Some((old, there)) = gone.remove(&place(id)) {
                    steps.prepare.push([delete(key(there))], Effect::Backend(old, None));
                }
                let update = insert(TableEntry::clone(entry));
                steps.prepare.push([update], Effect::Backend(id, Some(Arc::clone(entry))));
            }
        }
    }
    for (id, there) in gone.into_values().filter(|(id, _)| !stays.contains(id)) {
        steps.remove.push([delete(key(there))], Effect::Backend(id, None));
    }
}

/// What names an entry.
fn key(entry: &TableEntry) -> TableEntry {
    TableEntry { table_id: entry.table_id, r#match: entry.r#match.clone(), ..TableEntry::default() }
}

/// Makes a generation hold a table: what differs.
fn fill(layout: &Layout, held: &Held, pool: u32, to: u8, slots: &[u32], can_modify: bool, step: &mut Step) {
    // Generations of the same parity that somebody else wrote make room first.
    for (&(_, generation), ring) in held.rings.range((pool, 0)..=(pool, u8::MAX)) {
        if generation != to && generation % 2 == to % 2 {
            empty(layout, pool, generation, ring, step);
        }
    }
    let none = Vec::new();
    let there = held.rings.get(&(pool, to)).unwrap_or(&none);
    for (slot, &id) in (0..).zip(slots) {
        let entry = || layout.slot(pool, to, slot, id);
        match there.get(slot as usize) {
            Some(&old) if old == id => continue,
            None | Some(0) => step.updates.push(insert(entry())),
            Some(_) if can_modify => step.updates.push(modify(entry())),
            Some(_) => step.updates.extend(change(entry(), false)),
        }
        step.push([], Effect::Slot(pool, to, slot, id));
    }
}

fn empty(layout: &Layout, pool: u32, generation: u8, ring: &[u32], step: &mut Step) {
    for (slot, _) in (0..).zip(ring).filter(|(_, id)| **id != 0) {
        let update = delete(key(&layout.slot(pool, generation, slot, 0)));
        step.push([update], Effect::Slot(pool, generation, slot, 0));
    }
}

/// What can be written while nothing else is to be done: a pool's standby generation gets the table in force, and what is
/// left of pools that are gone is removed. One pool at a time; pools whose grace has not ended are left out.
#[must_use]
pub(crate) fn standby(
    layout: &Layout,
    held: &Held,
    wanted: &Wanted,
    waiting: &BTreeSet<u32>,
    can_modify: bool,
) -> Option<Step> {
    for (&pool, &generation) in held.pools.iter().filter(|(pool, _)| !waiting.contains(pool)) {
        let Some(slots) = held.in_force(pool) else { continue };
        let mut step = Step::default();
        fill(layout, held, pool, generation ^ 1, slots, can_modify, &mut step);
        if !step.is_empty() {
            return Some(step);
        }
    }
    let gone = |pool: &u32| !wanted.pools.contains_key(pool) && !held.pools.contains_key(pool);
    for (&(pool, generation), ring) in held.rings.iter().filter(|((pool, _), _)| gone(pool)) {
        let mut step = Step::default();
        empty(layout, pool, generation, ring, &mut step);
        if !step.is_empty() {
            return Some(step);
        }
    }
    None
}
