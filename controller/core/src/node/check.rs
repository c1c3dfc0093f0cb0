//! From messages to what is desired.

use super::desired::{Backend, Desired, Family, Pool, Service, flags};
use super::{Part, Refusal, SLOT_BITS};
use bytes::Bytes;
use control_proto::v1::{NodeBackend, NodePool, NodeSnapshot, Protocol, Record, Share, Table, Vip};
use maglev_ring::{Member, RingError, apportion, check_parts, digest};
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
    let records = records(&previous.records, part, &snapshot.records);
    let tables_version = if snapshot.tables_version == 0 { offered } else { snapshot.tables_version };
    let accepted_ms = snapshot.accepted_ms;
    Ok(Desired { version: offered, tables_version, accepted_ms, services, pools, records })
}

/// The registry's records after a message. What they say is the controller's affair.
fn records(
    before: &Arc<BTreeMap<String, Bytes>>,
    part: Part,
    given: &[Record],
) -> Arc<BTreeMap<String, Bytes>> {
    if part == Part::Changes && given.is_empty() {
        return Arc::clone(before);
    }
    let mut records = if part == Part::Whole { BTreeMap::new() } else { (**before).clone() };
    for record in given {
        match &record.value {
            // A copy: a part of the message would keep all of it.
            Some(value) => records.insert(record.key.clone(), Bytes::copy_from_slice(value)),
            None => records.remove(&record.key),
        };
    }
    Arc::new(records)
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
    let backends = backends(message, before)?;
    let table = message.table.clone().unwrap_or_default();
    let slots = ring(pool, &table, &message.shares, &backends)?;
    let made = Pool {
        number: pool,
        name: message.name.clone(),
        version: message.version,
        generation: message.generation,
        backends,
        digest: if slots.is_empty() { 0 } else { table.digest },
        slots,
        table,
        shares: message.shares.clone(),
        settings: message.settings.clone(),
        outside: message.outside.clone(),
    };
    before.map_or(Ok(()), |before| follows(before, &made))?;
    Ok(made)
}

/// The backends of a pool. Those that are told as before are those from before.
fn backends(message: &NodePool, before: Option<&Pool>) -> Checked<BTreeMap<u32, Arc<Backend>>> {
    let (pool, mut all) = (message.number, BTreeMap::new());
    for b in &message.backends {
        let id = b.id;
        let same = before.and_then(|pool| pool.backends.get(&id)).filter(|old| old.told == *b);
        let backend = match same {
            Some(same) => Arc::clone(same),
            None => Arc::new(backend(pool, b)?),
        };
        if all.insert(id, backend).is_some() {
            return Err(Refusal::Place { first: id, second: id });
        }
    }
    Ok(all)
}

fn backend(pool: u32, told: &NodeBackend) -> Checked<Backend> {
    let id = told.id;
    if id == 0 || id >> 24 != 0 {
        return Err(Refusal::Id { pool, id });
    }
    let address = told.address.parse().ok().filter(usable);
    let address = address.ok_or_else(|| Refusal::BackendAddress { pool, id, text: told.address.clone() })?;
    Ok(Backend { name: told.name.clone(), address, told: told.clone() })
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

/// The slots of a table: they have its digest, and each backend as many as its share says.
fn ring(
    pool: u32,
    table: &Table,
    shares: &[Share],
    backends: &BTreeMap<u32, Arc<Backend>>,
) -> Checked<Vec<u32>> {
    let mut stated: Vec<&Share> = shares.iter().collect();
    stated.sort_unstable_by_key(|share| share.id);
    if let Some(twice) = stated.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(Refusal::ShareTwice { pool, id: twice[0].id });
    }
    if let Some(share) = stated.iter().find(|share| !backends.contains_key(&share.id)) {
        return Err(Refusal::Unknown { pool, id: share.id });
    }
    let (slots, homes) = (words(pool, &table.slots)?, words(pool, &table.homes)?);
    if slots.is_empty() {
        return match shares.iter().find(|s| s.slots > 0) {
            None => Ok(slots),
            Some(s) => Err(Refusal::Share { pool, id: s.id, stated: s.slots, actual: 0 }),
        };
    }
    let claims = table.claims.iter().map(|c| (c.slot, c.between.as_slice()));
    let homes = if homes.is_empty() { &slots } else { &homes };
    check_parts(&slots, homes, claims).map_err(|e| match e {
        RingError::SlotCount { .. } => Refusal::Size { pool, slots: slots.len(), reason: e.to_string() },
        e => Refusal::Claims { pool, reason: e.to_string() },
    })?;
    let actual = digest(&slots);
    if actual != table.digest {
        return Err(Refusal::Digest { pool, stated: table.digest, actual });
    }
    by_share(pool, &slots, &stated)?;
    Ok(slots)
}

/// Each member has the slots that its share says, and its share is that of its weight. Shares by rising id.
fn by_share(pool: u32, slots: &[u32], stated: &[&Share]) -> Checked<()> {
    let (counts, stranger) = counts(slots, stated)?;
    for (share, actual) in stated.iter().zip(counts) {
        if actual != share.slots {
            return Err(Refusal::Share { pool, id: share.id, stated: share.slots, actual });
        }
    }
    if let Some(id) = stranger {
        return Err(Refusal::NoShare { pool, id });
    }
    let members: Vec<Member> = stated.iter().map(|s| Member { id: s.id, key: 0, weight: s.weight }).collect();
    let error = |e: RingError| Refusal::Size { pool, slots: slots.len(), reason: e.to_string() };
    // `check_parts` has found no more slots than a ring can have.
    let due = apportion(slots.len() as u32, &members).map_err(error)?;
    let mut due = due.iter().peekable();
    for share in stated {
        let due = due.next_if(|due| due.id == share.id).map_or(0, |due| due.slots);
        if due != share.slots {
            let (weight, stated) = (share.weight, share.slots);
            return Err(Refusal::Weight { pool, id: share.id, weight, due, stated });
        }
    }
    Ok(())
}

/// How many slots each has of those who have a share, and the lowest id of the others that have slots.
fn counts(slots: &[u32], stated: &[&Share]) -> Checked<(Vec<u32>, Option<u32>)> {
    const PLACES: usize = 1 << SLOT_BITS;
    let place = |id: u32| id as usize % PLACES;
    // Who has the place, and how many slots; no backend has id 0.
    let mut owners = vec![(0, 0); PLACES];
    for share in stated {
        let (first, _) = std::mem::replace(&mut owners[place(share.id)], (share.id, 0));
        if first != 0 {
            return Err(Refusal::Place { first, second: share.id });
        }
    }
    let mut stranger = None::<u32>;
    for &id in slots {
        match &mut owners[place(id)] {
            (owner, count) if *owner == id && id != 0 => *count += 1,
            _ => stranger = Some(stranger.map_or(id, |lowest| lowest.min(id))),
        }
    }
    Ok((stated.iter().map(|share| owners[place(share.id)].1).collect(), stranger))
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
