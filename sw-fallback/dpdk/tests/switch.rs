//! A program by hand in DPDK's SWX: its packets, entries, counts.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use dpdk_switch::{DpdkError, DpdkPlane, Running};
use pipeline_ir::entry::{CheckedEntry, Tables, WriteError, WriteKind};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{KeyValue, TableId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use sw_fallback::devices::memory;
use sw_fallback::native::Port;
use sw_fallback::plane::{Count, DataPlane as _, Outcome, ReadBack as _, TestPlane as _, Verdict};
use sw_fallback_rt::hash::crc32_of;

const PIPELINE: &str = r"
#[guideway::pipeline(targets = [native])]
pub mod hosts {
    use guideway::headers::Ethernet;
    struct Headers { eth: Ethernet }
    struct Meta { class: bit<32> }
    enum Reason { Blocked, Short }
    struct HostKey { #[exact] src: bit<48> }
    enum HostAction { Out { port: bit<32> }, Block, #[default_only] Unknown }
    #[table(size = 4, counters = both)]
    static HOST: Table<HostKey, HostAction> = Unknown;
    struct KindKey { #[ternary] ethertype: bit<16> }
    enum KindAction { Count { class: bit<8> }, #[default_only] Other }
    #[table(size = 4, counters = packets)]
    static KIND: Table<KindKey, KindAction> = Other;
    #[counter(size = 4, kind = packets)]
    static CLASSES: Counter;
    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.eth); accept }
    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.eth.is_valid() { return drop(Short); }
        match KIND.apply(KindKey { ethertype: h.eth.ethertype }) {
            Count { class } => { m.class = class as bit<32>; }
            Other => {}
        }
        CLASSES.count(m.class);
        match HOST.apply(HostKey { src: h.eth.src }) {
            Out { port } => forward(port),
            Block => drop(Blocked),
            Unknown => pass(),
        }
    }
}";

const PROGRAM: &str = include_str!("hosts.spec");

fn pipeline() -> Verified {
    verify(pipeline_syntax::compile_source("hosts.rs", PIPELINE, &[]).unwrap()).unwrap()
}

/// Says that DPDK can't run here, or fails where it must.
fn skip() -> bool {
    let why = dpdk_switch::start(dpdk_switch::MEGABYTES).err();
    needed::skip("SWX", "dpdk", why.map(|why| why.to_string()))
}

fn plane() -> DpdkPlane {
    DpdkPlane::load(&pipeline(), PROGRAM, 3).unwrap()
}

fn host(tables: &Tables, src: u128, action: usize, args: &[u128]) -> CheckedEntry {
    let p = pipeline();
    let action = p.pipeline().tables[0].actions[action];
    let key = [Some(KeyValue::Exact(src))];
    CheckedEntry::Table(tables.check_values(TableId(0), &key, 0, action, args).unwrap())
}

fn kind(tables: &Tables, value: u128, mask: u128, priority: i32, class: u128) -> CheckedEntry {
    let p = pipeline();
    let key = [Some(KeyValue::Ternary { value, mask })];
    let action = p.pipeline().tables[1].actions[0];
    CheckedEntry::Table(tables.check_values(TableId(1), &key, priority, action, &[class]).unwrap())
}

fn frame(src: u8, ethertype: u16, length: usize) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, src];
    frame.extend(ethertype.to_be_bytes());
    frame.resize(length, 0xaa);
    frame
}

fn drop_of(reason: &str) -> Outcome {
    Outcome { verdict: Verdict::Drop(reason.to_owned()), bytes: Vec::new() }
}

