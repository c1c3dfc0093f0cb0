//! Connections of clients, and where the rings say that they go.

use control_proto::v1::PoolSnapshot;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Port of the VIPs.
pub const PORT: u16 = 80;
/// TCP flags of a connection's first packet.
pub const SYN: u8 = 0x02;
/// TCP flags of all others.
pub const ACK: u8 = 0x10;

/// One TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The client's address.
    pub client: Ipv4Addr,
    /// The client's port.
    pub port: u16,
    /// Where to.
    pub vip: Ipv4Addr,
}

impl Flow {
    /// Connection `n` of a round; those of different rounds differ.
    #[must_use]
    pub fn nth(vip: Ipv4Addr, round: u32, n: u32) -> Self {
        // 16 connections a client, ports apart as kernels choose them.
        let client = Ipv4Addr::from(0x6440_0000 + (round << 16) + n / 16);
        Self { client, port: 32_768 + (n.wrapping_mul(40_503) & 0xff0 | n & 15) as u16, vip }
    }

    /// A segment of it: Ethernet, IPv4, TCP without payload.
    #[must_use]
    pub fn frame(&self, flags: u8) -> [u8; 60] {
        let mut frame = [0; 60];
        frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        frame[12..14].copy_from_slice(&[8, 0]);
        frame[14] = 0x45;
        frame[17] = 40;
        (frame[22], frame[23]) = (64, 6);
        frame[26..30].copy_from_slice(&self.client.octets());
        frame[30..34].copy_from_slice(&self.vip.octets());
        frame[34..36].copy_from_slice(&self.port.to_be_bytes());
        frame[36..38].copy_from_slice(&PORT.to_be_bytes());
        (frame[46], frame[FLAGS]) = (0x50, flags);
        frame
    }

    /// Its hash as `docs/semantics.md` has it: CRC-32 over the low 32 bits of the VIP's key and the 5-tuple.
    #[must_use]
    pub fn hash(&self, key: u64) -> u32 {
        let mut data = Vec::with_capacity(17);
        data.extend((key as u32).to_be_bytes());
        data.extend(self.client.octets());
        data.extend(self.vip.octets());
        data.extend(self.port.to_be_bytes());
        data.extend(PORT.to_be_bytes());
        data.push(6);
        crc32(&data)
    }

    /// Which of so many nodes a router sends it to: a hash of its own of the same tuple.
    #[must_use]
    pub fn way(&self, ways: usize) -> usize {
        let mut z = u64::from(self.client.to_bits()) << 32 | u64::from(self.port) << 16;
        z ^= u64::from(self.vip.to_bits());
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 33) as usize % ways.max(1)
    }
}

/// Where a frame has its TCP flags.
pub const FLAGS: usize = 47;

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 };
    !data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A pool's ring, and the backends whose flows stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ring {
    slots: Vec<u32>,
    held: BTreeMap<u32, Ipv4Addr>,
    weights: BTreeMap<u32, u32>,
}

impl Ring {
    /// As the controller tells it.
    #[must_use]
    pub fn of(pool: &PoolSnapshot) -> Self {
        let bytes = pool.table.as_ref().map(|t| t.slots.clone()).unwrap_or_default();
        let slots = bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect();
        let (mut held, mut weights) = (BTreeMap::new(), BTreeMap::new());
        for backend in &pool.backends {
            let Some(spec) = &backend.spec else { continue };
            let Ok(address) = spec.address.parse() else { continue };
            if backend.in_table {
                held.insert(backend.id, address);
            }
            if backend.in_ring {
                weights.insert(backend.id, spec.weight.unwrap_or_default());
            }
        }
        Self { slots, held, weights }
    }

    /// The owner of a hash; 0 if there is no ring.
    #[must_use]
    pub fn owner(&self, hash: u32) -> u32 {
        let slots = self.slots.len().max(1);
        self.slots.get(hash as usize % slots).copied().unwrap_or_default()
    }

    /// The address of a backend whose flows stay.
    #[must_use]
    pub fn address(&self, id: u32) -> Option<Ipv4Addr> {
        self.held.get(&id).copied()
    }

    /// The share of all flows, by weights, that leave backends of this ring which `next` still knows.
    #[must_use]
    pub fn leaving(&self, next: &Self) -> f64 {
        let share = |ring: &Self, id: &u32| {
            let all: u32 = ring.weights.values().sum();
            f64::from(ring.weights.get(id).copied().unwrap_or_default()) / f64::from(all.max(1))
        };
        let known = self.weights.keys().filter(|id| next.held.contains_key(id));
        known.map(|id| (share(self, id) - share(next, id)).max(0.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that every CRC-32 is tested by.
    #[test]
    fn the_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn flows_differ() {
        let vip = Ipv4Addr::new(203, 0, 113, 10);
        let flow = |i: u32| Flow::nth(vip, i / 20_000, i % 20_000);
        let all: std::collections::BTreeSet<_> =
            (0..60_000).map(|i| (flow(i).client, flow(i).port)).collect();
        assert_eq!(all.len(), 60_000);
        let first = (0..60_000).filter(|i| flow(*i).way(2) == 0).count();
        assert!((29_000..31_000).contains(&first), "{first}");
    }
}
