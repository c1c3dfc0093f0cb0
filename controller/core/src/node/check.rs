//! From messages to what is desired.

use super::desired::{Backend, Desired, Family, Pool, Service, flags};
use super::{Part, Refusal, SLOT_BITS};
use control_proto::v1::{NodePool, NodeSnapshot, Protocol, Share, Table, Vip};
use maglev_ring::{Member, Ring, RingError, apportion};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The last time-out class.
pub const MAX_CLASS: u32 = 2;

type Checked<T> = Result<T, Refusal>;

/// What is desired after a message, given what was before it.
///
/// # Errors
/// The message can't be right: what was desired before it still is.
pub fn merge(previous: &Desired, part: Part, snapshot: &NodeSnapshot) -> Checked<Desired> {
    let (held, offered) = (previous.version, snapshot.version);
    if offered < held || offered == held && part == Part::Changes {
        return Err(Refusal::Older { held, offered });
    }
    let mut given = BTreeMap::new();
    for pool in &snapshot.pools {
        if given.insert(pool.number, pool).is_some() {
            return Err(Refusal::PoolTwice { pool: pool.number });
        }
    }
    let mut pools = BTreeMap::new();
    for &number in &snapshot.pool_numbers {
        let before = previous.pools.get(&number);
        let pool = match (given.remove(&number), before, part) {
            (Some(message), _, _) => Arc::new(pool(message, before.map(Arc::as_ref))?),
            (None, Some(before), Part::Changes) => Arc::clone(before),
            (None, _, _) => return Err(Refusal::Missing { pool: number }),
        };
        if pools.insert(number, pool).is_some() {
            return Err(Refusal::PoolTwice { pool: number });
        }
    }
    if let Some((&pool, _)) = given.first_key_value() {
        return Err(Refusal::Unlisted { pool });
    }
    let names = apart(&pools)?;
    let services = services(&snapshot.vips, &pools, &names)?;
    Ok(Desired { version: offered, accepted_ms: snapshot.accepted_ms, services, pools })
}

/// Checks what pools must not share. Returns their numbers by name.
fn apart(pools: &BTreeMap<u32, Arc<Pool>>) -> Checked<BTreeMap<&str, u32>> {
    let (mut names, mut places) = (BTreeMap::new(), BTreeMap::new());
    for pool in pools.values() {
        if let Some(first) = names.insert(pool.name.as_str(), pool.number) {
            return Err(Refusal::NameTwice { first, second: pool.number, name: pool.name.clone() });
        }
        for &second in pool.backends.keys() {
            if let Some(first) = places.insert(second & ((1 << SLOT_BITS) - 1), second) {
                return Err(Refusal::Place { first, second });
            }
        }
    }
    Ok(names)
}

fn pool(message: &NodePool, before: Option<&Pool>) -> Checked<Pool> {
    let pool = message.number;
    if pool == 0 || pool > 0xffff {
        return Err(Refusal::PoolNumber { number: pool });
    }
    let mut backends = BTreeMap::new();
    for b in &message.backends {
        let id = b.id;
        if id == 0 || id >> 24 != 0 {
            return Err(Refusal::Id { pool, id });
        }
        let address = b.address.parse().ok().filter(usable);
        let address = address.ok_or_else(|| Refusal::BackendAddress { pool, id, text: b.address.clone() })?;
        if backends.insert(id, Backend { name: b.name.clone(), address, told: b.clone() }).is_some() {
            return Err(Refusal::Place { first: id, second: id });
        }
    }
    let none = Table::default();
    let table = message.table.as_ref().unwrap_or(&none);
    let (slots, digest) = ring(pool, table, &message.shares, &backends)?;
    let made = Pool {
        number: pool,
        name: message.name.clone(),
        version: message.version,
        generation: message.generation,
        backends,
        slots,
        digest,
        homes: table.homes.clone(),
        claims: table.claims.clone(),
        shares: message.shares.clone(),
        settings: message.settings.clone(),
        outside: message.outside.clone(),
    };
    before.map_or(Ok(()), |before| follows(before, &made))?;
    Ok(made)
}

/// A pool's versions and generations only rise.
fn follows(before: &Pool, pool: &Pool) -> Checked<()> {
    let (number, same) = (pool.number, before.digest == pool.digest && before.slots == pool.slots);
    if pool.version < before.version {
        return Err(Refusal::PoolOlder { pool: number, held: before.version, offered: pool.version });
    }
    if pool.generation < before.generation {
        let (held, offered) = (before.generation, pool.generation);
        return Err(Refusal::GenerationOlder { pool: number, held, offered });
    }
    if pool.generation == before.generation && !same {
        return Err(Refusal::GenerationTwice { pool: number, generation: pool.generation });
    }
    Ok(())
}

/// An address that one machine can have. One that this node can't reach concerns that backend only, no other.
fn usable(address: &IpAddr) -> bool {
    let v4 = |a: &std::net::Ipv4Addr| a.is_broadcast();
    !address.is_unspecified() && !address.is_multicast() && !matches!(address, IpAddr::V4(a) if v4(a))
}

