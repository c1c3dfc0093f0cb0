//! From one table to the next (rules 2 to 4 of the crate's contract).

use std::sync::Arc;

use crate::RingError;
use crate::apportion::{Member, admit, counts};
use crate::claims::Chains;
use crate::fill::fill;
use crate::holders::Holders;
use crate::order::{Distance, Walk};
use crate::pool::{Pool, Taker};

/// The key of the scattered order in which claims are served.
const SCATTER: u64 = 0;

/// The table that `members` get when all slots are free. `slots` is a legal count.
pub(crate) fn first_fill(slots: u32, members: &[Member]) -> Result<(Chains, Holders), RingError> {
    let live = admit(slots, members)?;
    let gets = counts(slots, &live);
    let takers = live.iter().zip(&gets).map(|(member, &gets)| (Walk::new(member.key, slots), gets));
    let at = fill(slots, takers);
    let ids: Vec<u32> = live.iter().map(|member| member.id).collect();
    let owners = at.iter().map(|&at| ids[usize::from(at)]).collect();
    Ok((Chains::unclaimed(owners), Holders::first(ids, gets, at)))
}

/// The table after `members` became the desired set.
pub(crate) fn next_table(
    former: &Chains,
    holders: &Holders,
    members: &[Member],
) -> Result<(Chains, Holders), RingError> {
    let slots = former.owners.len() as u32;
    let live = admit(slots, members)?;
    let gets = counts(slots, &live);
    let mut holders = holders.clone();
    let places = holders.admit(&live);
    let mut update = Update::new(former, &holders, &live, &places, &gets);
    update.return_claimed();
    let offers = update.offers();
    // Slots that must go, and slots on loan, before any other slot of an owner that has too many.
    let first: Vec<u32> = offers.iter().copied().filter(|&slot| update.goes_first(slot)).collect();
    update.share_out(&first);
    update.share_out(&offers);
    let Update { mut chains, holder, .. } = update;
    chains.settle();
    holders.become_of(&places, &gets, holder);
    Ok((chains, holders))
}

/// An update in progress. Members are named by their position among the holders.
struct Update<'a> {
    live: &'a [Member],
    places: &'a [u16],
    chains: Chains,
    /// The owner of each slot, and who is live.
    holder: Arc<Vec<u16>>,
    is_live: Vec<bool>,
    /// Slots that each holder still has to give, and each live member still has to get. A member
    /// has one or the other; the sums are equal.
    surplus: Vec<u32>,
    wanted: Vec<u32>,
}

impl<'a> Update<'a> {
    fn new(former: &Chains, holders: &Holders, live: &'a [Member], places: &'a [u16], gets: &[u32]) -> Self {
        let mut surplus = holders.counts().to_vec();
        let mut wanted = vec![0; surplus.len()];
        let mut is_live = vec![false; surplus.len()];
        for (&at, &gets) in places.iter().zip(gets) {
            let (at, has) = (usize::from(at), surplus[usize::from(at)]);
            is_live[at] = true;
            surplus[at] = has.saturating_sub(gets);
            wanted[at] = gets.saturating_sub(has);
        }
        let (chains, holder) = (former.clone(), Arc::clone(&holders.at));
        Self { live, places, chains, holder, is_live, surplus, wanted }
    }

    fn slots(&self) -> u32 {
        self.holder.len() as u32
    }

    fn holder(&self, slot: u32) -> usize {
        usize::from(self.holder[slot as usize])
    }

    /// Where a live member is listed.
    fn position(&self, id: u32) -> Option<u16> {
        self.live.binary_search_by_key(&id, |m| m.id).ok().map(|at| self.places[at])
    }

    /// Gives slots back to claimants that have returned, then ends all claims of live members.
    fn return_claimed(&mut self) {
        let walk = Walk::new(SCATTER, self.slots());
        let distance = Distance::of(&walk);
        let mut loans = self.chains.loans();
        loans.sort_unstable_by_key(|&slot| distance.to(&walk, slot));
        for slot in loans {
            if self.surplus[self.holder(slot)] > 0 {
                let wants =
                    |id| Some((id, self.position(id).filter(|&at| self.wanted[usize::from(at)] > 0)?));
                let claimant = self.chains.claimants(slot).find_map(wants);
                if let Some((id, to)) = claimant {
                    self.book(slot, to);
                    self.chains.reclaim(slot, id);
                }
            }
            let live = self.live;
            self.chains.end_claims(slot, |id| live.binary_search_by_key(&id, |m| m.id).is_ok());
        }
    }

