//! Numbers that the data plane knows things by.

use crate::lab::{Lab, bind, deregister, drain, register, spec};
use control_core::{Command, Health, LONGEST_TIMEOUT_MS, Settings};
use control_proto::v1::*;
use std::collections::BTreeSet;

#[test]
fn recovery_and_a_new_address_keep_the_id_a_new_registration_does_not() {
    let mut lab = Lab::web(&["a", "b", "c", "d"]);
    let id = lab.id("web", "b").unwrap();
    lab.see("web", "b", Some(Health::Unhealthy));
    lab.see("web", "b", Some(Health::Healthy));
    let backend = Some(spec("web", "b", "10.9.9.9"));
    lab.run(&Command::Update(UpdateBackendRequest { backend })).unwrap();
    assert_eq!(lab.id("web", "b"), Some(id));
    lab.run(&drain("web", "b", 1, false)).unwrap();
    lab.now += 1;
    lab.run(&Command::Tick).unwrap();
    assert_eq!(lab.backend("web", "b").state(), BackendState::Evicted);
    lab.run(&register("web", "b", "10.9.9.9")).unwrap();
    let again = lab.id("web", "b").unwrap();
    assert_ne!(again, id);
    lab.run(&deregister("web", "b", false)).unwrap();
    lab.run(&register("web", "b", "10.9.9.9")).unwrap();
    assert!(![id, again].contains(&lab.id("web", "b").unwrap()));
}

#[test]
fn ids_are_24_bits_and_share_no_slot() {
    // Four bits of slots: incarnations come soon.
    let mut lab = Lab::with(Settings { slot_bits: 4, backends: 15, ..Lab::new().settings });
    lab.pool("web");
    let mut ever = BTreeSet::new();
    for round in 0..40 {
        for n in 0..3 {
            lab.run(&register("web", &format!("b{n}"), &format!("10.0.{round}.{n}"))).unwrap();
        }
        let now: Vec<u32> = (0..3).map(|n| lab.id("web", &format!("b{n}")).unwrap()).collect();
        let slots: BTreeSet<u32> = now.iter().map(|id| id & 15).collect();
        assert_eq!(slots.len(), 3);
        assert!(now.iter().all(|&id| id > 0 && id < 1 << 24 && ever.insert(id)), "{now:?}");
        for n in 0..3 {
            lab.run(&deregister("web", &format!("b{n}"), true)).unwrap();
        }
    }
}

#[test]
fn a_pool_number_rests_for_the_longest_time_out() {
    let mut lab = Lab::with(Settings { pools: 3, ..Lab::new().settings });
    lab.pool("a");
    lab.pool("b");
    lab.run(&Command::DeletePool(DeletePoolRequest { name: "a".into() })).unwrap();
    let create = Command::CreatePool(CreatePoolRequest { name: "c".into(), ..Default::default() });
    lab.now += LONGEST_TIMEOUT_MS - 1;
    let refused = lab.run(&create).unwrap_err();
    assert!(refused.text.contains("within the last 60 minutes"), "{refused}");
    lab.now += 1;
    lab.run(&create).unwrap();
    assert_eq!(lab.state.pools()["c"].about.number, 1);
}

#[test]
fn a_vip_that_moves_keeps_its_number_and_key() {
    let mut lab = Lab::web(&["a"]);
    lab.pool("other");
    let before = lab.state.vips().values().next().unwrap().clone();
    let request = BindVipToPoolRequest { replace: true, ..crate::lab::vip("other", "203.0.113.10", 80) };
    lab.run(&Command::BindVip(request)).unwrap();
    let after = lab.state.vips().values().next().unwrap().clone();
    assert_eq!(after, Vip { pool: "other".into(), ..before.clone() });
    let unbind = UnbindVipRequest { address: "203.0.113.10".into(), protocol: 6, port: 80 };
    lab.run(&Command::UnbindVip(unbind)).unwrap();
    lab.run(&bind("web", "203.0.113.10", 80)).unwrap();
    assert_ne!(lab.state.vips().values().next().unwrap().number, before.number);
}