#[test]
fn packets_go_where_entries_say() {
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let insert = |plane: &mut DpdkPlane, e: &CheckedEntry| plane.write(e, WriteKind::Insert);
    insert(&mut plane, &host(&tables, 0x0200_0000_0005, 0, &[2])).unwrap();
    insert(&mut plane, &host(&tables, 0x0200_0000_0006, 1, &[])).unwrap();
    let sent = frame(5, 0x0800, 60);
    let forwarded = Outcome { verdict: Verdict::Forward { port: 2 }, bytes: sent.clone() };
    assert_eq!(plane.process(1, 0, &sent), forwarded);
    assert_eq!(plane.process(3, 0, &frame(6, 0x0800, 60)), drop_of("blocked"));
    assert_eq!(
        plane.process(0, 0, &sent[..13]),
        drop_of("short"),
        "a cut frame is never read beyond its end"
    );
    // `most`: the port cuts it. And a hash of ours, as every other target has it.
    assert_eq!(plane.process(0, 0, &frame(5, 0x1234, 99)).bytes, frame(5, 0x1234, 16));
    let passed = plane.process(0, 0, &frame(7, 1, 64));
    assert_eq!(passed.verdict, Verdict::Pass);
    assert_eq!(passed.bytes[8..12], crc32_of(&frame(7, 1, 64)[..12]).to_be_bytes());
    // A frame longer than any buffer that DPDK would make by itself.
    let long = frame(5, 0x0800, 9000);
    assert_eq!(plane.process(0, 0, &long).bytes, long);
    assert!(matches!(plane.process(4, 0, &sent).verdict, Verdict::Drop(why) if why.contains("no port 4")));
    let counts = plane.counters();
    assert_eq!((counts["drop.blocked"].packets, counts["drop.short"].packets), (1, 1));
    assert_eq!(counts["classes[0]"].packets, 5);
    let e = host(&tables, 0x0200_0000_0005, 0, &[2]);
    let CheckedEntry::Table(e) = e else { panic!() };
    assert_eq!(plane.hits(&e), Some(Count { packets: 3, bytes: 60 + 99 + 9000 }));
}

#[test]
fn writes_are_refused_as_everywhere() {
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let one = |n: u128, port| host(&tables, n, 0, &[port]);
    let five: Vec<_> = (1..=5).map(|n| (one(n, 1), WriteKind::Insert)).collect();
    let results = plane.write_all(&five);
    assert_eq!(results[..4], vec![Ok(()); 4]);
    assert_eq!(results[4], Err(WriteError::Full));
    assert_eq!(plane.write(&one(1, 3), WriteKind::Insert), Err(WriteError::Exists));
    assert_eq!(plane.write(&one(9, 3), WriteKind::Modify), Err(WriteError::NotFound));
    assert_eq!(plane.write(&one(9, 3), WriteKind::Delete), Err(WriteError::NotFound));
    plane.write(&one(4, 3), WriteKind::Modify).unwrap();
    plane.write(&one(1, 3), WriteKind::Delete).unwrap();
    plane.write(&one(5, 2), WriteKind::Insert).unwrap();
    let left: Vec<u128> = plane.table_entries(TableId(0)).iter().map(|(e, _)| e.args()[0]).collect();
    assert_eq!(left, [1, 1, 3, 2]);
    let mut sent = frame(0, 0x0800, 60);
    for (src, verdict) in
        [(1, Verdict::Pass), (4, Verdict::Forward { port: 3 }), (5, Verdict::Forward { port: 2 })]
    {
        sent[6..12].copy_from_slice(&[0, 0, 0, 0, 0, src]);
        assert_eq!(plane.process(0, 0, &sent).verdict, verdict, "{src}");
    }
}

/// All of a batch or nothing of it: entries, masks, counts.
#[test]
fn a_batch_that_is_refused_leaves_all_as_it_was() {
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let one = |n: u128, port| host(&tables, 0x0200_0000_0000 | n, 0, &[port]);
    plane.write(&one(1, 1), WriteKind::Insert).unwrap();
    plane.write(&kind(&tables, 0x0800, 0xff00, 10, 1), WriteKind::Insert).unwrap();
    plane.process(0, 0, &frame(1, 0x0800, 60));
    let rows = |plane: &DpdkPlane| format!("{:?}", [0, 1].map(|table| plane.table_entries(TableId(table))));
    let ways = |plane: &mut DpdkPlane| [1, 2, 3].map(|src| plane.process(0, 0, &frame(src, 0x0900, 60)));
    let gone = ways(&mut plane);
    let masked = kind(&tables, 0x0900, 0xff00, 11, 2);
    let good = [
        (one(1, 1), WriteKind::Delete),
        (one(2, 2), WriteKind::Insert),
        (one(1, 3), WriteKind::Insert),
        (one(3, 3), WriteKind::Insert),
        (masked, WriteKind::Insert),
    ];
    let whole = |plane: &mut DpdkPlane, batch: &[_]| plane.whole().unwrap().write_whole(batch);
    for (more, why) in [
        ((one(2, 2), WriteKind::Insert), WriteError::Exists),
        ((one(9, 2), WriteKind::Modify), WriteError::NotFound),
    ] {
        let batch = [&good[..], &[more]].concat();
        let before = rows(&plane);
        assert_eq!(whole(&mut plane, &batch), Err((Some(5), why)));
        assert_eq!(rows(&plane), before, "with their counts");
        assert_eq!(ways(&mut plane), gone);
    }
    whole(&mut plane, &good).unwrap();
    let ports = [1, 2, 3].map(|src| plane.process(0, 0, &frame(src, 0x0900, 60)).verdict);
    assert_eq!(ports, [3, 2, 3].map(|port| Verdict::Forward { port }));
}

