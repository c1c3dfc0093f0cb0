//! A registry that was lost.

use crate::lab::{Lab, bind, deregister, drain, register, spec};
use control_core::node::{Desired, Part, encode, merge};
use control_core::{Command, Health, NodeView, Observation, Settings, State};
use control_proto::v1::*;

/// One of everything that a registry can know of a backend, and a pool whose last one went.
fn eventful() -> Lab {
    let mut lab = Lab::web(&["a", "b", "c", "d", "e", "f", "g"]);
    let labels = |n: usize| (0..n).map(|i| (format!("key{i}"), format!("value {i}"))).collect();
    let (weight, readiness_url) = (Some(30), "https://shop.example:8443/ready?x=1".to_owned());
    let told = BackendSpec { labels: labels(32), weight, readiness_url, ..spec("web", "a", "10.0.0.1") };
    lab.run(&Command::Update(UpdateBackendRequest { backend: Some(told) })).unwrap();
    let how = Some(probe::How::Http(HttpProbe { path: "/live".into(), ..Default::default() }));
    let liveness = Some(Probe { how, interval_ms: 2_000, ..Default::default() });
    let settings =
        PoolSettings { liveness, when_unhealthy: 1, panic_percent: 80, ring_slots: 0, ..Default::default() };
    let (name, settings) = ("web".into(), Some(settings));
    lab.run(&Command::CreatePool(CreatePoolRequest { name, settings, replace: true })).unwrap();
    for (name, health) in [("b", Health::Unhealthy), ("c", Health::NotReady), ("b", Health::Healthy)] {
        lab.now += 1_000;
        lab.see("web", name, Some(health));
    }
    lab.run(&drain("web", "d", 600_000, false)).unwrap();
    lab.run(&drain("web", "e", 5_000, false)).unwrap();
    lab.run(&deregister("web", "f", false)).unwrap();
    lab.now += 5_000;
    lab.run(&Command::Tick).unwrap();
    lab.see("web", "g", None);
    // No node forwards by what follows.
    let pending = BackendSpec { labels: labels(2), ..spec("web", "h", "10.0.0.8") };
    lab.run(&Command::Register(RegisterBackendRequest { backend: Some(pending) })).unwrap();
    lab.pool("idle");
    lab.run(&bind("idle", "203.0.113.11", 443)).unwrap();
    for (name, address) in [("x", "10.0.1.1"), ("y", "10.0.1.2"), ("z", "10.0.1.3")] {
        lab.run(&register("idle", name, address)).unwrap();
        lab.see("idle", name, Some(Health::Healthy));
    }
    for name in ["x", "y", "z"] {
        lab.see("idle", name, Some(Health::NotReady));
    }
    lab
}

#[test]
fn all_that_the_registry_knew_is_adopted() {
    let mut lost = eventful();
    let mut states: Vec<_> =
        lost.state.pools()["web"].backends.values().map(|b| b.state().as_str_name()).collect();
    states.sort_unstable();
    let some = ["DRAINING", "EVICTED", "HEALTHY", "HEALTHY", "NOT_READY", "PENDING", "UNKNOWN"];
    assert_eq!(states, some, "there is something to lose");
    let mut offered = lost.offered();
    offered.node = "edge-7".into();
    let version = offered.version;
    let mut lab = lost.adopting(offered.clone());
    assert_eq!(lab.known(), lost.known());
    assert!(lab.state.version() > version, "nodes take it for news");
    let (last, first) = (lost.state.events().last().unwrap(), lab.state.events().next().unwrap());
    assert_eq!(first.number, last.number + 1, "who follows events misses none");
    let told = format!("2 pools and 9 backends, from node edge-7, version {version}");
    assert_eq!((first.kind.as_str(), first.text.as_str()), ("registry.adopted", told.as_str()));

    // What it was made of goes on: rings, drains, numbers.
    for lab in [&mut lab, &mut lost] {
        for (pool, name) in
            [("web", "c"), ("web", "g"), ("web", "h"), ("idle", "y"), ("idle", "x"), ("idle", "z")]
        {
            lab.see(pool, name, Some(Health::Healthy));
        }
        lab.now += 594_999;
        lab.run(&Command::Tick).unwrap();
        assert_eq!(lab.backend("web", "d").state(), BackendState::Draining);
        lab.now += 1;
        lab.run(&Command::Tick).unwrap();
        assert_eq!(lab.backend("web", "d").state(), BackendState::Evicted);
    }
    assert_eq!((lab.slots("web"), lab.slots("idle")), (lost.slots("web"), lost.slots("idle")));
    let refused = lab.run(&Command::Adopt(offered)).unwrap_err();
    assert!(refused.text.contains("not empty"), "{refused}");
    // New ids are far from those in use, of which some may be gone only lately.
    lab.run(&register("web", "n", "10.0.0.77")).unwrap();
    assert_eq!(lab.id("web", "n").unwrap() >> 14, 1);
}

