#![allow(clippy::unwrap_used)]

use super::*;
use etherparse::{NetHeaders, PacketHeaders, PayloadSlice, TransportHeader};

/// etherparse reads lengths and recomputes every checksum.
fn second_opinion(frame: &[u8]) {
    let parsed = PacketHeaders::from_ethernet_slice(frame).unwrap();
    let payload = match parsed.payload {
        PayloadSlice::Tcp(p) | PayloadSlice::Udp(p) | PayloadSlice::Icmpv4(p) | PayloadSlice::Icmpv6(p) => p,
        other => panic!("{other:?}"),
    };
    match (parsed.net.unwrap(), parsed.transport.unwrap()) {
        (NetHeaders::Ipv4(ip, _), transport) => {
            assert_eq!(ip.header_checksum, ip.calc_header_checksum());
            match transport {
                TransportHeader::Tcp(t) => {
                    assert_eq!(t.checksum, t.calc_checksum_ipv4(&ip, payload).unwrap());
                }
                TransportHeader::Udp(u) => {
                    assert_eq!(u.checksum, u.calc_checksum_ipv4(&ip, payload).unwrap());
                    assert_eq!(usize::from(u.length), 8 + payload.len());
                }
                TransportHeader::Icmpv4(i) => assert_eq!(i.checksum, i.icmp_type.calc_checksum(payload)),
                TransportHeader::Icmpv6(_) => panic!("ICMPv6 over IPv4"),
            }
        }
        (NetHeaders::Ipv6(ip, _), transport) => match transport {
            TransportHeader::Tcp(t) => assert_eq!(t.checksum, t.calc_checksum_ipv6(&ip, payload).unwrap()),
            TransportHeader::Udp(u) => assert_eq!(u.checksum, u.calc_checksum_ipv6(&ip, payload).unwrap()),
            TransportHeader::Icmpv6(i) => {
                let right = i.icmp_type.calc_checksum(ip.source, ip.destination, payload).unwrap();
                assert_eq!(i.checksum, right);
            }
            TransportHeader::Icmpv4(_) => panic!("ICMP over IPv6"),
        },
        (NetHeaders::Arp(_), _) => panic!("ARP has no transport"),
    }
}

#[test]
fn lengths_and_checksums_are_right() {
    for text in [
        "eth / ip4 / tcp",
        "eth / ip4(src=10.0.0.1, dst=10.200.1.1, tos=0xb8, df=1) / tcp(sport=1000, dport=80, flags=SA) / 21",
        "eth / ip4(options=01010101) / tcp(options=020405b4) / \"hello\"",
        "eth / vlan(id=7, pcp=3) / ip4 / udp / 9",
        "eth / ip6(tc=0x2e, flow=0x12345) / udp(sport=53) / hex:00ff01",
        "eth / ip6 / tcp(flags=FRPUEC) / 1000",
        "eth / ip4 / icmp / 33",
        "eth / ip6 / icmp6(type=2, rest=1280) / ip6(src=fd00::2, dst=fd00::1, len=100) / l4",
        "eth / ip4 / icmp(type=3, code=4, rest=1400) / ip4(src=10.0.0.2, dst=10.0.0.1) / l4(sport=443, dport=9)",
    ] {
        second_opinion(&bytes(text).unwrap());
    }
}

#[test]
fn bytes_stand_where_the_formats_say() {
    let frame = bytes("eth / ip4(mf=1, frag=3, id=0x1234, proto=17) / 4 / pad=3").unwrap();
    assert_eq!(frame[..14], [2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 8, 0]);
    assert_eq!(frame[14..22], [0x45, 0, 0, 24, 0x12, 0x34, 0x20, 3]);
    assert_eq!(frame[34..], [0, 1, 2, 3, 0, 0, 0]);
    let labels = bytes("eth / mpls(label=5) / mpls(label=6, tc=7, ttl=1) / ip4 / udp").unwrap();
    assert_eq!(labels[12..22], [0x88, 0x47, 0, 0, 0x50, 64, 0, 0, 0x6f, 1]);
    assert_eq!(bytes("eth / arp").unwrap().len(), 42);
    assert_eq!(bytes("eth / ip4 / tcp / cut=17").unwrap().len(), 17);
    assert_eq!(bytes("hex:0011 22").unwrap(), [0, 0x11, 0x22]);
    // A computed 0 is sent as all ones: 0 says that there is no checksum.
    let udp = bytes("eth / ip4(src=0.0.0.0, dst=0.0.0.0) / udp(sport=0, dport=65514) / hex:ffef").unwrap();
    assert_eq!(udp[40..42], [0xff, 0xff]);
}

