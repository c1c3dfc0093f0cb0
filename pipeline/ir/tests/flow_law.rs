//! The flow table's law, rule by rule.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/lab.rs"]
mod lab;

use lab::{BACKENDS, FRAME, Frame, Lab, backend};
use pipeline_ir::KeyValue::Exact;
use pipeline_ir::entry::WriteKind;
use pipeline_ir::eval::{FlowEntry, Verdict};
use pipeline_ir::flow::state;
use pipeline_ir::stmt::StmtKind;

const PEEK: u16 = 0;
const OPEN: u16 = 1;
const DATA: u16 = 2;
const DATAGRAM: u16 = 3;
const CLOSE: u16 = 4;

fn send(lab: &mut Lab, now: u32, event: u16) -> Verdict {
    lab.send(now, &Frame { event, ..FRAME }.bytes()).verdict
}

fn only(lab: &Lab) -> Option<(u8, u32)> {
    let flows = lab.flows();
    assert!(flows.len() <= 1, "{flows:?}");
    flows.first().map(|f| (f.state, f.tick))
}

/// Packets at ticks; then state and tick of the entry.
#[test]
fn states_follow_events() {
    let check = |events: &[(u32, u16)], want: Option<(u8, u32)>| {
        let mut lab = Lab::full();
        for (now, event) in events {
            send(&mut lab, *now, *event);
        }
        assert_eq!(only(&lab), want, "{events:?}");
    };
    let (new, tcp, udp, closing) = (state::NEW, state::TCP, state::UDP, state::CLOSING);
    check(&[(1, PEEK)], None);
    check(&[(1, CLOSE)], None);
    for other in 5..8 {
        check(&[(1, other)], None);
        check(&[(1, OPEN), (2, other)], Some((new, 1)));
    }
    for first in [OPEN, DATA, DATAGRAM] {
        check(&[(1, first)], Some((new, 1)));
        check(&[(1, first), (2, OPEN)], Some((new, 2)));
        check(&[(1, first), (2, DATA)], Some((tcp, 2)));
        check(&[(1, first), (2, DATAGRAM)], Some((udp, 2)));
        check(&[(1, first), (2, CLOSE)], Some((closing, 2)));
        check(&[(1, first), (2, PEEK)], Some((new, 1)));
    }
    for (second, kept) in [(DATA, tcp), (DATAGRAM, udp)] {
        for third in [OPEN, DATA, DATAGRAM] {
            check(&[(1, OPEN), (2, second), (3, third)], Some((kept, 3)));
        }
        check(&[(1, OPEN), (2, second), (3, CLOSE)], Some((closing, 3)));
        check(&[(1, OPEN), (2, second), (3, PEEK)], Some((kept, 2)));
    }
    for third in [DATA, DATAGRAM, CLOSE] {
        check(&[(1, OPEN), (2, CLOSE), (3, third)], Some((closing, 3)));
    }
    check(&[(1, OPEN), (2, CLOSE), (3, OPEN)], Some((new, 3)));
}

#[test]
fn time_outs_by_state_and_class() {
    // Limits in ticks: class 0 is 10, 100, 50, 20; class 1 (and beyond) is 5, 20, 10, 5.
    let check = |class: u16, events: &[u16], limit: u32| {
        for (wait, alive) in [(limit - 1, true), (limit, false)] {
            let mut lab = Lab::full();
            // Near the clock's end, so that it wraps.
            let start = (1 << 18) - 2;
            for event in events {
                lab.send(start, &Frame { event: *event, class, ..FRAME }.bytes());
            }
            let out = lab.send(start + wait, &Frame { event: PEEK, class, ..FRAME }.bytes());
            let stays = out.trace.iter().any(|s| s.to_string().starts_with("the flow stays"));
            assert_eq!(stays, alive, "class {class} {events:?} after {wait}");
        }
    };
    check(0, &[OPEN], 10);
    check(0, &[OPEN, DATA], 100);
    check(0, &[OPEN, DATAGRAM], 50);
    check(0, &[OPEN, CLOSE], 20);
    for class in [1, 2, 3] {
        check(class, &[OPEN], 5);
        check(class, &[OPEN, DATA], 20);
        check(class, &[OPEN, DATAGRAM], 10);
        check(class, &[OPEN, CLOSE], 5);
    }
}

