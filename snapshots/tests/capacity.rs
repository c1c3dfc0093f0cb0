//! How many flows the flow table of the kernel holds: at the load of two million in the built-in 8 Mi entries, at most
//! one in a thousand is not stored.
//!
//! The load counts, not the size: a run takes 62,500 flows and a table in proportion, unless `GUIDEWAY_FLOWS=2000000`
//! asks for the whole.
#![allow(clippy::unwrap_used)]

use needed::skip;
use pipeline_ir::FlowTableId;
use snapshots::case::Case;
use snapshots::packet;
use snapshots::run::prepare;
use snapshots::xdp::{XdpCase, unavailable};
use std::time::Instant;
use sw_fallback::plane::DataPlane;

/// Entries for two million flows.
const ENTRIES: u64 = 8 << 20;
const MILLIONS: u64 = 2_000_000;

/// Different for each flow, and as wild as clients are.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn holds(template: &str, table: FlowTableId, address: usize) {
    if skip("the table's capacity", "bpf", unavailable()) {
        return;
    }
    let flows = std::env::var("GUIDEWAY_FLOWS").ok().and_then(|n| n.replace('_', "").parse().ok());
    let flows: u64 = flows.unwrap_or(MILLIONS / 32);
    let entries = (flows * ENTRIES).div_ceil(MILLIONS);
    assert!(entries.is_power_of_two(), "GUIDEWAY_FLOWS must be 2000000 or that halved a few times");

    let case = Case::named("l4lb").unwrap();
    let stories = case.stories().unwrap();
    let mut sizes = stories.overrides();
    sizes.retain(|(name, _)| name != "FLOW_ENTRIES");
    sizes.push(("FLOW_ENTRIES".to_owned(), entries.to_string()));
    let verified = case.compile(&sizes).unwrap();
    let mut plane = XdpCase::compile(&verified, &stories).unwrap().load().unwrap();
    prepare(&stories, &mut plane).unwrap();
    let runner = plane.runner().unwrap();
    let mut frame = packet::bytes(template).unwrap();
    let ports = address + if table.0 == 0 { 8 } else { 32 };
    let mut out = Vec::new();
    let start = Instant::now();
    for n in 0..flows {
        let client = mix(n);
        frame[address..address + 4].copy_from_slice(&client.to_be_bytes()[..4]);
        frame[ports..ports + 2].copy_from_slice(&client.to_be_bytes()[4..6]);
        // The second segment establishes it: from then on nothing may take its place.
        for _ in 0..2 {
            assert!(runner.run(&frame, &mut out).unwrap());
        }
    }
    let name = &verified.pipeline().flow_tables[table.index()].name;
    let counters = plane.counters();
    let [stored, not_stored] = ["stored", "not_stored"].map(|n| counters[&format!("{name}.{n}")].packets);
    let took = start.elapsed().as_secs_f64();
    eprintln!("{flows} flows in {entries} entries: {stored} stored, {not_stored} refusals, {took:.1} s");
    assert!(stored * 1000 >= flows * 999, "{stored} of {flows} stored");
    assert!(stored <= flows, "{stored} of {flows}: no live flow gave way");
    let held = plane.flows(table);
    assert_eq!(held.len() as u64, stored);
    assert!(held.iter().all(|f| f.state == 2), "all are established");
    assert!(held.iter().any(|f| f.spill), "some are in their second bucket");
}

#[test]
fn two_million_flows_or_their_share() {
    let frame = "eth / ip4(src=192.0.2.1, dst=10.200.1.1) / tcp(sport=1000, dport=80, flags=A)";
    holds(frame, FlowTableId(0), 26);
}

#[test]
fn the_same_for_six() {
    let frame = "eth / ip6(src=2001:db8::1, dst=fd00:c8::1) / tcp(sport=1000, dport=80, flags=A)";
    holds(frame, FlowTableId(1), 22);
}