#[test]
fn inner_is_the_received_frame() {
    let frame = bytes("eth / ip4 / udp / 5").unwrap();
    let out = bytes_with("eth / ip4(proto=4, id=0) / inner", &frame).unwrap();
    assert_eq!(out[34..], frame[14..]);
    assert_eq!(out[16..18], 53_u16.to_be_bytes());
    assert_eq!(bytes_with("eth / inner=14..16", &frame).unwrap()[14..], frame[14..16]);
    assert!(bytes("inner").is_err());
    assert!(bytes_with("inner=48", &frame).is_err());
}

#[test]
fn every_byte_string_comes_back() {
    for text in [
        "eth / ip4 / tcp",
        "eth / vlan / mpls / arp",
        "eth / ip4(len=30, csum=0x1) / udp(len=3) / 40 / pad=4",
        "eth / ip4(options=00000000, ihl=9) / tcp(offset=2) / \"text\"",
        "eth / ip4(ihl=15) / tcp(offset=15) / 3",
        "eth / ip4 / icmp(type=11) / ip4(proto=17) / udp(len=1000)",
        "eth / mpls(bottom=0) / mpls(bottom=0) / 3",
        "eth / mpls / ip6 / icmp6(type=1) / ip6(next=44) / ext(next=17) / udp",
        "eth / ip6(next=0) / ext / tcp / 77",
    ] {
        let frame = bytes(text).unwrap();
        for n in 0..=frame.len() {
            let short = super::text(&frame[..n]);
            assert_eq!(bytes(&short).unwrap(), &frame[..n], "{short}");
        }
    }
}

#[test]
fn text_is_short() {
    for text in [
        "eth / ip4(dst=10.200.1.1) / tcp(flags=S) / 20",
        "eth(dst=ff:ff:ff:ff:ff:ff) / ip6(dst=fd00::c8) / udp(dport=443)",
        "eth / ip4(mf=1, proto=17) / udp / 8",
        "eth / ip4 / icmp(type=3, code=4, rest=0x578) / ip4(src=10.0.0.2, dst=10.0.0.1) / l4",
        "eth / mpls(label=7) / mpls / ip4 / udp",
        "hex:0102",
        "3",
    ] {
        let back = super::text(&bytes(text).unwrap());
        assert_eq!(
            back,
            if text == "eth / ip4(mf=1, proto=17) / udp / 8" { "eth / ip4(mf=1) / udp / 8" } else { text }
        );
    }
}

#[test]
fn errors_say_where() {
    let check = |text: &str, column: usize, part: &str| {
        let e = bytes(text).unwrap_err();
        assert_eq!(e.column, column, "{e}");
        assert!(e.message.contains(part), "{e}");
    };
    check("eth / ipv4 / tcp", 7, "no layer has the name `ipv4`; there are: eth, vlan");
    check("eth / ip4(source=1.2.3.4)", 11, "`ip4` has no field `source`");
    check("eth / ip4(ttl=1, src=1.2.3)", 22, "no value for `src`");
    check("eth / ip4(ttl=256)", 15, "does not fit `ttl`, which has 8 bits");
    check("eth / ip4(ttl=1, ttl=2)", 18, "given twice");
    check("eth / ip4(ttl", 7, "no closing `)`");
    check("eth / ip4(ttl)", 11, "no `field=value`");
    check("eth / ip4(options=0102)", 19, "multiple of 4");
    check("eth / \"abc", 7, "no closing");
    check("eth / hex:0", 11, "two hexadecimal digits");
    check("eth / hex:0g", 11, "not hexadecimal");
    check("eth / pad=1 / 4", 15, "only `cut`");
    check("eth / cut=1 / pad=4", 15, "nothing follows");
    check("eth / 70000", 7, "65535");
    check("eth /", 6, "no layer has the name ``");
    check("eth / tcp(flags=SX)", 17, "no value for `flags`");
    check("eth(dst=02:00)", 9, "no value for `dst`");
}