#[test]
fn a_flow_that_stays_takes_the_class_of_its_latest_packet() {
    let mut lab = Lab::full();
    let mut send = |now, event, class| {
        lab.send(now, &Frame { event, class, ..FRAME }.bytes());
        (lab.flows()[0].class, lab.flows()[0].tick)
    };
    assert_eq!(send(0, OPEN, 0), (0, 0));
    assert_eq!(send(1, DATA, 1), (1, 1));
    assert_eq!(send(2, PEEK, 0), (1, 1));
    assert_eq!(send(2, DATA, 3), (1, 2), "classes beyond the last are the last");
    // The entry's own class says whether it has expired: tcp in class 1, 20 ticks.
    assert_eq!(send(22, PEEK, 0), (1, 2));
    assert_eq!(send(22, DATA, 0), (0, 22));
    assert_eq!(lab.flows()[0].state, state::NEW, "expired, so it moved");
}

#[test]
fn a_flow_stays_when_the_ring_changes_and_moves_when_its_backend_goes() {
    let mut lab = Lab::full();
    lab.fill(4, |_| 0x11);
    assert_eq!(send(&mut lab, 0, OPEN), Verdict::Forward { port: 0 });
    assert_eq!(send(&mut lab, 0, DATA), Verdict::Forward { port: 0 });
    lab.fill(4, |_| 0x22);
    assert_eq!(send(&mut lab, 1, DATA), Verdict::Forward { port: 0 });
    assert_eq!(send(&mut lab, 1, OPEN), Verdict::Forward { port: 0 }, "a SYN re-pins no live flow");

    lab.write(&backend(0x11, 0), WriteKind::Delete).unwrap();
    assert_eq!(send(&mut lab, 2, PEEK), Verdict::Forward { port: 1 });
    assert_eq!(lab.flows()[0].id, 0x11, "a peek writes nothing");
    assert_eq!(send(&mut lab, 2, CLOSE), Verdict::Forward { port: 1 });
    assert_eq!(lab.flows()[0].id, 0x11, "nor does the end of a flow that moves");
    assert_eq!(send(&mut lab, 2, DATA), Verdict::Forward { port: 1 });
    assert_eq!((lab.flows()[0].id, only(&lab)), (0x22, Some((state::NEW, 2))));
    assert_eq!(lab.packets("flows.stored"), 2);

    // Closing and opened again: the ring's choice of today.
    send(&mut lab, 3, CLOSE);
    lab.fill(4, |_| 0x33);
    assert_eq!(send(&mut lab, 4, DATA), Verdict::Forward { port: 1 });
    assert_eq!(send(&mut lab, 4, OPEN), Verdict::Forward { port: 2 });
    assert_eq!(lab.flows()[0].id, 0x33);
}

/// Sends a new flow `n` whose first bucket is 0; its second is 0 too, or 1.
fn flow(lab: &mut Lab, now: u32, n: u16, event: u16, second: bool) {
    // The hash is 32 bits wide with only its low half given, so the second bucket comes from bits 16 and 17: 0.
    // Bucket 1 first and bucket 0 second: hash 1.
    let hash = u16::from(second);
    lab.send(now, &Frame { src_port: n, event, hash, ..FRAME }.bytes());
}

fn places(lab: &Lab) -> Vec<(u32, u32, u16, bool)> {
    let place = |f: &FlowEntry| (f.bucket, f.way, f.key[1] as u16, f.spill);
    lab.flows().iter().map(place).collect()
}

#[test]
fn a_full_bucket_spills_into_the_second_and_the_mark_stays() {
    let mut lab = Lab::full();
    // Bucket 1 full of established flows; the fifth goes to bucket 0.
    for n in 0..4 {
        flow(&mut lab, 0, n, OPEN, true);
        flow(&mut lab, 0, n, DATA, true);
    }
    let full = [(1, 0, 0, false), (1, 1, 1, false), (1, 2, 2, false), (1, 3, 3, false)];
    assert_eq!(places(&lab), full);
    flow(&mut lab, 0, 4, OPEN, true);
    assert_eq!(places(&lab)[..2], [(0, 0, 4, false), (1, 0, 0, true)]);
    flow(&mut lab, 1, 4, DATA, true);
    assert_eq!(lab.flows()[0].state, state::TCP, "found by the spill mark");

    // Way 0 of the first bucket expires and is rewritten: the mark stays, and so does the flow beyond it.
    for n in 1..5 {
        flow(&mut lab, 60, n, DATA, true);
    }
    flow(&mut lab, 100, 9, OPEN, true);
    assert_eq!(places(&lab)[..2], [(0, 0, 4, false), (1, 0, 9, true)]);
    flow(&mut lab, 101, 4, DATA, true);
    assert_eq!(lab.flows()[0].tick, 101);
}

