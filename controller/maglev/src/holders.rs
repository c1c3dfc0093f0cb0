//! The owners of a table by position, so that an update need not look up each slot's id.

use crate::index::IdIndex;

/// What follows from a table's owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holders {
    /// Who owns slots, by rising id, and how many.
    pub(crate) ids: Vec<u32>,
    pub(crate) counts: Vec<u32>,
    /// By slot: the owner's position in `ids`.
    pub(crate) at: Vec<u32>,
}

impl Holders {
    pub(crate) fn of(owners: &[u32]) -> Self {
        let mut ids = owners.to_vec();
        ids.sort_unstable();
        let counts = ids.chunk_by(|a, b| a == b).map(|run| run.len() as u32).collect();
        ids.dedup();
        let index = IdIndex::new(ids.iter().copied());
        // Each owner is listed.
        let at = owners.iter().filter_map(|&id| index.get(id)).collect();
        Self { ids, counts, at }
    }

    /// From the position of each slot's owner in `ids`, some of which may own nothing.
    pub(crate) fn new(ids: impl Iterator<Item = u32>, counts: &[u32], mut at: Vec<u32>) -> Self {
        if counts.contains(&0) {
            let own = counts.iter().scan(0, |own, &n| {
                let position = *own;
                *own += u32::from(n > 0);
                Some(position)
            });
            let moved: Vec<u32> = own.collect();
            at.iter_mut().for_each(|at| *at = moved[*at as usize]);
        }
        let (ids, counts) = ids.zip(counts.iter().copied()).filter(|&(_, n)| n > 0).unzip();
        Self { ids, counts, at }
    }
}
