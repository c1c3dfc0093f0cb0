//! The table of states, row by row.

use crate::lab::{Lab, drain, register, undrain};
use control_core::{Command, Health};
use control_proto::v1::*;

/// What happens to backend `b` of three.
#[derive(Clone, Copy, Debug)]
enum Do {
    See(Health),
    Lose,
    Drain,
    Undrain,
    Wait(u64),
    FlowsGone,
}
use Do::*;

/// After `steps`, `b` is in `state`; whether it is in the ring and in the table; `keep` is the pool's policy.
fn check(keep: bool, steps: &[Do], state: BackendState, in_ring: bool, in_table: bool) {
    let mut lab = Lab::web(&["a", "c", "d"]);
    let when_unhealthy = if keep { WhenUnhealthy::Keep } else { WhenUnhealthy::Reset }.into();
    let settings = Some(PoolSettings { when_unhealthy, ..Default::default() });
    let request = CreatePoolRequest { name: "web".into(), settings, replace: true };
    lab.run(&Command::CreatePool(request)).unwrap();
    lab.run(&register("web", "b", "10.0.0.9")).unwrap();
    for step in steps {
        match step {
            See(health) => lab.see("web", "b", Some(*health)),
            Lose => lab.see("web", "b", None),
            Drain => drop(lab.run(&drain("web", "b", 0, false)).unwrap()),
            Undrain => drop(lab.run(&undrain("web", "b")).unwrap()),
            Wait(ms) => {
                lab.now += ms;
                lab.run(&Command::Tick).unwrap();
            }
            FlowsGone => {
                let id = lab.id("web", "b").unwrap();
                lab.run(&Command::FlowsGone(vec![id])).unwrap();
            }
        }
    }
    let b = lab.backend("web", "b");
    assert_eq!(
        (b.state(), b.in_ring, b.in_table),
        (state, in_ring, in_table),
        "{steps:?}, keep {keep}: {}",
        b.reason
    );
    assert_eq!(lab.slots("web").contains(&b.id), in_ring, "{steps:?}");
    let node = lab.snapshot();
    assert_eq!(node.pools[0].backends.iter().any(|held| held.id == b.id), in_table, "{steps:?}");
}

#[test]
fn what_a_state_means_for_the_data_plane() {
    use BackendState as S;
    use Health::{Healthy, NotReady, Unhealthy};
    for keep in [false, true] {
        check(keep, &[], S::Pending, false, false);
        for never_ready in [See(Unhealthy), See(NotReady), Lose] {
            check(keep, &[never_ready], S::Pending, false, false);
        }
        check(keep, &[See(Healthy)], S::Healthy, true, true);
        check(keep, &[See(Healthy), See(NotReady)], S::NotReady, false, true);
        check(keep, &[See(Healthy), See(NotReady), See(Healthy)], S::Healthy, true, true);
        check(keep, &[See(Healthy), See(Unhealthy)], S::Unhealthy, false, keep);
        check(keep, &[See(Healthy), See(Unhealthy), See(Healthy)], S::Healthy, true, true);
        // Frozen as it was.
        check(keep, &[See(Healthy), Lose], S::Unknown, true, true);
        check(keep, &[See(Healthy), See(NotReady), Lose], S::Unknown, false, true);
        check(keep, &[See(Healthy), See(Unhealthy), Lose], S::Unknown, false, keep);
        check(keep, &[See(Healthy), Lose, See(Healthy)], S::Healthy, true, true);
        // Drains.
        check(keep, &[See(Healthy), Drain], S::Draining, false, true);
        check(keep, &[See(Healthy), Drain, Wait(59_999)], S::Draining, false, true);
        check(keep, &[See(Healthy), Drain, Wait(60_000)], S::Evicted, false, false);
        check(keep, &[See(Healthy), Drain, FlowsGone], S::Evicted, false, false);
        check(keep, &[See(Healthy), Drain, Wait(30_000), Undrain], S::Healthy, true, true);
        check(keep, &[See(Healthy), Drain, Lose, Undrain], S::Unknown, true, true);
        check(keep, &[See(Healthy), Drain, Wait(30_000), Drain, Wait(30_000)], S::Evicted, false, false);
        // A drain keeps flows on who can serve them.
        check(keep, &[See(Healthy), Drain, See(Unhealthy)], S::Draining, false, keep);
        check(keep, &[See(Healthy), Drain, See(NotReady), Undrain], S::NotReady, false, true);
        check(keep, &[Drain], S::Draining, false, false);
        check(keep, &[Drain, See(Healthy), Undrain], S::Healthy, true, true);
        // Nobody's flows end who is not draining.
        check(keep, &[See(Healthy), FlowsGone], S::Healthy, true, true);
        check(keep, &[See(Healthy), Drain, FlowsGone, See(Healthy)], S::Evicted, false, false);
    }
}

