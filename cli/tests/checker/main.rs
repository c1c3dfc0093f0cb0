//! Probes through the VIP against a real backend: `guideway switch --pipeline decap` and kernel TCP in a network namespace.
//! Needs root; without it each test says that it is skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used)]

#[path = "../native/lab.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod lab;

use control_checker::probe::{Found, Means, probe, tls};
use control_checker::target::Plan;
use control_checker::vip::Through;
use control_proto::v1::Probe;
use lab::{Running, Space, link, ready};
use std::net::TcpListener;

const DECAP: &str = r#"
    [[entry]]
    table = "outer4"
    key = { src = "10.2.0.1/32" }
    action = "allow"
    [[entry]]
    table = "outer6"
    key = { src = "fd00::1/128" }
    action = "allow"
    [[entry]]
    table = "served4"
    key = { dst = "203.0.113.10" }
    action = "serve"
    [[entry]]
    table = "served6"
    key = { dst = "2001:db8::10" }
    action = "serve"
"#;

/// IPv4 in IPv4, IPv4 in IPv6, IPv6 in IPv6: the backend's address and the VIP.
const WAYS: [(&str, &str); 3] =
    [("10.2.0.2", "203.0.113.10"), ("fd00::2", "203.0.113.10"), ("fd00::2", "2001:db8::10")];

/// A checker and a backend, on one link.
struct Nodes {
    checker: Space,
    backend: Space,
}

impl Nodes {
    fn new() -> Self {
        let it = Self { checker: Space::new(), backend: Space::new() };
        link((&it.checker, "c0", 0x21), (&it.backend, "b0", 0x22));
        it.checker.sh("ip addr add 10.2.0.1/24 dev c0; ip addr add fd00::1/64 dev c0 nodad");
        it.checker.sh("ip route add 203.0.113.10 via 10.2.0.2; ip route add 2001:db8::10 via fd00::2");
        it.backend.sh("ip addr add 10.2.0.2/24 dev b0; ip addr add fd00::2/64 dev b0 nodad");
        it.vips("add");
        it
    }
    /// Puts the VIPs on the backend's loopback, or takes them away.
    fn vips(&self, verb: &str) {
        self.backend.sh(&format!(
            "ip addr {verb} 203.0.113.10/32 dev lo; ip addr {verb} 2001:db8::10/128 dev lo nodad"
        ));
    }
    fn decap(&self) -> Running {
        let args = ["--pipeline", "decap", "--port", "1@b0", "--host-port", "gw0"];
        let mut decap = Running::start(&self.backend, &args, DECAP);
        decap.said("ready: decap on 1@b0");
        decap
    }
    /// A server on all addresses of the backend, for as long as it is kept.
    fn serve(&self) -> TcpListener {
        self.backend.run(|| TcpListener::bind("[::]:80").unwrap())
    }
    /// What so many probes in a row find, through a VIP or straight.
    fn probe(&self, backend: &'static str, vip: &'static str, times: usize) -> Vec<Found> {
        self.checker.run(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let means = Means { tls: tls::connector(None).unwrap(), through: Through::open() };
                let asked =
                    Probe { port: 80, through_vip: vip.into(), timeout_ms: 1_500, ..Probe::default() };
                let plan = Plan::new(&asked, backend.parse().unwrap()).unwrap();
                let mut found = Vec::new();
                for _ in 0..times {
                    found.push(probe(&plan, &means).await.found);
                }
                found
            })
        })
    }
    /// Connections of which the backend waits for the last packet.
    fn half_open(&self) -> usize {
        let text = self.backend.sh("cat /proc/net/tcp /proc/net/tcp6");
        text.lines().filter(|l| l.split_whitespace().nth(3) == Some("03")).count()
    }
}

fn fails(found: &[Found], words: &str) -> bool {
    matches!(found, [Found::Fail(why)] if why.contains(words))
}

#[test]
fn a_probe_through_the_vip_sees_what_a_client_sees() {
    if !ready("a_probe_through_the_vip_sees_what_a_client_sees") {
        return;
    }
    let nodes = Nodes::new();
    let decap = nodes.decap();
    let server = nodes.serve();
    for (backend, vip) in WAYS {
        assert_eq!(nodes.probe(backend, vip, 20), vec![Found::Pass; 20], "{vip} at {backend}");
    }
    assert_eq!(nodes.half_open(), 0);
    // Without the VIP on its loopback a backend looks well, until one asks as a client does.
    nodes.vips("del");
    for (backend, vip) in WAYS {
        assert_eq!(nodes.probe(backend, "", 1), [Found::Pass]);
        let found = nodes.probe(backend, vip, 1);
        assert!(fails(&found, "no answer within 1500 ms"), "{vip} at {backend}: {found:?}");
    }
    nodes.vips("add");
    for (backend, vip) in WAYS {
        assert_eq!(nodes.probe(backend, vip, 1), [Found::Pass], "{vip} at {backend}: again");
    }
    drop(server);
    for (backend, vip) in WAYS {
        let found = nodes.probe(backend, vip, 1);
        assert!(fails(&found, "nobody listens"), "{vip} at {backend}: {found:?}");
    }
    let _server = nodes.serve();
    drop(decap);
    let found = nodes.probe("10.2.0.2", "203.0.113.10", 1);
    assert!(fails(&found, "no answer"), "nothing decapsulates: {found:?}");
    assert_eq!(nodes.probe("10.2.0.2", "", 1), [Found::Pass]);
}
