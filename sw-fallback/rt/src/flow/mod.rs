//! Flow tables: which flow stays where. Shared by all threads.
//!
//! Four ways make a bucket. A way is `WORDS` 64-bit words: 2 for keys up to 80 bits, 4 for keys up to 176. The last
//! word has the key's last 16 bits above the value: id 24, state 3, class 2, spill 1, tick 18. In the wide layout
//! the first word's low half is a sequence that each rewriting bumps.
//!
//! A writer that takes a way over compares-and-exchanges its first word to the *busy* mark, makes sure that the way
//! still is what it saw, writes, and publishes by storing the first word. A reader looks at the first word again
//! after the last. States and ticks change by compare-and-exchange of the last word against what was read: who loses
//! skips its write.

mod table;

pub use table::{Cursor, FlowTable};

use crate::bits::Bits;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicU64;

/// Ways in a bucket.
pub(crate) const WAYS: usize = 4;
/// Bits of a tick.
const TICK_BITS: u32 = 18;
const TICK_MASK: u64 = (1 << TICK_BITS) - 1;
const SPILL: u64 = 1 << 18;
const CLASS_SHIFT: u32 = 19;
const STATE_SHIFT: u32 = 21;
const ID_SHIFT: u32 = 24;
const VALUE_BITS: u32 = 48;
const VALUE_MASK: u64 = (1 << VALUE_BITS) - 1;

/// What a packet means for its flow: see `pipeline-ir`, `stmt::event`.
mod event {
    pub(super) const OPEN: u8 = 1;
    pub(super) const DATA: u8 = 2;
    pub(super) const DATAGRAM: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
}

/// States of an entry.
mod state {
    pub(super) const FREE: u8 = 0;
    pub(super) const NEW: u8 = 1;
    pub(super) const TCP: u8 = 2;
    pub(super) const UDP: u8 = 3;
    pub(super) const CLOSING: u8 = 4;
}

/// Idle time-outs of a class, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Limits {
    pub new: u32,
    pub tcp: u32,
    pub udp: u32,
    pub closing: u32,
}

/// A value: the last word without the key's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value(u64);

impl Value {
    fn new(id: u32, state: u8, class: u8, tick: u32) -> Self {
        let id = u64::from(id) << ID_SHIFT & VALUE_MASK;
        Self(
            id | u64::from(state) << STATE_SHIFT
                | u64::from(class) << CLASS_SHIFT
                | u64::from(tick) & TICK_MASK,
        )
    }
    fn id(self) -> u32 {
        (self.0 >> ID_SHIFT & 0xff_ffff) as u32
    }
    fn state(self) -> u8 {
        (self.0 >> STATE_SHIFT & 7) as u8
    }
    fn class(self) -> u8 {
        (self.0 >> CLASS_SHIFT & 3) as u8
    }
    fn spill(self) -> bool {
        self.0 & SPILL != 0
    }
    fn tick(self) -> u32 {
        (self.0 & TICK_MASK) as u32
    }
    /// Ticks since it was written, and one: whose clock is a tick behind the writer's finds it young.
    fn age(self, now: u32) -> u32 {
        (now + 1).wrapping_sub(self.tick()) & TICK_MASK as u32
    }
}

/// An entry as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Record {
    pub bucket: u32,
    pub way: u32,
    /// 10 or 22 bytes: the key's bits from the high end, then zeros.
    pub key: Vec<u8>,
    pub id: u32,
    pub state: u8,
    pub class: u8,
    pub spill: bool,
    pub tick: u32,
}

/// A flow table with one thread's counts.
#[derive(Clone, Debug)]
pub struct Flows<const WORDS: usize> {
    table: Arc<FlowTable<WORDS>>,
    stored: u64,
    not_stored: u64,
}

impl<const WORDS: usize> Flows<WORDS> {
    /// Empty. `entries`: ways in all, rounded up to a power of two of at least 8. `limits`: of 1 to 4 classes.
    #[must_use]
    pub fn new(entries: u32, limits: &[Limits]) -> Self {
        Self { table: Arc::new(FlowTable::new(entries, limits)), stored: 0, not_stored: 0 }
    }

    /// The same table for another thread, nothing counted.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { table: Arc::clone(&self.table), stored: 0, not_stored: 0 }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &FlowTable<WORDS> {
        &self.table
    }

    /// Looks a flow up; `key` has 80 or 176 bits, zeros where the declared key is shorter.
    #[inline(always)]
    #[must_use]
    pub fn find<const KEY: usize>(
        &self,
        key: Bits<KEY>,
        hash: u32,
        event: u8,
        class: u8,
        now: u32,
    ) -> Cursor<WORDS> {
        self.table.find(&key, hash, event, class, now)
    }

    /// Writes the flow under `id`, as its event says, and counts.
    #[inline]
    pub fn remember(&mut self, cursor: &Cursor<WORDS>, id: u32, now: u32) {
        match self.table.remember(cursor, id, now) {
            Some(true) => self.stored += 1,
            Some(false) => self.not_stored += 1,
            None => {}
        }
    }
}

/// A flow table, whatever its layout.
pub trait AnyFlows {
    /// The table, to be read by whoever holds this, as long as it is held.
    fn reader(&self) -> Arc<dyn ReadFlows>;
    /// Flows stored, and flows that found no room, by this thread.
    fn counts(&self) -> (u64, u64);
    /// Its words, as memory to be given to it in other pages.
    fn memory(&self) -> &[AtomicU64];
}

impl<const WORDS: usize> AnyFlows for Flows<WORDS> {
    fn reader(&self) -> Arc<dyn ReadFlows> {
        Arc::clone(&self.table) as Arc<dyn ReadFlows>
    }
    fn counts(&self) -> (u64, u64) {
        (self.stored, self.not_stored)
    }
    fn memory(&self) -> &[AtomicU64] {
        self.table.words()
    }
}

/// Reads a flow table while packets use it.
pub trait ReadFlows: core::fmt::Debug + Send + Sync {
    /// Buckets.
    fn buckets(&self) -> u32;
    /// Every entry of these buckets that is not free, by bucket and way.
    fn records(&self, buckets: Range<u32>) -> Vec<Record>;
}

impl<const WORDS: usize> ReadFlows for FlowTable<WORDS> {
    fn buckets(&self) -> u32 {
        self.buckets()
    }
    fn records(&self, buckets: Range<u32>) -> Vec<Record> {
        self.records(buckets)
    }
}

#[cfg(test)]
mod tests;
