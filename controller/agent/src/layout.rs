//! The tables of `l4lb` as the data plane has them.

use p4runtime_proto::p4::v1::TableEntry;
use runtime_client::{NameError, Names, Shape};
use std::net::IpAddr;

/// ICMP and ICMPv6: what has no ports to look up asks for the address by these.
const ICMP: [u128; 2] = [1, 58];

/// Room in the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Entries of each of the tables of VIPs.
    pub vips: u64,
    /// Entries of `backend`.
    pub backends: u64,
    /// Pool numbers are below.
    pub pools: u64,
    /// Slots of all rings' generations together.
    pub slots: u64,
}

/// The forms of all entries, with ids looked up.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Names of the pipeline that runs.
    pub names: Names,
    /// Room.
    pub limits: Limits,
    vips: [Shape; 2],
    any: [Shape; 2],
    tunnels: [Shape; 2],
    pool: Shape,
    slot: Shape,
}

/// The tables of VIPs.
pub(crate) const SERVICES: [&str; 4] = ["vip4", "vip4_any", "vip6", "vip6_any"];
/// The table of backends.
pub(crate) const BACKEND: &str = "backend";
/// The table of generations in force.
pub(crate) const POOL: &str = "pool";
/// The table of rings.
pub(crate) const RING: &str = "ring";

/// What a VIP's entry says, in the order of the action's parameters.
pub(crate) type VipArgs = [u128; 5];

fn family(address: IpAddr) -> (usize, u128) {
    match address {
        IpAddr::V4(a) => (0, a.to_bits().into()),
        IpAddr::V6(a) => (1, a.to_bits()),
    }
}

impl Layout {
    /// Looks for the tables of `l4lb`.
    ///
    /// # Errors
    /// Something else runs.
    pub(crate) fn new(names: Names) -> Result<Self, NameError> {
        let size = |table: &str| names.table(table).map(|t| t.size);
        let least = [size("vip4")?, size("vip4_any")?, size("vip6")?, size("vip6_any")?].into_iter().min();
        let limits = Limits {
            vips: least.unwrap_or(0),
            backends: size(BACKEND)?,
            pools: size(POOL)?,
            slots: size(RING)?,
        };
        let vip = |table: &str| names.shape(table, "set_vip");
        let (vips, any) = ([vip("vip4")?, vip("vip6")?], [vip("vip4_any")?, vip("vip6_any")?]);
        let tunnels = [names.shape(BACKEND, "ipip4")?, names.shape(BACKEND, "ipip6")?];
        let (pool, slot) = (names.shape(POOL, "set_generation")?, names.shape(RING, "set_ring")?);
        Ok(Self { limits, vips, any, tunnels, pool, slot, names })
    }

    /// A VIP; port 0 stands for any.
    #[must_use]
    pub(crate) fn service(&self, address: IpAddr, protocol: u8, port: u16, args: &VipArgs) -> TableEntry {
        let (family, dst) = family(address);
        match port {
            0 => self.any[family].entry(&[dst, protocol.into()], args),
            port => self.vips[family].entry(&[dst, protocol.into(), port.into()], args),
        }
    }

    /// The address of VIPs itself: echo, and what is malformed.
    #[must_use]
    pub(crate) fn address(&self, address: IpAddr, args: &VipArgs) -> TableEntry {
        let (family, dst) = family(address);
        self.any[family].entry(&[dst, ICMP[family]], args)
    }

    /// A backend behind a tunnel: outer source, bits of it that take entropy, outer destination, port, MACs, MTU.
    #[must_use]
    pub(crate) fn backend(
        &self,
        id: u32,
        to: IpAddr,
        source: u128,
        spread: u32,
        hop: [u128; 4],
    ) -> TableEntry {
        let (family, dst) = family(to);
        let [port, dst_mac, src_mac, mtu] = hop;
        self.tunnels[family].entry(&[id.into()], &[source, spread.into(), dst, port, dst_mac, src_mac, mtu])
    }

    /// The generation in force of a pool.
    #[must_use]
    pub(crate) fn pool(&self, pool: u32, generation: u8) -> TableEntry {
        self.pool.entry(&[pool.into()], &[generation.into()])
    }

    /// A slot of a ring.
    #[must_use]
    pub(crate) fn slot(&self, pool: u32, generation: u8, slot: u32, id: u32) -> TableEntry {
        self.slot.entry(&[pool.into(), generation.into(), slot.into()], &[id.into()])
    }
}