/// A drain whose end came while nobody ran it gets its window again.
#[test]
fn a_drain_that_ended_meanwhile_has_its_window_again() {
    let lost = eventful();
    for tables_only in [false, true] {
        let mut offered = lost.offered();
        if tables_only {
            offered.records.clear();
        }
        let mut late = Lab::with(lost.settings.clone());
        late.now = lost.now + 10_000_000;
        late.run(&Command::Adopt(offered)).unwrap();
        late.run(&Command::Tick).unwrap();
        let window = if tables_only { late.settings.drain_ms } else { 600_000 };
        assert_eq!(late.backend("web", "d").drain_deadline_ms, late.now + window, "{tables_only}");
    }
}

/// Records that can't be right, and those of agents that keep none: tables are adopted all the same, frozen until checkers report.
#[test]
fn without_records_tables_are_adopted() {
    let lost = eventful();
    let good = lost.offered();
    let check = |why: &str, change: &dyn Fn(&mut Vec<Record>)| {
        let mut offered = good.clone();
        change(&mut offered.records);
        let lab = lost.adopting(offered);
        let text = &lab.state.events().next().unwrap().text;
        assert!(text.contains("labels are lost") && text.contains(why), "{why}: {text}");
        let adopted = lab.snapshot();
        assert_eq!(adopted.vips, good.vips, "{why}");
        for (is, was) in adopted.pools.iter().zip(&good.pools) {
            assert_eq!(NodePool { version: was.version, ..is.clone() }, *was, "{why}");
        }
        assert_eq!(lab.backend("web", "a").state(), BackendState::Unknown, "{why}");
        assert_eq!(lab.backend("web", "d").state(), BackendState::Draining, "{why}");
        assert!(lab.backend("web", "a").spec.unwrap().labels.is_empty(), "{why}");
        assert_eq!(lab.slots("web"), lost.slots("web"), "{why}");
    };
    let find = |records: &mut Vec<Record>, key: &str| records.iter().position(|r| r.key == key).unwrap();
    let swap = |records: &mut Vec<Record>, key: &str, old: &[u8], new: &[u8]| {
        let at = find(records, key);
        let mut bytes = records[at].value.clone().unwrap().to_vec();
        let place = bytes.windows(old.len()).position(|w| w == old).unwrap();
        bytes[place..place + old.len()].copy_from_slice(new);
        records[at].value = Some(bytes.into());
    };
    check("no records", &Vec::clear);
    check("the records have format 99", &|r| {
        let at = find(r, "meta");
        r[at].value = Some(vec![8, 99].into());
    });
    check("can't be read", &|r| {
        let at = find(r, "backend/web/a");
        r[at].value = Some(vec![0xff; 9].into());
    });
    check("not those of its tables", &|r| r.retain(|r| r.key != "backend/web/a"));
    check("its pool is missing", &|r| r.retain(|r| r.key != "pool/web"));
    check("not those of its tables", &|r| swap(r, "backend/web/c", b"10.0.0.3", b"10.0.0.9"));
    check("control characters", &|r| swap(r, "backend/web/a", b"value 7", b"value\n7"));
    check("no such kind", &|r| r[1].key = "odd".into());
}

