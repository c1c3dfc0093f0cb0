//! What a table costs: first fill beside the crate `maglev`, and updates.
//!
//! `cargo bench -p maglev-ring`; figures in `docs/bench.md`.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use maglev::{ConsistentHasher as _, Maglev};
use maglev_ring::{Member, Ring, stable_key};
use std::hint::black_box;

const SLOTS: [u32; 3] = [65_537, 65_536, 655_373];
const BACKENDS: [u32; 4] = [10, 100, 750, 1_000];

fn member(id: u32, weight: u32) -> Member {
    Member { id, key: stable_key(format!("backend-{id}").as_bytes()), weight }
}

fn members(count: u32) -> Vec<Member> {
    (1..=count).map(|id| member(id, 100)).collect()
}

fn first_fill(c: &mut Criterion) {
    let mut group = c.benchmark_group("first fill");
    for slots in SLOTS {
        for count in BACKENDS {
            let all = members(count);
            let at = format!("{slots} slots, {count} backends");
            group.bench_with_input(BenchmarkId::new("ours", &at), &all, |b, all| {
                b.iter(|| Ring::build(slots, black_box(all)).unwrap());
            });
        }
    }
    let names: Vec<String> = (1..=1_000).map(|id| format!("backend-{id}")).collect();
    group.bench_function("crate maglev/65537 slots, 1000 backends", |b| {
        b.iter(|| Maglev::with_capacity(black_box(names.clone()), 65_537).capacity());
    });
    group.finish();
}

/// One backend of 1,000 changes.
fn update(c: &mut Criterion) {
    let all = members(1_000);
    let change = |at: usize, weight| {
        let mut next = all.clone();
        next[at].weight = weight;
        next
    };
    let ring = Ring::build(65_537, &all).unwrap();
    let without = ring.update(&change(500, 0)).unwrap();
    let more: Vec<Member> = all.iter().copied().chain([member(1_001, 100)]).collect();
    let mut group = c.benchmark_group("update, 65537 slots, 1000 backends");
    for (name, from, to) in [
        ("nothing changes", &ring, all.clone()),
        ("one goes out", &ring, change(500, 0)),
        ("a second goes out", &without, {
            let mut next = change(500, 0);
            next[7].weight = 0;
            next
        }),
        ("it comes back", &without, all.clone()),
        ("one joins", &ring, more),
        ("half the weight", &ring, change(500, 50)),
        ("twice the weight", &ring, change(500, 200)),
    ] {
        group.bench_function(name, |b| b.iter(|| from.update(black_box(&to)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, first_fill, update);
criterion_main!(benches);