#[test]
fn live_established_flows_are_never_evicted() {
    let mut lab = Lab::full();
    // Buckets 0 and 1 full of established flows.
    for n in 0..8 {
        flow(&mut lab, 0, n, OPEN, n < 4);
        flow(&mut lab, 0, n, DATA, n < 4);
    }
    let before = lab.flows();
    for n in 100..120 {
        flow(&mut lab, 1, n, OPEN, true);
    }
    assert_eq!(lab.flows(), before);
    assert_eq!((lab.packets("flows.stored"), lab.packets("flows.not_stored")), (8, 20));
}

#[test]
fn who_gives_way() {
    // Four flows of bucket 0, all new shortly before the clock wraps, then each met by an event at a tick (or not);
    // the way that a fifth takes at tick 9.
    let check = |met: [Option<(u32, u16)>; 4], way: u32| {
        let mut lab = Lab::full();
        for n in 0..4 {
            flow(&mut lab, (1 << 18) - 5, n, OPEN, false);
        }
        for now in 0..9 {
            for (n, (_, event)) in
                met.iter().enumerate().filter_map(|(n, m)| Some((n, m.filter(|m| m.0 == now)?)))
            {
                flow(&mut lab, now, n as u16, event, false);
            }
        }
        flow(&mut lab, 9, 99, OPEN, false);
        let got = lab.flows().iter().find(|f| f.key[1] == 99).map(|f| (f.bucket, f.way));
        assert_eq!(got, Some((0, way)), "{met:?}");
    };
    let at = |now, event| Some((now, event));
    check([at(1, DATA), at(1, OPEN), at(1, DATA), at(1, DATA)], 1);
    check([at(1, DATA), at(2, OPEN), at(1, OPEN), at(1, OPEN)], 2);
    check([at(1, OPEN), at(2, CLOSE), at(1, DATA), at(3, CLOSE)], 1);
    check([at(1, OPEN), at(3, CLOSE), at(2, CLOSE), at(2, CLOSE)], 2);
    // What nothing met has expired: it goes before the oldest closing one.
    check([at(1, CLOSE), at(1, DATA), None, None], 2);
}

#[test]
fn the_key_that_marks_a_busy_way_is_never_stored() {
    // The key's third field is the route's data, so that its first 64 bits can all be 1.
    let mut pipeline = common::sample();
    for stmt in &mut pipeline.control {
        if let StmtKind::Find { key, .. } = &mut stmt.kind {
            key[2] = common::var(common::P_HOP, 16);
        }
    }
    for (hop, stored) in [(0xffff, 0), (0xfffe, 1)] {
        let mut lab = Lab::of(pipeline.clone());
        let key = [("dst", Exact(0x0a00_0001))];
        lab.insert(lab::entry("route", &key, "via", &[("hop", hop)]));
        let frame = Frame { src: u32::MAX, src_port: u16::MAX, ..FRAME };
        assert!(matches!(lab.send(0, &frame.bytes()).verdict, Verdict::Forward { .. }));
        assert_eq!(lab.flows().len(), stored);
        assert_eq!(lab.packets("flows.stored"), stored as u64);
        assert_eq!(lab.packets("flows.not_stored"), 1 - stored as u64);
    }
}

#[test]
fn ids_of_every_backend_are_stored_as_given() {
    for (n, id) in BACKENDS.into_iter().enumerate() {
        let mut lab = Lab::full();
        lab.fill(4, |_| id as u32);
        assert_eq!(send(&mut lab, 0, OPEN), Verdict::Forward { port: n as u32 });
        assert_eq!(lab.flows()[0].id, id as u32);
        assert_eq!(lab.flows()[0].key, [0xc000_0201, 1000, 1, 80]);
    }
}
