//! Entries of every kind of table, as the program in the kernel sees them.

use crate::lab::ready;
use crate::pipeline::{fill, frame, generation, host, object, out, pipeline};
use pipeline_ir::entry::WriteKind::{Delete, Insert, Modify};
use pipeline_ir::entry::{CheckedEntry, WriteError};
use pipeline_ir::{FlowTableId, KeyValue, RingId, TableId};
use sw_fallback::plane::{Count, DataPlane, Outcome, TestPlane, Verdict};
use sw_fallback::xdp::{Options, PROLOGUE, XdpPlane, clang};

fn plane() -> XdpPlane {
    let options = Options { testing: true, ..Options::default() };
    XdpPlane::load(&pipeline(64), object(), &options).unwrap()
}

/// Asks, and checks the port that the frame is sent to; `None`: dropped for `miss`.
fn check(plane: &mut XdpPlane, ask: u8, data: &[u8], port: Option<u32>) {
    let verdict = plane.process(7, 100, &frame(ask, data)).verdict;
    let expected = port.map_or_else(|| Verdict::Drop("miss".into()), |port| Verdict::Forward { port });
    assert_eq!(verdict, expected, "ask {ask} for {data:x?}");
}

fn counts(plane: &XdpPlane, table: u32) -> Vec<u64> {
    let mut counts: Vec<u64> = plane.table_entries(TableId(table)).iter().map(|e| e.1.packets).collect();
    counts.sort_unstable();
    counts
}

#[test]
fn exact() {
    if !ready("exact") {
        return;
    }
    let mut p = plane();
    let ask = [10, 0, 0, 1, 0, 80];
    check(&mut p, 1, &ask, None);
    p.write(&host(0x0a00_0001, 80, 5), Insert).unwrap();
    assert_eq!(p.write(&host(0x0a00_0001, 80, 6), Insert), Err(WriteError::Exists));
    assert_eq!(p.write(&host(0x0a00_0001, 81, 6), Modify), Err(WriteError::NotFound));
    check(&mut p, 1, &ask, Some(5));
    p.write(&host(0x0a00_0001, 80, 6), Modify).unwrap();
    check(&mut p, 1, &ask, Some(6));
    check(&mut p, 1, &[10, 0, 0, 1, 0, 81], None);
    assert_eq!(p.table_entries(TableId(0))[0].1, Count { packets: 2, bytes: 128 });
    p.write(&host(0x0a00_0001, 80, 0), Delete).unwrap();
    assert_eq!(p.write(&host(0x0a00_0001, 80, 0), Delete), Err(WriteError::NotFound));
    check(&mut p, 1, &ask, None);
    // A new entry counts from 0.
    p.write(&host(0x0a00_0001, 80, 5), Insert).unwrap();
    assert_eq!(counts(&p, 0), [0]);
    for i in 1..8 {
        p.write(&host(i, 80, i), Insert).unwrap();
    }
    assert_eq!(p.write(&host(99, 80, 1), Insert), Err(WriteError::Full));
    for i in 1..8u8 {
        check(&mut p, 1, &[0, 0, 0, i, 0, 80], Some(i.into()));
    }
}

#[test]
fn slot() {
    if !ready("slot") {
        return;
    }
    let backend = |id: u128, port| out("backend", &[("id", KeyValue::Exact(id))], 0, port);
    let mut p = plane();
    p.write(&backend(0x00_0013, 5), Insert).unwrap();
    check(&mut p, 2, &[0, 0, 0x13], Some(5));
    // Another incarnation in the same slot.
    check(&mut p, 2, &[0, 0, 0x23], None);
    assert_eq!(p.write(&backend(0x00_0023, 6), Insert), Err(WriteError::Exists));
    p.write(&backend(0x00_0013, 0), Delete).unwrap();
    check(&mut p, 2, &[0, 0, 0x13], None);
    p.write(&backend(0x00_0023, 6), Insert).unwrap();
    check(&mut p, 2, &[0, 0, 0x23], Some(6));
    check(&mut p, 2, &[0, 0, 0x13], None);
    assert_eq!(counts(&p, 1), [1]);
    // Id 0 is an id like any other; an empty slot is not id 0.
    check(&mut p, 2, &[0, 0, 0], None);
    p.write(&backend(0, 8), Insert).unwrap();
    check(&mut p, 2, &[0, 0, 0], Some(8));
}

