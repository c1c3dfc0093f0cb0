//! The words of a flow table, and the law over them.

use super::{Limits, Record, SPILL, VALUE_BITS, VALUE_MASK, Value, WAYS, event, state};
use crate::bits::Bits;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU64, fence};

/// Words of a cache line.
const LINE: usize = 8;

/// The shared part: words and time-outs.
#[derive(Debug)]
pub struct FlowTable<const WORDS: usize> {
    words: Box<[AtomicU64]>,
    /// The first word that starts a cache line.
    base: usize,
    mask: u32,
    classes: u8,
    /// By class and state; a free entry's limit is 0: it always has expired.
    limits: [[u32; 8]; 4],
}

/// A way as it was seen: its first word's index, that word, and the last word.
type Place = (usize, u64, u64);

/// What `find` found.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<const WORDS: usize> {
    /// As in an entry, without value and sequence.
    key: [u64; WORDS],
    hash: u32,
    event: u8,
    class: u8,
    place: Option<Place>,
    live: bool,
    /// Does the flow stay where it is? Set by the caller.
    pub stays: bool,
}

impl<const WORDS: usize> Cursor<WORDS> {
    /// The id of a live hit.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.place.filter(|_| self.live).map(|(_, _, last)| Value(last & VALUE_MASK).id())
    }
}

/// Zeroed words without touching them.
fn zeroed(n: usize) -> Box<[AtomicU64]> {
    let words = Box::<[AtomicU64]>::new_zeroed_slice(n);
    // SAFETY: an atomic word of zero bits is valid.
    #[allow(unsafe_code)]
    unsafe {
        words.assume_init()
    }
}

impl<const WORDS: usize> FlowTable<WORDS> {
    const LAST: usize = WORDS - 1;
    /// The key's bits in the first word.
    const FIRST_MASK: u64 = if WORDS == 2 { u64::MAX } else { !0 << 32 };
    /// The mark of a way being written, in those bits.
    const BUSY: u64 = Self::FIRST_MASK;

    pub(super) fn new(entries: u32, limits: &[Limits]) -> Self {
        let entries = entries.clamp(2 * WAYS as u32, 1 << 30).next_power_of_two();
        let words = zeroed(entries as usize * WORDS + LINE);
        let base = words.as_ptr().align_offset(LINE * size_of::<u64>()).min(LINE);
        let mut table = [[0; 8]; 4];
        for (row, l) in table.iter_mut().zip(limits) {
            *row = [0, l.new, l.tcp, l.udp, l.closing, l.closing, l.closing, l.closing];
        }
        let classes = limits.len().clamp(1, 4) as u8;
        Self { words, base, mask: entries / WAYS as u32 - 1, classes, limits: table }
    }

    pub(super) fn words(&self) -> &[AtomicU64] {
        &self.words
    }

    /// Buckets.
    #[must_use]
    pub fn buckets(&self) -> u32 {
        self.mask + 1
    }

    #[inline(always)]
    fn first_word(&self, bucket: u32, way: usize) -> usize {
        self.base + (bucket as usize * WAYS + way) * WORDS
    }

    #[inline(always)]
    fn expired(&self, value: Value, now: u32) -> bool {
        value.state() == state::FREE
            || value.age(now) > self.limits[usize::from(value.class())][usize::from(value.state())]
    }

    /// First and second bucket.
    #[inline(always)]
    fn both(&self, hash: u32) -> (u32, u32) {
        (hash & self.mask, hash.rotate_left(16) & self.mask)
    }

    /// A key's bits as an entry's words: in the wide layout, the first has 32 of them, above the sequence.
    #[inline(always)]
    fn key_words<const KEY: usize>(key: &Bits<KEY>) -> [u64; WORDS] {
        if WORDS == 2 {
            return core::array::from_fn(|i| key.word(i));
        }
        core::array::from_fn(|i| match i {
            0 => key.word(0) & Self::FIRST_MASK,
            _ => key.word(i - 1) << 32 | key.word(i) >> 32,
        })
    }

