//! How many slots each member gets (Sainte-Laguë).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::RingError;
use crate::order::check_slot_count;

/// A backend that is to be in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The backend's id as the data plane knows it: this value is written into the slots. It also
    /// decides ties and turns (lowest first). Any 32-bit value is legal.
    pub id: u32,
    /// What the member's Maglev order is made from. It should be unique and stay the same for the life
    /// of the backend; see [`crate::stable_key`].
    pub key: u64,
    /// Its share relative to the other members'. 0 means out of the ring.
    pub weight: u32,
}

/// What one live member gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The backend's id.
    pub id: u32,
    /// Its weight, above 0.
    pub weight: u32,
    /// Its slots. This can be 0 if its ideal share is below one slot.
    pub slots: u32,
    /// `slots` minus the ideal share (slots of the ring × weight / sum of weights), in thousandths of
    /// a slot, rounded towards zero.
    pub deviation_milli: i64,
}

impl Share {
    /// Whether the count is less than one slot away from the ideal share.
    #[must_use]
    pub fn within_one_slot(&self) -> bool {
        // A true deviation below one slot is rounded towards zero, one of at least a slot stays above 999.
        self.deviation_milli.abs() < 1_000
    }
}

/// The slot counts of the live members, by rising id. [`crate::Ring::build`] and
/// [`crate::Ring::update`] give exactly these.
///
/// With `N` live members and `r` a member's weight divided by the mean weight, a count differs from the
/// ideal share by at most `(1 + r * (N - 2) / N) / 2` slots. That is less than one slot for every
/// member whose weight is not above the mean; so for all if the weights are equal. A member far
/// heavier than the rest can be off by more when the others all round the same way:
/// weight 100 among 655 members of weight 1, in 65,537 slots, gets 8,650 instead of 8,680.4. In
/// proportion to its share that is small (here 0.35 %). It is the price of moving no slot needlessly:
/// no method that stays within one slot for all weights can promise that no third member's count moves
/// against the change (Balinski and Young's theorem). [`Share::within_one_slot`] tells whom it concerns.
///
/// # Errors
/// [`RingError::SlotCount`], [`RingError::DuplicateId`], [`RingError::NoMembers`] and
/// [`RingError::TooManyMembers`].
pub fn apportion(slots: u32, members: &[Member]) -> Result<Vec<Share>, RingError> {
    // A count that does not fit `usize` is too large in any case.
    let slots = check_slot_count(usize::try_from(slots).unwrap_or(usize::MAX))?;
    let live = admit(slots, members)?;
    let total: u64 = live.iter().map(|m| u64::from(m.weight)).sum();
    let share = |(member, count): (&Member, u32)| {
        let ideal = i128::from(slots) * i128::from(member.weight);
        let milli = (i128::from(count) * i128::from(total) - ideal) * 1_000 / i128::from(total);
        // At most `slots` thousands, far below 2^63.
        Share { id: member.id, weight: member.weight, slots: count, deviation_milli: milli as i64 }
    };
    Ok(live.iter().zip(counts(slots, &live)).map(share).collect())
}

/// The live members by rising id, if the list is sound.
pub(crate) fn admit(slots: u32, members: &[Member]) -> Result<Vec<Member>, RingError> {
    let mut live = members.to_vec();
    live.sort_unstable_by_key(|m| m.id);
    if let Some(twice) = live.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(RingError::DuplicateId { id: twice[0].id });
    }
    live.retain(|m| m.weight > 0);
    match live.len() {
        0 => Err(RingError::NoMembers),
        members if members > (slots as usize).min(crate::MAX_MEMBERS) => {
            Err(RingError::TooManyMembers { members, slots })
        }
        _ => Ok(live),
    }
}

/// A member's bid for its next slot: `weight / (2 * slots + 1)`.
#[derive(PartialEq, Eq)]
struct Bid {
    weight: u32,
    slots: u32,
    position: usize,
}

impl Ord for Bid {
    /// The higher bid is greater; of equal ones, that of the lower position (so lower id).
    fn cmp(&self, other: &Self) -> Ordering {
        // Below 2^32 * 2^22: no overflow.
        let scaled = |bid: &Self, by: &Self| u64::from(bid.weight) * (2 * u64::from(by.slots) + 1);
        scaled(self, other).cmp(&scaled(other, self)).then(other.position.cmp(&self.position))
    }
}

impl PartialOrd for Bid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Sainte-Laguë counts of `live` members (from [`admit`]), in the same order.
///
/// Most slots are awarded at once: with `q = (2 * slots - N) / sum of weights`, all bids above `1 / q`
/// come first in the sequence of awards, and there are between `slots - N` and `slots` of them. The
/// rest, at most `N`, go one by one to the highest bid.
pub(crate) fn counts(slots: u32, live: &[Member]) -> Vec<u32> {
    let total: u64 = live.iter().map(|m| u64::from(m.weight)).sum();
    let budget = 2 * u64::from(slots) - live.len() as u64;
    let mut counts: Vec<u32> = live
        .iter()
        .map(|m| {
            // The odd numbers `2k + 1` with `(2k + 1) * total < budget * weight`: below 2^21 of them.
            let below = (budget * u64::from(m.weight) - 1) / total;
            below.div_ceil(2) as u32
        })
        .collect();
    let awarded: u32 = counts.iter().sum();
    let bid = |position: usize, slots: u32| Bid { weight: live[position].weight, slots, position };
    let mut bids: Vec<Bid> = counts.iter().enumerate().map(|(at, &slots)| bid(at, slots)).collect();
    let left = (slots - awarded) as usize;
    // If the highest bids are above what those who win would bid next, nobody wins twice.
    if (1..bids.len()).contains(&left) {
        bids.select_nth_unstable_by(left, |a, b| b.cmp(a));
        let again = bids[..left].iter().map(|won| bid(won.position, won.slots + 1)).max();
        if again < bids[..left].iter().map(|won| bid(won.position, won.slots)).min() {
            bids[..left].iter().for_each(|won| counts[won.position] += 1);
            return counts;
        }
    }
    let mut bids = BinaryHeap::from(bids);
    for _ in 0..left {
        if let Some(mut best) = bids.peek_mut() {
            best.slots += 1;
            counts[best.position] += 1;
        }
    }
    counts
}
