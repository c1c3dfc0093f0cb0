//! A pipeline at work on queues in memory and on captures.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::devices::memory::{self, Far};
use crate::devices::{Device, DeviceError, packet};
use std::time::{Duration, Instant};

/// What a frame's first byte asks for.
const FORWARD: u8 = 0;
const PASS: u8 = 1;
const CHANGE: u8 = 2;
const DROP: u8 = 3;
const PANIC: u8 = 4;

/// Does what the first byte says; `forward` goes to the port that the second one names.
#[derive(Default)]
struct Obeys {
    drops: [u64; 1],
}

impl rt::Program for Obeys {
    fn tick_ns(&self) -> u64 {
        1 << 26
    }
    fn process(&mut self, _: u32, _: u32, packet: &mut rt::Packet) -> rt::Verdict {
        match *packet.frame() {
            [FORWARD, port, ..] => rt::Verdict::Forward(port.into()),
            [CHANGE, ..] => {
                packet.set_front(8, 8);
                packet.frame_mut()[7] ^= 0xff;
                rt::Verdict::Pass
            }
            [PANIC, ..] => panic!("as asked"),
            [DROP, ..] => {
                self.drops[0] += 1;
                rt::Verdict::Drop(0)
            }
            _ => rt::Verdict::Pass,
        }
    }
    fn drops(&self) -> &[u64] {
        &self.drops
    }
    fn fork(&self) -> Self {
        Self::default()
    }
}

fn plane() -> NativePlane {
    let text = std::fs::read_to_string("../snapshots/count/pipeline.rs").unwrap();
    let p = pipeline_syntax::compile_source("count.rs", &text, &[]).unwrap();
    NativePlane::new(&pipeline_ir::verify::verify(p).unwrap(), Obeys::default())
}

fn memory(name: &str, host_hears: bool) -> (Device, Far) {
    let (device, far) = memory::pair(name).unwrap();
    (Device { host_hears, mac: Some([CHANGE; 6]), ..device }, far)
}

/// The next frame from there.
fn next(far: &mut Far) -> Vec<u8> {
    let start = Instant::now();
    loop {
        if let Some(frame) = far.pop() {
            return frame;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no frame comes");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn frame(head: [u8; 2]) -> Vec<u8> {
    [&head[..], &[CHANGE; 58]].concat()
}

#[test]
fn each_packet_goes_where_the_pipeline_says() {
    let ((a, mut far_a), (b, mut far_b), (h, mut far_h)) =
        (memory("a", true), memory("b", false), memory("h", false));
    let ports = vec![Port { number: 1, device: a }, Port { number: 2, device: b }];
    let host = HostPort { device: h, mac: Some([9; 6]), hush: None };
    let mut running = Running::start(plane(), ports, Some(host)).unwrap();
    far_a.push(&frame([FORWARD, 1]));
    far_a.push(&frame([FORWARD, 2]));
    assert_eq!(next(&mut far_a), frame([FORWARD, 1]));
    assert_eq!(next(&mut far_b), frame([FORWARD, 2]));
    far_a.push(&frame([FORWARD, 7]));
    far_a.push(&frame([DROP, 0]));
    far_b.push(&frame([DROP, 0]));
    // The host has heard this one, but not what comes at port 2, nor what has been changed.
    far_a.push(&frame([PASS, 0]));
    far_b.push(&frame([PASS, 0]));
    assert_eq!(next(&mut far_h), frame([PASS, 0]));
    far_a.push(&frame([CHANGE, CHANGE]));
    let mut changed = frame([CHANGE, CHANGE]);
    changed[..6].fill(9);
    changed[7] ^= 0xff;
    assert_eq!(next(&mut far_h), changed, "changed, and for the host's own address");
    assert_eq!(far_h.pop(), None);
    let verdicts = [("left_to_host", 1), ("to_host_port", 2), ("no_host_port", 0), ("no_port", 1)];
    assert_eq!(running.verdicts(), verdicts.into());
    assert_eq!(running.plane().counters()["drop.blocked"].packets, 2, "of both threads");
    let ports = running.ports();
    let (first, last) = (&ports[0], &ports[2]);
    assert_eq!((first.number, first.received, first.sent.0), (Some(1), (6, 360), 1));
    assert_eq!((last.number, last.sent), (None, (2, 120)));
    running.stop();
}

#[test]
fn without_a_host_port_it_is_counted() {
    let ((a, mut far_a), (b, mut far_b)) = (memory("a", true), memory("b", false));
    let ports = vec![Port { number: 1, device: a }, Port { number: 2, device: b }];
    let running = Running::start(plane(), ports, None).unwrap();
    far_a.push(&frame([CHANGE, 0]));
    far_b.push(&frame([PASS, 0]));
    let start = Instant::now();
    while running.verdicts()["no_host_port"] < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", running.verdicts());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_end_of_all_input_is_told() {
    let ((a, far_a), (b, far_b)) = (memory("a", true), memory("b", true));
    let ports = vec![Port { number: 1, device: a }, Port { number: 2, device: b }];
    let mut running = Running::start(plane(), ports, None).unwrap();
    drop(far_a);
    let start = Instant::now();
    let mut ended = Vec::new();
    while ended.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60));
        ended.extend(running.events());
    }
    assert!(ended[0].number == 1 && ended[0].error.is_none() && ended[0].is_end());
    assert!(!running.is_over());
    drop(far_b);
    while !running.is_over() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_thread_that_panics_is_no_end_of_input() {
    let ((a, mut far_a), (b, mut far_b)) = (memory("a", true), memory("b", true));
    let ports = vec![Port { number: 1, device: a }, Port { number: 2, device: b }];
    let mut running = Running::start(plane(), ports, None).unwrap();
    far_a.push(&frame([PANIC, 0]));
    let start = Instant::now();
    let mut events = Vec::new();
    while events.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60));
        events.extend(running.events());
    }
    assert!(matches!(events[0].error, Some(DeviceError::Panicked)) && events[0].is_end(), "{events:?}");
    far_b.push(&frame([FORWARD, 2]));
    assert_eq!(next(&mut far_b), frame([FORWARD, 2]), "the other port goes on");
    assert!(!running.plane().counters().is_empty(), "and so does the control");
}

#[test]
fn captures_are_ports() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.pcap"), dir.path().join("out.pcap"));
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1]);
    for head in [[FORWARD, 1], [DROP, 0], [FORWARD, 1]] {
        file.extend(words(&[0, 0, 60, 60]));
        file.extend(frame(head));
    }
    std::fs::write(&input, file).unwrap();
    let name = format!("pcap:{}:{}", input.display(), output.display());
    let (port, notes) = open_port(1, &name, &packet::Options::default()).unwrap();
    assert!(notes.is_empty());
    let running = Running::start(plane(), vec![port], None).unwrap();
    let start = Instant::now();
    while !running.is_over() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(running);
    assert_eq!(std::fs::read(&output).unwrap().len(), 24 + 2 * (16 + 60));
    assert!(open_port(1, "pcap:nowhere", &packet::Options::default()).is_err());
}
