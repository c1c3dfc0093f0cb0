//! Who owns each slot, and who has a claim on it (rule 3 of the crate's contract).

use std::collections::BTreeMap;
use std::sync::Arc;

/// How many claims a slot remembers at most, its home included.
pub const MAX_CLAIMS: usize = 8;

/// Per slot the chain *home, claimants in between, owner*, oldest first, no member twice. A slot whose
/// home is its owner has a chain of one. Claimants in between are rare (they need two failures in
/// a row that hit the same slot) and kept apart.
#[derive(Clone, Debug)]
pub(crate) struct Chains {
    pub(crate) owners: Arc<Vec<u32>>,
    /// None as long as each owner is its slot's home. Shared with the tables before, where they are the same.
    homes: Option<Arc<Vec<u32>>>,
    /// By slot; no empty lists.
    pub(crate) between: BTreeMap<u32, Vec<u32>>,
}

impl PartialEq for Chains {
    fn eq(&self, other: &Self) -> bool {
        self.owners == other.owners && self.homes() == other.homes() && self.between == other.between
    }
}

impl Chains {
    /// A table in which each owner is its slot's home.
    pub(crate) fn unclaimed(owners: Vec<u32>) -> Self {
        Self { owners: Arc::new(owners), homes: None, between: BTreeMap::new() }
    }

    /// A table in which `homes` have claims, if they are not the owners.
    pub(crate) fn with_homes(owners: Vec<u32>, homes: Vec<u32>) -> Self {
        let homes = (owners != homes).then(|| Arc::new(homes));
        Self { owners: Arc::new(owners), homes, between: BTreeMap::new() }
    }

    /// The home of each slot.
    pub(crate) fn homes(&self) -> &[u32] {
        self.homes.as_ref().unwrap_or(&self.owners)
    }

    fn owners_mut(&mut self) -> &mut Vec<u32> {
        Arc::make_mut(&mut self.owners)
    }

    fn homes_mut(&mut self) -> &mut Vec<u32> {
        Arc::make_mut(self.homes.get_or_insert_with(|| Arc::clone(&self.owners)))
    }

    /// Whether somebody other than the owner has a claim.
    #[inline]
    pub(crate) fn on_loan(&self, slot: u32) -> bool {
        self.homes.as_ref().is_some_and(|homes| homes[slot as usize] != self.owners[slot as usize])
    }

    /// The slots that somebody other than the owner has a claim on.
    pub(crate) fn loans(&self) -> Vec<u32> {
        const RUN: usize = 256;
        let mut loans = Vec::new();
        let Some(homes) = &self.homes else { return loans };
        for (run, (owners, homes)) in self.owners.chunks(RUN).zip(homes.chunks(RUN)).enumerate() {
            // Most runs have none.
            if owners != homes {
                let slots = (run * RUN) as u32..;
                loans.extend(
                    slots.zip(owners.iter().zip(homes)).filter(|(_, (a, b))| a != b).map(|(slot, _)| slot),
                );
            }
        }
        loans
    }

    /// The claimants of a slot, oldest first.
    pub(crate) fn claimants(&self, slot: u32) -> impl Iterator<Item = u32> {
        let home = self.on_loan(slot).then(|| self.homes()[slot as usize]);
        // The map is not asked for the many slots that have no claim at all.
        let between = home.and_then(|_| self.between.get(&slot)).into_iter().flatten().copied();
        home.into_iter().chain(between)
    }

    /// The owner is out: `to` gets the slot on loan, the former owner keeps a claim.
    pub(crate) fn lend(&mut self, slot: u32, to: u32) {
        let had_claims = self.on_loan(slot);
        // The owners as they were are the homes.
        self.homes.get_or_insert_with(|| Arc::clone(&self.owners));
        let former = std::mem::replace(&mut self.owners_mut()[slot as usize], to);
        if !had_claims {
            return;
        }
        let between = self.between.entry(slot).or_default();
        between.push(former);
        if between.len() + 1 > MAX_CLAIMS {
            let oldest = between.remove(0);
            self.homes_mut()[slot as usize] = oldest;
        }
    }

    /// A live owner gives the slot up for good.
    pub(crate) fn hand_over(&mut self, slot: u32, to: u32) {
        if self.homes.is_some() && !self.on_loan(slot) {
            self.homes_mut()[slot as usize] = to;
        }
        self.owners_mut()[slot as usize] = to;
    }

    /// Forgets the homes if each owner is its slot's home.
    pub(crate) fn settle(&mut self) {
        if self.homes.as_deref().is_some_and(|homes| *homes == *self.owners) {
            self.homes = None;
        }
    }

    /// A claimant takes the slot back; its claim and the younger ones end.
    pub(crate) fn reclaim(&mut self, slot: u32, claimant: u32) {
        self.owners_mut()[slot as usize] = claimant;
        let Some(between) = self.between.get_mut(&slot) else { return };
        // Without a place among those in between, the claimant is the home: nothing is left of them.
        let older = between.iter().position(|&id| id == claimant).unwrap_or(0);
        between.truncate(older);
        if older == 0 {
            self.between.remove(&slot);
        }
    }

    /// Ends all claims of members for which `ends` holds.
    pub(crate) fn end_claims(&mut self, slot: u32, ends: impl Fn(u32) -> bool) {
        if !self.claimants(slot).any(&ends) {
            return;
        }
        let mut rest = self.claimants(slot).filter(|&id| !ends(id)).collect::<Vec<_>>().into_iter();
        self.homes_mut()[slot as usize] = rest.next().unwrap_or(self.owners[slot as usize]);
        if rest.len() == 0 {
            self.between.remove(&slot);
        } else {
            self.between.insert(slot, rest.collect());
        }
    }
}
