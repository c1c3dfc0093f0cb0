//! Snapshots as a controller makes them.

use control_proto::v1::{NodeBackend, NodePool, NodeSnapshot, Protocol, Share, Table, Vip, VipFlags};
use maglev_ring::{Member, Ring};
use std::time::{SystemTime, UNIX_EPOCH};

pub const SLOTS: u32 = 65_537;

/// The id of a backend.
pub fn id(number: u32) -> u32 {
    1 << 14 | number
}

/// A pool whose ring moves as little as it can.
#[derive(Clone)]
pub struct Pool {
    pub number: u32,
    pub generation: u64,
    ring: Option<Ring>,
    /// Backend numbers with their weights; 0: out of the ring.
    pub members: Vec<(u32, u32)>,
    v6: bool,
    size: u32,
}

impl Pool {
    pub fn new(number: u32, members: &[(u32, u32)]) -> Self {
        Self::sized(SLOTS, number, members)
    }

    /// With a ring of so many slots.
    pub fn sized(size: u32, number: u32, members: &[(u32, u32)]) -> Self {
        let mut pool = Self { number, generation: 0, ring: None, members: Vec::new(), v6: false, size };
        pool.set(members);
        pool
    }

    /// Its backends are IPv6.
    pub fn v6(mut self) -> Self {
        self.v6 = true;
        self
    }

    /// Gives it these members.
    pub fn set(&mut self, members: &[(u32, u32)]) {
        self.members = members.to_vec();
        self.generation += 1;
        let all: Vec<Member> = members
            .iter()
            .map(|&(n, weight)| Member { id: id(n), key: maglev_ring::stable_key(&n.to_le_bytes()), weight })
            .collect();
        self.ring = match &self.ring {
            _ if all.iter().all(|m| m.weight == 0) => None,
            Some(ring) => Some(ring.update(&all).unwrap()),
            None => Some(Ring::build(self.size, &all).unwrap()),
        };
    }

    /// The owner of each slot; nothing if nobody is in service.
    pub fn slots(&self) -> Vec<u32> {
        self.ring.as_ref().map_or_else(Vec::new, |r| r.slots().to_vec())
    }

    fn address(&self, n: u32) -> String {
        match self.v6 {
            true => format!("2001:db8:{:x}::{n:x}", self.number),
            false => format!("10.{}.{}.{}", self.number, n >> 8, n & 0xff),
        }
    }

    fn message(&self) -> NodePool {
        let bytes = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>().into();
        let table = self.ring.as_ref().map(|ring| Table {
            slots: bytes(ring.slots()),
            digest: ring.digest(),
            ..Table::default()
        });
        let weight = |i: u32| self.members.iter().find(|m| id(m.0) == i).unwrap().1;
        let shares = self.ring.iter().flat_map(Ring::shares);
        let mut backends: Vec<NodeBackend> = self
            .members
            .iter()
            .map(|&(n, _)| NodeBackend {
                id: id(n),
                name: format!("b{n}"),
                address: self.address(n),
                ..NodeBackend::default()
            })
            .collect();
        backends.sort_by_key(|b| b.id);
        NodePool {
            number: self.number,
            name: format!("pool-{}", self.number),
            version: self.generation,
            backends,
            table: Some(table.unwrap_or_default()),
            shares: shares.map(|(id, slots)| Share { id, weight: weight(id), slots }).collect(),
            generation: self.generation,
            ..NodePool::default()
        }
    }
}

/// A VIP.
pub fn vip(number: u32, address: &str, port: u32, pool: u32) -> Vip {
    Vip {
        pool: format!("pool-{pool}"),
        address: address.into(),
        protocol: Protocol::Tcp.into(),
        port,
        flags: Some(VipFlags { stateless: false, echo: true, too_big: true }),
        timeout_class: 0,
        number,
        hash_key: 0x1234_5678_9abc_def0,
    }
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Everything.
pub fn whole(version: u64, vips: &[Vip], pools: &[&Pool]) -> NodeSnapshot {
    NodeSnapshot {
        version,
        vips: vips.to_vec(),
        pools: pools.iter().map(|p| p.message()).collect(),
        pool_numbers: pools.iter().map(|p| p.number).collect(),
        accepted_ms: now_ms(),
        ..NodeSnapshot::default()
    }
}
