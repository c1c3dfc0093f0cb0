#![allow(clippy::unwrap_used)]
use super::*;
use control_proto::v1::{Claim, NodeBackend, NodePool, NodeSnapshot, Protocol, Share, Table, Vip, VipFlags};
use maglev_ring::{Member, Ring};

const SLOTS: u32 = 251;

/// A pool of backends with these ids and weights.
fn pool(number: u32, generation: u64, members: &[(u32, u32)]) -> NodePool {
    let all: Vec<Member> =
        members.iter().map(|&(id, weight)| Member { id, key: u64::from(id) * 77, weight }).collect();
    let backend = |&(id, _): &(u32, u32)| NodeBackend {
        id,
        name: format!("b{id}"),
        address: format!("10.{number}.0.{}", id & 0xff),
        ..NodeBackend::default()
    };
    let (mut table, mut shares) = (Table::default(), Vec::new());
    if members.iter().any(|m| m.1 > 0) {
        let ring = Ring::build(SLOTS, &all).unwrap();
        let bytes = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>().into();
        table = Table {
            slots: bytes(ring.slots()),
            digest: ring.digest(),
            homes: bytes(ring.homes()),
            claims: ring.claims().map(|(slot, c)| Claim { slot, between: c.to_vec() }).collect(),
        };
        let weight = |id| members.iter().find(|m| m.0 == id).unwrap().1;
        let share = |(id, slots)| Share { id, weight: weight(id), slots };
        shares = ring.shares().into_iter().map(share).collect();
    }
    let backends = members.iter().map(backend).collect();
    NodePool {
        number,
        name: format!("p{number}"),
        version: generation,
        backends,
        table: Some(table),
        shares,
        generation,
        settings: None,
        outside: Vec::new(),
    }
}

fn vip(number: u32, port: u32, pool: &str) -> Vip {
    Vip {
        pool: pool.into(),
        address: "203.0.113.10".into(),
        protocol: Protocol::Tcp.into(),
        port,
        flags: Some(VipFlags { stateless: false, echo: true, too_big: true }),
        timeout_class: 1,
        number,
        hash_key: 99,
    }
}

fn whole() -> NodeSnapshot {
    NodeSnapshot {
        version: 7,
        vips: vec![vip(1, 80, "p1"), vip(2, 0, "p2")],
        pools: vec![pool(1, 3, &[(16385, 100), (16386, 50), (16390, 0)]), pool(2, 5, &[(16387, 100)])],
        pool_numbers: vec![1, 2],
        accepted_ms: 1_700_000_000_000,
        ..NodeSnapshot::default()
    }
}

#[test]
fn a_whole_snapshot_is_taken_and_told_again() {
    let desired = merge(&Desired::default(), Part::Whole, &whole()).unwrap();
    assert_eq!((desired.version(), desired.pools().len(), desired.services().len()), (7, 2, 2));
    assert_eq!(desired.services()[0].flags, flags::ECHO | flags::TOO_BIG);
    assert_eq!(desired.pools()[&1].slots.len(), SLOTS as usize);
    let again = merge(&Desired::default(), Part::Whole, &desired.to_snapshot()).unwrap();
    assert_eq!(again, desired);
    assert_eq!(
        merge(&desired, Part::Whole, &whole()).unwrap(),
        desired,
        "the same again, after a new connection"
    );
}

#[test]
fn changes_leave_what_they_do_not_name() {
    let desired = merge(&Desired::default(), Part::Whole, &whole()).unwrap();
    let changed = NodeSnapshot { version: 8, pools: vec![pool(2, 6, &[(16388, 100)])], ..whole() };
    let next = merge(&desired, Part::Changes, &changed).unwrap();
    assert_eq!(next.pools()[&1], desired.pools()[&1]);
    assert_eq!(next.pools()[&2].slots[0], 16388);
    let gone = NodeSnapshot {
        version: 9,
        vips: vec![vip(1, 80, "p1")],
        pools: vec![],
        pool_numbers: vec![1],
        ..whole()
    };
    let last = merge(&next, Part::Changes, &gone).unwrap();
    assert_eq!(last.pools().keys().collect::<Vec<_>>(), [&1]);
    let empty = NodeSnapshot { version: 10, pools: vec![pool(1, 9, &[(16385, 0)])], ..gone };
    let empty = merge(&last, Part::Changes, &empty).unwrap();
    assert!(empty.pools()[&1].slots.is_empty(), "nobody in service is no refusal");
    assert_eq!(empty.pools()[&1].backends.len(), 1, "its flows stay");
}

type Spoil = fn(&mut NodeSnapshot);

