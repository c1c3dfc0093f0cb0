//! The flow table in the kernel, with several CPUs at once: flows evict each other while others are updated, rings
//! turn and backends go. No packet ever follows another flow's entry.
#![allow(clippy::unwrap_used)]

use needed::skip;
use pipeline_ir::entry::{Entry, RingFill, Tables, WriteKind};
use pipeline_ir::{FlowTableId, KeyValue};
use snapshots::case::Case;
use snapshots::packet;
use snapshots::story::Stories;
use snapshots::xdp::{XdpCase, unavailable};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use sw_fallback::plane::{DataPlane, TestPlane};
use sw_fallback::xdp::{Runner, XdpPlane};

/// Two to a CPU, where there are two.
const THREADS: u16 = 4;
/// Flows of each VIP. The last VIP is everybody's.
const FLOWS: u16 = 6;
/// Backends of each VIP; no two VIPs share one.
const BACKENDS: u32 = 16;
const SLOTS: u32 = 251;
/// The flow table: two buckets, room for a fourth of the flows, so that every packet meets another CPU's.
const ENTRIES: u32 = 8;
/// How long the threads run, and what they must have sent by then.
const TIME: Duration = Duration::from_secs(3);
const LEAST: u64 = 20_000;

/// TCP flags: new flows above all, which give way to each other.
const EVENTS: [u8; 8] = [0x02, 0x02, 0x10, 0x02, 0x11, 0x02, 0x04, 0x02];

/// A flow: its packets, and the backends that it may have chosen.
struct Flow {
    vip: u16,
    client: u16,
    /// One for each of [`EVENTS`].
    frames: Vec<Vec<u8>>,
    own: BTreeSet<u32>,
}

fn entry(table: &str, key: &[(&str, u128)], action: &str, params: &[(&str, u128)]) -> Entry {
    let named = |(n, v): &(&str, u128)| ((*n).to_owned(), *v);
    Entry {
        table: table.to_owned(),
        key: key.iter().map(|(n, v)| ((*n).to_owned(), KeyValue::Exact(*v))).collect(),
        priority: 0,
        action: action.to_owned(),
        params: params.iter().map(named).collect(),
    }
}

/// The VIPs' address.
fn address(six: bool) -> u128 {
    if six { 0xfd00_00c8 << 96 | 1 } else { 0x0ac8_0101 }
}

fn backend(id: u32) -> Entry {
    let params = [
        ("src", 0xfd00 << 112),
        ("spread", 0),
        ("dst", 0xfd01 << 112 | u128::from(id)),
        ("port", 1),
        ("dst_mac", 2),
        ("src_mac", 1),
        ("mtu", 9000),
    ];
    entry("backend", &[("backend", id.into())], "ipip6", &params)
}

fn first_id(vip: u16) -> u32 {
    u32::from(vip) * 64
}

/// The plane with its VIPs, backends and two generations of every ring.
fn prepared(six: bool) -> XdpPlane {
    let case = Case::named("l4lb").unwrap();
    let sizes =
        [("FLOW_ENTRIES", ENTRIES), ("RING_SLOTS", SLOTS)].map(|(n, v)| (n.to_owned(), v.to_string()));
    let verified = case.compile(&sizes).unwrap();
    let tables = Tables::new(verified.pipeline());
    let mut plane = XdpCase::compile(&verified, &Stories::default()).unwrap().load().unwrap();
    for vip in 1..=THREADS + 1 {
        let key = [("dst", address(six)), ("protocol", 6), ("dst_port", vip.into())];
        let params =
            [("vip", vip.into()), ("pool", vip.into()), ("hash_key", 77), ("flags", 0), ("class", 2)];
        let vip_entry = entry(if six { "vip6" } else { "vip4" }, &key, "set_vip", &params);
        plane.write(&tables.check(&vip_entry).unwrap(), WriteKind::Insert).unwrap();
        for i in 0..BACKENDS {
            plane.write(&tables.check(&backend(first_id(vip) + i)).unwrap(), WriteKind::Insert).unwrap();
        }
        // Between the generations each slot changes its backend.
        for generation in [1, 2] {
            let id = |slot: u32| first_id(vip) + (slot + 8 * u32::from(generation)) % BACKENDS;
            let slots = (0..SLOTS).map(id).collect();
            let fill = RingFill { ring: "ring".into(), pool: vip.into(), generation, slots };
            plane.fill_ring(&tables.check_ring(fill).unwrap()).unwrap();
        }
    }
    turn(&mut plane, &tables, WriteKind::Insert, 1);
    plane
}

