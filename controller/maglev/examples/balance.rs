//! How even rings are, and how many slots move when one backend of N goes out, comes back or joins; beside the crate
//! `maglev`, which fills its table anew. Prints the table of `docs/bench.md`.
//!
//! `cargo run --release -p maglev-ring --example balance`
#![allow(clippy::unwrap_used)]

use maglev::{ConsistentHasher as _, Maglev};
use maglev_ring::{Member, Ring, apportion, moved, stable_key};

const SLOTS: [u32; 3] = [4_093, 65_537, 655_373];
const BACKENDS: [u32; 4] = [10, 100, 750, 1_000];

fn name(id: u32) -> String {
    format!("backend-{id}")
}

/// Weights 1 to 4 in turn, or all the same.
fn members(count: u32, mixed: bool) -> Vec<Member> {
    let weight = |id| if mixed { 1 + id % 4 } else { 100 };
    (1..=count).map(|id| Member { id, key: stable_key(name(id).as_bytes()), weight: weight(id) }).collect()
}

/// How far the count furthest from its ideal share is from it, in slots.
fn deviation(slots: u32, all: &[Member]) -> f64 {
    let shares = apportion(slots, all).unwrap();
    shares.iter().map(|share| share.deviation_milli.unsigned_abs()).max().unwrap_or(0) as f64 / 1_000.0
}

/// Slots that moved although neither owner went out or came.
fn needless(before: &Ring, after: &Ring, who: u32) -> usize {
    let other = |&&slot: &&u32| before.slots()[slot as usize] != who && after.slots()[slot as usize] != who;
    moved(before, after).iter().filter(other).count()
}

/// The same of the crate `maglev`: all that moved, and what moved needlessly.
fn of_the_crate(slots: u32, count: u32, out: u32) -> (usize, usize) {
    let fill =
        |ids: Vec<u32>| Maglev::with_capacity(ids.into_iter().map(name).collect::<Vec<_>>(), slots as usize);
    let before = fill((1..=count).collect());
    let after = fill((1..=count).filter(|&id| id != out).collect());
    let owner = |table: &Maglev<String, _>, slot| table.get(&slot).unwrap().clone();
    // Its slots are reached by hashing keys; as many keys as slots show a share of them.
    let pairs = (0..slots).map(|slot| (owner(&before, slot), owner(&after, slot)));
    let changed: Vec<_> = pairs.filter(|(a, b)| a != b).collect();
    let needless = changed.iter().filter(|(a, _)| *a != name(out)).count();
    (changed.len(), needless)
}

fn main() {
    println!(
        "| slots | backends | off, equal weights | off, weights 1 to 4 | goes out: moved, needlessly | \
         back: not as before | joins: moved, needlessly | `maglev`, goes out: moved, needlessly |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for slots in SLOTS {
        for count in BACKENDS {
            let (all, out) = (members(count, false), count / 2);
            let ring = Ring::build(slots, &all).unwrap();
            let rest: Vec<Member> = all.iter().copied().filter(|m| m.id != out).collect();
            let without = ring.update(&rest).unwrap();
            let again = moved(&ring, &without.update(&all).unwrap()).len();
            let joined = ring.update(&members(count + 1, false)).unwrap();
            let theirs = of_the_crate(slots, count, out);
            println!(
                "| {slots} | {count} | {:.2} slots | {:.2} | {}, {} | {again} | {}, {} | {}, {} |",
                deviation(slots, &all),
                deviation(slots, &members(count, true)),
                moved(&ring, &without).len(),
                needless(&ring, &without, out),
                moved(&ring, &joined).len(),
                needless(&ring, &joined, count + 1),
                theirs.0,
                theirs.1,
            );
        }
    }
}
