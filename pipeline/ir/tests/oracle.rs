//! What the oracle makes of packets: parsing, tables, rings, counters, rewriting.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/lab.rs"]
mod lab;

use common::sample;
use lab::{BACKENDS, FRAME, Frame, Lab, backend, entry};
use pipeline_ir::KeyValue::{self, Exact, Lpm, Optional, Range, Ternary};
use pipeline_ir::TableId;
use pipeline_ir::entry::{WriteError, WriteKind};
use pipeline_ir::eval::{Verdict, hash};

fn dropped(reason: &str) -> Verdict {
    Verdict::Drop(reason.into())
}

#[test]
fn a_packet_to_the_vip_leaves_with_an_outer_header() {
    let mut lab = Lab::full();
    let frame = FRAME.bytes();
    let out = lab.send(0, &frame);

    let mut data = 7u32.to_be_bytes().to_vec();
    data.extend([&frame[26..34], &[17], &frame[34..38]].concat());
    let slot = hash::crc32(&data) % 7;
    let id = BACKENDS[slot as usize % 3];
    assert_eq!(out.verdict, Verdict::Forward { port: slot % 3 });

    let mut want = frame.clone();
    want[..6].copy_from_slice(&(0x0200_0000_0000u64 + id as u64).to_be_bytes()[2..]);
    want[22] = 63; // TTL; the checksum word 0x1234 follows by RFC 1624.
    want[24..26].copy_from_slice(&hash::adjust(0x1234, 0x4011, 0x3f11).to_be_bytes());
    let mut outer = [0; 20];
    outer[12..16].copy_from_slice(&[10, 0, 0, 1]);
    outer[16..20].copy_from_slice(&(id as u32).to_be_bytes());
    let sum = hash::internet_checksum(&[0x0a00, 1, 0, id as u16]);
    outer[10..12].copy_from_slice(&sum.to_be_bytes());
    want.splice(14..14, outer);
    assert_eq!(out.bytes, want);

    let trace: Vec<String> = out.trace.iter().map(ToString::to_string).collect();
    assert_eq!(trace[..4], ["state start", "extract eth", "state ip4", "extract ip4"]);
    assert!(trace.contains(&format!("ring ring pool 1 generation 4 slot {slot}: id {id}")), "{trace:#?}");
    assert_eq!(trace.last().unwrap(), &format!("forward {}", slot % 3));
}

#[test]
fn the_parser_stops_where_the_frame_ends() {
    let frame = FRAME.bytes();
    for length in 0..frame.len() {
        let mut lab = Lab::full();
        let out = lab.send(0, &frame[..length]);
        let want = match length {
            0..34 => dropped("cut"),
            // Without the UDP header its ports read as 0: no VIP.
            34..42 => Verdict::Pass,
            _ => Verdict::Forward { port: 0 },
        };
        match (&out.verdict, &want) {
            (Verdict::Forward { .. }, Verdict::Forward { .. }) => {}
            (got, want) => assert_eq!(got, want, "{length} bytes"),
        }
        if want == Verdict::Pass {
            assert_eq!(out.bytes, &frame[..length], "what passes is whole");
        }
    }
}

#[test]
fn a_lookahead_beyond_the_frame_stops_the_parser() {
    let mut lab = Lab::full();
    let out = lab.send(0, &FRAME.bytes()[..14]);
    assert!(out.trace.iter().any(|s| s.to_string() == "frame ends in kind: the parser stops"));
    assert_eq!(out.verdict, dropped("cut"));
}

#[test]
fn truncation_cuts_what_leaves() {
    let mut lab = Lab::full();
    let mut frame = FRAME.bytes();
    frame.resize(1500, 7);
    assert_eq!(lab.send(0, &frame).bytes.len(), 1000);
}

