//! The inner packets: what is sent, and what is read of what comes back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// TCP (RFC 9293).
const TCP: u8 = 6;
/// Flags of TCP.
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
/// MSS 1,220: what fits through any path of IPv6 with a header to spare.
const MSS: [u8; 4] = [2, 4, 0x04, 0xc4];

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The VIP is served.
    SynAck,
    /// Nobody listens.
    Reset,
}

/// A segment that may answer a SYN of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Where it is from, if the bytes say so (IPv6 raw sockets leave their header away).
    pub source: Option<Ipv4Addr>,
    /// Ports, from and to.
    pub ports: (u16, u16),
    /// What it acknowledges: our sequence number and one.
    pub ack: u32,
    /// What it says.
    pub answer: Answer,
}

/// Reads what a raw socket for TCP gives: with an IPv4 header (`v4`), or TCP alone. Anything else than a SYN-ACK or a reset
/// that acknowledges is `None`. Checksums are the network card's affair: on a virtual link nobody has filled them in.
#[must_use]
pub fn parse(bytes: &[u8], v4: bool) -> Option<Reply> {
    let (source, tcp) = if v4 {
        let (version, words) = bytes.first().map(|b| (b >> 4, usize::from(b & 15)))?;
        if version != 4 || words < 5 || *bytes.get(9)? != TCP {
            return None;
        }
        let source: [u8; 4] = bytes.get(12..16)?.try_into().ok()?;
        (Some(Ipv4Addr::from(source)), bytes.get(words * 4..)?)
    } else {
        (None, bytes)
    };
    let head: &[u8; 20] = tcp.first_chunk()?;
    let two = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let answer = match head[13] & (SYN | RST | ACK) {
        flags if flags == SYN | ACK => Answer::SynAck,
        flags if flags == RST | ACK => Answer::Reset,
        _ => return None,
    };
    let ack = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
    Some(Reply { source, ports: (two(0), two(2)), ack, answer })
}

/// A SYN.
pub(super) fn syn(from: SocketAddr, to: SocketAddr, sequence: u32) -> Option<Vec<u8>> {
    build(from, to, sequence, SYN, &MSS)
}

/// The reset of a connection that the SYN with this number began.
pub(super) fn reset(from: SocketAddr, to: SocketAddr, sequence: u32) -> Option<Vec<u8>> {
    build(from, to, sequence.wrapping_add(1), RST, &[])
}

/// `None` if the addresses are of different families.
fn build(from: SocketAddr, to: SocketAddr, sequence: u32, flags: u8, options: &[u8]) -> Option<Vec<u8>> {
    let length = 20 + options.len();
    let mut tcp = Vec::with_capacity(length);
    tcp.extend(from.port().to_be_bytes());
    tcp.extend(to.port().to_be_bytes());
    tcp.extend(sequence.to_be_bytes());
    tcp.extend([0; 4]);
    let words = u8::try_from(length / 4).ok()?;
    tcp.extend([words << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp.extend(options);
    let bytes = u16::try_from(length).ok()?;
    let mut packet = Vec::with_capacity(40 + length);
    let pseudo: Vec<u8> = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [high, low] = (bytes + 20).to_be_bytes();
            packet.extend([0x45, 0, high, low, 0, 0, 0x40, 0, 64, TCP, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            let sum = checksum(&packet);
            packet[10..12].copy_from_slice(&sum);
            let ends = [from.octets(), to.octets()].concat();
            [ends.as_slice(), &[0, TCP], &bytes.to_be_bytes()].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(bytes.to_be_bytes());
            packet.extend([TCP, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            let ends = [from.octets(), to.octets()].concat();
            [ends.as_slice(), &u32::from(bytes).to_be_bytes(), &[0, 0, 0, TCP]].concat()
        }
        _ => return None,
    };
    let sum = checksum(&[pseudo.as_slice(), &tcp].concat());
    tcp[16..18].copy_from_slice(&sum);
    packet.extend(tcp);
    Some(packet)
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let sum: u32 =
        bytes.chunks(2).map(|b| u32::from(b[0]) << 8 | u32::from(b.get(1).copied().unwrap_or(0))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!(folded as u16)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A packet of ours, turned round: what an honest backend would answer.
    fn answered(from: &str, to: &str, flags: u8) -> Option<Reply> {
        let packet = build(to.parse().unwrap(), from.parse().unwrap(), 7, flags, &MSS).unwrap();
        let v4 = packet[0] >> 4 == 4;
        let packet = if v4 { packet } else { packet[40..].to_vec() };
        parse(&packet, v4)
    }

    #[test]
    fn what_is_built_is_read() {
        for (from, to) in [("10.0.0.1:4000", "203.0.113.10:80"), ("[2001:db8::1]:4000", "[2001:db8::10]:80")]
        {
            let reply = answered(from, to, SYN | ACK).unwrap();
            assert_eq!((reply.ports, reply.answer), ((80, 4000), Answer::SynAck));
            assert_eq!(reply.source.is_some(), from.starts_with("10."));
            assert_eq!(answered(from, to, RST | ACK).unwrap().answer, Answer::Reset);
            for other in [SYN, RST, ACK, 0, SYN | RST | ACK] {
                assert_eq!(answered(from, to, other), None, "{other:#x}");
            }
        }
        assert_eq!(syn("10.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap(), 1), None);
    }

    #[test]
    fn checksums_hold() {
        let packet = syn("10.0.0.1:4000".parse().unwrap(), "203.0.113.10:80".parse().unwrap(), 1).unwrap();
        assert_eq!(checksum(&packet[..20]), [0, 0]);
        let pseudo = [&packet[12..20], &[0, TCP], &24_u16.to_be_bytes()].concat();
        assert_eq!(checksum(&[pseudo.as_slice(), &packet[20..]].concat()), [0, 0]);
        // By hand: RFC 1071, section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), [0x22, 0x0d]);
    }

    #[test]
    fn short_and_odd_packets_are_nothing() {
        let packet =
            build("1.2.3.4:5".parse().unwrap(), "5.6.7.8:9".parse().unwrap(), 1, SYN | ACK, &[]).unwrap();
        for length in 0..packet.len() {
            assert_eq!(parse(&packet[..length], true), None, "{length}");
        }
        let mut odd = packet;
        odd[0] = 0x4f;
        assert_eq!(parse(&odd, true), None);
    }
}
