#![allow(clippy::unwrap_used)]
use super::*;
use crate::apart::apart;
use rustix::net::{SendFlags, sendto};
use std::net::SocketAddr;
use std::sync::mpsc;

/// A packet of a tunnel from this host to itself: 28 or 48 bytes, the inner one empty.
fn tunnel(to: IpAddr, next: u8) -> Vec<u8> {
    match to {
        IpAddr::V4(to) => {
            let mut packet = vec![0; 28];
            (packet[0], packet[8], packet[9]) = (0x45, 64, next);
            packet[12..16].copy_from_slice(&[127, 0, 0, 1]);
            packet[16..20].copy_from_slice(&to.octets());
            packet
        }
        IpAddr::V6(to) => {
            let mut packet = vec![0; 48];
            (packet[0], packet[5], packet[6], packet[7]) = (0x60, 8, next, 64);
            packet[8..24].copy_from_slice(&to.octets());
            packet[24..40].copy_from_slice(&to.octets());
            packet
        }
    }
}

#[test]
fn the_kernel_complains_of_a_tunnel_without_an_end() {
    apart(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (to, tunnels, other) in [("127.0.0.9", &[4][..], 253), ("::1", &[4, 41], 253)] {
                let to: IpAddr = to.parse().unwrap();
                let socket = open(to.is_ipv4()).unwrap();
                let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
                let flags = SocketFlags::CLOEXEC;
                let out = socket_with(family, SocketType::RAW, flags, Some(ipproto::RAW)).unwrap();
                // What is no tunnel comes first, and is not counted.
                for next in [&[other], tunnels].concat() {
                    let packet = tunnel(to, next);
                    sendto(&out, &packet, SendFlags::empty(), &SocketAddr::new(to, 0)).unwrap();
                }
                let (count, counted) = mpsc::channel();
                let enough = async {
                    for _ in tunnels {
                        while counted.try_recv().map(|it| assert_eq!(it, to)).is_err() {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                };
                tokio::select! {
                    () = hear(&socket, to.is_ipv4(), |it| count.send(it).unwrap()) => {}
                    () = enough => {}
                    () = tokio::time::sleep(Duration::from_secs(60)) => panic!("{to}: nobody complained"),
                }
                assert!(counted.try_recv().is_err(), "{to}: more than was sent");
            }
        });
    });
}

#[test]
fn what_is_no_such_error_is_not_counted() {
    let outer =
        [&[0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1][..], &[3, 1, 0, 0, 0, 0, 0, 0]];
    let good = [outer[0], outer[1], &tunnel("10.1.0.11".parse().unwrap(), 4)].concat();
    assert_eq!(unreachable(&good, true), Some("10.1.0.11".parse().unwrap()));
    // Path MTU; an echo; not ICMP; not a tunnel.
    for (at, byte) in [(21, 4), (20, 8), (9, 17), (28 + 9, 6)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(unreachable(&bad, true), None, "byte {at} is {byte}");
    }
    for end in 0..28 + 20 {
        assert_eq!(unreachable(&good[..end], true), None, "cut at {end}");
    }
    let to = "2001:db8::11".parse().unwrap();
    let good = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &tunnel(to, 41)].concat();
    assert_eq!(unreachable(&good, false), Some(to));
    for (at, byte) in [(0, 2), (0, 128), (8 + 6, 6), (8, 0x45)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(unreachable(&bad, false), None, "byte {at} is {byte}");
    }
    for end in 0..8 + 40 {
        assert_eq!(unreachable(&good[..end], false), None, "cut at {end}");
    }
}
