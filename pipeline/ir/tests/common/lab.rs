//! The sample pipeline at work: entries and packets in short.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use pipeline_ir::KeyValue::{self, Exact, Lpm};
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{Entry, RingFill, Tables, WriteError, WriteKind};
use pipeline_ir::eval::{FlowEntry, Oracle, Outcome};
use pipeline_ir::verify::verify;

/// Ticks of the tests: 100 ms.
pub const TICK: u64 = 100_000_000;
pub const BACKENDS: [u128; 3] = [0x11, 0x22, 0x33];

pub struct Lab {
    pub oracle: Oracle,
    pub tables: Tables,
}

pub fn entry(table: &str, key: &[(&str, KeyValue)], action: &str, params: &[(&str, u128)]) -> Entry {
    Entry {
        table: table.into(),
        key: key.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
        priority: i32::from(table == "acl"),
        action: action.into(),
        params: params.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
    }
}

impl Lab {
    /// Nothing but the source's entries.
    pub fn empty(pipeline: Pipeline) -> Self {
        let tables = Tables::new(&pipeline);
        let verified = verify(pipeline).unwrap_or_else(|d| panic!("{d}"));
        Self { oracle: Oracle::new(&verified, TICK), tables }
    }

    /// A route, a VIP 10.0.0.1:80 in pool 1, three backends, and a ring in which slot n holds backend n mod 3.
    pub fn full() -> Self {
        Self::of(crate::common::sample())
    }

    /// The same entries in a variant of the sample.
    pub fn of(pipeline: Pipeline) -> Self {
        let mut lab = Self::empty(pipeline);
        lab.insert(entry("route", &[("dst", Lpm { value: 0x0a00_0000, prefix: 8 })], "via", &[("hop", 9)]));
        let vip = [("dst", Exact(0x0a00_0001)), ("port", Exact(80))];
        lab.insert(entry("vip", &vip, "set_pool", &[("pool_no", 1), ("seed", 7)]));
        for (port, id) in BACKENDS.into_iter().enumerate() {
            lab.insert(backend(id, port as u128));
        }
        lab.insert(entry("pool_generation", &[("pool", Exact(1))], "set_generation", &[("generation", 4)]));
        lab.fill(4, |slot| BACKENDS[slot % 3] as u32);
        lab
    }

    pub fn write(&mut self, e: &Entry, kind: WriteKind) -> Result<(), WriteError> {
        let checked = self.tables.check(e).unwrap_or_else(|err| panic!("{err}"));
        self.oracle.write(&checked, kind)
    }
    #[allow(clippy::needless_pass_by_value)] // reads better at the calls
    pub fn insert(&mut self, e: Entry) {
        self.write(&e, WriteKind::Insert).unwrap();
    }
    pub fn fill(&mut self, generation: u8, id: impl Fn(usize) -> u32) {
        let slots = (0..7).map(id).collect();
        let fill = RingFill { ring: "ring".into(), pool: 1, generation, slots };
        self.oracle.fill(&self.tables.check_ring(fill).unwrap());
    }
    pub fn send(&mut self, now: u32, frame: &[u8]) -> Outcome {
        self.oracle.process(5, now, frame)
    }
    pub fn flows(&self) -> Vec<FlowEntry> {
        self.oracle.flows(pipeline_ir::FlowTableId(0))
    }
    pub fn packets(&self, counter: &str) -> u64 {
        self.oracle.counters().get(counter).map_or(0, |c| c.packets)
    }
}

pub fn backend(id: u128, port: u128) -> Entry {
    entry("backend", &[("id", Exact(id))], "to", &[("port", port), ("mac", 0x0200_0000_0000 + id)])
}

/// A UDP packet to the VIP; the test pipeline reads event, class and hash from the UDP header.
#[derive(Clone, Copy)]
pub struct Frame {
    pub src: u32,
    pub dst: u32,
    pub src_port: u16,
    pub dst_port: u16,
    pub event: u16,
    pub class: u16,
    pub hash: u16,
    pub tos: u8,
    pub protocol: u8,
}

pub const FRAME: Frame = Frame {
    src: 0xc000_0201,
    dst: 0x0a00_0001,
    src_port: 1000,
    dst_port: 80,
    event: 1,
    class: 0,
    hash: 0,
    tos: 0,
    protocol: 17,
};

impl Frame {
    pub fn bytes(&self) -> Vec<u8> {
        let mut b = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        b.extend([0x45, self.tos, 0, 32, 0, 0, 0x40, 0, 64, self.protocol, 0x12, 0x34]);
        b.extend(self.src.to_be_bytes());
        b.extend(self.dst.to_be_bytes());
        for word in [self.src_port, self.dst_port, self.event | self.class << 8, self.hash] {
            b.extend(word.to_be_bytes());
        }
        b.extend(*b"data");
        b
    }
}