/// Puts a generation of every ring in force.
fn turn(plane: &mut XdpPlane, tables: &Tables, kind: WriteKind, generation: u8) {
    for vip in 1..=THREADS + 1 {
        let set =
            entry("pool", &[("pool", vip.into())], "set_generation", &[("generation", generation.into())]);
        plane.write(&tables.check(&set).unwrap(), kind).unwrap();
    }
}

fn frame(six: bool, vip: u16, client: u16, flags: u8) -> Vec<u8> {
    let letters: String =
        "FSRPA".chars().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, c)| c).collect();
    let ip = if six { "ip6(src=2001:db8::1, dst=fd00:c8::1)" } else { "ip4(src=192.0.2.1, dst=10.200.1.1)" };
    packet::bytes(&format!("eth / {ip} / tcp(sport={client}, dport={vip}, flags={letters})")).unwrap()
}

/// The id of the backend that a sent frame goes to.
fn sent_to(out: &[u8]) -> u32 {
    assert_eq!(out[..2], [0, 0], "{out:02x?}");
    assert_eq!(out[38..40], [0xfd, 1], "{out:02x?}");
    u32::from_be_bytes(out[50..54].try_into().unwrap())
}

/// All flows. A FIN without an entry is sent by the ring and makes none: it tells each flow's own backends.
fn flows(six: bool, plane: &mut XdpPlane, tables: &Tables) -> Vec<Flow> {
    let mut flows = Vec::new();
    for vip in 1..=THREADS + 1 {
        for client in 1000..1000 + FLOWS {
            let frames = EVENTS.iter().map(|flags| frame(six, vip, client, *flags)).collect();
            flows.push(Flow { vip, client, frames, own: BTreeSet::new() });
        }
    }
    let runner = plane.runner().unwrap();
    let mut out = Vec::new();
    for generation in [1, 2] {
        turn(plane, tables, WriteKind::Modify, generation);
        for flow in &mut flows {
            assert!(runner.run(&frame(six, flow.vip, flow.client, 0x11), &mut out).unwrap());
            let id = sent_to(&out);
            assert!((first_id(flow.vip)..first_id(flow.vip) + BACKENDS).contains(&id));
            flow.own.insert(id);
        }
    }
    assert!(flows.iter().all(|f| f.own.len() == 2));
    flows
}

