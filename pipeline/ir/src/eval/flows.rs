//! A flow table: the law of [`flow`](crate::flow), sentence by sentence.

use std::collections::BTreeMap;

use super::packet::{Bits, bits};
use crate::FlowTable;
use crate::flow::{self, Layout, TICK_BITS, WAYS, state};
use crate::stmt::event;

/// A way of a flow table that is not free.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowEntry {
    /// Number of the bucket.
    pub bucket: u32,
    /// 0 to 3.
    pub way: u32,
    /// A value for each key field, in order.
    pub key: Vec<u128>,
    /// At most 24 bits.
    pub id: u32,
    /// One of [`state`].
    pub state: u8,
    /// Time-out class.
    pub class: u8,
    /// In way 0: flows of this bucket may be in their second.
    pub spill: bool,
    /// When the flow was last written: 18 bits.
    pub tick: u32,
}

/// A packet's flow: what `find` asked and what it found.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) table: usize,
    key: Vec<u128>,
    hash: u32,
    event: u128,
    class: u8,
    place: Option<(u32, u32)>,
    /// The id of a live hit.
    pub(super) live: Option<u32>,
    /// Set by `stay`.
    pub(super) stays: bool,
}

/// What `remember` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    Nothing,
    Stored { bucket: u32, way: u32, state: u8 },
    NotStored,
}

#[derive(Clone, Debug)]
pub(super) struct FlowState {
    table: FlowTable,
    tick_ns: u64,
    ways: BTreeMap<(u32, u32), FlowEntry>,
    pub(super) stored: u64,
    pub(super) not_stored: u64,
}

impl FlowState {
    pub(super) fn new(table: &FlowTable, tick_ns: u64) -> Self {
        Self { table: table.clone(), tick_ns, ways: BTreeMap::new(), stored: 0, not_stored: 0 }
    }

    pub(super) fn content(&self) -> Vec<FlowEntry> {
        self.ways.values().cloned().collect()
    }

    /// `find`: nothing is written.
    pub(super) fn find(
        &self,
        table: usize,
        key: Vec<u128>,
        hash: u32,
        event: u128,
        class: u128,
        now: u32,
    ) -> Flow {
        let last = self.table.idle.len() - 1;
        let class = class.min(last as u128) as u8;
        let place = self.place(&key, hash);
        let live = place
            .and_then(|p| self.ways.get(&p))
            .filter(|e| !self.expired(e, now) && (e.state != state::CLOSING || event != event::OPEN));
        let live = live.map(|e| e.id);
        Flow { table, key, hash, event, class, place, live, stays: false }
    }

    /// The first way with this key, in any state but free.
    fn place(&self, key: &[u128], hash: u32) -> Option<(u32, u32)> {
        let (first, second) = self.buckets(hash);
        let mut buckets = vec![first];
        if self.ways.get(&(first, 0)).is_some_and(|e| e.spill) {
            buckets.push(second);
        }
        let ways = buckets.into_iter().flat_map(|b| (0..WAYS).map(move |w| (b, w)));
        ways.into_iter().find(|p| self.ways.get(p).is_some_and(|e| e.key == key))
    }

    fn buckets(&self, hash: u32) -> (u32, u32) {
        let mask = self.table.buckets() - 1;
        (hash & mask, hash.rotate_left(16) & mask)
    }

    fn age(entry: &FlowEntry, now: u32) -> u32 {
        (now + 1).wrapping_sub(entry.tick) & ((1 << TICK_BITS) - 1)
    }

    fn expired(&self, entry: &FlowEntry, now: u32) -> bool {
        let idle = self.table.idle[usize::from(entry.class)];
        let limit = match entry.state {
            state::NEW => idle.new,
            state::TCP => idle.tcp,
            state::UDP => idle.udp,
            _ => idle.closing,
        };
        Self::age(entry, now) > flow::ticks(limit, self.tick_ns)
    }

    /// `remember`: the one place where flow state changes.
    pub(super) fn remember(&mut self, flow: &Flow, id: u32, now: u32) -> Remembered {
        match flow.place.and_then(|p| self.ways.get_mut(&p)) {
            Some(entry) if flow.stays => {
                let Some(next) = next_state(flow.event, entry.state) else {
                    return Remembered::Nothing;
                };
                entry.state = next;
                entry.class = flow.class;
                entry.tick = now;
                Remembered::Stored { bucket: entry.bucket, way: entry.way, state: next }
            }
            _ => self.moves(flow, id, now),
        }
    }

    fn moves(&mut self, flow: &Flow, id: u32, now: u32) -> Remembered {
        if !matches!(flow.event, event::OPEN | event::DATA | event::DATAGRAM) {
            return Remembered::Nothing;
        }
        let (first, second) = self.buckets(flow.hash);
        let mut place = flow.place.or_else(|| self.candidate(first, now));
        let mut spills = false;
        if place.is_none() {
            place = self.candidate(second, now);
            spills = place.is_some();
        }
        let Some((bucket, way)) = place.filter(|_| !self.reserved(&flow.key)) else {
            self.not_stored += 1;
            return Remembered::NotStored;
        };
        if spills && let Some(mark) = self.ways.get_mut(&(first, 0)) {
            mark.spill = true;
        }
        let spill = way == 0 && self.ways.get(&(bucket, way)).is_some_and(|e| e.spill);
        let (key, class) = (flow.key.clone(), flow.class);
        let entry = FlowEntry { bucket, way, key, id, state: state::NEW, class, spill, tick: now };
        self.ways.insert((bucket, way), entry);
        self.stored += 1;
        Remembered::Stored { bucket, way, state: state::NEW }
    }

    /// A bucket's best way: free or expired; else the oldest `closing`; else the oldest `new`. Ties: the lowest.
    fn candidate(&self, bucket: u32, now: u32) -> Option<(u32, u32)> {
        let ways = || (0..WAYS).map(|w| ((bucket, w), self.ways.get(&(bucket, w))));
        let vacant = ways().find(|(_, e)| e.is_none_or(|e| self.expired(e, now)));
        let oldest = |wanted| {
            let mut best: Option<((u32, u32), u32)> = None;
            for (place, entry) in ways() {
                let Some(entry) = entry.filter(|e| e.state == wanted) else { continue };
                if best.is_none_or(|(_, age)| Self::age(entry, now) > age) {
                    best = Some((place, Self::age(entry, now)));
                }
            }
            best.map(|(place, _)| place)
        };
        let vacant = vacant.map(|(place, _)| place);
        vacant.or_else(|| oldest(state::CLOSING)).or_else(|| oldest(state::NEW))
    }

    /// Is this the key that marks a way being written?
    fn reserved(&self, key: &[u128]) -> bool {
        let mut all = Bits::new();
        for (field, value) in self.table.keys.iter().zip(key) {
            all.extend_from_bitslice(&bits(*value, u32::from(field.width)));
        }
        let layout = self.table.layout();
        all.resize(layout.key_bits() as usize, false);
        let mark = match layout {
            Layout::Narrow => 64,
            Layout::Wide => 32,
        };
        all[..mark].all()
    }
}

/// The state of a flow that stays; none: nothing is written.
fn next_state(event: u128, old: u8) -> Option<u8> {
    Some(match (event, old) {
        (event::OPEN, kept) => kept,
        (event::DATA, state::NEW) => state::TCP,
        (event::DATAGRAM, state::NEW) => state::UDP,
        (event::DATA | event::DATAGRAM, kept) => kept,
        (event::CLOSE, _) => state::CLOSING,
        _ => return None,
    })
}
