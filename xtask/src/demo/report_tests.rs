//! Each check fails when what it checks fails.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::demo::load::Job;
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
    let checks = vec![Check { ok: true, text: "EVICTED".into() }];
    Event {
        name: "b2 is drained".into(),
        moved: 3,
        expected_moved: 3,
        flows: 10,
        transfers: 5,
        checks,
        ..Event::default()
    }
}

/// Every VIP and every backend has got two packets.
fn good_page() -> String {
    let line = |what: &str, name: &str| {
        format!(
            "guideway_{what}_packets_total{{{what}=\"{name}\"}} 2\nguideway_{what}_bytes_total{{{what}=\"{name}\"}} 200\n"
        )
    };
    let vips = POOLS.iter().map(|(_, vip)| line("vip", &vip.to_string()));
    let lines = vips.chain(BACKENDS.iter().map(|name| line("backend", name))).collect::<String>();
    lines + "guideway_drops_total{reason=\"mtu\"} 1\n"
}

fn report(change: impl FnOnce(&mut Vec<Outcome>, &mut Vec<Outcome>, &mut Event, &mut String)) -> Report {
    let (mut mixed, mut full) = (good_mix(), vec![outcome("b1", None, 1480)]);
    let (mut event, mut balancer) = (good_event(), good_page());
    change(&mut mixed, &mut full, &mut event, &mut balancer);
    let balancer = Metrics::parse(&balancer);
    let decap =
        Status { counters: BTreeMap::from([("drop.not_allowed".into(), Count { packets: 4, bytes: 4 })]) };
    Report::new(Findings {
        plane: DataPlane::Xdp,
        mixed: &mixed,
        full_sized: &full,
        events: vec![event],
        timeline: vec![Moment { at: 1.0, what: "b2 is drained".into() }],
        loaded: &[balancer.clone(), Metrics::parse(&good_page())],
        balancers: vec![balancer],
        decaps: vec![decap],
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
    assert_eq!(keys(&value), ["ok", "data_plane", "connections", "backends", "events", "timeline", "drops"]);
    assert_eq!(keys(&value["connections"]), ["total", "failed"]);
    assert_eq!(keys(&value["backends"][0]), ["name", "connections", "ideal"]);
    assert_eq!(
        keys(&value["events"][0]),
        ["name", "at", "seconds", "transfers", "broken", "flows", "moved", "expected_moved"]
    );
    assert_eq!(keys(&value["timeline"][0]), ["at", "what"]);
}

#[test]
fn every_fault_is_seen() {
    type Fault = fn(&mut Vec<Outcome>, &mut Vec<Outcome>, &mut Event, &mut String);
    let faults: [(&str, Fault); 11] = [
        ("a failed connection", |mixed, _, _, _| mixed[0] = outcome("b1", Some("reset"), 0)),
        ("no connections at all", |mixed, _, _, _| mixed.clear()),
        ("one backend gets everything", |mixed, _, _, _| mixed.fill(outcome("b1", None, 1500))),
        ("no path MTU was learned", |_, full, _, _| full[0] = outcome("b1", None, 1500)),
        ("a full-sized upload failed", |_, full, _, _| full[0] = outcome("b1", Some("timed out"), 0)),
        ("a transfer elsewhere broke", |_, _, event, _| event.broken = 1),
        ("too many flows moved", |_, _, event, _| event.moved += 1),
        ("no flow was made", |_, _, event, _| (event.flows, event.moved, event.expected_moved) = (0, 0, 0)),
        ("no transfer was under way", |_, _, event, _| event.transfers = 0),
        ("what else had to hold did not", |_, _, event, _| event.checks[0].ok = false),
        ("a node forwarded nothing", |_, _, _, page| *page = page.replace("_backend_", "_nobody_")),
    ];
    for (name, fault) in faults {
        let report = report(fault);
        assert!(!report.ok, "{name} went unnoticed");
        assert!(report.text().contains("FAILED"), "{name}");
    }
}