    #[inline(always)]
    pub(super) fn find<const KEY: usize>(
        &self,
        key: &Bits<KEY>,
        hash: u32,
        event: u8,
        class: u8,
        now: u32,
    ) -> Cursor<WORDS> {
        let key = Self::key_words(key);
        let (first, second) = self.both(hash);
        let mut place = None;
        if key[0] & Self::FIRST_MASK != Self::BUSY {
            place = self.search(first, &key);
            if place.is_none() && self.spilled(first) {
                place = self.search(second, &key);
            }
        }
        let live = place.is_some_and(|(_, _, last)| {
            let value = Value(last & VALUE_MASK);
            !self.expired(value, now) && (value.state() != state::CLOSING || event != event::OPEN)
        });
        Cursor { key, hash, event, class: class.min(self.classes - 1), place, live, stays: false }
    }

    #[inline(always)]
    fn spilled(&self, bucket: u32) -> bool {
        Value(self.words[self.first_word(bucket, 0) + Self::LAST].load(Relaxed)).spill()
    }

    /// The first way with this key, in any state but free.
    #[inline(always)]
    fn search(&self, bucket: u32, key: &[u64; WORDS]) -> Option<Place> {
        let start = self.first_word(bucket, 0);
        let bucket = &self.words[start..start + WAYS * WORDS];
        for way in 0..WAYS {
            let words = &bucket[way * WORDS..(way + 1) * WORDS];
            let first = words[0].load(Acquire);
            if first & Self::FIRST_MASK != key[0] {
                continue;
            }
            let middle = (1..Self::LAST).all(|i| words[i].load(Relaxed) == key[i]);
            let last = words[Self::LAST].load(Relaxed);
            fence(Acquire);
            let same = last >> VALUE_BITS == key[Self::LAST] >> VALUE_BITS && words[0].load(Relaxed) == first;
            if middle && same && Value(last).state() != state::FREE {
                return Some((start + way * WORDS, first, last));
            }
        }
        None
    }

    /// None: nothing was to be stored; else: was it?
    #[inline]
    pub(super) fn remember(&self, cursor: &Cursor<WORDS>, id: u32, now: u32) -> Option<bool> {
        if let Some((at, _, last)) = cursor.place.filter(|_| cursor.stays) {
            let old = Value(last & VALUE_MASK);
            let next = next_state(cursor.event, old.state())?;
            let new = Value::new(old.id(), next, cursor.class, now).0 | last & (!VALUE_MASK | SPILL);
            if new != last {
                // Lost: another packet of this flow was faster, or the way is another flow's now.
                let _lost = self.words[at + Self::LAST].compare_exchange(last, new, Relaxed, Relaxed);
            }
            return None;
        }
        if !matches!(cursor.event, event::OPEN | event::DATA | event::DATAGRAM) {
            return None;
        }
        Some(self.store(cursor, id, now))
    }

    #[cold]
    fn store(&self, cursor: &Cursor<WORDS>, id: u32, now: u32) -> bool {
        if cursor.key[0] & Self::FIRST_MASK == Self::BUSY {
            return false;
        }
        let value = Value::new(id, state::NEW, cursor.class, now);
        let (first, second) = self.both(cursor.hash);
        if let Some(place) = cursor.place.or_else(|| self.candidate(first, now)) {
            return self.take(place, &cursor.key, value, None);
        }
        match self.candidate(second, now) {
            Some(place) => self.take(place, &cursor.key, value, Some(first)),
            None => false,
        }
    }

    /// A bucket's best way: free or expired; else the oldest `closing`; else the oldest `new`. Ties: the lowest.
    fn candidate(&self, bucket: u32, now: u32) -> Option<Place> {
        let mut best: Option<((u8, u32), Place)> = None;
        for way in 0..WAYS {
            let at = self.first_word(bucket, way);
            let first = self.words[at].load(Acquire);
            let last = self.words[at + Self::LAST].load(Relaxed);
            if first & Self::FIRST_MASK == Self::BUSY {
                continue;
            }
            let value = Value(last & VALUE_MASK);
            let rank = match value.state() {
                _ if self.expired(value, now) => (3, 0),
                state::CLOSING => (2, value.age(now)),
                state::NEW => (1, value.age(now)),
                _ => continue,
            };
            if best.is_none_or(|(other, _)| rank > other) {
                best = Some((rank, (at, first, last)));
            }
        }
        best.map(|(_, place)| place)
    }

