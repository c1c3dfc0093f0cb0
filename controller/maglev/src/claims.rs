//! Who owns each slot, and who has a claim on it (rule 3 of the crate's contract).

use std::collections::BTreeMap;

/// How many claims a slot remembers at most, its home included.
pub const MAX_CLAIMS: usize = 8;

/// Per slot the chain *home, claimants in between, owner*, oldest first, no member twice. A slot whose
/// home is its owner has a chain of one. Claimants in between are rare (they need two failures in
/// a row that hit the same slot) and kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chains {
    pub(crate) owners: Vec<u32>,
    pub(crate) homes: Vec<u32>,
    /// By slot; no empty lists.
    pub(crate) between: BTreeMap<u32, Vec<u32>>,
}

impl Chains {
    /// A table in which each owner is its slot's home.
    pub(crate) fn unclaimed(owners: Vec<u32>) -> Self {
        Self { homes: owners.clone(), owners, between: BTreeMap::new() }
    }

    /// Whether somebody other than the owner has a claim.
    #[inline]
    pub(crate) fn on_loan(&self, slot: u32) -> bool {
        self.homes[slot as usize] != self.owners[slot as usize]
    }

    /// The slots that somebody other than the owner has a claim on.
    pub(crate) fn loans(&self) -> Vec<u32> {
        const RUN: usize = 256;
        let mut loans = Vec::new();
        for (run, (owners, homes)) in self.owners.chunks(RUN).zip(self.homes.chunks(RUN)).enumerate() {
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
        let home = self.on_loan(slot).then_some(self.homes[slot as usize]);
        // The map is not asked for the many slots that have no claim at all.
        let between = home.and_then(|_| self.between.get(&slot)).into_iter().flatten().copied();
        home.into_iter().chain(between)
    }

    /// The owner is out: `to` gets the slot on loan, the former owner keeps a claim.
    pub(crate) fn lend(&mut self, slot: u32, to: u32) {
        let former = std::mem::replace(&mut self.owners[slot as usize], to);
        if self.homes[slot as usize] == former {
            return;
        }
        let between = self.between.entry(slot).or_default();
        between.push(former);
        if between.len() + 1 > MAX_CLAIMS {
            self.homes[slot as usize] = between.remove(0);
        }
    }

    /// A live owner gives the slot up for good.
    pub(crate) fn hand_over(&mut self, slot: u32, to: u32) {
        if !self.on_loan(slot) {
            self.homes[slot as usize] = to;
        }
        self.owners[slot as usize] = to;
    }

    /// A claimant takes the slot back; its claim and the younger ones end.
    pub(crate) fn reclaim(&mut self, slot: u32, claimant: u32) {
        self.owners[slot as usize] = claimant;
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
        self.homes[slot as usize] = rest.next().unwrap_or(self.owners[slot as usize]);
        if rest.len() == 0 {
            self.between.remove(&slot);
        } else {
            self.between.insert(slot, rest.collect());
        }
    }
}
