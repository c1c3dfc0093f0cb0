//! Tables, flow tables and rings: keys, sizes, time-outs, slots, and the entries written in the source.

use crate::diagnostic::{Code, Diagnostics};
use crate::entry::{Tables, needs_priority};
use crate::{FlowTable, KeyValue, MatchKind, Pipeline, Ring, Table, TableId};

/// Two hours, in milliseconds: so much fits the clock, with room to tell old from new.
const LONGEST: u64 = 2 * 60 * 60 * 1000;

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    let tables = Tables::new(p);
    for (i, table) in p.tables.iter().enumerate() {
        shape(p, table, found);
        slots(table, found);
        const_entries(&tables, TableId(i as u32), table, found);
    }
    for table in &p.flow_tables {
        flow_table(table, found);
    }
    for ring in &p.rings {
        check_ring(ring, found);
    }
}

/// Writes each const entry's values in their fields' own kinds.
pub(super) fn make_canonical(p: &mut Pipeline) {
    let tables = Tables::new(p);
    for (i, table) in p.tables.iter_mut().enumerate() {
        for entry in &mut table.const_entries {
            if let Ok(key) = tables.check_const(TableId(i as u32), entry) {
                entry.keys = key;
            }
        }
    }
}

fn shape(p: &Pipeline, table: &Table, found: &mut Diagnostics) {
    let mut bad = |message: String, help: &str| {
        let message = format!("table `{}` {message}", table.name);
        found.push(Code::TableShape, table.at, message, help);
    };
    if table.keys.is_empty() {
        bad("has no key".into(), "give its key a field; what needs no lookup can stand in the control");
    }
    if table.size == 0 {
        bad("has no room for entries".into(), "give it a `size` of at least 1");
    }
    let lpm = table.keys.iter().filter(|k| k.kind == MatchKind::Lpm).count();
    if lpm > 1 {
        bad(format!("has {lpm} lpm fields"), "keep one; make the others exact, or all of them ternary");
    }
    if lpm > 0 && needs_priority(table) {
        let help = "make the lpm field ternary: its prefixes become masks, and priorities choose";
        bad("mixes lpm with ternary, range or optional fields".into(), help);
    }
    let action = |id: crate::ActionId| &p.actions[id.index()];
    if !table.actions.contains(&table.default) {
        let message =
            format!("has the default action `{}`, which is none of its own", action(table.default).name);
        bad(message, "choose one of the table's actions");
    }
    for (i, id) in table.actions.iter().enumerate() {
        if table.actions[..i].contains(id) {
            bad(format!("lists action `{}` twice", action(*id).name), "list it once");
        }
        if action(*id).default_only && *id != table.default {
            let message =
                format!("can never run `{}`, which is default-only and not its default", action(*id).name);
            bad(message, "make it the table's default, or let entries use it");
        }
    }
}

fn slots(table: &Table, found: &mut Diagnostics) {
    let Some(bits) = table.slot_bits else { return };
    let mut bad = |message: String, help: String| {
        let message = format!("table `{}` {message}", table.name);
        found.push(Code::TableShape, table.at, message, help);
    };
    match &table.keys[..] {
        [key] if key.kind == MatchKind::Exact => {
            if bits == 0 || bits > key.width.min(24) {
                let message = format!("takes {bits} bits of its key as the slot");
                bad(message, format!("choose 1 to {}", key.width.min(24)));
            } else if table.size > 1 << bits {
                let message = format!("has size {}, but {} slots", table.size, 1u32 << bits);
                bad(message, "raise `slot_bits`, or lower `size`".into());
            }
        }
        _ => bad(
            "has slots, but not a single exact key field".into(),
            "slots are the low bits of one exact field: change the key, or drop `slot_bits`".into(),
        ),
    }
}

fn const_entries(tables: &Tables, id: TableId, table: &Table, found: &mut Diagnostics) {
    let mut keys: Vec<Vec<KeyValue>> = Vec::new();
    for entry in &table.const_entries {
        match tables.check_const(id, entry) {
            Err(error) => found.push(Code::ConstEntry, entry.at, error.to_string(), "change the entry"),
            Ok(key) if keys.contains(&key) => {
                let message = format!("table `{}` has an entry with this key already", table.name);
                found.push(Code::ConstEntry, entry.at, message, "the first wins: remove this one");
            }
            Ok(key) => keys.push(key),
        }
    }
    let (entries, size) = (table.const_entries.len(), table.size);
    if entries > size as usize {
        let message = format!("table `{}` has {entries} entries, but size {size}", table.name);
        found.push(Code::ConstEntry, table.at, message, "raise its `size`");
    }
}

fn flow_table(table: &FlowTable, found: &mut Diagnostics) {
    let mut bad = |message: String, help: &str| {
        let message = format!("flow table `{}` {message}", table.name);
        found.push(Code::FlowShape, table.at, message, help);
    };
    if !table.entries.is_power_of_two() || !(8..=1 << 26).contains(&table.entries) {
        let message = format!("has {} entries", table.entries);
        bad(message, "choose a power of two from 8 to 67,108,864");
    }
    if !(1..=176).contains(&table.key_bits()) {
        let message = format!("has a key of {} bits", table.key_bits());
        bad(message, "a key has 1 to 176 bits: leave out what the other fields imply");
    }
    if !(1..=crate::flow::ID_BITS).contains(&table.id_width) {
        bad(format!("holds ids of {} bits", table.id_width), "an id has 1 to 24 bits");
    }
    if !(1..=4).contains(&table.idle.len()) {
        let message = format!("has {} classes of time-outs", table.idle.len());
        bad(message, "state 1 to 4 times `idle(...)`");
    }
    for (class, idle) in table.idle.iter().enumerate() {
        let limits = [("new", idle.new), ("tcp", idle.tcp), ("udp", idle.udp), ("closing", idle.closing)];
        for (state, limit) in limits.into_iter().filter(|(_, l)| !(1..=LONGEST).contains(l)) {
            let message = format!("lets `{state}` flows of class {class} idle for {limit} ms");
            bad(message, "choose 1 ms to 2 hours");
        }
    }
}

fn check_ring(ring: &Ring, found: &mut Diagnostics) {
    let mut bad = |message: String, help: &str| {
        let message = format!("ring `{}` {message}", ring.name);
        found.push(Code::RingShape, ring.at, message, help);
    };
    let divisors = || (2..).take_while(|d| d * d <= ring.slots);
    let in_range = (2..=1 << 20).contains(&ring.slots);
    if !in_range || !ring.slots.is_power_of_two() && divisors().any(|d| ring.slots.is_multiple_of(d)) {
        let help = "choose a prime (65537) or a power of two (65536) from 2 to 1,048,576";
        bad(format!("has {} slots", ring.slots), help);
    }
    if !(1..=4096).contains(&ring.pools) {
        bad(format!("has {} pools", ring.pools), "choose 1 to 4,096");
    }
    if !(1..=32).contains(&ring.pool_width) {
        bad(format!("numbers pools with {} bits", ring.pool_width), "a pool's number has 1 to 32 bits");
    } else if u64::from(ring.pools) > 1 << ring.pool_width {
        let message = format!("has {} pools, but numbers them with {} bits", ring.pools, ring.pool_width);
        bad(message, "widen the pool's type, or lower `pools`");
    }
    if !(1..=crate::flow::ID_BITS).contains(&ring.id_width) {
        bad(format!("holds ids of {} bits", ring.id_width), "an id has 1 to 24 bits");
    }
}
