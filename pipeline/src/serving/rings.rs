//! Rings: their slots from members and weights, moving no slot needlessly.

use super::Refused;
use maglev_ring::{Member, Ring, stable_key};
use pipeline_entries::RingSpec;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, RingFill, Tables, ring_names};
use pipeline_ir::{KeyValue, Pipeline, RingId};
use std::collections::BTreeMap;

/// What each pool holds.
#[derive(Debug)]
pub struct Rings {
    tables: Tables,
    names: Vec<(String, String, u32)>,
    held: BTreeMap<(RingId, u32), Ring>,
}

impl Rings {
    /// No pool holds anything yet.
    #[must_use]
    pub fn new(p: &Pipeline) -> Self {
        let names = p.rings.iter().map(|r| (r.name.clone(), r.pool_table.clone(), r.slots)).collect();
        Self { tables: Tables::new(p), names, held: BTreeMap::new() }
    }

    /// Takes over the slots that a data plane has: what follows moves as few of them as can be.
    pub fn adopt(&mut self, ring: RingId, pool: u32, slots: &[u32]) {
        if !slots.contains(&0)
            && let Ok(held) = Ring::from_parts(slots.to_vec(), slots.to_vec())
        {
            self.held.insert((ring, pool), held);
        }
    }

    /// The slots that a pool holds.
    #[must_use]
    pub fn slots(&self, ring: RingId, pool: u32) -> Option<&[u32]> {
        self.held.get(&(ring, pool)).map(Ring::slots)
    }

    /// The slots for these members, as a generation; from now on they are what the pool holds.
    ///
    /// # Errors
    /// No ring can be made of these members.
    pub fn fill(&mut self, spec: &RingSpec, generation: u8) -> Result<CheckedFill, Refused> {
        let (name, _, slots) = &self.names[spec.ring.index()];
        let member =
            |&(id, weight): &(u32, u32)| Member { id, key: stable_key(id.to_string().as_bytes()), weight };
        let members: Vec<Member> = spec.members.iter().map(member).collect();
        let next = match self.held.get(&(spec.ring, spec.pool)) {
            Some(held) if held.slot_count() == *slots => held.update(&members),
            _ => Ring::build(*slots, &members),
        };
        let next = next.map_err(|e| Refused(format!("error: ring `{name}`, pool {}: {e}", spec.pool)))?;
        let fill = RingFill { ring: name.clone(), pool: spec.pool, generation, slots: next.slots().to_vec() };
        let fill = self.tables.check_ring(fill)?;
        self.held.insert((spec.ring, spec.pool), next);
        Ok(fill)
    }

    /// The entry that puts a generation in force.
    ///
    /// # Errors
    /// The pipeline has no such pool.
    pub fn pool_entry(&self, ring: RingId, pool: u32, generation: u8) -> Result<CheckedEntry, Refused> {
        let entry = Entry {
            table: self.names[ring.index()].1.clone(),
            key: vec![(ring_names::POOL.into(), KeyValue::Exact(pool.into()))],
            priority: 0,
            action: ring_names::SET_GENERATION.into(),
            params: vec![(ring_names::GENERATION.into(), generation.into())],
        };
        Ok(self.tables.check(&entry)?)
    }
}