/// Packets of two senders go by one port or by the other, and both senders' entries change at once.
#[test]
fn no_packet_meets_a_part_of_a_batch() {
    const FLIPS: u128 = 200;
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let to = |port: u128| [5, 6].map(|n: u128| host(&tables, 0x0200_0000_0000 | n, 0, &[port]));
    plane.whole().unwrap().write_whole(&to(2).map(|e| (e, WriteKind::Insert))).unwrap();
    let (mut fars, mut ports) = (Vec::new(), Vec::new());
    for number in 1..=3 {
        let (device, far) = memory::pair("m").unwrap();
        ports.push(Port { number, device });
        fars.push(far);
    }
    let mut running = Running::start(plane, 1 << 26, ports, None).unwrap();
    let (mut number, mut seen) = (0_u32, BTreeMap::new());
    let mut traffic = |packets: u32| {
        for _ in 0..packets {
            let mut sent = frame(5 + (number % 2) as u8, 0x0800, 60);
            sent[20..24].copy_from_slice(&number.to_be_bytes());
            fars[0].push(&sent);
            number += 1;
        }
        for port in [2, 3] {
            while let Some(frame) = fars[port - 1].pop() {
                seen.insert(u32::from_be_bytes(frame[20..24].try_into().unwrap()), port);
            }
        }
        seen.len()
    };
    for flip in 0..FLIPS {
        let batch = to(3 - flip % 2).map(|e| (e, WriteKind::Modify));
        traffic(40);
        running.plane().whole().unwrap().write_whole(&batch).unwrap();
    }
    let since = Instant::now();
    while traffic(0) < FLIPS as usize * 20 && since.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(running);
    let ways: Vec<usize> = seen.into_values().collect();
    assert!(ways.len() >= FLIPS as usize * 20, "{}", ways.len());
    let changes = ways.windows(2).filter(|two| two[0] != two[1]).count();
    assert!(changes <= FLIPS as usize, "{changes} changes of way in {FLIPS} writes");
    assert!(changes > 3, "{changes} only: packets and writes did not meet");
}

/// An entry that takes a deleted one's place counts from 0.
#[test]
fn counts_go_with_their_entries() {
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let (a, b) = (host(&tables, 0x0200_0000_0005, 0, &[1]), host(&tables, 0x0200_0000_0006, 0, &[1]));
    plane.write(&a, WriteKind::Insert).unwrap();
    plane.process(0, 0, &frame(5, 1, 70));
    plane.write(&host(&tables, 0x0200_0000_0005, 0, &[2]), WriteKind::Modify).unwrap();
    let counts = |plane: &DpdkPlane| -> Vec<u64> {
        plane.table_entries(TableId(0)).iter().map(|(_, c)| c.packets).collect()
    };
    assert_eq!(counts(&plane), [1]);
    plane.write_all(&[(a, WriteKind::Delete), (b, WriteKind::Insert)]);
    assert_eq!(counts(&plane), [0]);
    plane.process(0, 0, &frame(6, 1, 70));
    assert_eq!(counts(&plane), [1]);
}

