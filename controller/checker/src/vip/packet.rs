//! The inner packets: what is sent, and what is read of what comes back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// TCP (RFC 9293).
const TCP: u8 = 6;
/// Flags of TCP.
pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;
/// The option that says how much a segment may hold.
const MSS: u8 = 2;

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it is from, if the bytes say so (IPv6 raw sockets leave their header away).
    pub source: Option<Ipv4Addr>,
    /// Ports, from and to.
    pub ports: (u16, u16),
    /// Of its first byte.
    pub sequence: u32,
    /// Of the byte that is expected next, if the flag says that it counts.
    pub ack: u32,
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// Bytes that may be sent, unscaled.
    pub window: u16,
    /// Bytes that a segment may hold, if it says so.
    pub mss: Option<u16>,
}

/// Reads what a raw socket for TCP gives: with an IPv4 header (`v4`), or TCP alone; the head, and the data. Checksums are the
/// network card's affair: on a virtual link nobody has filled them in.
#[must_use]
pub fn parse(bytes: &[u8], v4: bool) -> Option<(Segment, &[u8])> {
    let (source, tcp) = if v4 {
        let (version, words) = bytes.first().map(|b| (b >> 4, usize::from(b & 15)))?;
        if version != 4 || words < 5 || *bytes.get(9)? != TCP {
            return None;
        }
        let source: [u8; 4] = bytes.get(12..16)?.try_into().ok()?;
        // What was put together from several packets may be too long for its length to be told.
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let end = if length == 0 { bytes.len() } else { length };
        (Some(Ipv4Addr::from(source)), bytes.get(words * 4..end)?)
    } else {
        (None, bytes)
    };
    let head: &[u8; 20] = tcp.first_chunk()?;
    let two = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let four = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let begin = usize::from(head[12] >> 4) * 4;
    let (options, data) = (tcp.get(20..begin)?, tcp.get(begin..)?);
    let (ports, sequence, ack) = ((two(0), two(2)), four(4), four(8));
    let segment =
        Segment { source, ports, sequence, ack, flags: head[13], window: two(14), mss: mss(options) };
    Some((segment, data))
}

fn mss(mut options: &[u8]) -> Option<u16> {
    loop {
        options = match options {
            [1, rest @ ..] => rest,
            [MSS, 4, high, low, ..] => return Some(u16::from_be_bytes([*high, *low])),
            [kind, length, ..] if *kind > 1 && *length > 1 => options.get(usize::from(*length)..)?,
            _ => return None,
        };
    }
}

/// A segment to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Out {
    pub(super) sequence: u32,
    pub(super) ack: u32,
    pub(super) flags: u8,
    pub(super) window: u16,
    pub(super) mss: Option<u16>,
    pub(super) data: Vec<u8>,
}

impl Out {
    /// The packet. `None` if the addresses are of different families.
    pub(super) fn packet(&self, from: SocketAddr, to: SocketAddr) -> Option<Vec<u8>> {
        let options = self.mss.map(|mss| [&[MSS, 4][..], &mss.to_be_bytes()].concat()).unwrap_or_default();
        let length = 20 + options.len() + self.data.len();
        let mut tcp = Vec::with_capacity(length);
        tcp.extend(from.port().to_be_bytes());
        tcp.extend(to.port().to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        let words = u8::try_from((20 + options.len()) / 4).ok()?;
        tcp.extend([words << 4, self.flags]);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(&options);
        tcp.extend(&self.data);
        let bytes = u16::try_from(length).ok().filter(|b| *b < 0xff00)?;
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
}

/// The Internet checksum (RFC 1071).
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

    fn packet(from: &str, to: &str, out: &Out) -> Option<Vec<u8>> {
        out.packet(from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn what_is_built_is_read() {
        for (from, to) in [("10.0.0.1:4000", "203.0.113.10:80"), ("[2001:db8::1]:4000", "[2001:db8::10]:80")]
        {
            for (mss, data) in [(Some(1_220), &b""[..]), (None, b"GET"), (Some(9), b"four")] {
                let data = data.to_vec();
                let out = Out { sequence: 7, ack: 1 << 31, flags: ACK | PSH, window: 99, mss, data };
                let packet = packet(from, to, &out).unwrap();
                let v4 = packet[0] >> 4 == 4;
                let (read, data) = parse(if v4 { &packet } else { &packet[40..] }, v4).unwrap();
                let source = v4.then(|| Ipv4Addr::new(10, 0, 0, 1));
                let (ports, sequence, ack) = ((4000, 80), 7, 1 << 31);
                let flags = ACK | PSH;
                assert_eq!(read, Segment { source, ports, sequence, ack, flags, window: 99, mss });
                assert_eq!(data, out.data);
            }
        }
        assert_eq!(packet("10.0.0.1:1", "[::1]:1", &Out::default()), None);
    }

    #[test]
    fn checksums_hold() {
        let out = Out { flags: SYN, mss: Some(1_220), data: b"odd".to_vec(), ..Out::default() };
        let packet = packet("10.0.0.1:4000", "203.0.113.10:80", &out).unwrap();
        assert_eq!(checksum(&packet[..20]), [0, 0]);
        let pseudo = [&packet[12..20], &[0, TCP], &27_u16.to_be_bytes()].concat();
        assert_eq!(checksum(&[pseudo.as_slice(), &packet[20..]].concat()), [0, 0]);
        // By hand: RFC 1071, section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), [0x22, 0x0d]);
    }

    #[test]
    fn short_and_odd_packets_are_nothing() {
        let packet = packet("1.2.3.4:5", "5.6.7.8:9", &Out::default()).unwrap();
        assert!(parse(&packet, true).is_some());
        for length in 0..packet.len() {
            assert_eq!(parse(&packet[..length], true), None, "{length}");
        }
        for (at, byte) in [(0, 0x4f), (0, 0x44), (0, 0x65), (3, 39), (9, 17), (32, 0x40), (32, 0x60)] {
            let mut odd = packet.clone();
            odd[at] = byte;
            assert_eq!(parse(&odd, true), None, "{at}");
        }
    }

    #[test]
    fn options_are_skipped() {
        assert_eq!(mss(&[1, 1, 8, 4, 9, 9, 2, 4, 5, 6]), Some(0x0506));
        for none in
            [&[][..], &[0, 2, 4, 5, 6], &[8, 0, 2, 4], &[8, 1, 2, 4], &[8], &[2, 4, 5], &[8, 10, 1, 1]]
        {
            assert_eq!(mss(none), None, "{none:?}");
        }
    }
}
