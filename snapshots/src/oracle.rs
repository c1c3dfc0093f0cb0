//! The oracle as one more data plane: what all others are compared with.

use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::eval::{self, Oracle};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use std::collections::BTreeMap;
use sw_fallback::plane::{Count, DataPlane, FlowRecord, Outcome, TestPlane, Verdict};

/// The oracle, loaded.
#[derive(Clone, Debug)]
pub struct OraclePlane {
    pipeline: Pipeline,
    oracle: Oracle,
}

impl OraclePlane {
    /// With a clock of `tick_ns` nanoseconds a tick.
    #[must_use]
    pub fn new(verified: &Verified, tick_ns: u64) -> Self {
        Self { pipeline: verified.pipeline().clone(), oracle: Oracle::new(verified, tick_ns) }
    }
}

fn count(c: eval::Count) -> Count {
    Count { packets: c.packets, bytes: c.bytes }
}

impl DataPlane for OraclePlane {
    fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.oracle.write(entry, kind)
    }
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.oracle.fill(fill);
        Ok(())
    }
    fn counters(&self) -> BTreeMap<String, Count> {
        self.oracle.counters().into_iter().map(|(n, c)| (n, count(c))).collect()
    }
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.oracle.entries(table).map(|(e, c)| (e.clone(), count(c))).collect()
    }
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        let record = |e: eval::FlowEntry| FlowRecord {
            bucket: e.bucket,
            way: e.way,
            key: e.key,
            id: e.id,
            state: e.state,
            class: e.class,
            spill: e.spill,
            tick: e.tick,
        };
        self.oracle.flows(table).into_iter().map(record).collect()
    }
}

impl TestPlane for OraclePlane {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let out = self.oracle.process(port, now, frame);
        let verdict = match out.verdict {
            eval::Verdict::Forward { port } => Verdict::Forward { port },
            eval::Verdict::Pass => Verdict::Pass,
            eval::Verdict::Drop(reason) => Verdict::Drop(reason),
        };
        Outcome { verdict, bytes: out.bytes }
    }
}
