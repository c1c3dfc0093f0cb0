//! Bad input: a clear error with its code, and nothing changed.

use crate::lab::{Lab, SLOTS, bind, deregister, drain, register, spec, undrain, vip};
use control_core::{Code, Command, Settings};
use control_proto::v1::*;

/// The command is refused with this code, and words; the state is what it was.
fn check(lab: &mut Lab, command: &Command, code: Code, part: &str) {
    let before = lab.state.clone();
    match lab.run(command) {
        Ok(reply) => panic!("{command:?} was taken: {reply:?}"),
        Err(refused) => {
            assert_eq!(refused.code, code, "{command:?}: {refused}");
            assert!(refused.text.contains(part), "{command:?}: {refused}");
            assert!(refused.text.len() < 400, "{} bytes of text", refused.text.len());
        }
    }
    assert!(lab.state == before, "{command:?}");
}

fn with(change: impl Fn(&mut BackendSpec)) -> Command {
    let mut backend = spec("web", "n", "10.0.0.99");
    change(&mut backend);
    Command::Register(RegisterBackendRequest { backend: Some(backend) })
}

fn vip_with(change: impl Fn(&mut BindVipToPoolRequest)) -> Command {
    let mut request = vip("web", "203.0.113.99", 80);
    change(&mut request);
    Command::BindVip(request)
}

fn pool_with(name: &str, change: impl Fn(&mut PoolSettings)) -> Command {
    let mut settings = PoolSettings::default();
    change(&mut settings);
    Command::CreatePool(CreatePoolRequest { name: name.into(), settings: Some(settings), replace: false })
}

#[test]
fn backends() {
    use Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound};
    let mut lab = Lab::web(&["a"]);
    let lab = &mut lab;
    check(lab, &with(|b| b.weight = Some(1_001)), InvalidArgument, "weight 1001");
    check(lab, &with(|b| b.weight = Some(u32::MAX)), InvalidArgument, "weight 4294967295");
    check(lab, &with(|b| b.pool = "nobody".into()), NotFound, "no pool `nobody`");
    check(lab, &with(|b| b.pool = String::new()), InvalidArgument, "can't name a pool");
    check(lab, &with(|b| b.name = "a b".into()), InvalidArgument, "can't name a backend");
    check(lab, &with(|b| b.name = "x".repeat(64)), InvalidArgument, "can't name a backend");
    check(lab, &with(|b| b.name = "a".into()), AlreadyExists, "with other data");
    check(lab, &with(|b| b.address = "10.0.0.1".into()), AlreadyExists, "`a` of pool `web` is at");
    check(lab, &with(|b| b.address = "ten".into()), InvalidArgument, "no IPv4 or IPv6 address");
    check(lab, &with(|b| b.address = "224.0.0.1".into()), InvalidArgument, "no single host");
    check(lab, &with(|b| b.address = "::ffff:10.0.0.1".into()), InvalidArgument, "write it as IPv4");
    check(lab, &with(|b| b.address = "203.0.113.10".into()), InvalidArgument, "address of VIP");
    check(lab, &with(|b| b.port = 65_536), InvalidArgument, "ports end at");
    check(lab, &with(|b| b.readiness_url = "gopher://a".into()), InvalidArgument, "none of http");
    check(lab, &with(|b| b.readiness_url = "http://10.7.7.7/r".into()), InvalidArgument, "can't be reached");
    check(
        lab,
        &with(|b| (b.port, b.readiness_url) = (0, "tcp://".into())),
        InvalidArgument,
        "can't be reached",
    );
    let labels = |n: usize| (0..n).map(|i| (format!("k{i}"), "v".to_owned())).collect();
    check(lab, &with(|b| b.labels = labels(33)), InvalidArgument, "33 labels");
    let ten_mb = "x".repeat(10 << 20);
    check(
        lab,
        &with(|b| drop(b.labels.insert("k".into(), ten_mb.clone()))),
        InvalidArgument,
        "10485760 of value",
    );
    check(
        lab,
        &with(|b| drop(b.labels.insert(ten_mb.clone(), String::new()))),
        InvalidArgument,
        "10485760 bytes",
    );
    check(
        lab,
        &with(|b| drop(b.labels.insert("a\nb".into(), String::new()))),
        InvalidArgument,
        "control characters",
    );
    check(
        lab,
        &Command::Register(RegisterBackendRequest { backend: None }),
        InvalidArgument,
        "names no backend",
    );
    let backend = Some(spec("web", "nobody", "10.0.0.5"));
    check(lab, &Command::Update(UpdateBackendRequest { backend }), NotFound, "no backend `nobody`");
    let backend = Some(BackendSpec { weight: Some(0), ..spec("web", "a", "10.0.0.1") });
    check(
        lab,
        &Command::Update(UpdateBackendRequest { backend }),
        FailedPrecondition,
        "last backend in service",
    );
    check(lab, &deregister("web", "a", false), FailedPrecondition, "last backend in service");
    check(lab, &deregister("nobody", "a", false), NotFound, "no pool");
    check(lab, &drain("web", "a", 0, false), FailedPrecondition, "last backend in service");
    check(lab, &drain("web", "nobody", 0, false), NotFound, "no backend");
    check(lab, &drain("web", "a", u64::MAX, true), InvalidArgument, "at most a day");
    check(lab, &undrain("web", "nobody"), NotFound, "no backend");
}

