//! The built-in pipelines translate, verify, and have the shape that their source states.
#![allow(clippy::unwrap_used)]

use pipeline_ir::expr::Type;
use pipeline_ir::stmt::{HashAlgorithm, StmtKind, walk};
use pipeline_ir::verify::verify;
use pipeline_ir::{Idle, Pipeline};
use pipeline_syntax::compile_source;

const L4LB: &str = include_str!("../../pipelines/l4lb.rs");
const DECAP: &str = include_str!("../../pipelines/decap.rs");
const COUNT: &str = include_str!("../../../snapshots/count/pipeline.rs");

fn compile(file: &str, text: &str, overrides: &[(&str, &str)]) -> Pipeline {
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    match compile_source(file, text, &overrides) {
        Ok(pipeline) => pipeline,
        Err(e) => panic!("{file}:\n{e}"),
    }
}

fn statements(p: &Pipeline, mut is: impl FnMut(&StmtKind) -> bool) -> usize {
    let mut n = 0;
    walk(&p.control, &mut |s| n += usize::from(is(&s.kind)));
    n
}

#[test]
fn count_has_its_parts() {
    let p = compile("some/where/pipeline.rs", COUNT, &[]);
    assert_eq!((p.name.as_str(), p.file.as_str()), ("count", "pipeline.rs"));
    assert_eq!(p.targets, ["xdp", "native", "bmv2"]);
    let names: Vec<_> = p.header_types.iter().map(|t| (t.name.as_str(), t.bytes())).collect();
    assert_eq!(names, [("ethernet", 14), ("ipv4", 20)]);
    assert_eq!(p.tables[0].name, "host");
    assert_eq!(p.actions.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["out", "block", "unknown"]);
    assert!(p.actions[2].default_only);
    assert_eq!(p.counters[0].name, "by_protocol");
    assert_eq!(p.parser.states.len(), 2);
    verify(p).unwrap();
}

#[test]
fn l4lb_has_its_parts() {
    let p = compile("l4lb.rs", L4LB, &[]);
    let names: Vec<_> = p.tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["vip4", "vip4_any", "vip6", "vip6_any", "backend"]);
    assert_eq!(p.flow_tables[0].entries, 8 << 20);
    assert_eq!(p.flow_tables[0].idle[2], Idle { new: 10_000, tcp: 60_000, udp: 10_000, closing: 10_000 });
    let ring = &p.rings[0];
    assert_eq!(
        (ring.name.as_str(), ring.pool_table.as_str(), ring.slots, ring.pools),
        ("ring", "pool", 65_537, 64)
    );
    assert_eq!(p.tables[4].slot_bits, Some(14));
    assert_eq!(p.limiters[0].per_tick, 64);
    assert_eq!(p.reasons.len(), 15);
    // Both hashes leave their value in the variable that the source names.
    let mut into = Vec::new();
    walk(&p.control, &mut |s| {
        if let StmtKind::Hash { into: v, algorithm, key, .. } = &s.kind {
            assert_eq!((*algorithm, key.ty), (HashAlgorithm::Crc32, Type::Bits(32)));
            into.push(*v);
        }
    });
    assert_eq!(into.len(), 2);
    assert_eq!(into[0], into[1]);
    assert_eq!(p.var(into[0]).name, "hash");
    assert_eq!(statements(&p, |s| matches!(s, StmtKind::Find { .. })), 2);
    assert_eq!(statements(&p, |s| matches!(s, StmtKind::Remember { .. })), 2);
    assert_eq!(statements(&p, |s| matches!(s, StmtKind::Stay { .. })), 1);
    verify(p).unwrap();
}

#[test]
fn decap_has_its_parts() {
    let p = compile("decap.rs", DECAP, &[]);
    assert_eq!(p.tables.len(), 4);
    assert_eq!(statements(&p, |s| matches!(s, StmtKind::Pop(_))), 2);
    verify(p).unwrap();
}

#[test]
fn constants_are_set_from_outside() {
    let p = compile(
        "l4lb.rs",
        L4LB,
        &[("FLOW_ENTRIES", "1 << 10"), ("HASH", "HalfSipHash"), ("RING_SLOTS", "65536")],
    );
    assert_eq!((p.flow_tables[0].entries, p.rings[0].slots), (1024, 65_536));
    let sip = |s: &StmtKind| matches!(s, StmtKind::Hash { algorithm: HashAlgorithm::HalfSipHash, key, .. } if key.ty == Type::Bits(64));
    assert_eq!(statements(&p, sip), 2);
    let wrong = compile_source("l4lb.rs", L4LB, &[("FLOW_ENTRIE".to_owned(), "1".to_owned())]).unwrap_err();
    assert_eq!(wrong.0[0].help, "did you mean `FLOW_ENTRIES`?");
}
