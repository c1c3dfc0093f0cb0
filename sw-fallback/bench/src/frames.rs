//! Frames of flows: a shape, and a number that decides the client's address and port.

/// How much of an address and a port a flow's number decides: 18 bits and 14 bits. Different numbers, different flows.
const PORT_BITS: u32 = 14;
/// IPv4 clients: 198.18.0.0/15 is for benchmarks (RFC 2544); IPv6: 2001:2::/48 (RFC 5180).
const CLIENT4: u32 = 0xc612_0000;
const CLIENT6: u128 = 0x2001_0002_0000_0000_0000_0000_0000_0000;
/// The load balancer's address, and one that is none of its.
pub const VIP4: u32 = 0xc612_8001;
/// An address that no table knows.
pub const OTHER4: u32 = 0xc612_8002;
/// The load balancer's IPv6 address.
pub const VIP6: u128 = 0x2001_0002_0000_0001_0000_0000_0000_0001;

/// TCP's port of the VIP.
pub const TCP_PORT: u16 = 80;
/// UDP's port of the VIP.
pub const UDP_PORT: u16 = 443;

/// Flags of TCP.
pub const SYN: u8 = 0x02;
/// Flags of TCP.
pub const ACK: u8 = 0x10;

/// MAC addresses: next hop and load balancer.
pub const ROUTER: [u8; 6] = [0x02, 0, 0, 0, 0, 1];
/// The load balancer's.
pub const BALANCER: [u8; 6] = [0x02, 0, 0, 0, 0, 2];

/// Transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Transport {
    Tcp { flags: u8 },
    Udp,
}

/// What the frames of a scenario have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Shape {
    pub ipv6: bool,
    pub transport: Transport,
    /// To the VIP, or to an address that is none.
    pub to_vip: bool,
}

/// Scatters flow numbers; no two share a result.
#[must_use]
pub fn scatter(number: u32) -> u32 {
    let mut x = number.wrapping_mul(0x9e37_79b1);
    x ^= x >> 15;
    x = x.wrapping_mul(0x2c1b_3c6d);
    x ^ x >> 13
}

/// What of a frame depends on the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The low half of the client's address, of which 18 bits vary.
    pub address: u32,
    /// The client's port.
    pub port: u16,
}

impl Client {
    /// Of a flow.
    #[must_use]
    pub fn of(flow: u32) -> Self {
        let x = scatter(flow);
        let port = 0x4000 + (x & ((1 << PORT_BITS) - 1)) as u16;
        Self { address: x >> PORT_BITS, port }
    }
}

impl Shape {
    /// Where the last 4 bytes of the client's address are, where its port.
    #[must_use]
    pub fn places(self) -> (usize, usize) {
        if self.ipv6 { (34, 54) } else { (26, 34) }
    }

    /// Where the transport's checksum is; none is written over UDP on IPv4.
    #[must_use]
    pub fn checksum_place(self) -> Option<usize> {
        let l4 = if self.ipv6 { 54 } else { 34 };
        match self.transport {
            Transport::Tcp { .. } => Some(l4 + 16),
            Transport::Udp => self.ipv6.then_some(l4 + 6),
        }
    }

    /// A whole frame, with its checksums.
    #[must_use]
    pub fn frame(self, flow: u32) -> Vec<u8> {
        let client = Client::of(flow);
        let l4 = self.l4(client);
        let mut frame = [BALANCER, ROUTER].concat();
        frame.extend(if self.ipv6 { [0x86, 0xdd] } else { [0x08, 0x00] });
        let protocol = match self.transport {
            Transport::Tcp { .. } => 6,
            Transport::Udp => 17,
        };
        let addresses = self.addresses(client);
        let ip = frame.len();
        if self.ipv6 {
            frame.extend([0x60, 0, 0, 0, 0, l4.len() as u8, protocol, 63]);
            frame.extend(&addresses);
        } else {
            let length = 20 + l4.len() as u8;
            frame.extend([0x45, 0, 0, length, 0x12, 0x34, 0x40, 0, 63, protocol, 0, 0]);
            frame.extend(&addresses);
            let sum = !fold(sum(&frame[ip..]));
            frame[ip + 10..ip + 12].copy_from_slice(&sum.to_be_bytes());
        }
        frame.extend(&l4);
        if let Some(at) = self.checksum_place() {
            let pseudo = sum(&addresses) + u64::from(protocol) + l4.len() as u64;
            let check = !fold(pseudo + sum(&l4));
            frame[at..at + 2].copy_from_slice(&check.to_be_bytes());
        }
        frame
    }

    fn addresses(self, client: Client) -> Vec<u8> {
        let vip6 = if self.to_vip { VIP6 } else { VIP6 + 1 };
        let vip4 = if self.to_vip { VIP4 } else { OTHER4 };
        if self.ipv6 {
            let from = CLIENT6 | u128::from(client.address);
            [from.to_be_bytes(), vip6.to_be_bytes()].concat()
        } else {
            [(CLIENT4 | client.address).to_be_bytes(), vip4.to_be_bytes()].concat()
        }
    }

    /// Header and data of the transport; the frame is 64 bytes long over IPv4 and 84 over IPv6.
    fn l4(self, client: Client) -> Vec<u8> {
        let mut l4 = client.port.to_be_bytes().to_vec();
        match self.transport {
            Transport::Tcp { flags } => {
                l4.extend(TCP_PORT.to_be_bytes());
                l4.extend([1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
            }
            Transport::Udp => {
                l4.extend(UDP_PORT.to_be_bytes());
                l4.extend([0, 30, 0, 0]);
            }
        }
        let have = l4.len() as u8;
        l4.extend(have..30);
        l4
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0))).sum()
}

/// Folds a sum of 16-bit words to one, as internet checksums want it.
fn fold(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn flows_differ() {
        let flows: BTreeSet<(u32, u16)> = (0..200_000).map(Client::of).map(|c| (c.address, c.port)).collect();
        assert_eq!(flows.len(), 200_000);
    }

    #[test]
    fn checksums_are_right() {
        for ipv6 in [false, true] {
            for transport in [Transport::Tcp { flags: SYN }, Transport::Udp] {
                let shape = Shape { ipv6, transport, to_vip: true };
                let frame = shape.frame(77);
                assert_eq!(frame.len(), if ipv6 { 84 } else { 64 });
                let (addresses, l4) = if ipv6 { (22..54, 54) } else { (26..34, 34) };
                if !ipv6 {
                    assert_eq!(fold(sum(&frame[14..34])), 0xffff);
                }
                if shape.checksum_place().is_some() {
                    let protocol = if transport == Transport::Udp { 17 } else { 6 };
                    let pseudo = sum(&frame[addresses]) + protocol + (frame.len() - l4) as u64;
                    assert_eq!(fold(pseudo + sum(&frame[l4..])), 0xffff, "{shape:?}");
                }
            }
        }
    }
}
