//! `guideway switch --target native` on real interfaces: kernel TCP in network namespaces, through `l4lb` on one node
//! and `decap` on another. Captures need nothing, all else root; without it each test says that it is skipped, unless
//! `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used)]

mod lab;

use lab::{LONG, Running, Space, has, link, ready, refused, write};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const BALANCER: &str = r#"
    [[entry]]
    table = "vip4"
    key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
    action = "set_vip"
    params = { vip = 1, pool = 1, hash_key = 0, flags = 4, class = 0 }
    [[entry]]
    table = "backend"
    key = { backend = 16385 }
    action = "ipip4"
    params = { src = "10.2.0.1", spread = 0, dst = "10.2.0.2", port = 2, dst_mac = "02:00:00:00:00:22", src_mac = "02:00:00:00:00:21", mtu = 1500 }
    [[ring]]
    pool = 1
    backends = [16385]
"#;

const BACKEND: &str = r#"
    [[entry]]
    table = "outer4"
    key = { src = "10.2.0.1/32" }
    action = "allow"
    [[entry]]
    table = "served4"
    key = { dst = "203.0.113.10" }
    action = "serve"
"#;

/// A client, the load balancer and a backend, in a ring of links: requests go one way round, answers the other.
struct Nodes {
    client: Space,
    balancer: Space,
    backend: Space,
}

impl Nodes {
    fn new() -> Self {
        let it = Self { client: Space::new(), balancer: Space::new(), backend: Space::new() };
        link((&it.client, "c0", 0x12), (&it.balancer, "l0", 0x11));
        link((&it.balancer, "l1", 0x21), (&it.backend, "b0", 0x22));
        link((&it.backend, "b1", 0x31), (&it.client, "c1", 0x32));
        it.client.sh("ip addr add 10.1.0.2/24 dev c0; ip addr add 10.3.0.2/24 dev c1");
        it.client.sh("ip route add 203.0.113.10 via 10.1.0.1");
        it.balancer.sh("ip addr add 10.1.0.1/24 dev l0; ip addr add 10.2.0.1/24 dev l1");
        it.backend.sh("ip addr add 10.2.0.2/24 dev b0; ip addr add 10.3.0.1/24 dev b1");
        it.backend
            .sh("ip addr add 203.0.113.10/32 dev lo; ip route add 10.1.0.0/24 via 10.3.0.2 advmss 1440");
        // Segments leave one by one, but their checksums are left to the card that isn't there.
        it.client.sh("ip link set c0 gso_max_segs 1");
        it
    }

    fn start(&self) -> (Running, Running) {
        let balancer = Running::start(&self.balancer, &["--port", "1@l0", "--port", "2@l1"], BALANCER);
        let args = ["--pipeline", "decap", "--port", "1@b0", "--host-port", "gw0"];
        let mut all = (balancer, Running::start(&self.backend, &args, BACKEND));
        all.0.said("ready: l4lb on 1@l0 2@l1; 2 entries inserted, 0 modified, 0 deleted, 1 rings filled");
        all.1.said("ready: decap on 1@b0");
        all
    }

    /// A server on the backend that sends back what it gets, with the address that it saw.
    fn serve(&self, connections: usize) -> std::thread::JoinHandle<Vec<SocketAddr>> {
        let listener = self.backend.run(|| TcpListener::bind("203.0.113.10:80").unwrap());
        std::thread::spawn(move || {
            let mut peers = Vec::new();
            for _ in 0..connections {
                let (mut stream, peer) = listener.accept().unwrap();
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).unwrap();
                stream.write_all(&bytes).unwrap();
                peers.push(peer);
            }
            peers
        })
    }

    /// Sends so many bytes from the client to the VIP, and checks that they come back; the client's address.
    fn ask(&self, bytes: usize) -> SocketAddr {
        self.client.run(move || {
            let mut stream = TcpStream::connect("203.0.113.10:80").unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let sent: Vec<u8> = (0..bytes).map(|i| (i % 251) as u8).collect();
            stream.write_all(&sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).unwrap();
            assert!(back == sent, "{} of {bytes} bytes came back", back.len());
            stream.local_addr().unwrap()
        })
    }
}

fn lost(status: &serde_json::Value, why: &str) -> u64 {
    let ports = status["ports"].as_array().unwrap();
    ports.iter().filter_map(|p| p["lost"][why].as_u64()).sum()
}

/// What both have counted once nothing is under way: a client has all of its answer before its last
/// acknowledgement has reached the backend.
fn settled(balancer: &mut Running, backend: &mut Running) -> (serde_json::Value, serde_json::Value) {
    let start = Instant::now();
    loop {
        let (outer, inner) = (balancer.status(), backend.status());
        let seen = &outer["tables"]["vip4"][0]["packets"];
        let through = *seen == outer["ports"][1]["sent"]["packets"] && *seen == inner["host"]["to_host_port"];
        if through || start.elapsed() > LONG {
            return (outer, inner);
        }
    }
}

