//! Reads flow tables, whose law is `pipeline_ir::flow`.

use super::probe::JIFFIES;
use super::sys::{self, Pages};
use crate::plane::{FlowReader, FlowRecord};
use pipeline_ir::FlowTable;
use pipeline_ir::flow::{Layout, TICK_BITS, WAYS};
use std::ops::Range;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

/// Nanoseconds of a tick.
const TICK_NS: u64 = 1 << 26;

/// Tells the tick as the emitted program does, which reads the kernel's jiffies: user space can't.
#[derive(Debug)]
pub(super) struct Clock {
    program: Option<OwnedFd>,
}

impl Clock {
    /// None in a test, which gives each packet its time.
    pub(super) fn new(testing: bool) -> Arc<Self> {
        let word = |code: u64, immediate: u64| code | immediate << 32;
        let instructions = [
            word(0x85, JIFFIES.into()),       // r0 = bpf_jiffies64()
            word(0x27, sys::jiffy_ns()),      // r0 *= jiffy_ns, which is below 2^31
            word(0x77, 26),                   // r0 >>= 26
            word(0x57, (1 << TICK_BITS) - 1), // r0 &= a tick's bits
            word(0x95, 0),                    // exit
        ];
        let program = if testing { None } else { sys::load_instructions(&instructions).ok() };
        Arc::new(Self { program })
    }

    fn now(&self) -> Option<u32> {
        // The shortest frame that the kernel runs a program on.
        let (frame, mut out) = ([0; 14], [0; 64]);
        sys::test_run(self.program.as_ref()?.as_fd(), &frame, &mut out).ok().map(|(tick, _)| tick)
    }
}

/// A flow table in the kernel's memory.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) pages: Arc<Pages>,
    pub(super) table: FlowTable,
    pub(super) clock: Arc<Clock>,
}

impl FlowReader for Reader {
    fn buckets(&self) -> u32 {
        self.pages.len()
    }

    fn read(&self, buckets: Range<u32>) -> Vec<FlowRecord> {
        let end = buckets.end.min(self.pages.len());
        read(&self.pages, &self.table, buckets.start.min(end)..end)
    }

    fn now(&self) -> Option<u32> {
        self.clock.now()
    }

    fn tick_ns(&self) -> u64 {
        TICK_NS
    }
}

/// Every entry that is not free, by bucket and way. What is being written meanwhile is left out.
fn read(pages: &Pages, table: &FlowTable, buckets: Range<u32>) -> Vec<FlowRecord> {
    let widths: Vec<u8> = table.keys.iter().map(|k| k.width).collect();
    let layout = table.layout();
    let short = layout.key_bits() - table.key_bits().min(layout.key_bits());
    let mut records = Vec::new();
    for (bucket, way, words) in entries(pages, layout, buckets) {
        let value = words[3];
        let (high, low) = key(layout, &words);
        let low = if short == 0 { low } else { low >> short | high.checked_shl(128 - short).unwrap_or(0) };
        records.push(FlowRecord {
            bucket,
            way,
            key: FlowRecord::split_key(&widths, high >> short, low),
            id: (value >> 24) as u32 & 0xff_ffff,
            state: state(value),
            class: (value >> 19) as u8 & 3,
            spill: value >> 18 & 1 == 1,
            tick: value as u32 & 0x3_ffff,
        });
    }
    records
}

/// How many entries of an array of buckets are not free.
pub(super) fn count(pages: &Pages) -> usize {
    let layout = if pages.stride() == 64 { Layout::Narrow } else { Layout::Wide };
    entries(pages, layout, 0..pages.len()).count()
}

fn state(value: u64) -> u8 {
    (value >> 21) as u8 & 7
}

/// Bucket, way and words of each entry in use; the last word is the value, narrow entries have theirs in 0 and 3.
fn entries(pages: &Pages, layout: Layout, buckets: Range<u32>) -> impl Iterator<Item = (u32, u32, [u64; 4])> {
    let size = (layout.bytes() / 8) as usize;
    let places = buckets.flat_map(|bucket| (0..WAYS).map(move |way| (bucket, way)));
    places.filter_map(move |(bucket, way)| {
        let at = |word: usize| pages.word(bucket, way as usize * size + word).load(Acquire);
        let value = at(size - 1);
        let first = at(0);
        if state(value) == 0
            || first >> 32 == u64::from(u32::MAX) && (layout == Layout::Wide || first == u64::MAX)
        {
            return None;
        }
        let middle = if size == 4 { [at(1), at(2)] } else { [0, 0] };
        // Who publishes changes the first word; a value of another flow is not taken for this one's.
        (at(0) == first).then_some((bucket, way, [first, middle[0], middle[1], value]))
    })
}

/// The key as (high 128, low 128) bits.
fn key(layout: Layout, words: &[u64; 4]) -> (u128, u128) {
    let [first, second, third, value] = words.map(u128::from);
    match layout {
        Layout::Narrow => (0, first << 16 | value >> 48),
        Layout::Wide => ((first >> 32) << 16 | second >> 48, second << 80 | third << 16 | value >> 48),
    }
}