    /// Takes a way over, if it still is what was seen of it.
    fn take(&self, (at, first, last): Place, key: &[u64; WORDS], value: Value, spills: Option<u32>) -> bool {
        let sequence = first & !Self::FIRST_MASK;
        let busy = Self::BUSY | sequence;
        if self.words[at].compare_exchange(first, busy, AcqRel, Relaxed).is_err() {
            return false;
        }
        fence(Release);
        let new = key[Self::LAST] | value.0 & !SPILL;
        let update = |word: u64| ((word ^ last) & !SPILL == 0).then_some(new | word & SPILL);
        if self.words[at + Self::LAST].fetch_update(AcqRel, Relaxed, update).is_err() {
            self.words[at].store(first, Release);
            return false;
        }
        for (i, word) in key.iter().enumerate().take(Self::LAST).skip(1) {
            self.words[at + i].store(*word, Relaxed);
        }
        if let Some(bucket) = spills {
            self.words[self.first_word(bucket, 0) + Self::LAST].fetch_or(SPILL, Relaxed);
        }
        let next = sequence.wrapping_add(1) & !Self::FIRST_MASK;
        self.words[at].store(key[0] | next, Release);
        true
    }

    /// Entries of these buckets that are not free.
    pub(super) fn records(&self, buckets: Range<u32>) -> Vec<Record> {
        let end = buckets.end.min(self.buckets());
        let start = buckets.start.min(end);
        let ways = self.words.get(self.first_word(start, 0)..self.first_word(end, 0)).unwrap_or_default();
        let record = |way: usize| self.record(start + (way / WAYS) as u32, way % WAYS);
        occupied(ways, WORDS).into_iter().filter_map(record).collect()
    }

    fn record(&self, bucket: u32, way: usize) -> Option<Record> {
        let at = self.first_word(bucket, way);
        let words: [u64; WORDS] = core::array::from_fn(|i| self.words[at + i].load(Acquire));
        let value = Value(words[Self::LAST] & VALUE_MASK);
        if value.state() == state::FREE || words[0] & Self::FIRST_MASK == Self::BUSY {
            return None;
        }
        let mut key = Vec::with_capacity(22);
        for (i, word) in words.iter().enumerate() {
            let n = if i == Self::LAST {
                2
            } else if i == 0 && WORDS > 2 {
                4
            } else {
                8
            };
            key.extend_from_slice(&word.to_be_bytes()[..n]);
        }
        Some(Record {
            bucket,
            way: way as u32,
            key,
            id: value.id(),
            state: value.state(),
            class: value.class(),
            spill: value.spill(),
            tick: value.tick(),
        })
    }
}

/// The ways, of `size` words each, that are not free. It is not generic, and so as fast as this crate is compiled:
/// nearly all of millions are passed over.
fn occupied(words: &[AtomicU64], size: usize) -> Vec<usize> {
    let ways = words.chunks_exact(size.max(1)).enumerate();
    let used = |way: &[AtomicU64]| {
        way.last().is_some_and(|last| Value(last.load(Relaxed) & VALUE_MASK).state() != state::FREE)
    };
    ways.filter(|(_, way)| used(way)).map(|(at, _)| at).collect()
}

/// The state of a flow that stays; none: nothing is written.
#[inline(always)]
fn next_state(event: u8, old: u8) -> Option<u8> {
    Some(match (event, old) {
        (event::OPEN, kept) => kept,
        (event::DATA, state::NEW) => state::TCP,
        (event::DATAGRAM, state::NEW) => state::UDP,
        (event::DATA | event::DATAGRAM, kept) => kept,
        (event::CLOSE, _) => state::CLOSING,
        _ => return None,
    })
}