#[test]
fn kernel_tcp_goes_through_balancer_and_backend() {
    if !ready("kernel_tcp_goes_through_balancer_and_backend") {
        return;
    }
    let nodes = Nodes::new();
    let (mut balancer, mut backend) = nodes.start();
    let server = nodes.serve(20);
    let asked: Vec<SocketAddr> =
        (0..20).map(|i| nodes.ask(if i % 5 == 4 { 1_000_000 } else { 1000 })).collect();
    assert_eq!(server.join().unwrap(), asked, "the backend sees the client's own addresses");

    let (status, inner) = settled(&mut balancer, &mut backend);
    let vip = &status["tables"]["vip4"][0];
    assert!(vip["packets"].as_u64().unwrap() > 4 * 690, "{vip}");
    assert_eq!(status["flows"]["flows4"]["closing"], 20);
    assert_eq!(status["host"]["no_port"], 0);
    let ports = status["ports"].as_array().unwrap();
    assert_eq!((&ports[0]["port"], &ports[0]["device"]), (&1.into(), &"l0".into()));
    assert_eq!(vip["packets"], ports[1]["sent"]["packets"], "each came in at l0 and left by l1");
    assert_eq!(inner["host"]["to_host_port"], vip["packets"]);
    assert!(inner["host"]["left_to_host"].as_u64().is_some());
    for status in [&status, &inner] {
        assert_eq!(lost(status, "received_too_long") + lost(status, "ring_full"), 0, "{status}");
    }
    let counts = nodes.backend.sh("grep ^Ip: /proc/net/snmp");
    let counts: Vec<Vec<&str>> = counts.lines().map(|l| l.split(' ').collect()).collect();
    let at = counts[0].iter().position(|name| *name == "InUnknownProtos").unwrap();
    assert_eq!(
        counts[1][at], "0",
        "the backend's kernel doesn't complain of the outer packets that it hears"
    );
    assert!(has(&nodes.backend, "gw0"));
    assert_eq!((balancer.end(), backend.end()), (Some(0), Some(0)));
    assert!(!has(&nodes.backend, "gw0"), "the tap goes with the switch");
    let last = balancer.written()["tables"]["vip4"][0]["packets"].as_u64().unwrap();
    assert!(last >= vip["packets"].as_u64().unwrap(), "the end writes it too");
}

#[test]
fn entries_are_read_again_while_traffic_runs() {
    if !ready("entries_are_read_again_while_traffic_runs") {
        return;
    }
    let nodes = Nodes::new();
    let (mut balancer, _backend) = nodes.start();
    let server = nodes.serve(2);
    nodes.ask(1000);
    balancer.reload(
        &BALANCER
            .replace("16385", "16386")
            .replace("pool = 1\n    backends", "pool = 1\n    generation = 2\n    backends"),
    );
    nodes.ask(1000);
    server.join().unwrap();
    let status = balancer.status();
    assert_eq!(status["tables"]["backend"][0]["key"]["backend"], "16386");
    assert!(status["tables"]["backend"][0]["packets"].as_u64().unwrap() > 3);
}

#[test]
fn an_interface_that_goes_or_is_down_is_told() {
    if !ready("an_interface_that_goes_or_is_down_is_told") {
        return;
    }
    let nodes = Nodes::new();
    let (mut balancer, _backend) = nodes.start();
    nodes.balancer.sh("ip link set l0 down");
    balancer.error("port 1: interface `l0` is down; `ip link set l0 up`");
    nodes.balancer.sh("ip link set l0 up");
    let server = nodes.serve(1);
    nodes.ask(1000);
    server.join().unwrap();
    nodes.balancer.sh("ip link del l0");
    balancer.error("port 1: interface `l0` is gone");
    nodes.balancer.sh("ip link del l1");
    balancer.error("error: every port is gone");
    assert_eq!(balancer.wait(), Some(1));
}