/// Each change of the tables that are offered is refused, and nothing is adopted.
#[test]
fn what_can_t_be_right_is_not_adopted() {
    let good = Lab::web(&["a", "b"]).snapshot();
    let check = |part: &str, change: fn(&mut NodeSnapshot)| {
        let mut bad = good.clone();
        change(&mut bad);
        let mut lab = Lab::new();
        let refused = lab.run(&Command::Adopt(bad)).expect_err(part);
        assert!(refused.text.contains(part), "{part}: {refused}");
        assert!(lab.state.is_new());
    };
    check("out of range", |s| s.pools[0].number = 64);
    check("digest", |s| s.pools[0].table.as_mut().unwrap().digest ^= 1);
    check("half words", |s| {
        let table = s.pools[0].table.as_mut().unwrap();
        table.slots = table.slots.slice(1..);
    });
    check("shares", |s| s.pools[0].shares.truncate(1));
    check("finds Draining", |s| s.pools[0].backends[0].found = BackendState::Draining.into());
    check("leads nowhere", |s| s.vips[0].pool = "nobody".into());
    check("is not in what is offered", |s| s.pool_numbers.push(7));
    check("twice", |s| {
        let twice = s.vips[0].clone();
        s.vips.push(twice);
    });
    check("no backend id", |s| s.pools[0].backends[0].id = 0);
}

/// What forwards nothing is told in records alone, without the pool's tables.
#[test]
fn a_label_is_told_in_few_bytes() {
    let mut lab = Lab::web(&["a", "b", "c"]);
    let before = NodeView::of(&lab.state, &NodeView::default());
    let labels = [("rack".to_owned(), "r7".to_owned())].into();
    let told = BackendSpec { labels, ..spec("web", "a", "10.0.0.1") };
    lab.run(&Command::Update(UpdateBackendRequest { backend: Some(told) })).unwrap();
    let after = NodeView::of(&lab.state, &before);
    assert_eq!((after.tables_version, after.version), (before.tables_version, before.version + 1));
    let message = after.since(Some(&before));
    let keys: Vec<&str> = message.records.iter().map(|r| r.key.as_str()).collect();
    assert!(message.pools.is_empty());
    assert_eq!(keys, ["meta", "pool/web", "backend/web/a"]);
}

/// As many labels as can be, on 750 backends.
#[test]
fn as_many_labels_as_can_be_are_adopted() {
    let settings = Settings { ring_slots: 1_009, ..Settings::default() };
    let mut state = State::new(settings.clone());
    let mut run = |command: &Command| state = state.apply(command, 1_000, 99).unwrap().state;
    run(&Command::CreatePool(CreatePoolRequest { name: "web".into(), ..Default::default() }));
    run(&bind("web", "203.0.113.10", 80));
    let name = |n: u32| format!("{n:0>63}");
    for n in 0..750 {
        let labels = (0..32).map(|k| (format!("{k:k>63}"), format!("{n:v>63}"))).collect();
        let spec =
            BackendSpec { labels, ..spec("web", &name(n), &format!("10.0.{}.{}", n / 250, n % 250 + 1)) };
        run(&Command::Register(RegisterBackendRequest { backend: Some(spec) }));
    }
    let seen = |n| {
        let (pool, backend, id) = ("web".into(), name(n), n + 1);
        Observation { pool, backend, id, health: Some(Health::Healthy), reason: "the test says so".into() }
    };
    run(&Command::Observe((0..750).map(seen).collect()));
    let first = NodeView::of(&state, &NodeView::default()).since(None);
    let node = merge(&Desired::default(), Part::Whole, &first).unwrap();
    let bytes = encode(&node.to_snapshot()).len();
    assert!((750 * 32 * 126..4 << 20).contains(&bytes), "{bytes}");
    let adopted = State::new(settings).apply(&Command::Adopt(node.to_snapshot()), 1_000, 99).unwrap().state;
    assert_eq!(adopted.pools()["web"].backends, state.pools()["web"].backends);
}
