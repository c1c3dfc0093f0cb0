//! A ring as records: once whole, then what changes.

use crate::pool::Kept;
use bytes::Bytes;
use maglev_ring::{Ring, moved};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A ring is written whole again when the changes since hold so much of its bytes: 1/4.
const SHARE: usize = 4;

/// A slot and who has to do with it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SlotRecord {
    #[prost(uint32, tag = "1")]
    slot: u32,
    #[prost(uint32, tag = "2")]
    owner: u32,
    /// 0: the owner.
    #[prost(uint32, tag = "3")]
    home: u32,
    #[prost(uint32, repeated, tag = "4")]
    between: Vec<u32>,
}

/// Slots that changed.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SlotsRecord {
    #[prost(message, repeated, tag = "1")]
    slots: Vec<SlotRecord>,
}

/// A whole ring.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RingRecord {
    #[prost(uint64, tag = "1")]
    generation: u64,
    /// Owners, by rising id.
    #[prost(uint32, repeated, tag = "2")]
    ids: Vec<u32>,
    /// Per slot two bytes, lowest first: whose, as a place in `ids`.
    #[prost(bytes = "bytes", tag = "3")]
    owners: Bytes,
    /// The slots on loan.
    #[prost(message, repeated, tag = "4")]
    loans: Vec<SlotRecord>,
}

fn slot(ring: &Ring, claims: &BTreeMap<u32, Vec<u32>>, slot: u32) -> SlotRecord {
    let at = slot as usize;
    let owner = ring.slots().get(at).copied().unwrap_or_default();
    let home = ring.homes().get(at).copied().filter(|&home| home != owner).unwrap_or_default();
    SlotRecord { slot, owner, home, between: claims.get(&slot).cloned().unwrap_or_default() }
}

fn claims(ring: &Ring) -> BTreeMap<u32, Vec<u32>> {
    ring.claims().map(|(slot, ids)| (slot, ids.to_vec())).collect()
}

/// The slots of `new` that are not as in `old`, of equal size.
pub(crate) fn changed(old: &Ring, new: &Ring) -> SlotsRecord {
    let (before, after) = (claims(old), claims(new));
    let mut slots: BTreeSet<u32> = moved(old, new).into_iter().collect();
    let homes = old.homes().iter().zip(new.homes()).enumerate().filter(|(_, (a, b))| a != b);
    // At most 2^20 slots.
    slots.extend(homes.map(|(slot, _)| slot as u32));
    let differs = |slot: &&u32| before.get(slot) != after.get(slot);
    slots.extend(before.keys().chain(after.keys()).filter(differs));
    SlotsRecord { slots: slots.into_iter().map(|at| slot(new, &after, at)).collect() }
}

impl RingRecord {
    pub(crate) fn of(ring: &Ring, generation: u64) -> Self {
        let ids: Vec<u32> = ring.shares().into_iter().map(|(id, _)| id).collect();
        let mut owners = Vec::with_capacity(ring.slots().len() * 2);
        for id in ring.slots() {
            // No more owners than backends, of which there are at most 2^14 at a time.
            let place = ids.binary_search(id).unwrap_or_default() as u16;
            owners.extend(place.to_le_bytes());
        }
        let between = claims(ring);
        let on_loan =
            ring.homes().iter().zip(ring.slots()).enumerate().filter(|(_, (home, owner))| home != owner);
        let loans = on_loan.map(|(at, _)| slot(ring, &between, at as u32)).collect();
        Self { generation, ids, owners: owners.into(), loans }
    }
}

impl Kept {
    /// What is in force from now on, and how it is to be recorded.
    pub(crate) fn next(before: Option<Self>, ring: Ring, generation: u64) -> Self {
        let ring = Arc::new(ring);
        let Some(before) = before.filter(|b| b.ring.slot_count() == ring.slot_count()) else {
            return Self { ring, base: generation, deltas: Vec::new() };
        };
        let bytes = changed(&before.ring, &ring).encoded_len();
        let all = bytes + before.deltas.iter().map(|(_, bytes)| bytes).sum::<usize>();
        if all * SHARE > ring.slots().len() * 2 {
            return Self { ring, base: generation, deltas: Vec::new() };
        }
        let mut deltas = before.deltas;
        deltas.push((generation, bytes));
        Self { ring, base: before.base, deltas }
    }
}

/// A ring whose records come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    base: RingRecord,
    deltas: BTreeMap<u64, (usize, SlotsRecord)>,
}

impl Growing {
    pub(crate) fn base(&mut self, record: &RingRecord) {
        self.base.clone_from(record);
    }

    pub(crate) fn delta(&mut self, generation: u64, bytes: usize, record: SlotsRecord) {
        self.deltas.insert(generation, (bytes, record));
    }

    pub(crate) fn done(self) -> Result<Kept, String> {
        let place = |pair: &[u8; 2]| self.base.ids.get(usize::from(u16::from_le_bytes(*pair))).copied();
        let (pairs, rest) = self.base.owners.as_chunks::<2>();
        let owners: Option<Vec<u32>> = pairs.iter().map(place).collect();
        let mut owners = owners.filter(|_| rest.is_empty()).ok_or("an owner is missing")?;
        let (mut homes, mut claims) = (owners.clone(), BTreeMap::new());
        let mut deltas = Vec::new();
        let mut later = Vec::new();
        for (generation, (bytes, record)) in self.deltas {
            deltas.push((generation, bytes));
            later.extend(record.slots);
        }
        for slot in self.base.loans.into_iter().chain(later) {
            let at = slot.slot as usize;
            let (Some(owner), Some(home)) = (owners.get_mut(at), homes.get_mut(at)) else {
                return Err(format!("there is no slot {at}"));
            };
            *owner = slot.owner;
            *home = if slot.home == 0 { slot.owner } else { slot.home };
            if slot.between.is_empty() {
                claims.remove(&slot.slot);
            } else {
                claims.insert(slot.slot, slot.between);
            }
        }
        let ring = Ring::from_parts_with_claims(owners, homes, claims).map_err(|e| e.to_string())?;
        Ok(Kept { ring: Arc::new(ring), base: self.base.generation, deltas })
    }
}
