//! From what the controller desires to the entries that the data plane is to hold.

use crate::kept::{Kept, LeftOut, kept};
use crate::layout::{Layout, VipArgs};
use control_core::node::{Backend, Desired, Family, Pool, flags};
use p4runtime_proto::p4::v1::TableEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use thiserror::Error;

/// Where packets to an address leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The port's number in the data plane.
    pub port: u32,
    /// The next hop's MAC address.
    pub dst_mac: [u8; 6],
    /// The port's own.
    pub src_mac: [u8; 6],
    /// Of the way there: the outer IP packet's bytes at most.
    pub mtu: u16,
    /// The outer source that the host would take, for where none is configured.
    pub source: Option<IpAddr>,
}

/// Outer source addresses of one family: an address, and the low bits of it that take the flow's entropy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The address, with zeros where there is entropy.
    pub address: IpAddr,
    /// At most the 16 low bits.
    pub spread: u32,
}

/// Outer sources by family; none: what the host would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Of IPv4.
    pub v4: Option<Source>,
    /// Of IPv6.
    pub v6: Option<Source>,
}

/// Why the data plane can't hold what is desired.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub(crate) enum Unfit {
    #[error("{count} VIPs of one family; the data plane has room for {room}")]
    Vips { count: usize, room: u64 },
    #[error("{count} backends; the data plane has room for {room}")]
    Backends { count: usize, room: u64 },
    #[error("pool {pool}: the data plane has pool numbers below {room}")]
    PoolNumber { pool: u32, room: u64 },
    #[error("{pools} pools of {slots} slots; the data plane has room for two generations of {room}")]
    Rings { pools: usize, slots: usize, room: u64 },
    #[error("pool {pool} has {slots} slots, and the data plane's rings do not")]
    Slots { pool: u32, slots: usize },
    #[error(
        "VIP {vip}: backend {backend} ({address}) of pool {pool} is reached by {action}, which the data plane's program lacks: \
         run one that has it (without `--set {action}=off`){instead}"
    )]
    Tunnel {
        vip: Box<str>,
        pool: String,
        backend: String,
        address: IpAddr,
        action: &'static str,
        instead: Box<str>,
    },
}

/// What the data plane is to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// VIPs.
    pub services: Vec<TableEntry>,
    /// Backends with a next hop, by id.
    pub backends: BTreeMap<u32, Arc<TableEntry>>,
    /// Backends whose next hop is not known.
    pub unresolved: BTreeSet<u32>,
    /// Pools by number.
    pub pools: BTreeMap<u32, Arc<Pool>>,
    /// What the data plane has no tables for.
    pub left_out: LeftOut,
}

/// The entries of what is desired. `before` was made with the same layout, sources and next hops: what is the same in it is
/// shared.
///
/// # Errors
/// [`Unfit`]
pub(crate) fn wanted(
    layout: &Layout,
    desired: &Desired,
    sources: &Sources,
    hops: &BTreeMap<IpAddr, Hop>,
    before: Option<&Wanted>,
) -> Result<Wanted, Unfit> {
    let kept = kept(layout, desired)?;
    fits(layout, &kept)?;
    let services = services(layout, &kept);
    let Kept { pools, left_out, .. } = kept;
    let mut wanted = Wanted { services, left_out, ..Wanted::default() };
    for (number, pool) in &pools {
        let before = before.and_then(|before| Some((before, before.pools.get(number)?)));
        let known = |id: &u32, backend: &Arc<Backend>| {
            let (wanted, pool) = before?;
            pool.backends.get(id).filter(|old| Arc::ptr_eq(old, backend))?;
            wanted.backends.get(id).map(Arc::clone)
        };
        for (&id, backend) in &pool.backends {
            let entry = || entry(layout, sources, hops, id, backend.address).map(Arc::new);
            match known(&id, backend).or_else(entry) {
                Some(entry) => drop(wanted.backends.insert(id, entry)),
                None => drop(wanted.unresolved.insert(id)),
            }
        }
    }
    wanted.pools = pools;
    Ok(wanted)
}

/// A backend's entry; none: its next hop or the outer source is not known.
fn entry(
    layout: &Layout,
    sources: &Sources,
    hops: &BTreeMap<IpAddr, Hop>,
    id: u32,
    address: IpAddr,
) -> Option<TableEntry> {
    let hop = hops.get(&address)?;
    let (source, spread) = source(sources, hop, Family::of(address))?;
    let mac = |m: [u8; 6]| m.iter().fold(0, |all: u128, b| all << 8 | u128::from(*b));
    let way = [hop.port.into(), mac(hop.dst_mac), mac(hop.src_mac), hop.mtu.into()];
    layout.backend(id, address, source, spread, way)
}

fn source(sources: &Sources, hop: &Hop, family: Family) -> Option<(u128, u32)> {
    let number = |address: IpAddr| match address {
        IpAddr::V4(a) => u128::from(a.to_bits()),
        IpAddr::V6(a) => a.to_bits(),
    };
    let configured = if family == Family::V4 { sources.v4 } else { sources.v6 };
    match configured {
        Some(source) => Some((number(source.address), source.spread)),
        None => hop.source.filter(|a| Family::of(*a) == family).map(|a| (number(a), 0)),
    }
}

fn services(layout: &Layout, kept: &Kept<'_>) -> Vec<TableEntry> {
    let (mut all, mut addresses) = (Vec::new(), BTreeMap::<IpAddr, VipArgs>::new());
    for s in &kept.services {
        let args = [s.number.into(), s.pool.into(), s.hash_key.into(), s.flags.into(), s.class.into()];
        all.extend(layout.service(s.address, s.protocol, s.port, &args));
        // The address answers echo if any of its VIPs does; its other values decide nothing.
        let own = addresses.entry(s.address).or_insert(args);
        own[3] |= u128::from(s.flags & flags::ECHO);
    }
    all.extend(addresses.iter().filter_map(|(address, args)| layout.address(*address, args)));
    all
}

fn fits(layout: &Layout, kept: &Kept<'_>) -> Result<(), Unfit> {
    let limits = &layout.limits;
    for family in [Family::V4, Family::V6] {
        let own = || kept.services.iter().filter(move |s| Family::of(s.address) == family);
        let addresses: BTreeSet<IpAddr> = own().map(|s| s.address).collect();
        let any = own().filter(|s| s.port == 0).count();
        let count = (own().count() - any).max(any + addresses.len());
        if count as u64 > limits.vips {
            return Err(Unfit::Vips { count, room: limits.vips });
        }
    }
    let count = kept.pools.values().map(|p| p.backends.len()).sum::<usize>();
    if count as u64 > limits.backends {
        return Err(Unfit::Backends { count, room: limits.backends });
    }
    let mut rings = 0;
    for (&pool, p) in &kept.pools {
        if u64::from(pool) >= limits.pools {
            return Err(Unfit::PoolNumber { pool, room: limits.pools });
        }
        let slots = p.slots.len();
        if slots > 0 {
            // A table of rings has room for two generations of some pools: exactly.
            if !limits.slots.is_multiple_of(2 * slots as u64) {
                return Err(Unfit::Slots { pool, slots });
            }
            rings += 1;
            let room = limits.slots / (2 * slots as u64);
            if rings as u64 > room {
                return Err(Unfit::Rings { pools: rings, slots, room });
            }
        }
    }
    Ok(())
}
