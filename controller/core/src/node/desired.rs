//! What a node is to forward, in a form that can't be wrong in itself.

use bytes::Bytes;
use control_proto::v1::{
    NodeBackend, NodePool, NodeSnapshot, PoolSettings, Protocol, Record, Share, Table, Vip, VipFlags,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Flags of a VIP in the data plane.
pub mod flags {
    /// Every packet goes by the ring.
    pub const STATELESS: u8 = 1;
    /// Echo is answered.
    pub const ECHO: u8 = 2;
    /// Too-big packets are answered with ICMP.
    pub const TOO_BIG: u8 = 4;
}

/// Of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// All that a node is to forward. Only [`merge`](super::merge) makes one that is not empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    pub(super) version: u64,
    pub(super) tables_version: u64,
    pub(super) accepted_ms: u64,
    pub(super) services: Vec<Service>,
    pub(super) pools: BTreeMap<u32, Arc<Pool>>,
    /// For a controller that lost its registry.
    pub(super) records: Arc<BTreeMap<String, Bytes>>,
}

/// A VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Where clients send to.
    pub address: IpAddr,
    /// 6 or 17.
    pub protocol: u8,
    /// 0: any.
    pub port: u16,
    /// 16 bits, not 0.
    pub number: u16,
    /// The pool's number.
    pub pool: u32,
    /// Of the 5-tuple's hash.
    pub hash_key: u64,
    /// See [`flags`].
    pub flags: u8,
    /// Time-out class.
    pub class: u8,
}

/// A pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// 16 bits, not 0.
    pub number: u32,
    /// For people.
    pub name: String,
    /// Rises with each change of the pool.
    pub version: u64,
    /// Counts the pool's tables.
    pub generation: u64,
    /// What the `backend` table holds, by id.
    pub backends: BTreeMap<u32, Arc<Backend>>,
    /// The owner of each slot; empty: nobody is in service.
    pub slots: Vec<u32>,
    /// Of the slots; 0 if there are none.
    pub digest: u64,
    /// As it was told, its slots too.
    pub(super) table: Table,
    pub(super) shares: Vec<Share>,
    pub(super) settings: Option<PoolSettings>,
    pub(super) outside: Vec<NodeBackend>,
}

/// A backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// For people.
    pub name: String,
    /// Where packets are sent to.
    pub address: IpAddr,
    /// As it was told, for a controller that lost its registry.
    pub(super) told: NodeBackend,
}

impl Desired {
    /// Of the last snapshot that was taken; 0: none was.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Of the last change that nodes forward by; what came after it is for a controller that lost its registry.
    #[must_use]
    pub fn tables_version(&self) -> u64 {
        self.tables_version
    }

    /// When the controller accepted the change that led to it: ms since 1970.
    #[must_use]
    pub fn accepted_ms(&self) -> u64 {
        self.accepted_ms
    }

    /// All VIPs.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// All pools, by number.
    #[must_use]
    pub fn pools(&self) -> &BTreeMap<u32, Arc<Pool>> {
        &self.pools
    }

    /// The whole as one message, as the first of a stream.
    #[must_use]
    pub fn to_snapshot(&self) -> NodeSnapshot {
        NodeSnapshot {
            version: self.version,
            vips: self.services.iter().map(|s| self.vip(s)).collect(),
            pools: self.pools.values().map(|p| p.message()).collect(),
            pool_numbers: self.pools.keys().copied().collect(),
            accepted_ms: self.accepted_ms,
            records: self.records.iter().map(record).collect(),
            node: String::new(),
            tables_version: self.tables_version,
        }
    }

    fn vip(&self, s: &Service) -> Vip {
        let flag = |bit: u8| s.flags & bit != 0;
        Vip {
            pool: self.pools.get(&s.pool).map(|p| p.name.clone()).unwrap_or_default(),
            address: s.address.to_string(),
            protocol: if s.protocol == 6 { Protocol::Tcp } else { Protocol::Udp }.into(),
            port: s.port.into(),
            flags: Some(VipFlags {
                stateless: flag(flags::STATELESS),
                echo: flag(flags::ECHO),
                too_big: flag(flags::TOO_BIG),
            }),
            timeout_class: s.class.into(),
            number: s.number.into(),
            hash_key: s.hash_key,
        }
    }
}

fn record((key, value): (&String, &Bytes)) -> Record {
    Record { key: key.clone(), value: Some(value.clone()) }
}

impl Pool {
    /// The backends that have slots.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.shares.iter().filter(|s| s.slots > 0).map(|s| s.id)
    }

    fn message(&self) -> NodePool {
        NodePool {
            number: self.number,
            name: self.name.clone(),
            version: self.version,
            backends: self.backends.values().map(|b| b.told.clone()).collect(),
            table: Some(self.table.clone()),
            shares: self.shares.clone(),
            generation: self.generation,
            settings: self.settings.clone(),
            outside: self.outside.clone(),
        }
    }
}
