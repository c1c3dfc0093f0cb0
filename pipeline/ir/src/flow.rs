//! The flow table's law: layout, clock, states, replacement. Every target obeys it; the oracle implements it.
//!
//! # Entry
//! A flow key of `n` bits (fields concatenated in order, the first in the highest bits):
//!
//! | key | entry | words of 64 bits, each from the high end |
//! | --- | --- | --- |
//! | `n` ≤ 80 | 128 bits | `key[n-1 : n-64]` · `key[n-65 : 0]` in 16 bits, value 48 bits |
//! | `n` ≤ 176 | 256 bits | `key[n-1 : n-32]`, sequence 32 · next 64 · next 64 · last 16 bits, value 48 bits |
//!
//! A shorter key is extended with zeros at its **low** end, to 80 or 176 bits. The value: id 24, state 3, class 2,
//! spill 1, tick 18. State 0 = free. The sequence is the writer's own and no part of the key. An entry whose first
//! word would be all ones (128-bit entries) or whose high 32 bits of word 0 are all ones (256-bit entries) marks a
//! way being written; such a flow is never stored: it counts as not stored.
//!
//! # Place
//! 4 ways make a bucket; `buckets = entries / 4`. First bucket: `hash & (buckets - 1)`. Second:
//! `rotate_left(hash, 16) & (buckets - 1)`. The spill bit is that of the first bucket's way 0 (kept when that way is
//! rewritten or free).
//!
//! # Clock
//! `now` is a tick of 18 bits. An entry's age is `(now + 1 - tick) mod 2^18`, so that a CPU whose clock is a tick
//! behind that of the last writer finds it young. Expired: age > limit(class of the entry, state), the limit in ticks,
//! rounded up. A class beyond the declared ones is the last, also in the entry. The host's tick is 2^26 ns (about
//! 67 ms); a target may have its own unit.
//!
//! # Find
//! First bucket, ways 0 to 3, then, if the spill bit is set, the second: the first way in any state but free whose
//! key is equal is the flow's *place*. It is a *live hit* if it is not expired, and not a `closing` entry met by
//! `OPEN`. The id is that of the entry. Key, hash, event and class are taken when `find` runs.
//!
//! # Stay
//! On a live hit whose id `table` knows (its action is not the default), the flow *stays*. Otherwise it *moves*:
//! `select` runs. The entry that is applied in the end counts, once.
//!
//! # Remember
//! | event | moves | stays, `new` | stays, `tcp` or `udp` | stays, `closing` |
//! | --- | --- | --- | --- | --- |
//! | `OPEN` | store `new` | `new` | keep | (moves) |
//! | `DATA` | store `new` | `tcp` | keep | keep |
//! | `DATAGRAM` | store `new` | `udp` | keep | keep |
//! | `CLOSE` | nothing | `closing` | `closing` | keep |
//! | `PEEK` | nothing | nothing | nothing | nothing |
//!
//! A flow that stays keeps its id and gets the state above, the event's class, and tick = now; it is written only
//! if that changes the value. A flow that moves is stored with the event's class and tick = now: in its own place if
//! it has one; else in the first bucket's best way; else in the second bucket's best way, setting the first's spill
//! bit; else it is not stored, and `<table>.not_stored` counts one. A way is a candidate if free or expired (best),
//! `closing` (then the oldest), or `new` (then the oldest); ties: the lowest way. Live `tcp` and `udp` entries are
//! no candidates. Each stored flow counts one in `<table>.stored`.
//!
//! Software with several CPUs may lose a race for a way or a word: the loser skips its write. A first store that is
//! lost counts as not stored.

use crate::FlowTable;

/// Ways in a bucket.
pub const WAYS: u32 = 4;
/// Bits of an id.
pub const ID_BITS: u8 = 24;
/// Bits of a state.
pub const STATE_BITS: u8 = 3;
/// Bits of a time-out class.
pub const CLASS_BITS: u8 = 2;
/// Bits of the spill mark.
pub const SPILL_BITS: u8 = 1;
/// Bits of a tick.
pub const TICK_BITS: u8 = 18;

/// State of an entry.
pub mod state {
    /// Nothing here.
    pub const FREE: u8 = 0;
    /// Seen once.
    pub const NEW: u8 = 1;
    /// An established TCP connection.
    pub const TCP: u8 = 2;
    /// An established UDP flow.
    pub const UDP: u8 = 3;
    /// FIN or RST seen.
    pub const CLOSING: u8 = 4;
}

/// Names of what a flow entry holds, where flow tables are shown to a controller.
pub mod names {
    /// What the flow stays with.
    pub const ID: &str = "id";
    /// One of [`state`](super::state).
    pub const STATE: &str = "state";
    /// Time-out class.
    pub const CLASS: &str = "class";
    /// In way 0 of a bucket: flows of this bucket are in their second one too.
    pub const SPILL: &str = "spill";
}

/// Size class of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// 128 bits, keys up to 80 bits.
    Narrow,
    /// 256 bits, keys up to 176 bits.
    Wide,
}

impl Layout {
    /// Bits of key that it holds.
    #[must_use]
    pub fn key_bits(self) -> u32 {
        match self {
            Self::Narrow => 80,
            Self::Wide => 176,
        }
    }
    /// Bytes of an entry.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self {
            Self::Narrow => 16,
            Self::Wide => 32,
        }
    }
}

impl FlowTable {
    /// Bits of the declared key.
    #[must_use]
    pub fn key_bits(&self) -> u32 {
        self.keys.iter().map(|k| u32::from(k.width)).sum()
    }
    /// Its entries' layout.
    #[must_use]
    pub fn layout(&self) -> Layout {
        if self.key_bits() <= Layout::Narrow.key_bits() { Layout::Narrow } else { Layout::Wide }
    }
    /// The action that shows an entry's parts, [`names`]. A source's actions have no dot in their names.
    #[must_use]
    pub fn entry_action(&self) -> String {
        format!("{}.entry", self.name)
    }
    /// The action of what is not in the table.
    #[must_use]
    pub fn no_entry_action(&self) -> String {
        format!("{}.none", self.name)
    }
    /// The idle time-out of an entry, in milliseconds; a class beyond the declared ones is the last.
    #[must_use]
    pub fn idle_ms(&self, class: u8, state: u8) -> u64 {
        let idle = self.idle.get(usize::from(class)).or(self.idle.last());
        idle.map_or(0, |idle| match state {
            state::FREE => 0,
            state::NEW => idle.new,
            state::TCP => idle.tcp,
            state::UDP => idle.udp,
            _ => idle.closing,
        })
    }
    /// Buckets.
    #[must_use]
    pub fn buckets(&self) -> u32 {
        self.entries / WAYS
    }
}

/// A time-out in ticks of `tick_ns` nanoseconds, rounded up.
#[must_use]
pub fn ticks(milliseconds: u64, tick_ns: u64) -> u32 {
    u32::try_from((milliseconds * 1_000_000).div_ceil(tick_ns)).unwrap_or(u32::MAX)
}
