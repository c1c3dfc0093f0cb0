//! What is written: the ring's slots, the backends, a VIP.

use anyhow::Result;
use p4runtime_proto::p4::v1::{TableEntry, Update};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{Names, Shape, insert};
use xdp_bench::frames::{BALANCER, ROUTER, TCP_PORT, VIP4};
use xdp_bench::setup::{ID, mac};

/// Slots of a ring.
pub const SLOTS: u32 = 65_537;
/// Backends that the table holds.
pub const BACKENDS: u32 = 4096;
/// The VIP's pool.
pub const POOL: u32 = 1;

/// The outer address of a backend.
#[must_use]
pub fn address(backend: u32) -> u32 {
    0xc613_0000 + backend
}

/// The forms of what is written, with all ids looked up.
#[derive(Debug)]
pub struct Forms {
    slot: Shape,
    pool: Shape,
    backend: Shape,
}

impl Forms {
    /// Of the names of l4lb.
    ///
    /// # Errors
    /// Something else runs.
    pub fn new(names: &Names) -> Result<Self> {
        Ok(Self {
            slot: names.shape("ring", "set_ring")?,
            pool: names.shape("pool", "set_generation")?,
            backend: names.shape("backend", "ipip4")?,
        })
    }

    /// Every slot of a generation, all of one backend.
    pub fn ring(&self, pool: u32, generation: u8, backend: u32) -> impl Iterator<Item = TableEntry> {
        let slot = move |slot: u32| {
            self.slot.entry(&[pool.into(), generation.into(), slot.into()], &[(ID | backend).into()])
        };
        (0..SLOTS).map(slot)
    }

    /// A pool's generation in force.
    #[must_use]
    pub fn pool(&self, pool: u32, generation: u8) -> TableEntry {
        self.pool.entry(&[pool.into()], &[generation.into()])
    }

    /// A backend behind port 1.
    #[must_use]
    pub fn backend(&self, number: u32) -> TableEntry {
        let (src, dst) = (0xc612_8003, address(number).into());
        self.backend.entry(&[(ID | number).into()], &[src, 0, dst, 1, mac(ROUTER), mac(BALANCER), 1500])
    }
}

/// The VIP that our frames go to.
///
/// # Errors
/// Something else than l4lb runs.
pub fn vip(names: &Names) -> Result<Update> {
    let key = [("dst", VIP4.into()), ("protocol", 6), ("dst_port", TCP_PORT.into())];
    let params = [("vip", 1), ("pool", POOL.into()), ("hash_key", 1), ("flags", 0), ("class", 0)];
    let owned = |(name, value): (&str, u128)| (name.to_owned(), value);
    let entry = Entry {
        table: "vip4".into(),
        key: key.map(owned).into_iter().map(|(n, v)| (n, KeyValue::Exact(v))).collect(),
        action: "set_vip".into(),
        params: params.map(owned).to_vec(),
        ..Entry::default()
    };
    Ok(insert(names.entry(&entry)?))
}
