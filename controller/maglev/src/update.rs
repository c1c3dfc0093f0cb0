//! From one table to the next (rules 2 to 4 of the crate's contract).

use crate::RingError;
use crate::apportion::{Member, admit, counts};
use crate::claims::Chains;
use crate::index::IdIndex;
use crate::order::Walk;

/// The key of the scattered order in which claims are served.
const SCATTER: u64 = 0;

/// The table after `members` became the desired set. `None` as former table is a first fill.
/// `slots` is a legal count, and that of the former table.
pub(crate) fn next_table(
    slots: u32,
    former: Option<&Chains>,
    members: &[Member],
) -> Result<Chains, RingError> {
    let live = admit(slots, members)?;
    let mut update = Update::new(slots, former, &live);
    if former.is_some() {
        update.return_claimed();
    }
    // Slots that must go, and slots on loan, before any other slot of an owner that has too many.
    update
        .share_out(|update, slot| update.holder[slot as usize] == update.out || update.chains.on_loan(slot));
    update.share_out(|_, _| true);
    Ok(update.chains)
}

/// An update in progress. Members are named by their position in `live`.
struct Update<'a> {
    slots: u32,
    live: &'a [Member],
    index: IdIndex,
    chains: Chains,
    first_fill: bool,
    /// The owner of each slot; `out` stands for nobody and for everybody who is out.
    holder: Vec<u32>,
    out: u32,
    /// Slots that each holder still has to give, and each live member still has to get. A member
    /// has one or the other; the sums are equal.
    surplus: Vec<u32>,
    wanted: Vec<u32>,
}

impl<'a> Update<'a> {
    fn new(slots: u32, former: Option<&Chains>, live: &'a [Member]) -> Self {
        let index = IdIndex::new(live.iter().map(|m| m.id));
        let out = live.len() as u32;
        let holder: Vec<u32> = match former {
            Some(chains) => chains.owners.iter().map(|&id| index.get(id).unwrap_or(out)).collect(),
            None => vec![out; slots as usize],
        };
        let mut surplus = vec![0; live.len() + 1];
        for &position in &holder {
            surplus[position as usize] += 1;
        }
        let mut wanted = counts(slots, live);
        for (has, gets) in surplus.iter_mut().zip(&mut wanted) {
            let keeps = (*has).min(*gets);
            *has -= keeps;
            *gets -= keeps;
        }
        let chains = former.cloned().unwrap_or_else(|| Chains::vacant(slots));
        Self { slots, live, index, chains, first_fill: former.is_none(), holder, out, surplus, wanted }
    }

    /// Gives slots back to claimants that have returned, then ends all claims of live members.
    fn return_claimed(&mut self) {
        let mut walk = Walk::new(SCATTER, self.slots);
        for _ in 0..self.slots {
            let slot = walk.step();
            if !self.chains.on_loan(slot) {
                continue;
            }
            if self.surplus[self.holder[slot as usize] as usize] > 0 {
                let wants = |id: &u32| self.index.get(*id).is_some_and(|at| self.wanted[at as usize] > 0);
                let claimant = self.chains.claimants(slot).find(wants);
                if let Some((id, to)) = claimant.and_then(|id| Some((id, self.index.get(id)?))) {
                    self.book(slot, to);
                    self.chains.reclaim(slot, id);
                }
            }
            self.chains.end_claims(slot, |id| self.index.get(id).is_some());
        }
    }

