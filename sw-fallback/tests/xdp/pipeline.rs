//! The pipeline that `every_map.bpf.c` belongs to, and how its entries and frames are written.

use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, RingFill, Tables};
use pipeline_ir::verify::{Verified, verify};
use std::sync::OnceLock;
use sw_fallback::xdp::clang;

/// The pipeline; the C source belongs to 64 flow entries.
pub(crate) fn pipeline(flow_entries: u32) -> Verified {
    let set = [("FLOW_ENTRIES".to_owned(), flow_entries.to_string())];
    let pipeline = pipeline_syntax::compile_source("every_map.rs", include_str!("every_map.rs"), &set);
    verify(pipeline.unwrap()).unwrap()
}

macro_rules! headers {
    ($($name:literal)*) => {
        &[$((
            concat!("guideway/", $name),
            include_str!(concat!("../../../codegen/src/xdp/prelude/", $name)),
        )),*]
    };
}
const HEADERS: &[(&str, &str)] =
    headers!["bpf.h" "bytes.h" "clock.h" "counters.h" "exact.h" "flow.h" "flow_narrow.h" "ports.h"];

const SOURCE: &str = include_str!("every_map.bpf.c");

/// The object, compiled once.
pub(crate) fn object() -> &'static [u8] {
    static OBJECT: OnceLock<Vec<u8>> = OnceLock::new();
    OBJECT.get_or_init(|| clang::compile(SOURCE, HEADERS).unwrap())
}

/// The object with a piece of its source replaced.
pub(crate) fn object_with(old: &str, new: &str) -> Vec<u8> {
    assert!(SOURCE.contains(old), "{old}");
    clang::compile(&SOURCE.replace(old, new), HEADERS).unwrap()
}

/// An entry of a table with action `out`.
pub(crate) fn out(table: &str, key: &[(&str, KeyValue)], priority: i32, port: u128) -> CheckedEntry {
    let entry = Entry {
        table: table.into(),
        key: key.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
        priority,
        action: "out".into(),
        params: vec![("port".into(), port)],
    };
    Tables::new(pipeline(64).pipeline()).check(&entry).unwrap()
}

/// An entry of table `host`.
pub(crate) fn host(src: u128, port: u128, to: u128) -> CheckedEntry {
    out("host", &[("src", KeyValue::Exact(src)), ("port", KeyValue::Exact(port))], 0, to)
}

/// The generation in force of a pool.
pub(crate) fn generation(pool: u128, generation: u128) -> CheckedEntry {
    let entry = Entry {
        table: "pool".into(),
        key: vec![("pool".into(), KeyValue::Exact(pool))],
        priority: 0,
        action: "set_generation".into(),
        params: vec![("generation".into(), generation)],
    };
    Tables::new(pipeline(64).pipeline()).check(&entry).unwrap()
}

/// A whole generation of pool 1.
pub(crate) fn fill(generation: u8, slots: [u32; 7]) -> CheckedFill {
    let fill = RingFill { ring: "ring".into(), pool: 1, generation, slots: slots.to_vec() };
    Tables::new(pipeline(64).pipeline()).check_ring(fill).unwrap()
}

/// A frame of 64 bytes that asks for something.
pub(crate) fn frame(ask: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 64];
    frame[14] = ask;
    frame[16..16 + data.len()].copy_from_slice(data);
    frame
}