#[test]
fn lpm() {
    if !ready("lpm") {
        return;
    }
    let route = |value, prefix, port| out("route", &[("src", KeyValue::Lpm { value, prefix })], 0, port);
    let mut p = plane();
    check(&mut p, 3, &[10, 1, 2, 3], None);
    for e in [route(0, 0, 1), route(0x0a00_0000, 8, 2), route(0x0a01_0000, 16, 3), route(0x0a01_0203, 32, 4)]
    {
        p.write(&e, Insert).unwrap();
    }
    let asks = [([10, 1, 2, 3], 4), ([10, 1, 9, 9], 3), ([10, 9, 9, 9], 2), ([9, 9, 9, 9], 1)];
    for (address, port) in asks {
        check(&mut p, 3, &address, Some(port));
    }
    p.write(&route(0x0a01_0000, 16, 9), Modify).unwrap();
    check(&mut p, 3, &[10, 1, 9, 9], Some(9));
    p.write(&route(0x0a01_0000, 16, 0), Delete).unwrap();
    check(&mut p, 3, &[10, 1, 9, 9], Some(2));
    assert_eq!(counts(&p, 2), [1, 1, 2]);
}

#[test]
fn linear() {
    if !ready("linear") {
        return;
    }
    let rule = |value, mask, low, high, priority, port| -> CheckedEntry {
        let key = [("src", KeyValue::Ternary { value, mask }), ("port", KeyValue::Range { low, high })];
        out("acl", &key, priority, port)
    };
    let mut p = plane();
    let ten = |low, high, priority, port| rule(0x0a00_0000, 0xff00_0000, low, high, priority, port);
    check(&mut p, 4, &[10, 0, 0, 1, 0, 80], None);
    p.write(&ten(0, 1000, 5, 1), Insert).unwrap();
    p.write(&ten(80, 80, 5, 2), Insert).unwrap();
    // Equal priorities: the earlier wins.
    check(&mut p, 4, &[10, 0, 0, 1, 0, 80], Some(1));
    p.write(&ten(80, 80, 9, 3), Insert).unwrap();
    check(&mut p, 4, &[10, 0, 0, 1, 0, 80], Some(3));
    check(&mut p, 4, &[10, 0, 0, 1, 0, 81], Some(1));
    check(&mut p, 4, &[11, 0, 0, 1, 0, 81], None);
    p.write(&rule(0, 0, 0, 0xffff, 1, 4), Insert).unwrap();
    check(&mut p, 4, &[11, 0, 0, 1, 0, 81], Some(4));
    assert_eq!(p.write(&ten(1, 1, 1, 1), Insert), Err(WriteError::Full));
    p.write(&ten(0, 1000, 5, 6), Modify).unwrap();
    check(&mut p, 4, &[10, 0, 0, 1, 0, 81], Some(6));
    p.write(&ten(80, 80, 9, 3), Delete).unwrap();
    check(&mut p, 4, &[10, 0, 0, 1, 0, 80], Some(6));
    assert_eq!(counts(&p, 3), [0, 1, 4]);
}

#[test]
fn entries_of_the_source() {
    if !ready("entries_of_the_source") {
        return;
    }
    let mut p = plane();
    check(&mut p, 8, &[1, 1, 1, 1], Some(11));
    check(&mut p, 8, &[2, 2, 2, 2], Some(22));
    check(&mut p, 8, &[3, 3, 3, 3], None);
    let listed = p.table_entries(TableId(4));
    assert_eq!(listed.iter().map(|(e, _)| e.args()[0]).collect::<Vec<_>>(), [11, 22]);
    let own = listed[0].0.clone();
    assert_eq!(p.write(&CheckedEntry::Table(own), Delete), Err(WriteError::Const));
}

