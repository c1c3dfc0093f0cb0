//! Rings are arrays in memory: what a controller writes of them, slot by slot or all anew, costs no system call for each.
#![allow(clippy::unwrap_used)]

use needed::skip;
use pipeline_ir::entry::Tables;
use snapshots::case::Case;
use snapshots::run::prepare;
use snapshots::xdp::{XdpCase, unavailable};
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::bpf_calls;

#[test]
fn a_ring_costs_few_calls_of_the_kernel() {
    if skip("calls of the kernel for a ring", "bpf", unavailable()) {
        return;
    }
    let case = Case::named("l4lb").unwrap();
    let mut stories = case.stories().unwrap();
    stories.ring.truncate(2);
    let mut sizes = stories.overrides();
    sizes.retain(|(name, _)| name != "RING_SLOTS");
    let verified = case.compile(&sizes).unwrap();
    let mut plane = XdpCase::compile(&verified, &stories).unwrap().serve().unwrap();
    plane.renew().unwrap();
    prepare(&stories, &mut plane).unwrap();

    let pipeline = verified.pipeline();
    let ring = stories.ring[0].check(pipeline, &Tables::new(pipeline)).unwrap();
    assert_eq!(pipeline.rings[0].slots, 65_537);
    let before = bpf_calls();
    // Refused INSERTs of all slots, then a MODIFY of each.
    plane.fill_ring(&ring).unwrap();
    let calls = bpf_calls() - before;
    assert!(calls < 100, "{calls} calls of bpf(2) for 65,537 slots");
    let before = bpf_calls();
    plane.renew().unwrap();
    prepare(&stories, &mut plane).unwrap();
    let calls = bpf_calls() - before;
    assert!(calls > stories.entry.len() as u64, "calls are counted: {calls}");
    assert!(
        calls < 10_000,
        "{calls} calls for two rings of 65,537 INSERTs and {} entries",
        stories.entry.len()
    );
}