/// The slots of a table and their digest, both checked.
fn ring(
    pool: u32,
    table: &Table,
    shares: &[Share],
    backends: &BTreeMap<u32, Backend>,
) -> Checked<(Vec<u32>, u64)> {
    let mut stated = BTreeMap::new();
    for share in shares {
        if stated.insert(share.id, share).is_some() {
            return Err(Refusal::ShareTwice { pool, id: share.id });
        }
        if !backends.contains_key(&share.id) {
            return Err(Refusal::Unknown { pool, id: share.id });
        }
    }
    let (slots, homes) = (words(pool, &table.slots)?, words(pool, &table.homes)?);
    if slots.is_empty() {
        return match shares.iter().find(|s| s.slots > 0) {
            None => Ok((slots, 0)),
            Some(s) => Err(Refusal::Share { pool, id: s.id, stated: s.slots, actual: 0 }),
        };
    }
    let homes = if homes.is_empty() { slots.clone() } else { homes };
    let claims = table.claims.iter().map(|c| (c.slot, c.between.clone()));
    let count = slots.len();
    let ring = Ring::from_parts_with_claims(slots, homes, claims).map_err(|e| match e {
        RingError::SlotCount { .. } => Refusal::Size { pool, slots: count, reason: e.to_string() },
        e => Refusal::Claims { pool, reason: e.to_string() },
    })?;
    let actual = ring.digest();
    if actual != table.digest {
        return Err(Refusal::Digest { pool, stated: table.digest, actual });
    }
    by_share(pool, &ring, &stated)?;
    Ok((ring.slots().to_vec(), actual))
}

/// Each member has the slots that its share says, and its share is that of its weight.
fn by_share(pool: u32, ring: &Ring, stated: &BTreeMap<u32, &Share>) -> Checked<()> {
    let mut counts: BTreeMap<u32, u32> = ring.shares().into_iter().collect();
    for (&id, share) in stated {
        let actual = counts.remove(&id).unwrap_or(0);
        if actual != share.slots {
            return Err(Refusal::Share { pool, id, stated: share.slots, actual });
        }
    }
    if let Some((&id, _)) = counts.first_key_value() {
        return Err(Refusal::NoShare { pool, id });
    }
    let member = |s: &&Share| Member { id: s.id, key: 0, weight: s.weight };
    let members: Vec<Member> = stated.values().map(member).collect();
    let error = |e: RingError| {
        let slots = ring.slots().len();
        Refusal::Size { pool, slots, reason: e.to_string() }
    };
    let due: BTreeMap<u32, u32> =
        apportion(ring.slot_count(), &members).map_err(error)?.iter().map(|s| (s.id, s.slots)).collect();
    for (&id, share) in stated {
        let due = due.get(&id).copied().unwrap_or(0);
        if due != share.slots {
            return Err(Refusal::Weight { pool, id, weight: share.weight, due, stated: share.slots });
        }
    }
    Ok(())
}

fn words(pool: u32, bytes: &[u8]) -> Checked<Vec<u32>> {
    let (words, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Refusal::Bytes { pool, bytes: bytes.len() });
    }
    Ok(words.iter().map(|w| u32::from_le_bytes(*w)).collect())
}

fn services(
    vips: &[Vip],
    pools: &BTreeMap<u32, Arc<Pool>>,
    names: &BTreeMap<&str, u32>,
) -> Checked<Vec<Service>> {
    let mut services = Vec::with_capacity(vips.len());
    let (mut keys, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for message in vips {
        let vip = words_of(message);
        let service = service(message, &vip, pools, names)?;
        if keys.insert((service.address, service.protocol, service.port), ()).is_some() {
            return Err(Refusal::VipTwice { vip });
        }
        if let Some(first) = numbers.insert(service.number, vip.clone()) {
            return Err(Refusal::VipNumberTwice { first, second: vip, number: service.number.into() });
        }
        services.push(service);
    }
    Ok(services)
}

fn service(
    message: &Vip,
    vip: &str,
    pools: &BTreeMap<u32, Arc<Pool>>,
    names: &BTreeMap<&str, u32>,
) -> Checked<Service> {
    let vip = || vip.to_owned();
    let address: Option<IpAddr> = message.address.parse().ok();
    let no_address = || Refusal::VipAddress { text: message.address.clone() };
    let address = address.filter(|a| usable(a) && !a.is_loopback()).ok_or_else(no_address)?;
    if !matches!(message.protocol(), Protocol::Tcp | Protocol::Udp) {
        return Err(Refusal::Protocol { vip: vip(), protocol: message.protocol });
    }
    let port = message.port.try_into().map_err(|_| Refusal::Port { vip: vip(), port: message.port })?;
    let wrong = Refusal::VipNumber { vip: vip(), number: message.number };
    let number = u16::try_from(message.number).ok().filter(|n| *n != 0).ok_or(wrong)?;
    let class = message.timeout_class;
    if class > MAX_CLASS {
        return Err(Refusal::Class { vip: vip(), class });
    }
    let unknown = || Refusal::NoPool { vip: vip(), pool: message.pool.clone() };
    let pool = *names.get(message.pool.as_str()).ok_or_else(unknown)?;
    if Family::of(address) == Family::V6 {
        let members = pools.get(&pool).into_iter().flat_map(|p| p.backends.iter());
        if let Some((&id, _)) = members.into_iter().find(|(_, b)| b.address.is_ipv4()) {
            return Err(Refusal::Family { vip: vip(), pool: message.pool.clone(), id });
        }
    }
    let given = message.flags.unwrap_or_default();
    let bit = |on: bool, bit: u8| if on { bit } else { 0 };
    let flags = bit(given.stateless, flags::STATELESS)
        | bit(given.echo, flags::ECHO)
        | bit(given.too_big, flags::TOO_BIG);
    let protocol = if message.protocol() == Protocol::Tcp { 6 } else { 17 };
    Ok(Service {
        address,
        protocol,
        port,
        number,
        pool,
        hash_key: message.hash_key,
        flags,
        class: class as u8,
    })
}

/// A VIP as people write it.
fn words_of(vip: &Vip) -> String {
    let port = if vip.port == 0 { "any".to_owned() } else { vip.port.to_string() };
    match vip.protocol() {
        Protocol::Tcp => format!("{} tcp {port}", vip.address),
        Protocol::Udp => format!("{} udp {port}", vip.address),
        Protocol::Unspecified => format!("{} {port}", vip.address),
    }
}
