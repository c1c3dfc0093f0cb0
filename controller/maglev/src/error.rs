//! What can be wrong with the input.

use std::fmt;

/// Why a ring cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingError {
    /// The slot count is no prime and no power of two, or not within 2 to [`crate::MAX_SLOTS`].
    SlotCount {
        /// The count that was asked for.
        slots: usize,
    },
    /// Nobody could own a slot: the list is empty, or all weights are 0.
    NoMembers,
    /// There are more members with a weight above 0 than slots, or than [`crate::MAX_MEMBERS`].
    TooManyMembers {
        /// Members with a weight above 0.
        members: usize,
        /// Slots of the ring.
        slots: u32,
    },
    /// An id occurs twice in the list of members (weight 0 counts too).
    DuplicateId {
        /// The id.
        id: u32,
    },
    /// There must be one home for each slot.
    HomeCount {
        /// Slots of the ring.
        slots: usize,
        /// Homes given.
        homes: usize,
    },
    /// The claims between home and owner of this slot are not of a form that a ring produces: no such
    /// slot, listed twice, out of order, empty, longer than [`crate::MAX_CLAIMS`] with the home, or
    /// naming a member twice.
    Claims {
        /// The slot's number.
        slot: u32,
    },
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SlotCount { slots } => write!(
                f,
                "a ring cannot have {slots} slots: use a prime (65537) or a power of two (65536), from 2 to {}",
                crate::MAX_SLOTS
            ),
            Self::NoMembers => f.write_str("a ring needs at least one member with a weight above 0"),
            Self::TooManyMembers { members, .. } if members > crate::MAX_MEMBERS => {
                write!(f, "{members} members: a ring has at most {}", crate::MAX_MEMBERS)
            }
            Self::TooManyMembers { members, slots } => {
                write!(f, "{members} members with a weight above 0 do not fit into {slots} slots")
            }
            Self::DuplicateId { id } => write!(f, "backend id {id} is listed twice"),
            Self::HomeCount { slots, homes } => write!(f, "{homes} homes for {slots} slots"),
            Self::Claims { slot } => write!(f, "the claims on slot {slot} are malformed"),
        }
    }
}

impl std::error::Error for RingError {}