#[test]
fn pools_and_vips() {
    use Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound};
    let mut lab = Lab::web(&["a"]);
    let lab = &mut lab;
    for name in ["", "Web", "1web", "-", "w_b", "a/b", &"x".repeat(64), "caf\u{e9}"] {
        check(lab, &pool_with(name, |_| {}), InvalidArgument, "can't name a pool");
    }
    check(
        lab,
        &pool_with("new", |s| s.ring_slots = 65_535),
        InvalidArgument,
        "a ring cannot have 65535 slots",
    );
    check(lab, &pool_with("new", |s| s.ring_slots = u32::MAX), InvalidArgument, "a ring cannot have");
    check(lab, &pool_with("new", |s| s.panic_percent = 101), InvalidArgument, "at most 100");
    check(lab, &pool_with("new", |s| s.when_unhealthy = 9), InvalidArgument, "RESET or KEEP");
    let probe = |change: fn(&mut Probe)| {
        let mut probe = Probe::default();
        change(&mut probe);
        pool_with("new", move |s| s.liveness = Some(probe.clone()))
    };
    check(lab, &probe(|p| p.interval_ms = 5_001), InvalidArgument, "liveness probe: every 5001 ms");
    check(lab, &probe(|p| p.timeout_ms = 10_001), InvalidArgument, "time-out 10001 ms");
    check(lab, &probe(|p| p.port = 70_000), InvalidArgument, "ports end at");
    check(lab, &probe(|p| p.through_vip = "x".into()), InvalidArgument, "probe through");
    check(lab, &pool_with("web", |s| s.panic_percent = 70), AlreadyExists, "other settings");
    let settings = Some(PoolSettings { ring_slots: 257, ..Default::default() });
    let resize = CreatePoolRequest { name: "web".into(), settings, replace: true };
    check(lab, &Command::CreatePool(resize), FailedPrecondition, "keeps it");
    check(
        lab,
        &Command::DeletePool(DeletePoolRequest { name: "web".into() }),
        FailedPrecondition,
        "leads to pool",
    );

    lab.pool("other");
    check(lab, &bind("nobody", "203.0.113.99", 80), NotFound, "no pool `nobody`");
    check(lab, &bind("other", "203.0.113.10", 80), InvalidArgument, "overlaps: it leads to pool `web`");
    check(
        lab,
        &vip_with(|v| (v.address, v.timeout_class) = ("203.0.113.10".into(), 1)),
        AlreadyExists,
        "other flags",
    );
    check(lab, &bind("web", "203.0.113", 80), InvalidArgument, "no IPv4 or IPv6 address");
    check(lab, &bind("web", "0.0.0.0", 80), InvalidArgument, "no single host");
    check(lab, &bind("web", "127.0.0.1", 80), InvalidArgument, "this host's own");
    check(lab, &bind("web", "10.0.0.1", 80), InvalidArgument, "address of a backend");
    check(lab, &bind("web", "2001:db8::1", 80), InvalidArgument, "IPv6 packets reach IPv6 backends only");
    check(lab, &bind("web", "203.0.113.99", 65_536), InvalidArgument, "ports end at");
    check(lab, &vip_with(|v| v.protocol = 1), InvalidArgument, "protocol 1 is not balanced");
    check(lab, &vip_with(|v| v.timeout_class = 3), InvalidArgument, "time-out class 3");
    lab.run(&bind("other", "2001:db8::1", 80)).unwrap();
    check(lab, &register("other", "a", "10.0.0.7"), InvalidArgument, "IPv6 packets reach IPv6 backends only");
    lab.run(&bind("other", "203.0.113.10", 0)).expect("any port beside an exact one");
}

#[test]
fn no_room() {
    use Code::FailedPrecondition;
    let small = Settings { pools: 3, vips: 2, any: 3, backends: 2, ring_slots: SLOTS, ..Settings::default() };
    let mut lab = Lab::with(small);
    let lab = &mut lab;
    lab.pool("web");
    check(lab, &pool_with("tiny", |s| s.ring_slots = 6), Code::InvalidArgument, "prime (65537)");
    lab.run(&pool_with("tiny", |s| s.ring_slots = 2)).unwrap();
    check(lab, &pool_with("third", |_| {}), FailedPrecondition, "2 pools");
    lab.run(&bind("web", "203.0.113.1", 80)).unwrap();
    lab.run(&bind("web", "203.0.113.1", 443)).unwrap();
    check(lab, &bind("web", "203.0.113.1", 8080), FailedPrecondition, "2 VIPs with a port");
    lab.run(&bind("web", "203.0.113.1", 0)).unwrap();
    check(lab, &bind("web", "203.0.113.2", 0), FailedPrecondition, "3 together");
    lab.run(&bind("web", "2001:db8::1", 80)).expect("another family's tables");
    lab.run(&register("tiny", "a", "10.0.0.1")).unwrap();
    lab.run(&register("tiny", "b", "10.0.0.2")).unwrap();
    check(lab, &register("tiny", "c", "10.0.0.3"), FailedPrecondition, "2 slots, too few for 3 backends");
    check(lab, &register("web", "c", "2001:db8::9"), FailedPrecondition, "2 backends, as many");
}

#[test]
fn the_same_again_changes_nothing() {
    let mut lab = Lab::web(&["a", "b", "c"]);
    lab.run(&drain("web", "c", 5_000, false)).unwrap();
    let again = [
        pool_with("web", |_| {}),
        bind("web", "203.0.113.10", 80),
        register("web", "a", "10.0.0.1"),
        Command::Update(UpdateBackendRequest { backend: Some(spec("web", "b", "10.0.0.2")) }),
        drain("web", "c", 5_000, false),
        undrain("web", "a"),
        deregister("web", "nobody", false),
        Command::DeletePool(DeletePoolRequest { name: "nobody".into() }),
        Command::UnbindVip(UnbindVipRequest { address: "203.0.113.77".into(), protocol: 6, port: 80 }),
        Command::Tick,
    ];
    for command in again {
        let before = lab.state.clone();
        lab.now += 1;
        lab.run(&command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
        assert!(lab.state == before, "{command:?}");
    }
}
