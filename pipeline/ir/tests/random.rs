//! The oracle and frames that nobody meant: it never panics, and keeps its own rules.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/lab.rs"]
mod lab;

use lab::{FRAME, Frame, Lab};
use pipeline_ir::eval::{Outcome, Verdict};
use proptest::prelude::*;

/// What holds of every packet, whatever it is.
fn sane(lab: &Lab, frame: &[u8], out: &Outcome) {
    match &out.verdict {
        Verdict::Drop(_) => assert!(out.bytes.is_empty()),
        Verdict::Pass => assert_eq!(out.bytes, frame),
        Verdict::Forward { .. } => assert!(out.bytes.len() <= (frame.len() + 20).min(1000)),
    }
    let flows = lab.flows();
    assert!(flows.len() <= 16);
    assert!(flows.iter().all(|f| (1..=4).contains(&f.state) && f.class < 2 && f.tick < 1 << 18));
    assert!(flows.iter().all(|f| f.way == 0 || !f.spill));
    for pair in flows.windows(2) {
        assert!((pair[0].bucket, pair[0].way) < (pair[1].bucket, pair[1].way));
    }
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let noise = proptest::collection::vec(any::<u8>(), 0..120);
    let change = (0usize..46, any::<u8>());
    let spoilt = (proptest::collection::vec(change, 0..4), 0usize..=46).prop_map(|(changes, length)| {
        let mut frame = FRAME.bytes();
        for (at, byte) in changes {
            frame[at] = byte;
        }
        frame.truncate(length);
        frame
    });
    let flow =
        (0u16..12, 0u16..8, 0u16..4, 0u16..8, 0u8..2).prop_map(|(src_port, event, class, hash, tos)| {
            Frame { src_port, event, class, hash, tos, ..FRAME }.bytes()
        });
    prop_oneof![1 => noise, 2 => spoilt, 5 => flow]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_packets_at_any_time(packets in proptest::collection::vec((frames(), 0u32..40), 1..60)) {
        let mut lab = Lab::full();
        let mut now = (1 << 18) - 100;
        for (frame, wait) in packets {
            now += wait;
            let before = lab.oracle.clone();
            let out = lab.send(now, &frame);
            sane(&lab, &frame, &out);
            // The same state and packet give the same outcome.
            let mut again = before;
            assert_eq!(again.process(5, now, &frame), out);
            assert_eq!(again.counters(), lab.oracle.counters());
        }
        let drops: u64 = lab.oracle.counters().iter().filter(|(n, _)| n.starts_with("drop.")).map(|(_, c)| c.packets).sum();
        assert!(drops <= 60);
    }
}