#[test]
fn what_can_not_be_right_is_refused_in_words() {
    let before = merge(&Desired::default(), Part::Whole, &whole()).unwrap();
    let cases: &[(Spoil, &str)] = &[
        (|s| s.version = 6, "version 6 came after version 7"),
        (|s| s.pools[0].version = 2, "pool 1: version 2 came after version 3"),
        (
            |s| s.pools[0] = NodePool { version: 9, ..pool(1, 2, &[(16385, 1)]) },
            "generation 2 came after generation 3",
        ),
        (|s| s.pools[0] = pool(1, 3, &[(16385, 1)]), "two tables are called generation 3"),
        (|s| s.pool_numbers.push(9), "pool 9 is listed, and nothing is known of it"),
        (|s| drop(s.pools.pop()), "pool 2 is listed, and nothing is known of it"),
        (|s| s.pool_numbers.truncate(1), "pool 2 is there, and not listed"),
        (|s| s.pool_numbers.push(2), "pool 2"),
        (|s| s.pools.push(s.pools[0].clone()), "pool 1 is there twice"),
        (|s| s.pools[1].name = "p1".into(), "pools 1 and 2 are both called `p1`"),
        (|s| (s.pools[1].number, s.pool_numbers[1]) = (65_536, 65_536), "pool number 65536"),
        (|s| (s.pools[1].number, s.pool_numbers[1]) = (0, 0), "pool number 0"),
        (|s| table(s).slots = vec![0; 7].into(), "7 bytes, which are no slots"),
        (|s| table(s).homes = vec![0; 7].into(), "7 bytes, which are no slots"),
        (|s| table(s).slots.truncate(4 * 250), "250 slots"),
        (|s| table(s).homes.truncate(4), "homes or claims"),
        (|s| table(s).claims.push(Claim { slot: 9999, between: vec![1] }), "homes or claims"),
        (|s| table(s).digest ^= 1, "digest is"),
        (|s| table(s).slots = Default::default(), "has 0 slots"),
        (|s| s.pools[0].table = None, "has 0 slots"),
        (|s| s.pools[0].shares[0].slots += 1, "slots, and"),
        (|s| s.pools[0].shares[0].weight += 300, "of weight 400 gets"),
        (|s| s.pools[0].shares.extend_from_within(..1), "is there twice"),
        (|s| s.pools[0].shares = s.pools[0].shares.split_off(1), "of which there is no share"),
        (|s| drop(s.pools[0].backends.remove(0)), "backend 0x4001, which the pool has not"),
        (|s| s.pools[0].backends[2].id = 0, "24 bits, and is not 0"),
        (|s| s.pools[0].backends[2].id = 1 << 24, "24 bits, and is not 0"),
        (|s| s.pools[0].backends[2].id = 16385, "have one place"),
        (|s| s.pools[0].backends[2].id = 2 << 14 | 3, "0x8003 and 0x4003 have one place"),
        (|s| s.pools[0].backends[2].address = "10.0.0".into(), "`10.0.0` is no address of a backend"),
        (|s| s.pools[0].backends[2].address = "224.0.0.1".into(), "no address of a backend"),
        (|s| s.pools[0].backends[2].address = "::".into(), "no address of a backend"),
        (|s| s.vips[0].address = "203.0.113.10/32".into(), "no address of a service"),
        (|s| s.vips[0].address = "255.255.255.255".into(), "no address of a service"),
        (|s| s.vips[0].protocol = 1, "VIP 203.0.113.10 80: protocol 1 is neither"),
        (|s| s.vips[0].port = 65_536, "port 65536 has more than 16 bits"),
        (|s| s.vips[0].number = 0, "number 0: it has 16 bits"),
        (|s| s.vips[0].number = 65_536, "number 65536: it has 16 bits"),
        (|s| s.vips[0].timeout_class = 3, "no time-out class 3"),
        (|s| s.vips[0].pool = "web".into(), "VIP 203.0.113.10 tcp 80: there is no pool `web`"),
        (|s| s.vips[1] = Vip { number: 5, ..s.vips[0].clone() }, "VIP 203.0.113.10 tcp 80 is there twice"),
        (|s| s.vips[1].number = 1, "203.0.113.10 tcp 80 and 203.0.113.10 tcp any both have number 1"),
        (
            |s| s.vips[0].address = "2001:db8::1".into(),
            "is IPv6, and its pool `p1` has the IPv4 backend 0x4001",
        ),
    ];
    for (spoil, says) in cases {
        let mut snapshot = whole();
        spoil(&mut snapshot);
        let refusal = merge(&before, Part::Whole, &snapshot).expect_err(says).to_string();
        assert!(refusal.contains(says), "{refusal}\nshould say: {says}");
    }
    let again = merge(&before, Part::Changes, &whole()).unwrap_err();
    assert_eq!(again, Refusal::Older { held: 7, offered: 7 });
}

fn table(s: &mut NodeSnapshot) -> &mut Table {
    s.pools[0].table.as_mut().unwrap()
}

/// Whatever one changed byte of the message becomes, it is refused or right in itself; in the table it is refused.
#[test]
fn no_changed_byte_of_a_table_is_taken() {
    use prost::Message as _;
    let good = whole();
    for at in 0..(SLOTS as usize * 4) {
        let mut bad = good.clone();
        let mut bytes = table(&mut bad).slots.to_vec();
        bytes[at] ^= 1 << (at % 8);
        table(&mut bad).slots = bytes.into();
        assert!(merge(&Desired::default(), Part::Whole, &bad).is_err(), "byte {at}");
    }
    let bytes = good.encode_to_vec();
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let Ok(message) = NodeSnapshot::decode(bytes.as_slice()) else { continue };
        if let Ok(desired) = merge(&Desired::default(), Part::Whole, &message) {
            let again = merge(&Desired::default(), Part::Whole, &desired.to_snapshot()).unwrap();
            assert_eq!(again, desired, "byte {at}");
        }
    }
}

#[test]
fn a_file_is_whole_or_refused() {
    let bytes = encode(&whole());
    assert_eq!(decode(&bytes).unwrap(), whole());
    for end in 0..bytes.len() {
        let error = decode(&bytes[..end]).unwrap_err();
        assert!(matches!(error, DiskError::Foreign | DiskError::Length { .. }), "{end}: {error}");
    }
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(decode(&bad).is_err(), "byte {at}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(decode(&longer).unwrap_err().to_string().contains("bytes, and should have"));
    assert_eq!(decode(b"{}").unwrap_err(), DiskError::Foreign);
}
