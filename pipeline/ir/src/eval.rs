//! The oracle: what a pipeline means, packet by packet.
//!
//! It follows the module docs of this crate, of [`stmt`](crate::stmt) and of [`flow`](crate::flow) step by step:
//! slow, and plainly right. Every data plane is compared with it; it shares no code with any of them.
//!
//! ```text
//! let mut oracle = Oracle::new(&verified, 1 << 26);
//! oracle.write(&tables.check(&entry)?, WriteKind::Insert)?;
//! let out = oracle.process(port, tick, frame);     // verdict, bytes, and how it came to them
//! ```
mod expr;
mod flows;
pub mod hash;
mod packet;
mod rings;
mod run;
mod table;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use flows::FlowEntry;
pub use trace::TraceStep;

use crate::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use crate::verify::Verified;
use crate::{CounterKind, FlowTableId, Pipeline, TableId};

/// Where a packet went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Out of a port.
    Forward {
        /// The port: 32 bits.
        port: u32,
    },
    /// To the host's own stack.
    Pass,
    /// Nowhere; the reason's name.
    Drop(String),
}

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it went.
    pub verdict: Verdict,
    /// The packet sent or passed on; empty if dropped.
    pub bytes: Vec<u8>,
    /// What happened on the way, in order.
    pub trace: Vec<TraceStep>,
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets; 0 where only bytes are counted.
    pub packets: u64,
    /// Bytes of the received frames; 0 where only packets are counted.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, kind: CounterKind, frame: usize) {
        if kind != CounterKind::Bytes {
            self.packets += 1;
        }
        if kind != CounterKind::Packets {
            self.bytes += frame as u64;
        }
    }
}

/// A pipeline at work: its entries, flows and counters.
#[derive(Clone, Debug)]
pub struct Oracle {
    pipeline: Arc<Pipeline>,
    tables: Vec<table::TableState>,
    rings: Vec<rings::RingState>,
    flows: Vec<flows::FlowState>,
    counters: Vec<BTreeMap<u32, Count>>,
    limiters: Vec<Limited>,
    reasons: Vec<u64>,
}

/// What a limiter let through in its latest tick.
#[derive(Clone, Copy, Debug, Default)]
struct Limited {
    tick: u32,
    packets: u32,
}

impl Oracle {
    /// An oracle without entries but those of the source, with a clock of `tick_ns` nanoseconds a tick.
    #[must_use]
    pub fn new(verified: &Verified, tick_ns: u64) -> Self {
        let pipeline = Arc::new(verified.pipeline().clone());
        let mut tables: Vec<_> = pipeline.tables.iter().map(table::TableState::new).collect();
        for (i, table) in pipeline.tables.iter().enumerate() {
            for n in 0..table.const_entries.len() {
                let entry = TableEntry::of_source(verified, TableId(i as u32), n);
                // `verify` has shown that they differ and that there is room.
                let _ = entry.map(|e| tables[i].write(&e, WriteKind::Insert));
            }
        }
        Self {
            tables,
            rings: pipeline.rings.iter().map(rings::RingState::new).collect(),
            flows: pipeline.flow_tables.iter().map(|t| flows::FlowState::new(t, tick_ns.max(1))).collect(),
            counters: vec![BTreeMap::new(); pipeline.counters.len()],
            limiters: vec![Limited::default(); pipeline.limiters.len()],
            reasons: vec![0; pipeline.reasons.len()],
            pipeline,
        }
    }

    /// Writes an entry of one of this pipeline's tables.
    ///
    /// # Errors
    /// If it is there already, or isn't, or there is no room.
    pub fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        match entry {
            CheckedEntry::Table(e) => self.tables[e.table().index()].write(e, kind),
            CheckedEntry::Pool(e) => self.rings[e.ring().index()].write_pool(*e, kind),
            CheckedEntry::Slot(e) => self.rings[e.pool().ring().index()].write_slot(*e, kind),
        }
    }

    /// Writes one generation of a pool's ring, over what held its parity.
    pub fn fill(&mut self, fill: &CheckedFill) {
        self.rings[fill.pool().ring().index()].fill(fill);
    }

    /// Sends a frame through: in at `port`, at tick `now` (its low 18 bits).
    pub fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        run::run(self, port, now, frame)
    }

    /// Every counter but those of entries: `drop.<reason>`, `<flow table>.stored`, `<flow table>.not_stored`, and
    /// the cells `<counter>[<index>]` that are not 0.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, Count> {
        let packets = |packets| Count { packets, bytes: 0 };
        let mut all = BTreeMap::new();
        for (reason, n) in self.pipeline.reasons.iter().zip(&self.reasons) {
            all.insert(format!("drop.{}", reason.name), packets(*n));
        }
        for (table, state) in self.pipeline.flow_tables.iter().zip(&self.flows) {
            all.insert(format!("{}.stored", table.name), packets(state.stored));
            all.insert(format!("{}.not_stored", table.name), packets(state.not_stored));
        }
        for (counter, cells) in self.pipeline.counters.iter().zip(&self.counters) {
            for (index, count) in cells.iter().filter(|(_, c)| **c != Count::default()) {
                all.insert(format!("{}[{index}]", counter.name), *count);
            }
        }
        all
    }

    /// A table's entries with their direct counters, in the order of key and priority.
    pub fn entries(&self, table: TableId) -> impl Iterator<Item = (&TableEntry, Count)> {
        self.tables[table.index()].rows()
    }

    /// What a flow table holds, free ways left out, in the order of bucket and way.
    #[must_use]
    pub fn flows(&self, table: FlowTableId) -> Vec<FlowEntry> {
        self.flows[table.index()].content()
    }
}
