//! Proof 3: which entries may be written, and what the errors say.
// By value: the entries are written where they are checked.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod common;

use common::sample;
use pipeline_ir::KeyValue::{self, Exact, Lpm, Optional, Range, Ternary};
use pipeline_ir::entry::{CheckedEntry, Entry, RingFill, Tables, prefix_mask};

fn entry(
    table: &str,
    key: &[(&str, KeyValue)],
    priority: i32,
    action: &str,
    params: &[(&str, u128)],
) -> Entry {
    Entry {
        table: table.into(),
        key: key.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
        priority,
        action: action.into(),
        params: params.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
    }
}

/// The error, in full.
fn refuse(e: Entry, want: &str) {
    let got = Tables::new(&sample()).check(&e).map(|c| format!("{c:?}")).unwrap_err();
    assert_eq!(got.to_string(), want, "{e:?}");
}

/// Accepted; its canonical form as a user would write it, and that form is a fixed point.
fn accept(e: Entry, want: Entry) {
    let tables = Tables::new(&sample());
    let checked = tables.check(&e).unwrap_or_else(|err| panic!("{e:?}: {err}"));
    assert_eq!(tables.entry(&checked), want);
    assert_eq!(tables.check(&want).unwrap(), checked);
}

#[test]
fn legal_entries_become_canonical() {
    let same = |e: Entry| accept(e.clone(), e);
    same(entry(
        "vip",
        &[("dst", Exact(1)), ("port", Exact(80))],
        0,
        "set_pool",
        &[("pool_no", 7), ("seed", 9)],
    ));
    same(entry("pool_generation", &[("pool", Exact(1))], 0, "set_generation", &[("generation", 255)]));
    let slot = [("pool", Exact(1)), ("generation", Exact(3)), ("slot", Exact(6))];
    same(entry("ring", &slot, 0, "set_ring", &[("id", 0xff_ffff)]));

    let swapped = [("port", Exact(80)), ("dst", Exact(1))];
    accept(
        entry("vip", &swapped, 0, "set_pool", &[("seed", 9), ("pool_no", 7)]),
        entry(
            "vip",
            &[("dst", Exact(1)), ("port", Exact(80))],
            0,
            "set_pool",
            &[("pool_no", 7), ("seed", 9)],
        ),
    );
    let via = |v| entry("route", &[("dst", v)], 0, "via", &[("hop", 1)]);
    accept(via(Lpm { value: 0x0a01_0203, prefix: 8 }), via(Lpm { value: 0x0a00_0000, prefix: 8 }));
    accept(via(Exact(5)), via(Lpm { value: 5, prefix: 32 }));
    accept(via(Lpm { value: 5, prefix: 0 }), entry("route", &[], 0, "via", &[("hop", 1)]));
    let acl = |k: &[(&str, KeyValue)]| entry("acl", k, 1, "deny", &[]);
    accept(
        acl(&[("src", Ternary { value: 0xff, mask: 0x0f })]),
        acl(&[("src", Ternary { value: 15, mask: 15 })]),
    );
    accept(
        acl(&[("port", Exact(80)), ("protocol", Exact(6))]),
        acl(&[("protocol", Optional(Some(6))), ("port", Range { low: 80, high: 80 })]),
    );
    accept(acl(&[("port", Range { low: 0, high: 0xffff }), ("protocol", Optional(None))]), acl(&[]));
}

#[test]
fn names_that_do_not_exist() {
    refuse(entry("vpi", &[], 0, "set_pool", &[]), "no table is named `vpi`; did you mean `vip`?");
    refuse(
        entry("vip", &[("dts", Exact(1))], 0, "set_pool", &[]),
        "table `vip` has no key field `dts`; did you mean `dst`?",
    );
    let key = [("dst", Exact(1)), ("port", Exact(80))];
    refuse(
        entry("vip", &key, 0, "set_pol", &[]),
        "table `vip` has no action `set_pol`; did you mean `set_pool`?",
    );
    refuse(
        entry("vip", &key, 0, "set_pool", &[("sede", 1)]),
        "table `vip`: action `set_pool` has no parameter `sede`; did you mean `seed`?",
    );
    refuse(
        entry("pool_generation", &[("pool", Exact(0))], 0, "flip", &[]),
        "table `pool_generation` has no action `flip`; there are `set_generation`",
    );
}

#[test]
fn keys_that_are_not_the_tables() {
    let vip = |k: &[(&str, KeyValue)]| entry("vip", k, 0, "set_pool", &[("pool_no", 7), ("seed", 9)]);
    refuse(
        vip(&[("dst", Exact(1))]),
        "table `vip`: key field `port` is missing; it is matched exactly, so give its value",
    );
    refuse(
        vip(&[("dst", Exact(1)), ("dst", Exact(1)), ("port", Exact(1))]),
        "table `vip`: `dst` is given 2 times; give it once",
    );
    refuse(
        vip(&[("dst", Exact(1)), ("port", Exact(0x1_0000))]),
        "table `vip`: `port` is 0x10000, more than its 16 bits hold; at most 0xffff",
    );
    refuse(
        vip(&[("dst", Lpm { value: 0, prefix: 8 }), ("port", Exact(0))]),
        "table `vip`: key field `dst` is given as a prefix, but is matched by exact match; give a value",
    );
    refuse(
        entry("route", &[("dst", Lpm { value: 0, prefix: 33 })], 0, "deny", &[]),
        "table `route`: key field `dst` has a prefix of 33 bits; it is 32 bits wide",
    );
    refuse(
        entry("acl", &[("port", Range { low: 9, high: 8 })], 1, "deny", &[]),
        "table `acl`: key field `port` is the range 9..=8, which is empty; put the lower first",
    );
    refuse(
        entry("acl", &[("src", Ternary { value: 0, mask: 1 << 32 })], 1, "deny", &[]),
        "table `acl`: `src` is 0x100000000, more than its 32 bits hold; at most 0xffffffff",
    );
}

