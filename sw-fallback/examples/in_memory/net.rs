//! What is between the hosts: the native l4lb in front of the VIPs, the native decap in front of each backend.

use guideway::bindings::Prefix;
use guideway::builtin::{decap, l4lb};
use guideway::ir::entry::{Entry, RingFill, Tables, WriteKind};
use maglev_ring::{Member, Ring, stable_key};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use sw_fallback::native::NativePlane;
use sw_fallback::plane::DataPlane;
use sw_fallback_rt::{Packet, Verdict};

/// Backends and their weights.
pub(crate) const BACKENDS: [(&str, u32); 4] = [("b1", 100), ("b2", 100), ("b3", 100), ("b4", 50)];
/// Longest IP packet of a link.
const MTU: usize = 1500;
const ETHERNET: usize = 14;
const LB: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(10, 10, 1, 2), Ipv6Addr::new(0x2001, 0xdb8, 0x10, 1, 0, 0, 0, 2));
const SLOTS: u32 = 65_537;

type Done<T> = Result<T, Box<dyn Error>>;

/// The address that clients know.
pub(crate) const fn vip(v6: bool) -> IpAddr {
    if v6 {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10))
    } else {
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10))
    }
}

fn address(backend: usize, v6: bool) -> IpAddr {
    let n = backend as u8 + 1;
    if v6 {
        Ipv6Addr::new(0x2001, 0xdb8, 0x10, 2, 0, 0, 0, n.into()).into()
    } else {
        Ipv4Addr::new(10, 10, 2, n).into()
    }
}

/// A backend's id for traffic of a family, in its first incarnation.
fn id(backend: usize, v6: bool) -> u32 {
    1 << 14 | (backend as u32 + if v6 { 8 } else { 0 })
}

/// Where a packet ends up.
pub(crate) enum To {
    Backend(usize, Vec<u8>),
    Address(IpAddr, Vec<u8>),
    Nowhere,
}

/// Balancer, backends' decapsulators, and the wires between them.
pub(crate) struct Net {
    balancer: NativePlane,
    decaps: Vec<NativePlane>,
    rings: Vec<Ring>,
    packet: Packet,
    /// Packets longer than a link takes.
    pub(crate) too_long: u64,
}

impl Net {
    pub(crate) fn new() -> Done<Self> {
        let mut balancer = guideway::plane::<l4lb::Pipeline>()?;
        for (table, number) in [(false, 1), (true, 2)] {
            insert(&mut balancer, vip_entry(table, number))?;
        }
        let mut rings = Vec::new();
        for v6 in [false, true] {
            for backend in 0..BACKENDS.len() {
                insert(&mut balancer, backend_entry(backend, v6))?;
            }
            let ring = Ring::build(SLOTS, &members(v6, None))?;
            put_in_force(&mut balancer, &ring, v6, 1, WriteKind::Insert)?;
            rings.push(ring);
        }
        let decaps = BACKENDS.iter().map(|_| decapsulator()).collect::<Done<Vec<_>>>()?;
        Ok(Self { balancer, decaps, rings, packet: Packet::new(), too_long: 0 })
    }

    /// Takes a backend out: of the rings first, then its entries, with which its flows are gone.
    pub(crate) fn leave(&mut self, backend: usize) -> Done<()> {
        for (v6, ring) in [false, true].into_iter().zip(&mut self.rings) {
            *ring = ring.update(&members(v6, Some(backend)))?;
            put_in_force(&mut self.balancer, ring, v6, 2, WriteKind::Modify)?;
            write(&mut self.balancer, backend_entry(backend, v6), WriteKind::Delete)?;
        }
        Ok(())
    }

    /// Takes an IP packet from a host to where it goes.
    pub(crate) fn carry(&mut self, packet: &[u8], tick: u32) -> To {
        let Some(to) = destination(packet) else { return To::Nowhere };
        if to != vip(false) && to != vip(true) {
            return To::Address(to, packet.to_vec());
        }
        frame(&mut self.packet, packet);
        if self.balancer.run(1, tick, &mut self.packet) != Verdict::Forward(1) {
            return To::Nowhere;
        }
        let outer = self.packet.frame()[ETHERNET..].to_vec();
        if outer.len() > MTU {
            self.too_long += 1;
            return To::Nowhere;
        }
        let Some(to) = destination(&outer) else { return To::Nowhere };
        let backend = (0..BACKENDS.len()).find(|b| [false, true].iter().any(|v6| address(*b, *v6) == to));
        let Some(backend) = backend else { return To::Address(to, outer) };
        frame(&mut self.packet, &outer);
        match self.decaps[backend].run(1, tick, &mut self.packet) {
            Verdict::Pass => To::Backend(backend, self.packet.frame()[ETHERNET..].to_vec()),
            _ => To::Nowhere,
        }
    }

