//! Flow tables, read while threads use them.

use crate::plane::{FlowReader, FlowRecord};
use pipeline_ir::FlowTable;
use pipeline_ir::flow::TICK_BITS;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use sw_fallback_rt as rt;

/// What tells the tick.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The threads': ticks since then.
    Runs(Instant),
    /// A test's, which says it with each packet.
    Stands(Option<u32>),
}

/// A flow table of a generated pipeline.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) declared: FlowTable,
    pub(super) table: Arc<dyn rt::flow::ReadFlows>,
    pub(super) clock: Clock,
    pub(super) tick_ns: u64,
}

impl FlowReader for Reader {
    fn buckets(&self) -> u32 {
        self.table.buckets()
    }

    fn read(&self, buckets: Range<u32>) -> Vec<FlowRecord> {
        self.table.records(buckets).iter().map(|r| record(&self.declared, r)).collect()
    }

    fn now(&self) -> Option<u32> {
        let tick = match self.clock {
            Clock::Runs(since) => since.elapsed().as_nanos() / u128::from(self.tick_ns.max(1)),
            Clock::Stands(tick) => tick?.into(),
        };
        Some(tick as u32 & ((1 << TICK_BITS) - 1))
    }

    fn tick_ns(&self) -> u64 {
        self.tick_ns
    }
}

fn record(table: &FlowTable, r: &rt::flow::Record) -> FlowRecord {
    let mut offset = 0;
    let field = |f: &pipeline_ir::Field| {
        let value = rt::get(&r.key, offset, f.width.into());
        offset += u32::from(f.width);
        value
    };
    FlowRecord {
        bucket: r.bucket,
        way: r.way,
        key: table.keys.iter().map(field).collect(),
        id: r.id,
        state: r.state,
        class: r.class,
        spill: r.spill,
        tick: r.tick,
    }
}