/// Binds this thread to a CPU.
fn bind(cpu: usize) {
    let thread = std::fs::read_link("/proc/thread-self").unwrap();
    let id = thread.file_name().unwrap().to_str().unwrap();
    let done = Command::new("taskset").args(["-pc", &cpu.to_string(), id]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    dropped: AtomicU64,
    strange: AtomicU64,
    stop: AtomicBool,
}

/// Packets of this thread's VIP and of the one that all share.
fn hammer(thread: u16, runner: &Runner, flows: &[Flow], tally: &Tally) {
    let mine: Vec<&Flow> = flows.iter().filter(|f| [thread + 1, THREADS + 1].contains(&f.vip)).collect();
    let mut seed = u64::from(thread) + 1;
    let mut out = Vec::new();
    while !tally.stop.load(Relaxed) {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let flow = mine[(seed >> 33) as usize % mine.len()];
        let frame = &flow.frames[(seed >> 20) as usize % flow.frames.len()];
        if !runner.run(frame, &mut out).unwrap() {
            tally.dropped.fetch_add(1, Relaxed);
            continue;
        }
        tally.sent.fetch_add(1, Relaxed);
        let id = sent_to(&out);
        if !flow.own.contains(&id) {
            tally.strange.fetch_add(1, Relaxed);
            tally.stop.store(true, Relaxed);
            eprintln!("vip {} client {} went to {id}, its own are {:?}", flow.vip, flow.client, flow.own);
        }
    }
}

/// Turns the rings, takes backends away and brings them back, and lets time pass, until the time is over.
fn disturb(six: bool, plane: &mut XdpPlane, tables: &Tables, tally: &Tally) {
    let start = Instant::now();
    let mut now = 0;
    let enough = |tally: &Tally| tally.sent.load(Relaxed) >= LEAST || start.elapsed() > 20 * TIME;
    while !tally.stop.load(Relaxed) && (start.elapsed() < TIME || !enough(tally)) {
        for generation in [1, 2] {
            turn(plane, tables, WriteKind::Modify, generation);
            let gone = first_id(now as u16 % (THREADS + 1) + 1) + now % BACKENDS;
            let gone = tables.check(&backend(gone)).unwrap();
            plane.write(&gone, WriteKind::Delete).unwrap();
            std::thread::sleep(Duration::from_micros(300));
            plane.write(&gone, WriteKind::Insert).unwrap();
            std::thread::sleep(Duration::from_millis(1));
            now += 7;
            plane.process(1, now, &frame(six, 1, 999, 0x11));
        }
    }
    tally.stop.store(true, Relaxed);
}

fn no_flow_follows_another(six: bool) {
    if skip("flows on several CPUs", "bpf", unavailable()) {
        return;
    }
    let mut plane = prepared(six);
    let pipeline = plane.pipeline().clone();
    let tables = Tables::new(&pipeline);
    let flows = flows(six, &mut plane, &tables);
    let runner = plane.runner().unwrap();
    let tally = Tally::default();
    let cpus = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (runner, flows, tally) = (&runner, &flows, &tally);
            scope.spawn(move || {
                bind(usize::from(thread) % cpus);
                hammer(thread, runner, flows, tally);
            });
        }
        disturb(six, &mut plane, &tables, &tally);
    });
    let [sent, dropped, strange] = [&tally.sent, &tally.dropped, &tally.strange].map(|n| n.load(Relaxed));
    let table = FlowTableId(u32::from(six));
    let name = &pipeline.flow_tables[table.index()].name;
    let counters = plane.counters();
    let [stored, not_stored] = ["stored", "not_stored"].map(|n| counters[&format!("{name}.{n}")].packets);
    eprintln!("{sent} sent, {dropped} dropped, {stored} stored, {not_stored} not stored; {cpus} CPUs");
    assert_eq!(strange, 0, "packets that followed another flow's entry");
    assert!(sent >= LEAST && dropped < sent / 4, "{sent} sent, {dropped} dropped");
    assert_eq!(counters["drop.no_backend"].packets, dropped, "only a backend that is gone drops packets");
    assert!(stored > 20 * u64::from(ENTRIES) && not_stored > 0, "{stored} stored, {not_stored} not");

    let known: BTreeMap<(u128, u128), &Flow> =
        flows.iter().map(|f| ((f.vip.into(), f.client.into()), f)).collect();
    let held = plane.flows(table);
    assert!(held.len() > ENTRIES as usize / 2, "{} held", held.len());
    for record in &held {
        let field = |name: &str| {
            let fields = &pipeline.flow_tables[table.index()].keys;
            record.key[fields.iter().position(|f| f.name == name).unwrap()]
        };
        let flow = known.get(&(field("vip"), field("src_port"))).unwrap_or_else(|| panic!("{record:?}"));
        assert_eq!(field("dst_port"), u128::from(flow.vip), "{record:?}");
        assert_eq!(field("src"), if six { 0x2001_0db8 << 96 | 1 } else { 0xc000_0201 }, "{record:?}");
        assert!(flow.own.contains(&record.id), "{record:?}, but its own are {:?}", flow.own);
    }
}

#[test]
fn four() {
    no_flow_follows_another(false);
}

#[test]
fn six() {
    no_flow_follows_another(true);
}
