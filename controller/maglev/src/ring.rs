//! The ring itself.

use crate::RingError;
use crate::apportion::Member;
use crate::claims::{Chains, MAX_CLAIMS};
use crate::holders::Holders;
use crate::order::{check_slot_count, fnv1a_words};
use crate::update::{first_fill, next_table};

/// A table of slots, each with its owner, and the claims that let a failed backend get its slots back.
///
/// Two rings are equal if owners, homes and claims are. To store a ring, keep [`slots`](Self::slots),
/// [`homes`](Self::homes) and [`claims`](Self::claims); the data plane needs the slots only.
#[derive(Clone, Debug)]
pub struct Ring {
    chains: Chains,
    /// Follows from the owners, but for the positions.
    holders: Holders,
}

impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        self.chains == other.chains
    }
}

impl Eq for Ring {}

impl Ring {
    /// A first fill: every slot is free, and each owner becomes the slot's home.
    ///
    /// # Errors
    /// [`RingError::SlotCount`], [`RingError::DuplicateId`], [`RingError::NoMembers`] and
    /// [`RingError::TooManyMembers`].
    pub fn build(slots: u32, members: &[Member]) -> Result<Self, RingError> {
        // A count that does not fit `usize` is too large in any case.
        let slots = check_slot_count(usize::try_from(slots).unwrap_or(usize::MAX))?;
        let (chains, holders) = first_fill(slots, members)?;
        Ok(Self { chains, holders })
    }

    /// The ring after `members` became the desired set (the whole set, not the changes). A member that
    /// is not listed, or listed with weight 0, is out; its claims stay until it comes back.
    ///
    /// # Errors
    /// [`RingError::DuplicateId`], [`RingError::NoMembers`] and [`RingError::TooManyMembers`]. On an
    /// error the caller keeps this ring, which still names the former owners.
    pub fn update(&self, members: &[Member]) -> Result<Self, RingError> {
        let (chains, holders) = next_table(&self.chains, &self.holders, members)?;
        Ok(Self { chains, holders })
    }

    /// A ring from stored owners and homes, without claims in between (see
    /// [`from_parts_with_claims`](Self::from_parts_with_claims)). To adopt a table of which only the
    /// owners are known, pass them as homes too.
    ///
    /// # Errors
    /// [`RingError::SlotCount`], [`RingError::HomeCount`] and [`RingError::TooManyMembers`].
    pub fn from_parts(slots: Vec<u32>, homes: Vec<u32>) -> Result<Self, RingError> {
        Self::from_parts_with_claims(slots, homes, [])
    }

    /// A ring from all that it consists of: what [`slots`](Self::slots), [`homes`](Self::homes) and
    /// [`claims`](Self::claims) returned.
    ///
    /// # Errors
    /// [`RingError::SlotCount`], [`RingError::HomeCount`], [`RingError::Claims`] and [`RingError::TooManyMembers`].
    pub fn from_parts_with_claims(
        slots: Vec<u32>,
        homes: Vec<u32>,
        claims: impl IntoIterator<Item = (u32, Vec<u32>)>,
    ) -> Result<Self, RingError> {
        let claims: Vec<(u32, Vec<u32>)> = claims.into_iter().collect();
        check_parts(&slots, &homes, claims.iter().map(|(slot, between)| (*slot, between.as_slice())))?;
        let mut chains = Chains::with_homes(slots, homes);
        chains.between.extend(claims);
        Ok(Self { holders: Holders::of(&chains.owners)?, chains })
    }

    /// How many slots the ring has.
    #[must_use]
    pub fn slot_count(&self) -> u32 {
        // At most 2^20 by every way to make a ring.
        self.chains.owners.len() as u32
    }

    /// The owner of each slot: the backend id that the data plane looks up by `hash mod slots`.
    #[must_use]
    pub fn slots(&self) -> &[u32] {
        &self.chains.owners
    }

    /// The home of each slot: its oldest claimant, or its owner if nobody has a claim.
    #[must_use]
    pub fn homes(&self) -> &[u32] {
        self.chains.homes()
    }

    /// The claims between home and owner, oldest first, of the slots that have any, by rising slot
    /// number. Empty unless backends failed one after another.
    pub fn claims(&self) -> impl ExactSizeIterator<Item = (u32, &[u32])> {
        self.chains.between.iter().map(|(&slot, between)| (slot, between.as_slice()))
    }

    /// How many slots each owner has, as (backend id, slots), by rising id. Backends without a slot
    /// are not listed.
    #[must_use]
    pub fn shares(&self) -> Vec<(u32, u32)> {
        self.holders.shares().map(|(id, count, _)| (id, count)).collect()
    }

    /// The [`digest`] of the owners.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest(self.slots())
    }
}

/// A check value of the owners of slots, the same on every machine and in every version: 64-bit FNV-1a
/// over the slot count and then the owner of each slot, each as four bytes, lowest first. Homes and
/// claims are not part of it. It detects accidents, not attacks.
#[must_use]
pub fn digest(slots: &[u32]) -> u64 {
    // Every way to make a ring refuses a count that does not fit.
    fnv1a_words(std::iter::once(slots.len() as u32).chain(slots.iter().copied()))
}

/// Whether [`Ring::from_parts_with_claims`] takes these parts, for who needs no ring: all of its conditions but for the
/// number of owners.
///
/// # Errors
/// [`RingError::SlotCount`], [`RingError::HomeCount`] and [`RingError::Claims`].
pub fn check_parts<'a>(
    slots: &[u32],
    homes: &[u32],
    claims: impl IntoIterator<Item = (u32, &'a [u32])>,
) -> Result<(), RingError> {
    check_slot_count(slots.len())?;
    if slots.len() != homes.len() {
        return Err(RingError::HomeCount { slots: slots.len(), homes: homes.len() });
    }
    let mut last = None;
    for (slot, between) in claims {
        if last.is_some_and(|last| last >= slot) || !is_chain(slots, homes, slot, between) {
            return Err(RingError::Claims { slot });
        }
        last = Some(slot);
    }
    Ok(())
}

/// Whether `between` can stand between home and owner of `slot`.
fn is_chain(slots: &[u32], homes: &[u32], slot: u32, between: &[u32]) -> bool {
    let at = slot as usize;
    let (Some(&home), Some(&owner)) = (homes.get(at), slots.get(at)) else { return false };
    if between.is_empty() || between.len() + 1 > MAX_CLAIMS {
        return false;
    }
    let mut all = [between, &[home, owner]].concat();
    all.sort_unstable();
    all.windows(2).all(|pair| pair[0] != pair[1])
}

/// The slots whose owner differs, by rising number. If one ring is larger, the slots that only it has
/// count as differing.
#[must_use]
pub fn moved(a: &Ring, b: &Ring) -> Vec<u32> {
    (0..a.slot_count().max(b.slot_count()))
        .filter(|&slot| a.slots().get(slot as usize) != b.slots().get(slot as usize))
        .collect()
}