#[test]
fn ring() {
    if !ready("ring") {
        return;
    }
    let mut p = plane();
    let ask = |p: &mut XdpPlane, hash: u8| p.process(1, 0, &frame(5, &[0, 1, 0, 0, 0, hash])).verdict;
    assert_eq!(ask(&mut p, 0), Verdict::Drop("no_pool".into()));
    p.write(&generation(1, 3), Insert).unwrap();
    assert_eq!(p.write(&generation(1, 3), Insert), Err(WriteError::Exists));
    assert_eq!(ask(&mut p, 0), Verdict::Drop("no_slot".into()));
    p.fill_ring(&fill(3, [31, 32, 33, 34, 35, 36, 37])).unwrap();
    p.fill_ring(&fill(4, [41, 42, 43, 44, 45, 46, 47])).unwrap();
    assert_eq!(ask(&mut p, 9), Verdict::Forward { port: 33 });
    p.write(&generation(1, 4), Modify).unwrap();
    assert_eq!(ask(&mut p, 9), Verdict::Forward { port: 43 });
    assert_eq!(p.generation(RingId(0), 1), Some(4));
    assert_eq!(p.ring_slots(RingId(0), 1, 4), [41, 42, 43, 44, 45, 46, 47]);
    // Another generation of the same parity takes the place.
    p.fill_ring(&fill(5, [51, 52, 53, 54, 55, 56, 57])).unwrap();
    p.write(&generation(1, 3), Modify).unwrap();
    assert_eq!(ask(&mut p, 9), Verdict::Drop("no_slot".into()));
    p.write(&generation(1, 3), Delete).unwrap();
    assert_eq!(ask(&mut p, 9), Verdict::Drop("no_pool".into()));
}

#[test]
fn counters_and_flows() {
    if !ready("counters_and_flows") {
        return;
    }
    let mut p = plane();
    for cell in [2, 2, 9] {
        assert_eq!(p.process(1, 0, &frame(6, &[cell])).verdict, Verdict::Pass);
    }
    let flow = [10, 0, 0, 1, 0x1f, 0x90, 0, 7, 0, 80, 0, 42];
    assert_eq!(p.process(1, 500, &frame(7, &flow)).verdict, Verdict::Pass);
    assert_eq!(p.process(1, 600, &frame(7, &flow)).verdict, Verdict::Forward { port: 42 });
    let counters = p.counters();
    let packets = |name: &str| counters.get(name).map(|c| c.packets);
    assert_eq!(counters["a_counter_with_a_long_name[2]"], Count { packets: 2, bytes: 128 });
    assert_eq!(packets("a_counter_with_a_long_name[0]"), None);
    assert_eq!(
        (packets("flows.stored"), packets("flows.not_stored"), packets("drop.miss")),
        (Some(1), Some(0), Some(0))
    );
    let flows = p.flows(FlowTableId(0));
    assert_eq!(flows.len(), 1);
    let one = &flows[0];
    assert_eq!(one.key, [0x0a00_0001, 8080, 7, 80]);
    assert_eq!((one.bucket, one.way, one.id, one.state, one.class, one.tick), (7, 0, 42, 2, 0, 600));
}

#[test]
fn the_prologue_soils_the_headroom() {
    if !ready("the_prologue_soils_the_headroom") {
        return;
    }
    let prologue = Some(clang::compile(PROLOGUE, &[]).unwrap());
    let options = Options { testing: true, prologue, ..Options::default() };
    let mut soiled = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
    let grown = |bytes: u8| [vec![bytes; 8], frame(10, &[])].concat();
    let sent = |bytes| Outcome { verdict: Verdict::Forward { port: 1 }, bytes };
    assert_eq!(soiled.process(1, 0, &frame(10, &[])), sent(grown(0xff)));
    // Without it the headroom happens to be clean, which hides mistakes.
    assert_eq!(plane().process(1, 0, &frame(10, &[])), sent(grown(0)));
}

#[test]
fn ports_and_frames_out_of_range() {
    if !ready("ports_and_frames_out_of_range") {
        return;
    }
    let mut p = plane();
    assert_eq!(p.process(77, 0, &frame(9, &[])).verdict, Verdict::Forward { port: 77 });
    for length in [0, 13, 3501] {
        assert_eq!(p.process(1, 0, &vec![0; length]).verdict, Verdict::Drop("not_run".into()));
    }
    for length in [14, 60, 3500] {
        assert_eq!(p.process(1, 0, &vec![0; length]).verdict, Verdict::Pass, "{length}");
    }
}