#[test]
fn drops_and_passes_by_the_tables() {
    let check = |change: &dyn Fn(&mut Lab), frame: Frame, want: Verdict| {
        let mut lab = Lab::full();
        change(&mut lab);
        assert_eq!(lab.send(0, &frame.bytes()).verdict, want);
        if let Verdict::Drop(reason) = want {
            assert_eq!(lab.packets(&format!("drop.{reason}")), 1);
        }
    };
    let nothing = |_: &mut Lab| {};
    check(&nothing, Frame { dst_port: 81, ..FRAME }, Verdict::Pass);
    check(&nothing, Frame { dst: 0x0b00_0001, ..FRAME }, dropped("denied"));
    check(&nothing, Frame { protocol: 99, ..FRAME }, dropped("denied"));
    let delete = |table: &str, key: &[(&str, KeyValue)], action: &str, data: &[(&str, u128)]| {
        let e = entry(table, key, action, data);
        move |lab: &mut Lab| lab.write(&e, WriteKind::Delete).unwrap()
    };
    let pool = delete("pool_generation", &[("pool", Exact(1))], "set_generation", &[("generation", 4)]);
    check(&pool, FRAME, dropped("no_pool"));
    check(&|lab| lab.insert(entry("acl", &[], "deny", &[])), FRAME, dropped("denied"));
    let gone = |lab: &mut Lab| {
        for id in BACKENDS {
            lab.write(&backend(id, 0), WriteKind::Delete).unwrap();
        }
    };
    check(&gone, FRAME, dropped("gone"));
}

