//! Weighted Maglev rings without collateral moves.
//!
//! A ring is a table of `M` slots. A load balancer hashes a new flow to a slot and sends it to the
//! backend that owns the slot. This crate decides who owns which slot, and moves as few slots as
//! possible when backends come, go, or change weight. It does no I/O and keeps no hidden state: a new
//! ring depends on the previous ring and on the desired members, on nothing else.
//!
//! ```
//! use maglev_ring::{Member, Ring, moved, stable_key};
//!
//! let web = |n: u32, weight| Member { id: n, key: stable_key(format!("web-{n}").as_bytes()), weight };
//! let all = [web(1, 10), web(2, 10), web(3, 20)];
//! let ring = Ring::build(65_537, &all)?;
//! assert_eq!(ring.shares(), [(1, 16_384), (2, 16_384), (3, 32_769)]);
//!
//! // web-2 fails: its own slots move, no other.
//! let without = ring.update(&[web(1, 10), web(2, 0), web(3, 20)])?;
//! assert_eq!(moved(&ring, &without).len(), 16_384);
//!
//! // web-2 is back: the table is what it was.
//! assert_eq!(without.update(&all)?, ring);
//! # Ok::<(), maglev_ring::RingError>(())
//! ```
//!
//! # The contract
//!
//! **Size.** `M` is a prime, or a power of two, from 2 to 2^20. Use a prime such as 65,537 where the
//! data plane can take a hash modulo `M`; use 65,536 where it can only mask bits.
//!
//! **Members.** A member with weight 0 is *out*, exactly as if it were not listed. The others are
//! *live*. There must be at least one live member, and no more than `M`, nor more than [`MAX_MEMBERS`].
//!
//! **Rule 1: counts.** How many slots a live member gets is a pure function of `M` and of the live
//! members' weights (Sainte-Laguë, also known as Webster): slots are awarded one by one, each to the
//! member with the highest `weight / (2 * slots so far + 1)`, and on a tie to the lowest id. Hence:
//! when one member leaves, no other loses a slot; when one joins or its weight rises, no other gains
//! one. See [`apportion`] for how far from the ideal share a count can be.
//!
//! **Rule 2: moves.** An update takes from each owner the slots that it has above its new count (all
//! of them if it is out) and nothing else. So the number of slots that move is
//! the sum of these surpluses, the least that the new counts allow, whatever changed at once:
//! a leaving member moves its own slots, a joining one moves exactly its share and only to itself, a
//! weight change moves exactly the difference of that member's counts.
//!
//! **Rule 3: claims.** Each slot remembers the members that owned it and went out while they did,
//! oldest first. They have a *claim* on it. The oldest of them, or the owner if there is none, is the
//! slot's *home*.
//! - A slot whose owner is out goes to a new owner *on loan*: the former owner keeps a claim.
//! - A slot that a live owner gives up goes for good: the former owner keeps no claim. Older claims on
//!   it stay.
//! - A live member has a claim on no slot: coming back settles all its claims, whether it got the slots
//!   (the claims younger than its own end too) or had room for fewer.
//! - A slot keeps at most [`MAX_CLAIMS`] claims; the oldest goes first.
//!
//! **Rule 4: which slots move, and to whom.** First, claims: a slot goes back to the oldest claimant
//! that still wants slots, if its owner still has too many. (If claims exceed the room, slots are
//! served in a fixed, scattered order.) Then the members that still want slots take one each, in turn,
//! by rising id, until each has its count; each takes the first slot in its own Maglev order that is
//! to be had. To be had are at first the slots of members that are out, and slots on loan of owners
//! that have too many; when there are no more of these, any slot of such an owner. A first fill is the
//! same procedure with all slots free: Maglev's own, with turns that stop at each member's count.
//!
//! **What follows for failures.** Take a ring that [`Ring::build`] or [`Ring::update`] made for some
//! members, and let any of them go out, at once or one after another. When all of them come back at
//! once, or in the reverse order, with their weights and nothing else changed, each slot has its old
//! owner again. (This needs the oldest claims no further back than [`MAX_CLAIMS`] failures in a row
//! that hit one slot.) If they come back in another order, or if members or weights changed in
//! between, rules 1 and 2 hold at each step and claims are honoured as far as they allow, but some
//! slots can end elsewhere. No rule can do better: with exact counts and least moves, the order of
//! events must matter.
//!
//! **Maglev order.** A member's order of preference is `offset, offset + skip, offset + 2 * skip, ...`
//! modulo `M`, which visits every slot once. Both numbers are hashes of [`Member::key`] alone; `skip` is
//! odd if `M` is a power of two. Keys should differ; members with equal keys work, but compete for
//! the same slots. A key should survive a restart of the backend and of the controller.

mod apportion;
mod claims;
mod error;
mod fill;
mod holders;
mod index;
mod order;
mod pool;
mod ring;
mod set;
mod update;

pub use apportion::{Member, Share, apportion};
pub use claims::MAX_CLAIMS;
pub use error::RingError;
pub use order::stable_key;
pub use ring::{Ring, check_parts, digest, moved};

/// The largest slot count of a ring: 2^20.
pub const MAX_SLOTS: u32 = 1 << 20;
/// The most live members of a ring: 2^15.
pub const MAX_MEMBERS: usize = 1 << 15;
