extern crate std;

use super::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::vec;

const LIMITS: Limits = Limits { new: 448, tcp: 4471, udp: 895, closing: 895 };

fn key(n: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes[8..].copy_from_slice(&(n as u16).to_be_bytes());
    bytes
}

fn wide_key(n: u64) -> [u8; 22] {
    let mut bytes = [7; 22];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes[14..].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn bits(bytes: &[u8]) -> Bits<3> {
    bytes.iter().fold(Bits::new(), |bits, byte| bits.with(8, *byte))
}

fn scatter(n: u64) -> u32 {
    (crate::table::mix(0x1234, n) >> 16) as u32
}

/// A packet of flow `n`; the id that it follows.
fn packet(flows: &mut Flows<2>, n: u64, hash: u32, event: u8, now: u32, id: u32) -> u32 {
    let mut cursor = flows.find(bits(&key(n)), hash, event, 0, now);
    let id = cursor.id().unwrap_or(id);
    cursor.stays = cursor.id().is_some();
    flows.remember(&cursor, id, now);
    id
}

/// Every entry that is not free.
fn all<const WORDS: usize>(flows: &Flows<WORDS>) -> Vec<Record> {
    flows.table().records(0..flows.table().buckets())
}

fn states(flows: &Flows<2>) -> Vec<(u32, u32, u8, u32)> {
    all(flows).iter().map(|r| (r.bucket, r.way, r.state, r.tick)).collect()
}

#[test]
fn values_lie_as_the_law_says() {
    let value = Value::new(0xab_cdef, 4, 3, 0x3_ffff);
    assert_eq!(value.0, 0xabcd_ef9b_ffff);
    let seen = (value.id(), value.state(), value.class(), value.spill(), value.tick());
    assert_eq!(seen, (0xab_cdef, 4, 3, false, 0x3_ffff));
}

#[test]
fn a_flow_goes_through_its_states() {
    let mut flows = Flows::<2>::new(64, &[LIMITS]);
    for (event, now, state) in [
        (event::OPEN, 1, state::NEW),
        (event::OPEN, 2, state::NEW),
        (event::DATA, 3, state::TCP),
        (event::OPEN, 4, state::TCP),
        (event::CLOSE, 5, state::CLOSING),
        (event::DATA, 6, state::CLOSING),
    ] {
        packet(&mut flows, 9, 5, event, now, 77);
        assert_eq!(states(&flows), [(5, 0, state, now)]);
    }
    assert_eq!(packet(&mut flows, 9, 5, event::OPEN, 7, 78), 78, "a SYN to a closing flow selects anew");
    assert_eq!(states(&flows), [(5, 0, state::NEW, 7)]);
    assert_eq!(flows.counts(), (2, 0));
    packet(&mut flows, 10, 6, event::CLOSE, 8, 1);
    packet(&mut flows, 11, 7, 0, 8, 1);
    assert_eq!(states(&flows).len(), 1, "neither FIN nor an ICMP error makes an entry");
    packet(&mut flows, 12, 8, event::DATAGRAM, 8, 1);
    packet(&mut flows, 12, 8, event::DATAGRAM, 9, 1);
    assert_eq!(states(&flows)[1], (8, 0, state::UDP, 9));
}

#[test]
fn idle_flows_expire_by_state_and_class() {
    let short = Limits { new: 1, tcp: 2, udp: 3, closing: 4 };
    for (events, limit) in [
        (vec![event::OPEN], 1),
        (vec![event::DATA, event::DATA], 2),
        (vec![event::DATAGRAM, event::DATAGRAM], 3),
        (vec![event::DATA, event::CLOSE], 4),
    ] {
        for start in [0, 0x3_fffe] {
            let mut flows = Flows::<2>::new(64, &[LIMITS, short]);
            for event in &events {
                let mut cursor = flows.find(bits(&key(1)), 3, *event, 9, start);
                cursor.stays = cursor.id().is_some();
                flows.remember(&cursor, 5, start);
            }
            let alive = |after: u32| {
                flows.find(bits(&key(1)), 3, event::DATA, 0, start.wrapping_add(after) & 0x3_ffff)
            };
            assert_eq!(alive(limit - 1).id(), Some(5), "{events:?}");
            assert_eq!(alive(limit).id(), None, "{events:?}");
        }
    }
}

#[test]
fn a_full_bucket_spills_and_established_flows_stay() {
    let mut flows = Flows::<2>::new(1 << 10, &[LIMITS]);
    let hash = 0x0040_0003; // buckets 3 and 64
    for n in 0..9 {
        packet(&mut flows, n, hash, event::DATA, 1, n as u32);
        packet(&mut flows, n, hash, event::DATA, 1, n as u32);
    }
    assert_eq!(flows.counts(), (8, 2), "two buckets, then no room");
    let records = all(&flows);
    let spills: Vec<_> = records.iter().filter(|r| r.spill).map(|r| (r.bucket, r.way)).collect();
    assert_eq!(spills, [(3, 0)]);
    assert_eq!(records.iter().filter(|r| r.bucket == 64).count(), 4);
    for n in 0..8 {
        assert_eq!(packet(&mut flows, n, hash, event::DATA, 2, 99), n as u32, "flow {n} stays");
    }
    packet(&mut flows, 2, hash, event::CLOSE, 3, 99);
    assert_eq!(packet(&mut flows, 20, hash, event::OPEN, 4, 20), 20);
    assert_eq!(packet(&mut flows, 20, hash, event::OPEN, 5, 99), 20, "took the closing flow's way");
    assert_eq!(packet(&mut flows, 21, hash, event::OPEN, 6, 21), 21);
    assert_eq!(packet(&mut flows, 20, hash, event::OPEN, 7, 99), 99, "the oldest new flow gives way");
}

#[test]
fn the_spill_mark_outlives_its_way() {
    let mut flows = Flows::<2>::new(1 << 10, &[LIMITS]);
    let hash = 0x0040_0003;
    for n in 0..5 {
        packet(&mut flows, n, hash, event::DATA, 1, n as u32);
        packet(&mut flows, n, hash, event::DATA, 1, n as u32);
    }
    packet(&mut flows, 0, hash, event::CLOSE, 1, 0);
    packet(&mut flows, 30, hash, event::OPEN, 1, 30);
    assert_eq!(packet(&mut flows, 4, hash, event::DATA, 2, 99), 4, "still found in the second bucket");
}

#[test]
fn the_busy_mark_is_no_key() {
    let mut flows = Flows::<2>::new(64, &[LIMITS]);
    let cursor = flows.find(bits(&[0xff; 10]), 1, event::OPEN, 0, 1);
    flows.remember(&cursor, 1, 1);
    let mut wide = Flows::<4>::new(64, &[LIMITS]);
    let cursor = wide.find(bits(&[0xff; 22]), 1, event::OPEN, 0, 1);
    wide.remember(&cursor, 1, 1);
    assert_eq!((flows.counts(), wide.counts()), ((0, 1), (0, 1)));
    assert!(all(&flows).is_empty() && all(&wide).is_empty());
}

#[test]
fn wide_keys_are_compared_whole() {
    let mut flows = Flows::<4>::new(64, &[LIMITS]);
    let base = wide_key(5);
    let cursor = flows.find(bits(&base), 1, event::OPEN, 0, 1);
    flows.remember(&cursor, 42, 1);
    assert_eq!(flows.find(bits(&base), 1, event::DATA, 0, 1).id(), Some(42));
    for byte in 0..22 {
        let mut other = base;
        other[byte] ^= 1;
        assert_eq!(flows.find(bits(&other), 1, event::DATA, 0, 1).id(), None, "byte {byte}");
    }
    assert_eq!(all(&flows)[0].key, base);
}

/// The default table holds 2 million established flows with at most 0.1 % not stored.
#[test]
fn two_million_flows() {
    let mut flows = Flows::<2>::new(8 << 20, &[LIMITS]);
    for n in 0..2_000_000 {
        packet(&mut flows, n, scatter(n), event::DATA, 1, 1);
        packet(&mut flows, n, scatter(n), event::DATA, 1, 1);
    }
    let (stored, lost) = flows.counts();
    assert!(stored >= 1_998_000, "{stored} stored, {lost} not");
}

/// Threads evict each other's flows while they update their own: no packet follows another flow's entry.
fn stress<const W: usize, const B: usize>(key: fn(u64) -> [u8; B]) {
    let flows = Flows::<W>::new(64, &[LIMITS]);
    let (wrong, hits) = (AtomicU64::new(0), AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let mut flows = flows.fork();
            let (wrong, hits, stop) = (&wrong, &hits, &stop);
            scope.spawn(move || {
                let mut seed = thread + 1;
                for step in 0..300_000_u32 {
                    if stop.load(Relaxed) {
                        return;
                    }
                    seed = crate::table::mix(seed, 0x9e37);
                    // Flows that share buckets; an id tells its flow, whichever of two "backends" holds it.
                    let n = seed % 300;
                    let now = step >> 4 & 0x3_ffff;
                    let event =
                        [event::OPEN, event::DATA, event::CLOSE, event::DATA][(seed >> 32) as usize & 3];
                    let mut cursor = flows.find(bits(&key(n)), scatter(n) & 0x0007_0007, event, 0, now);
                    let own = (n as u32) << 1;
                    if let Some(id) = cursor.id() {
                        hits.fetch_add(1, Relaxed);
                        if id & !1 != own {
                            wrong.fetch_add(1, Relaxed);
                            stop.store(true, Relaxed);
                        }
                        // Sometimes its backend is gone, and it moves.
                        cursor.stays = seed >> 40 & 7 != 0;
                    }
                    let id =
                        if cursor.stays { cursor.id().unwrap_or(own) } else { own | (seed >> 50 & 1) as u32 };
                    flows.remember(&cursor, id, now);
                }
            });
        }
    });
    assert_eq!(wrong.load(Relaxed), 0);
    assert!(hits.load(Relaxed) > 1000, "{hits:?} hits");
    for record in all(&flows) {
        assert!((0..300).any(|n| key(n).as_slice() == record.key && (n as u32) << 1 == record.id & !1));
    }
}

#[test]
fn eviction_against_update_narrow() {
    stress::<2, 10>(key);
}

#[test]
fn eviction_against_update_wide() {
    stress::<4, 22>(wide_key);
}