    /// Packets dropped, by reason.
    pub(crate) fn drops(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for plane in self.decaps.iter().chain([&self.balancer]) {
            for (name, count) in plane.counters() {
                if let Some(reason) = name.strip_prefix("drop.") {
                    *all.entry(reason.to_owned()).or_default() += count.packets;
                }
            }
        }
        all
    }

    /// Flows that the balancer has stored.
    pub(crate) fn stored(&self) -> u64 {
        let counters = self.balancer.counters();
        ["flows4.stored", "flows6.stored"].iter().filter_map(|n| counters.get(*n)).map(|c| c.packets).sum()
    }
}

fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => Some(Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?).into()),
        6 => Some(Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// An IP packet as an Ethernet frame.
fn frame(to: &mut Packet, packet: &[u8]) {
    let kind = if packet.first().is_some_and(|b| b >> 4 == 6) { [0x86, 0xdd] } else { [0x08, 0x00] };
    let macs = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
    to.fill(&[macs.as_flattened(), &kind, packet].concat());
}

fn write(plane: &mut NativePlane, entry: impl Into<Entry>, kind: WriteKind) -> Done<()> {
    let checked = Tables::new(plane.pipeline()).check(&entry.into())?;
    Ok(plane.write(&checked, kind)?)
}

fn insert(plane: &mut NativePlane, entry: impl Into<Entry>) -> Done<()> {
    write(plane, entry, WriteKind::Insert)
}

fn vip_entry(v6: bool, number: u16) -> Entry {
    let (vip_number, pool, hash_key, flags, class) = (number, number, 0, 6, 0);
    match vip(v6) {
        IpAddr::V4(a) => l4lb::vip4::Entry {
            key: l4lb::vip4::Key { dst: a.into(), protocol: 6, dst_port: 80 },
            action: l4lb::vip4::Action::SetVip { vip: vip_number, pool, hash_key, flags, class },
        }
        .into(),
        IpAddr::V6(a) => l4lb::vip6::Entry {
            key: l4lb::vip6::Key { dst: a.into(), protocol: 6, dst_port: 80 },
            action: l4lb::vip6::Action::SetVip { vip: vip_number, pool, hash_key, flags, class },
        }
        .into(),
    }
}

/// The last backend takes IPv4 in IPv6, too.
fn backend_entry(backend: usize, v6: bool) -> Entry {
    use l4lb::backend::{Action, Entry, Key};
    let (port, dst_mac, src_mac, mtu, spread) = (1, 0x0200_0000_0002, 0x0200_0000_0001, MTU as u16, 0);
    let outer = address(backend, v6 || backend + 1 == BACKENDS.len());
    let action = match outer {
        IpAddr::V4(dst) => {
            Action::Ipip4 { src: LB.0.into(), spread, dst: dst.into(), port, dst_mac, src_mac, mtu }
        }
        IpAddr::V6(dst) => {
            Action::Ipip6 { src: LB.1.into(), spread, dst: dst.into(), port, dst_mac, src_mac, mtu }
        }
    };
    Entry { key: Key { backend: id(backend, v6) }, action }.into()
}

fn members(v6: bool, without: Option<usize>) -> Vec<Member> {
    let all = BACKENDS.iter().enumerate().filter(|(i, _)| Some(*i) != without);
    all.map(|(i, (name, weight))| Member { id: id(i, v6), key: stable_key(name.as_bytes()), weight: *weight })
        .collect()
}

fn put_in_force(plane: &mut NativePlane, ring: &Ring, v6: bool, generation: u8, kind: WriteKind) -> Done<()> {
    let pool = if v6 { 2 } else { 1 };
    let fill = RingFill { ring: "ring".into(), pool: pool.into(), generation, slots: ring.slots().to_vec() };
    let checked = Tables::new(plane.pipeline()).check_ring(fill)?;
    plane.fill_ring(&checked)?;
    let action = l4lb::pool::Action::SetGeneration { generation };
    write(plane, l4lb::pool::Entry { key: l4lb::pool::Key { pool }, action }, kind)
}

/// Takes tunnels from the balancer, for the VIPs.
fn decapsulator() -> Done<NativePlane> {
    use decap::{outer4, outer6, served4, served6};
    let mut plane = guideway::plane::<decap::Pipeline>()?;
    let (v4, v6) = (Prefix { value: LB.0.into(), prefix: 32 }, Prefix { value: LB.1.into(), prefix: 128 });
    insert(&mut plane, outer4::Entry { key: outer4::Key { src: v4 }, action: outer4::Action::Allow })?;
    insert(&mut plane, outer6::Entry { key: outer6::Key { src: v6 }, action: outer6::Action::Allow })?;
    for address in [vip(false), vip(true)] {
        match address {
            IpAddr::V4(a) => {
                let key = served4::Key { dst: a.into() };
                insert(&mut plane, served4::Entry { key, action: served4::Action::Serve })?;
            }
            IpAddr::V6(a) => {
                let key = served6::Key { dst: a.into() };
                insert(&mut plane, served6::Entry { key, action: served6::Action::Serve })?;
            }
        }
    }
    Ok(plane)
}
