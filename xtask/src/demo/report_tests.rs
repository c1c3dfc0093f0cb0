//! Each check fails when what it checks fails.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::demo::load::Job;
use crate::demo::switch::Row;
use crate::sys::TcpPath;

fn outcome(backend: &str, error: Option<&str>, path_mtu: u32) -> Outcome {
    let job = Job { client: "c4", source: "10.0.0.1:0".parse().unwrap(), kind: Kind::Small };
    let path = error.is_none().then_some(TcpPath { path_mtu, retransmits: 0 });
    Outcome { job, backend: Some(backend.into()), path, error: error.map(str::to_owned) }
}

fn good_mix() -> Vec<Outcome> {
    let names = WEIGHTS.iter().zip(BACKENDS).flat_map(|(w, name)| std::iter::repeat_n(name, *w as usize));
    names.map(|name| outcome(name, None, 1500)).collect()
}

fn good_event() -> Event {
    Event {
        name: "b2 leaves".into(),
        moved: 3,
        expected_moved: 3,
        flows: 10,
        transfers: 5,
        left: (2, 2),
        ..Event::default()
    }
}

fn good_status() -> Status {
    let row = |field: &str, value: String| Row {
        key: BTreeMap::from([(field.to_owned(), value)]),
        action: String::new(),
        count: Count { packets: 2, bytes: 200 },
    };
    let vips = VIPS.iter().map(|(_, vip)| row("dst", vip.to_string())).collect();
    let backends = (0..BACKENDS.len()).map(|slot| row("backend", (16384 + slot).to_string())).collect();
    Status {
        counters: BTreeMap::from([("drop.mtu".into(), Count { packets: 1, bytes: 1500 })]),
        tables: BTreeMap::from([("vip4".into(), vips), ("backend".into(), backends)]),
    }
}

fn report(change: impl FnOnce(&mut Vec<Outcome>, &mut Vec<Outcome>, &mut Event, &mut Status)) -> Report {
    let (mut mixed, mut full) = (good_mix(), vec![outcome("b1", None, 1480)]);
    let (mut event, mut balancer) = (good_event(), good_status());
    change(&mut mixed, &mut full, &mut event, &mut balancer);
    Report::new(Findings {
        plane: DataPlane::Xdp,
        mixed: &mixed,
        full_sized: &full,
        events: vec![event],
        balancer,
        decaps: vec![Status {
            counters: BTreeMap::from([("drop.not_allowed".into(), Count { packets: 4, bytes: 4 })]),
            ..Status::default()
        }],
    })
}

#[test]
fn all_well() {
    let report = report(|_, _, _, _| ());
    assert!(report.ok, "{}", report.text());
    assert_eq!(report.drops, BTreeMap::from([("mtu".into(), 1), ("not_allowed".into(), 4)]));
}

#[test]
fn the_json_has_the_documented_fields_only() {
    let value = serde_json::to_value(report(|_, _, _, _| ())).unwrap();
    let keys =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&value), ["ok", "data_plane", "connections", "backends", "events", "drops"]);
    assert_eq!(keys(&value["connections"]), ["total", "failed"]);
    assert_eq!(keys(&value["backends"][0]), ["name", "connections", "ideal"]);
    assert_eq!(keys(&value["events"][0]), ["name", "broken", "moved", "expected_moved"]);
}

#[test]
fn every_fault_is_seen() {
    type Fault = fn(&mut Vec<Outcome>, &mut Vec<Outcome>, &mut Event, &mut Status);
    let faults: [(&str, Fault); 9] = [
        ("a failed connection", |mixed, _, _, _| mixed[0] = outcome("b1", Some("reset"), 0)),
        ("no connections at all", |mixed, _, _, _| mixed.clear()),
        ("one backend gets everything", |mixed, _, _, _| mixed.fill(outcome("b1", None, 1500))),
        ("no path MTU was learned", |_, full, _, _| full[0] = outcome("b1", None, 1500)),
        ("a full-sized upload failed", |_, full, _, _| full[0] = outcome("b1", Some("timed out"), 0)),
        ("a transfer elsewhere broke", |_, _, event, _| event.broken = 1),
        ("too many flows moved", |_, _, event, _| event.moved += 1),
        ("nothing had to move", |_, _, event, _| (event.moved, event.expected_moved) = (0, 0)),
        ("a backend counted nothing", |_, _, _, status| {
            status.tables.get_mut("backend").unwrap().truncate(3);
        }),
    ];
    for (name, fault) in faults {
        let report = report(fault);
        assert!(!report.ok, "{name} went unnoticed");
        assert!(report.text().contains("FAILED"), "{name}");
    }
}