#[test]
fn weight_0_is_out_of_the_ring_and_keeps_its_flows() {
    let mut lab = Lab::web(&["a", "b"]);
    let mut spec = crate::lab::spec("web", "b", "10.0.0.2");
    spec.weight = Some(0);
    lab.run(&Command::Update(UpdateBackendRequest { backend: Some(spec) })).unwrap();
    let b = lab.backend("web", "b");
    assert_eq!((b.state(), b.in_ring, b.in_table), (BackendState::Healthy, false, true));
    assert_eq!(lab.shares("web"), [("a".to_owned(), 251)]);
}

#[test]
fn more_than_half_unhealthy_is_a_panic() {
    let mut lab = Lab::web(&["a", "b", "c", "d"]);
    let whole = lab.slots("web");
    for name in ["a", "b"] {
        lab.see("web", name, Some(Health::Unhealthy));
    }
    assert_eq!(lab.shares("web").len(), 2, "half of them: no panic");
    lab.see("web", "c", Some(Health::Unhealthy));
    assert_eq!(lab.slots("web"), whole, "all are used, each on its own slots");
    let a = lab.backend("web", "a");
    assert_eq!((a.state(), a.in_ring, a.in_table), (BackendState::Unhealthy, true, true));
    assert!(lab.state.alarms()[0].contains("all are used"));
    lab.see("web", "b", Some(Health::Healthy));
    assert_eq!(lab.shares("web").len(), 2, "the panic is over");
    let kinds: Vec<&str> = lab.state.events().map(|e| e.kind.as_str()).collect();
    assert!(kinds.contains(&"alarm.panic") && kinds.contains(&"alarm.panic.over"), "{kinds:?}");
}

#[test]
fn an_empty_pool_has_an_empty_table_and_comes_back_as_it_was() {
    let mut lab = Lab::web(&["a", "b", "c"]);
    let whole = lab.slots("web");
    for name in ["a", "b"] {
        lab.run(&drain("web", name, 0, false)).unwrap();
    }
    let refused = lab.run(&drain("web", "c", 0, false)).unwrap_err();
    assert!(refused.text.contains("last backend in service"), "{refused}");
    lab.run(&drain("web", "c", 0, true)).unwrap();
    assert!(lab.slots("web").is_empty(), "never an old ring");
    assert!(lab.snapshot().pools[0].table.as_ref().unwrap().slots.is_empty());
    assert!(lab.state.events().any(|e| e.kind == "alarm.empty_pool"));
    assert!(lab.state.alarms()[0].contains("nobody is in service"));
    for name in ["c", "b", "a"] {
        lab.run(&undrain("web", name)).unwrap();
    }
    assert_eq!(lab.slots("web"), whole);
    assert!(lab.state.alarms().is_empty());
}

#[test]
fn a_failure_moves_its_own_slots_only() {
    let mut lab = Lab::web(&["a", "b", "c", "d", "e"]);
    let (whole, b) = (lab.slots("web"), lab.id("web", "b").unwrap());
    lab.see("web", "b", Some(Health::Unhealthy));
    for (was, is) in whole.iter().zip(lab.slots("web")) {
        assert!(*was == is || *was == b);
    }
    lab.see("web", "b", Some(Health::Healthy));
    assert_eq!(lab.slots("web"), whole);
}

#[test]
fn what_nodes_need_not_see_does_not_reach_them() {
    let mut lab = Lab::web(&["a", "b"]);
    let (version, for_nodes) = (lab.state.version(), lab.state.node_version());
    let mut spec = crate::lab::spec("web", "b", "10.0.0.2");
    spec.labels.insert("rack".into(), "7".into());
    lab.run(&Command::Update(UpdateBackendRequest { backend: Some(spec) })).unwrap();
    assert!(lab.state.version() > version, "watchers of the pool see it");
    assert_eq!(lab.state.node_version(), for_nodes);
    lab.see("web", "a", None);
    assert_eq!(lab.state.node_version(), for_nodes, "frozen is as it was");
}

/// When it went down is kept, the last eight times of each kind, for whoever leads next.
#[test]
fn ways_down_are_kept() {
    use Health::{Healthy, NotReady, Unhealthy};
    let mut lab = Lab::web(&["a", "b"]);
    let mut times = Vec::new();
    for turn in 0..10 {
        for health in [Unhealthy, NotReady, Healthy, NotReady, Healthy] {
            lab.now += 1_000;
            lab.see("web", "b", Some(health));
        }
        times.push((lab.now - 4_000, lab.now - 1_000));
        let kept = &lab.state.pools()["web"].backends["b"].downs;
        let last = &times[times.len().saturating_sub(8)..];
        let (live, ready): (Vec<u64>, Vec<u64>) = last.iter().copied().unzip();
        assert_eq!((&kept.live, &kept.ready), (&live, &ready), "{turn}");
    }
}