    /// The slots of those who have too many.
    fn offers(&self) -> Vec<u32> {
        const RUN: usize = 8;
        if self.surplus.iter().all(|&surplus| surplus == 0) {
            return Vec::new();
        }
        // One for each position that there can be: no look-up can miss.
        let mut gives = [0_u8; 1 << 16];
        for (gives, &surplus) in gives.iter_mut().zip(&self.surplus) {
            *gives = u8::from(surplus > 0);
        }
        let mut offers = Vec::new();
        for (run, holders) in (0..).step_by(RUN).zip(self.holder.chunks(RUN)) {
            // Most runs have none.
            if holders.iter().fold(0, |any, &at| any | gives[usize::from(at)]) == 0 {
                continue;
            }
            let mut found = 0_u32;
            for (at, holder) in holders.iter().enumerate() {
                found |= u32::from(gives[usize::from(*holder)]) << at;
            }
            while found != 0 {
                offers.push(run + found.trailing_zeros());
                found &= found - 1;
            }
        }
        offers
    }

    fn goes_first(&self, slot: u32) -> bool {
        !self.is_live[self.holder(slot)] || self.chains.on_loan(slot)
    }

    /// The members that want slots take one each in turn, out of the slots that are offered and whose
    /// holder has too many, until no such slot is left.
    fn share_out(&mut self, offers: &[u32]) {
        let slots = self.slots();
        let mut pool = Pool::new(slots, offers, &self.holder, &self.surplus);
        let all = self.places.iter().zip(self.live).filter(|&(&at, _)| self.wanted[usize::from(at)] > 0);
        let takers =
            all.map(|(&at, member)| Taker::new(at, member.id, Walk::new(member.key, slots))).collect();
        pool.share_out(takers, |pool, taker| {
            let Some(slot) = pool.first(taker, |slot| self.surplus[self.holder(slot)] > 0) else {
                return false;
            };
            let giver = self.holder[slot as usize];
            self.take(slot, taker);
            pool.taken(slot, giver, self.surplus[usize::from(giver)], &self.holder);
            self.wanted[usize::from(taker.at)] > 0
        });
    }

    fn take(&mut self, slot: u32, taker: &Taker) {
        if self.is_live[self.holder(slot)] {
            self.chains.hand_over(slot, taker.id);
        } else {
            self.chains.lend(slot, taker.id);
        }
        self.book(slot, taker.at);
    }

