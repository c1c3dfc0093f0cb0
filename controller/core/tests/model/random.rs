//! Any commands in any order: records hold the state, nodes take what comes, and what is always true stays true.

use crate::lab::{Lab, bind, deregister, drain, register, spec, undrain};
use control_core::{Command, Health, Life};
use control_proto::v1::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few dozen of them")]
enum Do {
    Run(Command),
    See(usize, Option<Health>),
    FlowsGone(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Do> {
    let name = 0..NAMES.len();
    let health = prop_oneof![
        4 => Just(Some(Health::Healthy)),
        2 => Just(Some(Health::Unhealthy)),
        1 => Just(Some(Health::NotReady)),
        1 => Just(None),
    ];
    prop_oneof![
        3 => (name.clone(), 0..3_u32).prop_map(|(n, k)| Do::Run(register("web", NAMES[n], &format!("10.0.{k}.{n}")))),
        2 => (name.clone(), any::<bool>()).prop_map(|(n, force)| Do::Run(deregister("web", NAMES[n], force))),
        3 => (name.clone(), 0..1_200_u32).prop_map(|(n, weight)| {
            let spec = BackendSpec { weight: Some(weight), ..spec("web", NAMES[n], &format!("10.0.9.{n}")) };
            Do::Run(Command::Update(UpdateBackendRequest { backend: Some(spec) }))
        }),
        3 => (name.clone(), any::<bool>()).prop_map(|(n, force)| Do::Run(drain("web", NAMES[n], 500, force))),
        2 => name.clone().prop_map(|n| Do::Run(undrain("web", NAMES[n]))),
        9 => (name.clone(), health).prop_map(|(n, health)| Do::See(n, health)),
        1 => name.prop_map(Do::FlowsGone),
        2 => (1..1_000_u64).prop_map(Do::Wait),
        1 => (80..83_u32).prop_map(|port| Do::Run(bind("web", "203.0.113.10", port))),
        1 => Just(Do::Run(Command::DeletePool(DeletePoolRequest { name: "web".into() }))),
        1 => Just(Do::Run(Command::CreatePool(CreatePoolRequest { name: "web".into(), ..Default::default() }))),
    ]
}

/// What holds after every step.
fn sound(lab: &Lab, given: &mut BTreeMap<u32, (String, u64)>) {
    let Some(pool) = lab.state.pools().get("web") else { return };
    for b in pool.backends.values() {
        let (name, _) = given.entry(b.id).or_insert_with(|| (b.spec.name.clone(), lab.now));
        assert_eq!(*name, b.spec.name, "an id is one backend's");
    }
    let members: BTreeSet<u32> = pool.members().into_iter().map(|(id, _)| id).collect();
    let owners: BTreeSet<u32> = lab.slots("web").into_iter().collect();
    assert!(owners.is_subset(&members), "{owners:?} of {members:?}");
    assert_eq!(owners.is_empty(), members.is_empty());
    let panic = pool.panics();
    for b in pool.backends.values() {
        let told = pool.tell(b);
        assert!(!told.in_ring || told.in_table, "{told:?}");
        assert!(!told.in_ring || b.life == Life::InService);
        assert!(b.health != Health::Unhealthy || panic || !told.in_ring);
    }
    if let Some(at) = lab.state.next_deadline() {
        assert!(at > lab.now, "a deadline has passed and nothing came of it");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_commands(steps in proptest::collection::vec(step(), 1..60)) {
        let mut lab = Lab::new();
        lab.pool("web");
        let mut given = BTreeMap::new();
        for step in steps {
            let before = lab.state.clone();
            let refused = match step {
                Do::Run(command) => lab.run(&command).is_err(),
                Do::See(n, health) => { lab.see("web", NAMES[n], health); false }
                Do::FlowsGone(n) => {
                    let id = lab.id("web", NAMES[n]).unwrap_or_default();
                    lab.run(&Command::FlowsGone(vec![id])).unwrap();
                    false
                }
                Do::Wait(ms) => {
                    lab.now += ms;
                    lab.run(&Command::Tick).unwrap();
                    false
                }
            };
            prop_assert!(!refused || lab.state == before);
            sound(&lab, &mut given);
            prop_assert_eq!(lab.adopting(lab.offered()).known(), lab.known(), "lost and adopted");
        }
    }
}