/// Priority, key, action.
type Rule<'a> = (i32, &'a [(&'a str, KeyValue)], &'a str);

#[test]
fn ternary_tables_by_priority() {
    let lookup = |entries: &[Rule], frame: Frame| {
        let mut lab = Lab::full();
        for (priority, key, action) in entries {
            let mut e = entry("acl", key, action, &[]);
            e.priority = *priority;
            lab.insert(e);
        }
        lab.send(0, &frame.bytes()).verdict == dropped("denied")
    };
    let all: &[(&str, KeyValue)] = &[];
    let net: &[_] = &[("src", Ternary { value: 0xc000_0200, mask: 0xffff_ff00 })];
    let other: &[_] = &[("src", Ternary { value: 0xc000_0300, mask: 0xffff_ff00 })];
    let ports: &[_] = &[("port", Range { low: 80, high: 90 })];
    let above: &[_] = &[("port", Range { low: 81, high: 90 })];
    let udp: &[_] = &[("protocol", Optional(Some(17)))];
    let tcp: &[_] = &[("protocol", Optional(Some(6)))];
    assert!(!lookup(&[], FRAME));
    assert!(lookup(&[(1, net, "deny")], FRAME));
    assert!(!lookup(&[(1, other, "deny")], FRAME));
    assert!(lookup(&[(1, ports, "deny")], FRAME));
    assert!(!lookup(&[(1, above, "deny")], FRAME));
    assert!(lookup(&[(1, udp, "deny")], FRAME));
    assert!(!lookup(&[(1, tcp, "deny")], FRAME));
    assert!(!lookup(&[(1, all, "deny"), (2, net, "permit")], FRAME));
    assert!(lookup(&[(2, all, "deny"), (1, net, "permit")], FRAME));
    // Equal priorities: the first that was inserted.
    assert!(lookup(&[(1, net, "deny"), (1, all, "permit")], FRAME));
    assert!(!lookup(&[(1, net, "permit"), (1, all, "deny")], FRAME));
}

#[test]
fn the_longest_prefix_wins() {
    let route = |prefix, action: &str| {
        let data: &[(&str, u128)] = if action == "via" { &[("hop", 1)] } else { &[] };
        entry("route", &[("dst", Lpm { value: 0x0a00_0001, prefix })], action, data)
    };
    for (prefix, action, denied) in
        [(32, "deny", true), (9, "deny", true), (7, "deny", false), (0, "deny", false)]
    {
        let mut lab = Lab::full();
        lab.insert(route(prefix, action));
        assert_eq!(lab.send(0, &FRAME.bytes()).verdict == dropped("denied"), denied, "/{prefix}");
    }
}

#[test]
fn writes_that_fail() {
    let mut lab = Lab::full();
    assert_eq!(lab.write(&backend(0x11, 0), WriteKind::Insert), Err(WriteError::Exists));
    assert_eq!(lab.write(&backend(0x12, 0), WriteKind::Modify), Err(WriteError::NotFound));
    assert_eq!(lab.write(&backend(0x12, 0), WriteKind::Delete), Err(WriteError::NotFound));
    assert_eq!(lab.write(&backend(0x21, 0), WriteKind::Insert), Err(WriteError::Exists), "slot 1 is taken");
    for id in 4..9 {
        lab.insert(backend(id, 0));
    }
    assert_eq!(lab.write(&backend(9, 0), WriteKind::Insert), Err(WriteError::Full));
    lab.write(&backend(0x11, 0), WriteKind::Delete).unwrap();
    lab.insert(backend(0x21, 0));
    let pool = entry("pool_generation", &[("pool", Exact(1))], "set_generation", &[("generation", 9)]);
    assert!(matches!(lab.write(&pool, WriteKind::Insert), Err(WriteError::Exists)));
    lab.write(&pool, WriteKind::Modify).unwrap();
    lab.write(&pool, WriteKind::Delete).unwrap();
    assert!(matches!(lab.write(&pool, WriteKind::Modify), Err(WriteError::NotFound)));
}

#[test]
fn generations_of_one_parity_replace_each_other() {
    let mut lab = Lab::full();
    let slot = |generation: u128, slot: u128, id| {
        let key = [("pool", Exact(1)), ("generation", Exact(generation)), ("slot", Exact(slot))];
        entry("ring", &key, "set_ring", &[("id", id)])
    };
    let pool = |g| entry("pool_generation", &[("pool", Exact(1))], "set_generation", &[("generation", g)]);
    let verdict = |lab: &mut Lab| lab.send(0, &Frame { event: 0, ..FRAME }.bytes()).verdict;

    // The other parity waits beside the one in force.
    lab.fill(5, |_| 0x22);
    let before = verdict(&mut lab);
    lab.write(&pool(5), WriteKind::Modify).unwrap();
    assert_eq!(verdict(&mut lab), Verdict::Forward { port: 1 });
    lab.write(&pool(4), WriteKind::Modify).unwrap();
    assert_eq!(verdict(&mut lab), before);

    // Generation 6 takes the place of 4, slot by slot.
    for n in 0..7 {
        assert!(matches!(lab.write(&slot(6, n, 0x33), WriteKind::Modify), Err(WriteError::NotFound)));
        lab.insert(slot(6, n, 0x33));
        assert!(matches!(lab.write(&slot(6, n, 1), WriteKind::Insert), Err(WriteError::Exists)));
    }
    assert_eq!(verdict(&mut lab), dropped("no_slot"));
    lab.write(&pool(6), WriteKind::Modify).unwrap();
    assert_eq!(verdict(&mut lab), Verdict::Forward { port: 2 });
    for n in 0..7 {
        lab.write(&slot(6, n, 1), WriteKind::Delete).unwrap();
    }
    assert_eq!(verdict(&mut lab), dropped("no_slot"));
}

#[test]
fn counters_count_frames_as_received() {
    let mut lab = Lab::full();
    let frame = FRAME.bytes();
    lab.send(0, &frame);
    lab.send(0, &frame);
    lab.send(0, &Frame { protocol: 200, ..FRAME }.bytes()); // passes; 200 is beyond the counter
    let all = lab.oracle.counters();
    let cells: Vec<_> = all.iter().filter(|(n, _)| n.starts_with("by_protocol")).collect();
    assert_eq!(cells.len(), 1);
    assert_eq!((cells[0].0.as_str(), cells[0].1.packets, cells[0].1.bytes), ("by_protocol[17]", 2, 92));

    let direct: u64 = lab.oracle.entries(TableId(1)).map(|(_, c)| c.packets).sum();
    let bytes: u64 = lab.oracle.entries(TableId(1)).map(|(_, c)| c.bytes).sum();
    assert_eq!((direct, bytes), (2, 92));

    // Data may change under a running counter; a new entry starts at 0.
    let count = |lab: &Lab| -> Vec<u64> { lab.oracle.entries(TableId(1)).map(|(_, c)| c.packets).collect() };
    let before = count(&lab);
    for id in BACKENDS {
        lab.write(&backend(id, 77), WriteKind::Modify).unwrap();
    }
    assert_eq!(count(&lab), before);
    assert_eq!(lab.send(0, &frame).verdict, Verdict::Forward { port: 77 });
    for id in BACKENDS {
        lab.write(&backend(id, 0), WriteKind::Delete).unwrap();
        lab.insert(backend(id, 0));
    }
    assert_eq!(count(&lab), [0, 0, 0]);
}

#[test]
fn a_limiter_lets_so_many_through_in_a_tick() {
    let mut lab = Lab::full();
    let frame = Frame { tos: 1, ..FRAME }.bytes();
    let mut allowed = |now| lab.send(now, &frame).verdict == Verdict::Forward { port: 5 };
    let got = [0, 0, 0, 1, 1, 1, 9].map(&mut allowed);
    assert_eq!(got, [true, true, false, true, true, false, true]);
    assert_eq!(lab.packets("drop.rate"), 2);
}

#[test]
fn const_entries_are_there_from_the_start() {
    let lab = Lab::empty(sample());
    assert_eq!(lab.oracle.entries(TableId(4)).count(), 2);
    assert_eq!(lab.oracle.entries(TableId(0)).count(), 0);
}