#[test]
fn priorities_where_entries_overlap_and_only_there() {
    refuse(
        entry("acl", &[], 0, "deny", &[]),
        "table `acl`: priority 0; entries with ternary, range or optional fields need one above 0",
    );
    refuse(
        entry("route", &[], 3, "deny", &[]),
        "table `route`: priority 3; its entries never overlap, so leave it 0",
    );
    refuse(
        entry("pool_generation", &[("pool", Exact(0))], 1, "set_generation", &[("generation", 1)]),
        "table `pool_generation`: priority 1; its entries never overlap, so leave it 0",
    );
}

#[test]
fn actions_and_their_data() {
    let key = [("dst", Exact(1)), ("port", Exact(80))];
    refuse(
        entry("vip", &key, 0, "no_vip", &[]),
        "table `vip`: action `no_vip` is the default only; delete the entry to have it run",
    );
    refuse(
        entry("vip", &key, 0, "set_pool", &[("pool_no", 1)]),
        "table `vip`: action `set_pool` lacks its parameter `seed`; give its value",
    );
    refuse(
        entry("vip", &key, 0, "set_pool", &[("pool_no", 1 << 16), ("seed", 1)]),
        "table `vip`: `pool_no` is 0x10000, more than its 16 bits hold; at most 0xffff",
    );
    refuse(
        entry("fixed", &[("protocol", Exact(1))], 0, "permit", &[]),
        "table `fixed` holds the entries written in the pipeline's source; change them there",
    );
    refuse(
        entry("ring", &[("pool", Exact(0)), ("generation", Exact(0)), ("slot", Exact(0))], 0, "no_ring", &[]),
        "table `ring`: action `no_ring` is the default only; delete the entry to have it run",
    );
}

#[test]
fn rings_have_limits() {
    let slot = |pool, generation, slot, id| {
        let key = [("pool", Exact(pool)), ("generation", Exact(generation)), ("slot", Exact(slot))];
        entry("ring", &key, 0, "set_ring", &[("id", id)])
    };
    refuse(
        slot(2, 0, 0, 0),
        "table `ring`: `pool` is 2, but must be below 2; raise the ring's `pools`, or number pools from 0",
    );
    refuse(slot(0, 0, 7, 0), "table `ring`: `slot` is 7, but must be below 7; slots are numbered from 0");
    refuse(
        slot(0, 256, 0, 0),
        "table `ring`: `generation` is 0x100, more than its 8 bits hold; at most 0xff",
    );
    refuse(
        slot(0, 0, 0, 1 << 24),
        "table `ring`: `id` is 0x1000000, more than its 24 bits hold; at most 0xffffff",
    );
}

#[test]
fn a_ring_is_filled_whole() {
    let tables = Tables::new(&sample());
    let fill = |ring: &str, pool, slots: &[u32]| RingFill {
        ring: ring.into(),
        pool,
        generation: 2,
        slots: slots.to_vec(),
    };
    let good = tables.check_ring(fill("ring", 1, &[1, 2, 3, 4, 5, 6, 7])).unwrap();
    let single: Vec<_> = good.entries().map(|e| tables.entry(&CheckedEntry::Slot(e))).collect();
    assert_eq!(single.len(), 7);
    let key = [("pool", Exact(1)), ("generation", Exact(2)), ("slot", Exact(6))];
    assert_eq!(single[6], entry("ring", &key, 0, "set_ring", &[("id", 7)]));

    let refuse = |f, want: &str| assert_eq!(tables.check_ring(f).unwrap_err().to_string(), want);
    refuse(fill("rng", 0, &[]), "no ring is named `rng`; did you mean `ring`?");
    refuse(fill("ring", 0, &[1; 6]), "ring `ring` has 7 slots, but 6 were given; fill them all at once");
    refuse(
        fill("ring", 9, &[1; 7]),
        "table `ring`: `pool` is 9, but must be below 2; raise the ring's `pools`, or number pools from 0",
    );
    refuse(
        fill("ring", 0, &[1, 1, 1, 1, 1, 1, 1 << 24]),
        "table `ring`: `id` is 0x1000000, more than its 24 bits hold; at most 0xffffff",
    );
}

#[test]
fn the_slot_is_the_keys_low_bits() {
    let tables = Tables::new(&sample());
    let slot = |e: Entry| match tables.check(&e).unwrap() {
        CheckedEntry::Table(t) => tables.slot(&t),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        slot(entry("backend", &[("id", Exact(0x1235))], 0, "to", &[("port", 1), ("mac", 2)])),
        Some(5)
    );
    assert_eq!(slot(entry("route", &[], 0, "deny", &[])), None);
}

#[test]
fn prefix_masks_of_every_length() {
    for (width, prefix, want) in [(32, 0, 0), (32, 1, 1 << 31), (32, 32, 0xffff_ffff), (128, 128, u128::MAX)]
    {
        assert_eq!(prefix_mask(width, prefix), want, "{prefix} of {width}");
    }
    assert_eq!(prefix_mask(128, 0), 0);
    assert_eq!(prefix_mask(1, 1), 1);
}