    /// Notes that a slot changes hands. Its new holder has no surplus, so it will not move again.
    fn book(&mut self, slot: u32, to: u16) {
        let from = std::mem::replace(&mut Arc::make_mut(&mut self.holder)[slot as usize], to);
        self.surplus[usize::from(from)] -= 1;
        self.wanted[usize::from(to)] -= 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::claims::MAX_CLAIMS;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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
            let (table, holders) = first_fill(slots, &live).unwrap();
            assert_eq!(*table.owners, textbook_fill(slots, &live), "{slots} slots, weights {weights:?}");
            assert_eq!(table.homes(), *table.owners);
            assert!(table.between.is_empty());
            assert_eq!(facts(&holders, &table), facts(&Holders::of(&table.owners).unwrap(), &table));
        }
    }

    /// What holders say, whatever their positions: shares, and the owner of each slot.
    fn facts(holders: &Holders, table: &Chains) -> (Vec<(u32, u32)>, Vec<u32>) {
        let shares: Vec<_> = holders.shares().collect();
        let owner = |at: &u16| shares.iter().find(|&(.., other)| other == at).unwrap().0;
        assert_eq!(holders.at.len(), table.owners.len());
        (shares.iter().map(|&(id, count, _)| (id, count)).collect(), holders.at.iter().map(owner).collect())
    }

    /// The rules as they stand, on a list per slot: claimants, oldest first, then the owner.
    struct Model {
        slots: Vec<Vec<u32>>,
        surplus: BTreeMap<u32, u32>,
        wanted: BTreeMap<u32, u32>,
    }

    impl Model {
        fn update(slots: Vec<Vec<u32>>, live: &[Member]) -> Vec<Vec<u32>> {
            let mut surplus = BTreeMap::new();
            slots.iter().for_each(|slot| *surplus.entry(*slot.last().unwrap()).or_insert(0) += 1);
            let gets = counts(slots.len() as u32, live);
            let mut wanted: BTreeMap<u32, u32> = live.iter().map(|m| m.id).zip(gets).collect();
            for (id, gets) in &mut wanted {
                let has = surplus.entry(*id).or_insert(0);
                let keeps = (*has).min(*gets);
                *has -= keeps;
                *gets -= keeps;
            }
            let mut model = Self { slots, surplus, wanted };
            model.return_claimed();
            model.share_out(live, |slot, wanted| slot.len() > 1 || !wanted.contains_key(&slot[0]));
            model.share_out(live, |_, _| true);
            model.slots
        }

        fn return_claimed(&mut self) {
            let mut walk = Walk::new(SCATTER, self.slots.len() as u32);
            for _ in 0..self.slots.len() {
                let slot = walk.step() as usize;
                let (&owner, claimants) = self.slots[slot].split_last().unwrap();
                let back = claimants.iter().position(|id| self.wanted.get(id).is_some_and(|&n| n > 0));
                if let Some(at) = back.filter(|_| self.surplus[&owner] > 0) {
                    *self.surplus.get_mut(&owner).unwrap() -= 1;
                    *self.wanted.get_mut(&claimants[at]).unwrap() -= 1;
                    self.slots[slot].truncate(at + 1);
                }
                let owner = self.slots[slot].pop().unwrap();
                self.slots[slot].retain(|id| !self.wanted.contains_key(id));
                self.slots[slot].push(owner);
            }
        }

        fn share_out(&mut self, live: &[Member], offered: fn(&[u32], &BTreeMap<u32, u32>) -> bool) {
            let open: Vec<bool> = self.slots.iter().map(|slot| offered(slot, &self.wanted)).collect();
            let order = |m: &Member| {
                let mut walk = Walk::new(m.key, open.len() as u32);
                (0..open.len()).map(|_| walk.step() as usize).collect()
            };
            let orders: Vec<Vec<usize>> = live.iter().map(order).collect();
            let mut taken = true;
            while std::mem::take(&mut taken) {
                for (member, order) in live.iter().zip(&orders).filter(|(m, _)| m.weight > 0) {
                    let to_be_had =
                        |&&at: &&usize| open[at] && self.surplus[self.slots[at].last().unwrap()] > 0;
                    if self.wanted[&member.id] > 0
                        && let Some(&at) = order.iter().find(to_be_had)
                    {
                        self.take(at, member.id);
                        taken = true;
                    }
                }
            }
        }

        fn take(&mut self, at: usize, taker: u32) {
            let slot = &mut self.slots[at];
            let owner = *slot.last().unwrap();
            if self.wanted.contains_key(&owner) {
                slot.pop();
            }
            slot.push(taker);
            if slot.len() > MAX_CLAIMS + 1 {
                slot.remove(0);
            }
            *self.surplus.get_mut(&owner).unwrap() -= 1;
            *self.wanted.get_mut(&taker).unwrap() -= 1;
        }
    }

    /// A table as the model has it.
    fn chains(table: &Chains) -> Vec<Vec<u32>> {
        let chain = |(slot, &owner): (u32, &u32)| table.claimants(slot).chain([owner]).collect();
        (0..).zip(table.owners.iter()).map(chain).collect()
    }

    /// Few members or many, of equal weights or of any; half of the sizes are primes.
    fn rings() -> impl Strategy<Value = (u32, Vec<u32>)> {
        let small = prop_oneof![Just(2_u32), Just(3), Just(61), Just(64), Just(1_021), Just(1_024)];
        let large = prop_oneof![Just(4_093_u32), Just(4_096), Just(65_536), Just(65_537), Just(131_071)];
        let count = prop_oneof![1..12_usize, 12..1_001_usize];
        let weights = count.prop_flat_map(|n| {
            let equal = (1..=1_000_u32).prop_map(move |weight| vec![weight; n]);
            prop_oneof![equal, prop::collection::vec(1..=1_000_u32, n)]
        });
        (prop_oneof![small, large], weights)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_first_fill_is_maglevs_whatever_the_weights((slots, weights) in rings(), keys in any::<u64>()) {
            let member = |(id, &weight): (u32, &u32)| Member { id, key: keys.wrapping_add(id.into()), weight };
            let live: Vec<Member> = (0..slots).zip(&weights).map(member).collect();
            let (table, holders) = first_fill(slots, &live).unwrap();
            prop_assert_eq!(&*table.owners, &textbook_fill(slots, &live));
            prop_assert_eq!(facts(&holders, &table), facts(&Holders::of(&table.owners).unwrap(), &table));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_update_is_the_models(
            slots in prop_oneof![Just(2_u32), Just(61), Just(64), Just(251)],
            history in prop::collection::vec(prop::collection::vec(prop_oneof![Just(0), 1..4_u32, 1..200_u32], 2..12), 2..12),
        ) {
            let member = |(id, &weight): (u32, &u32)| Member { id, key: u64::from(id) * 7, weight };
            let sets = history.iter().map(|set| (10..).zip(set).map(member).collect::<Vec<_>>());
            let mut now: Option<(Chains, Holders)> = None;
            for set in sets {
                let Ok(live) = admit(slots, &set) else { continue };
                let next = match &now {
                    None => first_fill(slots, &set).unwrap(),
                    Some((table, holders)) => {
                        let next = next_table(table, holders, &set).unwrap();
                        prop_assert_eq!(chains(&next.0), Model::update(chains(table), &live));
                        next
                    }
                };
                prop_assert_eq!(facts(&next.1, &next.0), facts(&Holders::of(&next.0.owners).unwrap(), &next.0));
                now = Some(next);
            }
        }
    }
}