    /// The members that want slots take one each in turn, out of the slots that are `offered` and whose
    /// holder has too many, until no such slot is left.
    fn share_out(&mut self, offered: impl Fn(&Self, u32) -> bool) {
        let (offers, mut left) = self.offers(offered);
        let slots = self.slots;
        let mut takers: Vec<(u32, Walk)> = (0..self.out)
            .filter(|&at| self.wanted[at as usize] > 0)
            .map(|at| (at, Walk::new(self.live[at as usize].key, slots)))
            .collect();
        while left > 0 && !takers.is_empty() {
            takers.retain_mut(|(taker, walk)| {
                if left == 0 {
                    return false;
                }
                // A slot that was passed by cannot be had again, so one round is enough.
                let to_be_had =
                    |slot: &u32| offers.has(*slot) && self.surplus[self.holder[*slot as usize] as usize] > 0;
                let Some(slot) = (0..slots).map(|_| walk.step()).find(to_be_had) else { return false };
                self.take(slot, *taker);
                left -= 1;
                self.wanted[*taker as usize] > 0
            });
        }
    }

    /// The slots on offer, and how many of them will be taken: of each holder no more than its surplus.
    fn offers(&self, offered: impl Fn(&Self, u32) -> bool) -> (SlotSet, u32) {
        let mut set = SlotSet::new(self.slots);
        let mut room = self.surplus.clone();
        let mut total = 0;
        for slot in 0..self.slots {
            let holder = self.holder[slot as usize] as usize;
            if self.surplus[holder] == 0 || !offered(self, slot) {
                continue;
            }
            set.add(slot);
            if room[holder] > 0 {
                room[holder] -= 1;
                total += 1;
            }
        }
        (set, total)
    }

    fn take(&mut self, slot: u32, taker: u32) {
        let id = self.live[taker as usize].id;
        if self.first_fill {
            self.chains.settle(slot, id);
        } else if self.holder[slot as usize] == self.out {
            self.chains.lend(slot, id);
        } else {
            self.chains.hand_over(slot, id);
        }
        self.book(slot, taker);
    }

    /// Notes that a slot changes hands. Its new holder has no surplus, so it will not move again.
    fn book(&mut self, slot: u32, to: u32) {
        let from = std::mem::replace(&mut self.holder[slot as usize], to);
        self.surplus[from as usize] -= 1;
        self.wanted[to as usize] -= 1;
    }
}

/// A set of slots, one bit each.
struct SlotSet(Vec<u64>);

impl SlotSet {
    fn new(slots: u32) -> Self {
        Self(vec![0; slots.div_ceil(64) as usize])
    }

    fn add(&mut self, slot: u32) {
        self.0[(slot / 64) as usize] |= 1 << (slot % 64);
    }

    #[inline]
    fn has(&self, slot: u32) -> bool {
        self.0[(slot / 64) as usize] >> (slot % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Maglev's population loop as the paper has it, with a limit per member.
    fn textbook_fill(slots: u32, live: &[Member]) -> Vec<u32> {
        let mut left = counts(slots, live);
        let mut walks: Vec<Walk> = live.iter().map(|m| Walk::new(m.key, slots)).collect();
        let mut table = vec![None; slots as usize];
        while left.iter().any(|&n| n > 0) {
            for at in (0..live.len()).filter(|&at| left[at] > 0).collect::<Vec<_>>() {
                let slot = (0..slots).map(|_| walks[at].step()).find(|&s| table[s as usize].is_none());
                table[slot.unwrap() as usize] = Some(live[at].id);
                left[at] -= 1;
            }
        }
        table.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn a_first_fill_is_maglevs() {
        let member = |(id, weight): (u32, u32)| Member { id, key: u64::from(id) * 7, weight };
        let cases: [&[u32]; 5] = [&[1], &[1, 1], &[5, 1, 3], &[1_000, 1], &[1; 100]];
        for (slots, weights) in [2, 251, 256, 65_536, 65_537].into_iter().flat_map(|m| cases.map(|w| (m, w)))
        {
            let live: Vec<Member> = (10..).zip(weights.iter().copied()).map(member).collect();
            if live.len() > slots as usize {
                continue;
            }
            let table = next_table(slots, None, &live).unwrap();
            assert_eq!(table.owners, textbook_fill(slots, &live), "{slots} slots, weights {weights:?}");
            assert_eq!(table.homes, table.owners);
            assert!(table.between.is_empty());
        }
    }
}