/// The highest priority wins, the oldest among equals, and so it stays as entries come and go.
#[test]
fn masks_and_priorities() {
    if skip() {
        return;
    }
    let (mut plane, tables) = (plane(), Tables::new(pipeline().pipeline()));
    let class = |plane: &mut DpdkPlane, ethertype| {
        let before = plane.counters();
        plane.process(0, 0, &frame(9, ethertype, 60));
        let after = plane.counters();
        let grown = |n: &u32| {
            let name = format!("classes[{n}]");
            after.get(&name).map(|c| c.packets) != before.get(&name).map(|c| c.packets)
        };
        (0..4).find(grown).unwrap()
    };
    plane.write(&kind(&tables, 0x0800, 0xff00, 10, 1), WriteKind::Insert).unwrap();
    plane.write(&kind(&tables, 0x0801, 0xffff, 5, 2), WriteKind::Insert).unwrap();
    assert_eq!([0x0801, 0x0802, 0x0901].map(|e| class(&mut plane, e)), [1, 1, 0]);
    plane.write(&kind(&tables, 0x0801, 0xffff, 20, 3), WriteKind::Insert).unwrap();
    assert_eq!(class(&mut plane, 0x0801), 3, "the same mask and value, of a higher priority");
    plane.write(&kind(&tables, 0x0800, 0xff00, 10, 1), WriteKind::Delete).unwrap();
    plane.write(&kind(&tables, 0x0801, 0xffff, 20, 3), WriteKind::Delete).unwrap();
    assert_eq!([0x0801, 0x0802].map(|e| class(&mut plane, e)), [2, 0]);
    plane.write(&kind(&tables, 0, 0, 5, 3), WriteKind::Insert).unwrap();
    assert_eq!(class(&mut plane, 0x0801), 2, "the older one");
    let rows = plane.table_entries(TableId(1));
    assert_eq!(rows.iter().map(|(e, c)| (e.args()[0], c.packets)).collect::<Vec<_>>(), [(3, 0), (2, 2)]);
}

#[test]
fn a_program_that_swx_refuses_is_told_with_its_line() {
    if skip() {
        return;
    }
    let line = |text: &str| 1 + PROGRAM.lines().position(|l| l.contains(text)).unwrap() as u32;
    for (from, to, word) in [
        ("mov m.class t.class", "mov m.class t.clazz", "`mov m.class t.clazz` in action `kind__count`"),
        ("emit h.eth", "emit h.ether", "`emit h.ether`"),
        ("jmplt SHORT m.length 14", "jmplt SHORT m.longueur 14", "`jmplt SHORT m.longueur 14`"),
        ("header eth instanceof eth_t", "header eth instanceof ether_t", "header `eth` of `ether_t`"),
        ("regadd drop_short m.zero 1", "regadd drop_short 0 1", "`SHORT : regadd drop_short 0 1`"),
        ("h.host__key.src exact", "h.eth.nothing exact", "table `host`"),
    ] {
        let error = DpdkPlane::load(&pipeline(), &PROGRAM.replace(from, to), 3).unwrap_err();
        let DpdkError::Refused { line: at, what, .. } = &error else { panic!("{error}") };
        assert_eq!(what, word, "{error}");
        let near = line(from);
        assert!(near.abs_diff(*at) <= 2, "{error}: near line {near}");
    }
}

#[test]
fn a_program_of_another_pipeline_is_refused() {
    if skip() {
        return;
    }
    let check = |from: &str, to: &str, word: &str| {
        let error = DpdkPlane::load(&pipeline(), &PROGRAM.replace(from, to), 3).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    check("table host {", "table hosts {", "table `host`");
    check("drop_short", "drop_shirt", "regarray `drop_short`");
    check("host__block", "host__blocks", "action `host__block`");
    check("\tbit<32> port\n", "\tbit<32> puerto\n", "parameter `puerto`");
    check("bit<16> ethertype\n}\nheader kind", "bit<32> ethertype\n}\nheader kind", "key of 2 bytes");
    let error = DpdkPlane::load(&pipeline(), PROGRAM, 254).unwrap_err();
    assert!(matches!(error, DpdkError::PortNumber(254)), "{error}");
    let error = DpdkPlane::load(&pipeline(), "struct x\n", 3).unwrap_err();
    assert!(matches!(error, DpdkError::Spec(_)), "{error}");
}

/// A program that goes round for ever is given up.
#[test]
fn a_loop_is_given_up() {
    if skip() {
        return;
    }
    let text = PROGRAM.replace("jmpnh HOST", "jmpnh AGAIN").replace("HOST : hash", "AGAIN : hash");
    let text = text.replace("jmp SEND", "jmp AGAIN");
    let mut plane = DpdkPlane::load(&pipeline(), &text, 0).unwrap();
    let Verdict::Drop(why) = plane.process(0, 0, &frame(1, 1, 60)).verdict else { panic!() };
    assert!(why.contains("come to an end"), "{why}");
}