#[test]
fn each_refusal_has_its_own_message() {
    if !ready("each_refusal_has_its_own_message") {
        return;
    }
    let space = Space::new();
    let far = Space::new();
    link((&space, "a0", 1), (&far, "a1", 2));
    space.sh("ip link add busy0 type dummy || ip link add busy0 type veth peer name busy1");
    let folder = tempfile::tempdir().unwrap();
    let no_table = write(folder.path(), "entries.toml", "[[entry]]\ntable = \"nothing\"\naction = \"x\"");
    let cut = write(folder.path(), "cut.pcap", "not a capture");
    let check = |before: &[&str], args: &[&str], parts: &[&str]| {
        let text = refused(&space, before, args);
        for part in parts {
            assert!(text.contains(part), "no {part:?} in: {text}");
        }
        assert!(!has(&space, "gw0"), "nothing is left behind");
    };
    let port = ["--port", "1@a0"];
    check(&[], &["--port", "1@gone0"], &["there is no interface `gone0`", "ip link"]);
    check(&[], &["--port", "1@a0", "--port", "1@lo"], &["port 1@lo is given twice"]);
    check(&[], &["--port", "1@a0", "--port", "2@a0"], &["port 2@a0 is given twice"]);
    check(&[], &[&port[..], &["--entries", &no_table]].concat(), &["no table is named `nothing`"]);
    check(&[], &["--port", "1@pcap:nowhere"], &["can't open the capture nowhere"]);
    check(&[], &["--port", &format!("1@pcap:{cut}")], &["no capture", "shorter than a capture's head"]);
    check(&[], &[&port[..], &["--pin-dir", "x"]].concat(), &["--pin-dir is for `--target xdp`"]);
    check(&[], &[&port[..], &["--set", "FLOW_ENTRIES=1024"]].concat(), &["its own sizes", "--target xdp"]);
    check(&[], &[&port[..], &["--pipeline", "decap"]].concat(), &["--host-port gw0"]);
    let host = ["--pipeline", "decap", "--host-port", "gw0"];
    check(&[], &[&host[..], &["--port", "1@tap:gw0"]].concat(), &["is a port already"]);
    let no_raw = ["setpriv", "--bounding-set", "-net_raw"];
    check(&no_raw, &port, &["lacks CAP_NET_RAW, which a packet socket on `a0` needs", "cap_net_raw+ep"]);
    let no_admin = ["setpriv", "--bounding-set", "-net_admin,-dac_override"];
    check(&no_admin, &[&host[..], &port].concat(), &["lacks CAP_NET_ADMIN, which tap `gw0` needs"]);
}

#[test]
fn a_capture_runs_through_the_native_switch() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let entries = r#"
        [[entry]]
        table = "vip4"
        key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
        action = "set_vip"
        params = { vip = 1, pool = 1, hash_key = 0, flags = 0, class = 0 }
        [[entry]]
        table = "backend"
        key = { backend = 16385 }
        action = "ipip4"
        params = { src = "10.0.0.1", spread = 0, dst = "10.0.0.2", port = 1, dst_mac = "02:00:00:00:00:02", src_mac = "02:00:00:00:00:01", mtu = 1500 }
        [[ring]]
        pool = 1
        backends = [16385]
    "#;
    std::fs::write(file("entries.toml"), entries).unwrap();
    let mut syn = vec![0x02; 12];
    syn.extend([0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0x8d, 0x2b, 10, 0, 0, 5, 203, 0, 113, 10]);
    syn.extend([0x03, 0xe8, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]);
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
    let head = words(&[0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1]);
    let record =
        |frame: &[u8]| [words(&[0, 0, frame.len() as u32, frame.len() as u32]), frame.to_vec()].concat();
    std::fs::write(file("in.pcap"), [head, record(&syn), record(&[2; 60]), record(&syn)].concat()).unwrap();
    let port = format!("1@pcap:{}:{}", file("in.pcap"), file("out.pcap"));
    let (entries, status) = (file("entries.toml"), file("status.json"));
    for set in [&[][..], &["--set", "HASH=HalfSipHash"]] {
        let args =
            ["switch", "--target", "native", "--port", &port, "--entries", &entries, "--status", &status];
        let out = Command::new(env!("CARGO_BIN_EXE_guideway")).args(args).args(set).output().unwrap();
        let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert_eq!(out.status.code(), Some(0), "{text}");
        assert!(text.contains("ready: l4lb on 1@pcap:") && text.contains("end with it"), "{text}");
        let status: serde_json::Value = serde_json::from_slice(&std::fs::read(&status).unwrap()).unwrap();
        assert_eq!(status["tables"]["vip4"][0]["packets"], 2);
        assert_eq!(status["flows"]["flows4"]["new"], 1);
        assert_eq!(status["host"]["no_host_port"], 1, "a capture has no host that hears");
        assert_eq!(status["ports"][0]["sent"]["packets"], 2);
        let out = std::fs::read(file("out.pcap")).unwrap();
        let outer = 16 + 14 + 20;
        assert_eq!(out.len(), 24 + 2 * (outer + 40));
        assert_eq!(out[24 + outer..][..40], syn[14..], "inside the outer header as it came");
    }
}
