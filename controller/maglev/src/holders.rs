//! The owners of a table by position, so that an update need not look up each slot's id.

use std::sync::Arc;

use crate::apportion::Member;
use crate::index::IdIndex;
use crate::{MAX_MEMBERS, RingError};

/// What follows from a table's owners. Who owns slots keeps its position from table to table.
#[derive(Clone, Debug)]
pub(crate) struct Holders {
    /// By position: who, and how many slots. With 0, the position is free.
    ids: Vec<u32>,
    counts: Vec<u32>,
    /// By slot: its owner's position.
    pub(crate) at: Arc<Vec<u16>>,
}

impl Holders {
    /// [`RingError::TooManyMembers`] if there are more owners than a ring can have.
    pub(crate) fn of(owners: &[u32]) -> Result<Self, RingError> {
        let mut ids = owners.to_vec();
        ids.sort_unstable();
        let counts = ids.chunk_by(|a, b| a == b).map(|run| run.len() as u32).collect();
        ids.dedup();
        if ids.len() > MAX_MEMBERS {
            return Err(RingError::TooManyMembers { members: ids.len(), slots: owners.len() as u32 });
        }
        let index = IdIndex::new(ids.iter().copied());
        // Each owner is listed.
        let at = owners.iter().filter_map(|&id| index.get(id)).map(|at| at as u16).collect();
        Ok(Self { ids, counts, at: Arc::new(at) })
    }

    /// Of a first fill: the live members by rising id.
    pub(crate) fn first(ids: Vec<u32>, counts: Vec<u32>, at: Vec<u16>) -> Self {
        Self { ids, counts, at: Arc::new(at) }
    }

    /// Who owns slots, by rising id: id, slots, position.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (u32, u32, u16)> + use<> {
        let all = self.ids.iter().zip(&self.counts).enumerate();
        let mut own: Vec<_> = all
            .filter(|(_, (_, count))| **count > 0)
            .map(|(at, (&id, &count))| (id, count, at as u16))
            .collect();
        own.sort_unstable();
        own.into_iter()
    }

    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The positions of `live`, by rising id. Who owns nothing yet gets a free one.
    pub(crate) fn admit(&mut self, live: &[Member]) -> Vec<u16> {
        let mut own = self.shares().peekable();
        let mut known = |id| {
            while own.next_if(|&(other, ..)| other < id).is_some() {}
            own.next_if(|&(other, ..)| other == id).map(|(.., at)| at)
        };
        let places: Vec<Option<u16>> = live.iter().map(|m| known(m.id)).collect();
        let free: Vec<usize> = (0..self.ids.len()).filter(|&at| self.counts[at] == 0).collect();
        let mut free = free.into_iter();
        let place = |(place, member): (Option<u16>, &Member)| {
            place.unwrap_or_else(|| {
                let at = free.next().unwrap_or_else(|| {
                    self.ids.push(0);
                    self.counts.push(0);
                    self.ids.len() - 1
                });
                self.ids[at] = member.id;
                // Twice the most live members at most: those before, and those that are new.
                at as u16
            })
        };
        places.into_iter().zip(live).map(place).collect()
    }

    /// The table in which `live` at `places` own so many slots each, and slots are held as `at` says.
    pub(crate) fn become_of(&mut self, places: &[u16], gets: &[u32], at: Arc<Vec<u16>>) {
        self.counts.fill(0);
        for (&place, &gets) in places.iter().zip(gets) {
            self.counts[usize::from(place)] = gets;
        }
        self.at = at;
    }
}
