//! Packet sockets and taps on the kernel's own interfaces, each test in a network namespace of its own. Needs root;
//! without it each test says that it is skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used, unsafe_code)]

mod hush;

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::{Duration, Instant};
use sw_fallback::devices::packet::{self, Options};
use sw_fallback::devices::{Device, DeviceError, tap};

/// Runs `work` in a network namespace of its own, which ends with it.
fn in_network(test: &str, work: impl FnOnce() + Send + 'static) {
    if needed::skip(test, "bpf", needed::root()) {
        return;
    }
    let thread = std::thread::spawn(|| {
        // SAFETY: no memory is passed; the namespace is this thread's only.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "a network namespace");
        work();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn sh(line: &str) {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

const A: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
const B: [u8; 6] = [2, 0, 0, 0, 0, 0xb];

/// `va` and `vb`, connected, up and silent.
fn veth() {
    sh("ip link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b");
    for i in ["va", "vb"] {
        sh(&format!("ip link set {i} addrgenmode none up"));
    }
}

fn open(name: &str, promiscuous: bool) -> Device {
    let (device, notes) = packet::open(name, &Options { promiscuous, ..Options::default() }).unwrap();
    assert_eq!(notes, [""; 0]);
    device
}

fn frame(to: [u8; 6], from: [u8; 6], rest: &[u8]) -> Vec<u8> {
    [&to[..], &from, rest].concat()
}

/// What comes, until there are so many.
fn received(device: &mut Device, many: usize) -> Vec<Vec<u8>> {
    within(device, many, Duration::from_secs(60))
}

/// What comes within this time, until there are `most`.
fn within(device: &mut Device, most: usize, time: Duration) -> Vec<Vec<u8>> {
    let start = Instant::now();
    let mut all = Vec::new();
    while all.len() < most && start.elapsed() < time {
        let seen = device.receive.receive(&mut |f| all.push(f.to_vec())).unwrap();
        if seen == 0 {
            let fd = device.receive.wake().unwrap();
            sw_fallback::devices::wait(&[fd], 50).unwrap();
        }
    }
    all
}

#[test]
fn frames_arrive_as_they_were_sent_and_never_ones_own() {
    in_network("frames_arrive_as_they_were_sent_and_never_ones_own", || {
        veth();
        let (mut a, mut b) = (open("va", false), open("vb", false));
        assert_eq!((a.mac, b.mac, a.mtu), (Some(A), Some(B), Some(1500)));
        let rest = |n: usize| [&[0x88, 0xb5][..], &vec![7; n]].concat();
        let to_b: Vec<Vec<u8>> = (0..150).map(|i| frame(B, A, &rest(46 + i))).collect();
        let frames: Vec<&[u8]> = to_b.iter().map(Vec::as_slice).collect();
        a.transmit.send(&frames).unwrap();
        assert_eq!(received(&mut b, 150), to_b);
        let answer = frame(A, B, &rest(1500));
        b.transmit.send(&[&answer]).unwrap();
        assert_eq!(received(&mut a, 1), [answer], "the longest frame, and nothing of what `a` has sent");
        for (n, count) in [(150, &a.counts.sent_packets), (150, &b.counts.received_packets)] {
            assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), n);
        }
        assert!(a.counts.losses().is_empty() && b.counts.losses().is_empty());
    });
}

#[test]
fn vlan_tags_are_there() {
    in_network("vlan_tags_are_there", || {
        veth();
        let (mut a, mut b) = (open("va", false), open("vb", false));
        for tag in [[0x81, 0x00, 0x20, 0x07], [0x88, 0xa8, 0x00, 0x01]] {
            let tagged = frame(B, A, &[&tag[..], &[0x88, 0xb5], &[9; 60]].concat());
            let twice = frame(B, A, &[&tag[..], &tag, &[0x88, 0xb5], &[9; 60]].concat());
            a.transmit.send(&[&tagged, &twice]).unwrap();
            assert_eq!(received(&mut b, 2), [tagged, twice]);
        }
    });
}

#[test]
fn frames_for_others_only_when_asked_for() {
    in_network("frames_for_others_only_when_asked_for", || {
        veth();
        let (mut a, mut plain, mut all) = (open("va", false), open("vb", false), open("vb", true));
        let others = frame([2, 0, 0, 0, 0, 0xc], A, &[0x88, 0xb5, 1, 2, 3, 4]);
        let group = frame([0x33, 0x33, 0, 0, 0, 1], A, &[0x88, 0xb5, 1, 2, 3, 4]);
        a.transmit.send(&[&others, &group]).unwrap();
        assert_eq!(received(&mut all, 2), [others, group.clone()]);
        assert_eq!(received(&mut plain, 1), [group]);
        assert_eq!(plain.counts.losses(), [("not_for_us", 1)].into());
    });
}

#[test]
fn what_is_too_long_is_counted() {
    in_network("what_is_too_long_is_counted", || {
        veth();
        let (mut a, mut b) = (open("va", false), open("vb", false));
        let long = frame(B, A, &[&[0x88, 0xb5][..], &[7; 1501]].concat());
        a.transmit.send(&[&long, &frame(B, A, &[0x88, 0xb5, 1])]).unwrap();
        assert_eq!(received(&mut b, 1).len(), 1, "what comes after it goes on");
        assert_eq!(a.counts.losses(), [("sent_too_long", 1)].into());
        // What a sender leaves to its card to be cut goes over a veth in one piece.
        sh("ip addr add 10.0.0.1/24 dev va && ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b dev va");
        let socket = UdpSocket::bind("10.0.0.1:1000").unwrap();
        let segment: libc::c_int = 1000;
        // SAFETY: the value lives for the call, and its size is passed.
        let set = unsafe {
            let (fd, at) = (socket.as_raw_fd(), (&raw const segment).cast());
            libc::setsockopt(fd, libc::SOL_UDP, libc::UDP_SEGMENT, at, size_of::<libc::c_int>() as u32)
        };
        assert_eq!(set, 0);
        socket.send_to(&[7; 5000], "10.0.0.2:2000").unwrap();
        a.transmit.send(&[&frame(B, A, &[0x88, 0xb5, 2])]).unwrap();
        assert_eq!(received(&mut b, 1).len(), 1);
        assert_eq!(b.counts.losses(), [("received_too_long", 1)].into());
    });
}

#[test]
fn checksums_that_a_sender_left_to_its_card_are_complete() {
    in_network("checksums_that_a_sender_left_to_its_card_are_complete", || {
        veth();
        sh("ip addr add 10.0.0.1/24 dev va && ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b dev va");
        let mut b = open("vb", false);
        let socket = UdpSocket::bind("10.0.0.1:1000").unwrap();
        for n in [1, 2, 999] {
            socket.send_to(&vec![0x5a; n], "10.0.0.2:2000").unwrap();
            let frame = received(&mut b, 1).remove(0);
            let udp = &frame[34..];
            assert_eq!(udp.len(), 8 + n);
            // RFC 768: pseudo-header and datagram sum up to all ones.
            let words = |bytes: &[u8]| -> u32 {
                bytes.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(*c.get(1).unwrap_or(&0))).sum()
            };
            let mut sum = words(&frame[26..34]) + 17 + udp.len() as u32 + words(udp);
            while sum > 0xffff {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            assert_eq!(sum, 0xffff, "{n} bytes of data");
        }
    });
}

#[test]
fn a_full_ring_is_counted() {
    in_network("a_full_ring_is_counted", || {
        veth();
        let (mut a, (mut b, _)) = (
            open("va", false),
            packet::open("vb", &Options { ring_bytes: 1, ..Options::default() }).unwrap(),
        );
        let small = frame(B, A, &[0x88, 0xb5, 1]);
        a.transmit.send(&vec![&small[..]; 1000]).unwrap();
        let got = within(&mut b, 1000, Duration::from_secs(3)).len() as u64;
        assert!((128..1000).contains(&got), "{got}");
        assert_eq!(b.counts.losses(), [("ring_full", 1000 - got)].into());
    });
}

#[test]
fn an_interface_that_is_down_may_come_back_one_that_is_gone_may_not() {
    in_network("an_interface_that_is_down_may_come_back_one_that_is_gone_may_not", || {
        veth();
        let (mut a, mut b) = (open("va", false), open("vb", false));
        sh("ip link set vb down");
        let error = b.receive.receive(&mut |_| ()).unwrap_err();
        assert!(matches!(error, DeviceError::Down { .. }) && error.passes(), "{error}");
        let (_, notes) = packet::open("vb", &Options::default()).unwrap();
        assert_eq!(notes, ["interface `vb` is down; `ip link set vb up`"]);
        b.transmit.send(&[&frame(A, B, &[0x88, 0xb5, 1])]).unwrap();
        assert_eq!(b.counts.losses(), [("not_sent", 1)].into());
        sh("ip link set vb up");
        let again = frame(B, A, &[0x88, 0xb5, 1]);
        // The link needs a moment to be there.
        let start = Instant::now();
        let mut seen = Vec::new();
        while seen.is_empty() && start.elapsed() < Duration::from_secs(60) {
            a.transmit.send(&[&again]).unwrap();
            b.receive.receive(&mut |f| seen.push(f.to_vec())).unwrap();
        }
        assert_eq!(seen.first(), Some(&again));
        sh("ip link del va");
        let error = (0..100).find_map(|_| b.receive.receive(&mut |_| ()).err()).unwrap();
        assert!(matches!(error, DeviceError::Gone { .. }) && !error.passes(), "{error}");
    });
}

#[test]
fn a_tap_is_an_interface_of_the_host() {
    in_network("a_tap_is_an_interface_of_the_host", || {
        let mut tap = tap::open("t0", Some(1400)).unwrap();
        assert!(tap::is_tap("t0") && tap.mtu == Some(1400));
        sh("ip addr add 10.0.0.1/24 dev t0 && ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b dev t0");
        let socket = UdpSocket::bind("10.0.0.1:1000").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.send_to(b"out", "10.0.0.2:2000").unwrap();
        let mut sent = received(&mut tap, 1).into_iter();
        let sent = sent
            .find(|f| f.starts_with(&B))
            .or_else(|| received(&mut tap, 9).into_iter().find(|f| f.starts_with(&B)));
        let sent = sent.unwrap();
        assert!(sent.ends_with(b"out"));
        // The same back: addresses and ports swapped, which no sum sees.
        let mut back = frame(tap.mac.unwrap(), B, &sent[12..]);
        let (source, target) = (sent[26..30].to_vec(), sent[30..34].to_vec());
        back[26..34].copy_from_slice(&[target, source].concat());
        let ports = [&sent[36..38], &sent[34..36]].concat();
        back[34..38].copy_from_slice(&ports);
        tap.transmit.send(&[&back]).unwrap();
        let mut text = [0; 9];
        assert_eq!(socket.recv(&mut text).unwrap(), 3);
        assert_eq!(&text[..3], b"out");
        let error = tap::open("t0", None).unwrap_err();
        assert!(matches!(error, DeviceError::TapBusy { .. }), "{error}");
        veth();
        let error = tap::open("va", None).unwrap_err().to_string();
        assert!(error.contains("`va` is no tap"), "{error}");
        drop(tap);
        assert!(matches!(packet::open("t0", &Options::default()), Err(DeviceError::NoInterface { .. })));
    });
}

/// Does an interface merge what it receives (GRO)? It is told to first, if that is said.
fn merges(name: &str, told: Option<bool>) -> bool {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const ETHTOOL_GGRO: u32 = 0x2b;
    const ETHTOOL_SGRO: u32 = 0x2c;
    let ask = |command: u32, value: u32| {
        let mut words = [command, value];
        // SAFETY: an ifreq is plain data, for which all zeroes is a value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        // SAFETY: the request and the two words that it points to live for the call.
        assert_eq!(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw mut request) }, 0);
        words[1]
    };
    if let Some(on) = told {
        ask(ETHTOOL_SGRO, u32::from(on));
    }
    ask(ETHTOOL_GGRO, 0) != 0
}

#[test]
fn merging_is_off_meanwhile_and_the_note_has_the_way_back() {
    in_network("merging_is_off_meanwhile_and_the_note_has_the_way_back", || {
        veth();
        assert!(merges("vb", Some(true)));
        let (device, notes) = packet::open("vb", &Options::default()).unwrap();
        assert!(!merges("vb", None));
        assert!(notes.len() == 1 && notes[0].ends_with("`ethtool -K vb gro on`"), "{notes:?}");
        drop(device);
        assert!(merges("vb", None), "as it was");
        merges("vb", Some(false));
        drop(open("vb", false));
        assert!(!merges("vb", None), "as it was");
    });
}
