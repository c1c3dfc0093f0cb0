//! A registry that was lost.

use crate::lab::{Lab, drain, spec};
use control_core::{Command, Health};
use control_proto::v1::*;

#[test]
fn tables_are_adopted_not_filled_again() {
    let mut lost = Lab::web(&["a", "b", "c", "d"]);
    lost.see("web", "b", Some(Health::Unhealthy));
    lost.see("web", "c", Some(Health::NotReady));
    lost.run(&drain("web", "d", 0, false)).unwrap();
    let offered = lost.snapshot();
    let mut lab = Lab::new();
    lab.run(&Command::Adopt(offered.clone())).unwrap();
    assert_eq!(lab.slots("web"), lost.slots("web"));
    let adopted = lab.snapshot();
    assert_eq!(adopted.vips, offered.vips);
    let (is, was) = (&adopted.pools[0], &offered.pools[0]);
    assert_eq!(
        NodePool { version: was.version, ..is.clone() },
        *was,
        "names, numbers, ring, homes, generation"
    );
    assert!(adopted.version > offered.version, "nodes take it");
    assert_eq!(lab.backend("web", "a").state(), BackendState::Unknown);
    assert_eq!(lab.backend("web", "d").state(), BackendState::Draining);
    // What it was made of goes on.
    for lab in [&mut lab, &mut lost] {
        lab.see("web", "a", Some(Health::Healthy));
        lab.see("web", "c", Some(Health::Healthy));
        lab.see("web", "b", Some(Health::Healthy));
    }
    assert_eq!(lab.slots("web"), lost.slots("web"));
    let refused = lab.run(&Command::Adopt(offered)).unwrap_err();
    assert!(refused.text.contains("not empty"), "{refused}");
    // New ids are far from those in use, of which some may be gone only lately.
    lab.run(&crate::lab::register("web", "n", "10.0.0.77")).unwrap();
    assert_eq!(lab.id("web", "n").unwrap() >> 14, 1);
}

/// Each change of what is offered is refused, and nothing is adopted.
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

/// No node is told of labels: they are lost, and who brings them back moves no slot.
#[test]
fn labels_are_lost_and_come_back_without_a_move() {
    let mut lost = Lab::web(&["a", "b"]);
    let labelled = |name: &str, address: &str| {
        let mut spec = spec("web", name, address);
        spec.labels.insert("rack".into(), "r7".into());
        Command::Update(UpdateBackendRequest { backend: Some(spec) })
    };
    let address = lost.backend("web", "a").spec.unwrap().address;
    lost.run(&labelled("a", &address)).unwrap();
    let mut lab = Lab::new();
    lab.run(&Command::Adopt(lost.snapshot())).unwrap();
    let labels = |lab: &Lab| lab.backend("web", "a").spec.unwrap().labels.len();
    assert_eq!((labels(&lost), labels(&lab)), (1, 0));
    lab.run(&labelled("a", &address)).unwrap();
    assert_eq!((labels(&lab), lab.slots("web")), (1, lost.slots("web")));
}
