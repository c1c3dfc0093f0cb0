//! The tables of `l4lb` as the data plane has them.

use control_core::node::Family;
use p4runtime_proto::p4::v1::TableEntry;
use runtime_client::{NameError, Names, Shape};
use std::net::IpAddr;

/// ICMP and ICMPv6: what has no ports to look up asks for the address by these.
const ICMP: [u128; 2] = [1, 58];

/// Room in the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Entries of each of the tables of VIPs that there are.
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
    /// By family: VIPs by port, and of any port. None: the program knows no VIPs of that family.
    vips: [Option<[Shape; 2]>; 2],
    /// By family of the backend.
    tunnels: [Option<Shape>; 2],
    pool: Shape,
    slot: Shape,
}

impl AsRef<Layout> for Layout {
    fn as_ref(&self) -> &Layout {
        self
    }
}

/// The tables of VIPs by family: by port, and of any port.
const SERVICES: [[&str; 2]; 2] = [["vip4", "vip4_any"], ["vip6", "vip6_any"]];
/// The actions that reach backends, by family.
pub(crate) const TUNNELS: [&str; 2] = ["ipip4", "ipip6"];
/// The table of backends.
pub(crate) const BACKEND: &str = "backend";
/// The table of generations in force.
pub(crate) const POOL: &str = "pool";
/// The table of rings.
pub(crate) const RING: &str = "ring";

/// What a VIP's entry says, in the order of the action's parameters.
pub(crate) type VipArgs = [u128; 5];

/// A family's place in what stands by family.
fn place(of: Family) -> usize {
    usize::from(of == Family::V6)
}

fn family(address: IpAddr) -> (usize, u128) {
    let number = match address {
        IpAddr::V4(a) => a.to_bits().into(),
        IpAddr::V6(a) => a.to_bits(),
    };
    (place(Family::of(address)), number)
}

impl Layout {
    /// Looks for the tables of `l4lb`, or of a half of it: VIPs of one family, backends of one.
    ///
    /// # Errors
    /// Something else runs.
    pub(crate) fn new(names: Names) -> Result<Self, NameError> {
        let size = |table: &str| names.table(table).map(|t| t.size);
        let (mut least, mut vips) = (None::<u64>, [None, None]);
        for (shapes, tables) in vips.iter_mut().zip(SERVICES) {
            if tables.iter().any(|table| names.table(table).is_ok()) {
                let [ports, any] = tables;
                *shapes = Some([names.shape(ports, "set_vip")?, names.shape(any, "set_vip")?]);
                least = least.into_iter().chain([size(ports)?, size(any)?]).min();
            }
        }
        let limits = Limits {
            // None of them: what is told is that the first is missing.
            vips: least.map_or_else(|| size(SERVICES[0][0]), Ok)?,
            backends: size(BACKEND)?,
            pools: size(POOL)?,
            slots: size(RING)?,
        };
        let tunnels = match TUNNELS.map(|action| names.shape(BACKEND, action)) {
            [Err(error), Err(_)] => return Err(error),
            some => some.map(Result::ok),
        };
        let (pool, slot) = (names.shape(POOL, "set_generation")?, names.shape(RING, "set_ring")?);
        Ok(Self { limits, vips, tunnels, pool, slot, names })
    }

    /// Whether there are tables for VIPs of a family.
    #[must_use]
    pub(crate) fn has_vips(&self, of: Family) -> bool {
        self.vips[place(of)].is_some()
    }

    /// Whether backends of a family can be reached.
    #[must_use]
    pub(crate) fn reaches(&self, of: Family) -> bool {
        self.tunnels[place(of)].is_some()
    }

    /// The tables of VIPs that there are.
    pub(crate) fn services(&self) -> impl Iterator<Item = &'static str> {
        let all = self.vips.iter().zip(SERVICES);
        all.filter(|(shapes, _)| shapes.is_some()).flat_map(|(_, tables)| tables)
    }

    /// A VIP; port 0 stands for any. None: there are no tables of its family.
    #[must_use]
    pub(crate) fn service(
        &self,
        address: IpAddr,
        protocol: u8,
        port: u16,
        args: &VipArgs,
    ) -> Option<TableEntry> {
        let (family, dst) = family(address);
        let [ports, any] = self.vips[family].as_ref()?;
        Some(match port {
            0 => any.entry(&[dst, protocol.into()], args),
            port => ports.entry(&[dst, protocol.into(), port.into()], args),
        })
    }

    /// The address of VIPs itself: echo, and what is malformed. None: there are no tables of its family.
    #[must_use]
    pub(crate) fn address(&self, address: IpAddr, args: &VipArgs) -> Option<TableEntry> {
        let (family, dst) = family(address);
        let [_, any] = self.vips[family].as_ref()?;
        Some(any.entry(&[dst, ICMP[family]], args))
    }

    /// A backend behind a tunnel: outer source, bits of it that take entropy, outer destination, port, MACs, MTU. None: no
    /// action reaches its family.
    #[must_use]
    pub(crate) fn backend(
        &self,
        id: u32,
        to: IpAddr,
        source: u128,
        spread: u32,
        hop: [u128; 4],
    ) -> Option<TableEntry> {
        let (family, dst) = family(to);
        let [port, dst_mac, src_mac, mtu] = hop;
        let tunnel = self.tunnels[family].as_ref()?;
        Some(tunnel.entry(&[id.into()], &[source, spread.into(), dst, port, dst_mac, src_mac, mtu]))
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
