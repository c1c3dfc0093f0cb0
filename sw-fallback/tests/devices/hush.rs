//! The kernel complains of tunnels that end nowhere, but not while somebody takes them off.

use super::{A, B, frame, in_network, open, sh, veth};
use std::time::{Duration, Instant};
use sw_fallback::devices::Device;
use sw_fallback::devices::hush::Hush;

/// A few at a time, more in all than a raw socket's queue holds.
const AT_ONCE: usize = 30;
const TIMES: u64 = 10;
const LONG: Duration = Duration::from_secs(120);

/// A packet to `vb` whose payload is of this protocol.
fn packet(v6: bool, protocol: u8) -> Vec<u8> {
    let mut head =
        if v6 { vec![0x86, 0xdd, 0x60, 0, 0, 0, 3, 0xe8, protocol, 64] } else { vec![8, 0, 0x45, 0, 4, 0] };
    if v6 {
        head.extend("fd00::9".parse::<std::net::Ipv6Addr>().unwrap().octets());
        head.extend("fd00::2".parse::<std::net::Ipv6Addr>().unwrap().octets());
    } else {
        head.extend([0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 9, 10, 0, 0, 2]);
        let sum: u32 = head[2..].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
        head[12..14].copy_from_slice(&(!((sum & 0xffff) + (sum >> 16)) as u16).to_be_bytes());
    }
    head.resize(head.len() + if v6 { 1000 } else { 1004 }, 0);
    frame(B, A, &head)
}

/// Packets of a family that this network has delivered, and those that nobody knew.
fn counts(v6: bool) -> [u64; 2] {
    let text = |name: &str| std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap();
    let names = ["InDelivers", "InUnknownProtos"];
    if v6 {
        let text = text("snmp6");
        let of = |name: &str| text.lines().find_map(|l| l.strip_prefix(&format!("Ip6{name}")));
        return names.map(|name| of(name).unwrap().trim().parse().unwrap());
    }
    let text = text("snmp");
    let mut lines = text.lines().filter(|l| l.starts_with("Ip: ")).map(|l| l.split(' ').collect::<Vec<_>>());
    let (heads, values) = (lines.next().unwrap(), lines.next().unwrap());
    names.map(|name| values[heads.iter().position(|h| *h == name).unwrap()].parse().unwrap())
}

/// Waits until so many are delivered, or more, and exactly so many unknown.
fn until(what: &str, v6: bool, delivered: u64, unknown: u64) {
    let start = Instant::now();
    while counts(v6)[0] < delivered || counts(v6)[1] != unknown {
        let counts = counts(v6);
        assert!(start.elapsed() < LONG, "{what}: {counts:?} is not [{delivered}, {unknown}]");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Does the kernel complain of this packet? Not where it has tunnels of its own, which take it.
fn complains(device: &mut Device, v6: bool, packet: &[u8]) -> bool {
    let (before, start) = (counts(v6), Instant::now());
    device.transmit.send(&[packet]).unwrap();
    while counts(v6) == before {
        assert!(start.elapsed() < LONG, "the packet is lost");
        std::thread::sleep(Duration::from_millis(2));
    }
    counts(v6)[1] > before[1]
}

fn check(device: &mut Device, v6: bool, protocol: u8) {
    let packet = packet(v6, protocol);
    if !complains(device, v6, &packet) {
        println!("skipped: protocol {protocol}: this kernel has tunnels of its own");
        return;
    }
    let [delivered, unknown] = counts(v6);
    let hush = Hush::new().unwrap();
    for time in 1..=TIMES {
        device.transmit.send(&[&packet[..]; AT_ONCE]).unwrap();
        until("it is silent", v6, delivered + time * AT_ONCE as u64, unknown);
    }
    drop(hush);
    device.transmit.send(&[&packet]).unwrap();
    until("it complains again", v6, delivered, unknown + 1);
}

#[test]
fn the_kernel_is_silent_about_tunnels_that_are_taken_off() {
    in_network("the_kernel_is_silent_about_tunnels_that_are_taken_off", || {
        veth();
        sh("ip addr add 10.0.0.2/24 dev vb; ip addr add fd00::2/64 dev vb nodad");
        let mut device = open("va", false);
        for (v6, protocol) in [(false, 4), (true, 4), (true, 41)] {
            check(&mut device, v6, protocol);
        }
    });
}
