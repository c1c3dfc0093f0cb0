//! Probes through the VIP against a real backend: `guideway switch --pipeline decap` and kernel TCP in a network namespace.
//! Needs root; without it each test says that it is skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used)]

#[path = "../native/lab.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod lab;

use control_checker::probe::{Found, Means, probe, tls};
use control_checker::target::Plan;
use control_checker::vip::Through;
use control_proto::v1::probe::How;
use control_proto::v1::{HttpProbe, Probe};
use lab::{Running, Space, link, ready};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

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

/// States of a connection, in `/proc/net/tcp`.
const OPEN: &str = "01";
const OPENING: &str = "03";

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
    /// One that answers HTTP from now on: at `/long` with so much that many segments carry it, and `READY` at the end of it.
    fn answer(&self) {
        let listener = self.serve();
        std::thread::spawn(move || listener.incoming().for_each(|stream| drop(answer(&stream.unwrap()))));
    }
    /// One that answers HTTPS from now on, with a certificate of its own making.
    fn answer_tls(&self) {
        let signed = rcgen::generate_simple_self_signed(["backend.test".to_owned()]).unwrap();
        let key = signed.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![signed.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = self.backend.run(|| TcpListener::bind("[::]:443").unwrap());
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                    let read = stream.read(&mut [0; 4_096]).await;
                    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                    assert!(read.is_ok() && stream.write_all(answer).await.is_ok());
                    drop(stream.shutdown().await);
                }
            });
        });
    }
    /// What so many probes in a row find, through a VIP or straight.
    fn probe(&self, backend: &'static str, vip: &'static str, times: usize) -> Vec<Found> {
        self.ask(backend, vip, None, times)
    }
    /// The same, by HTTP.
    fn ask(
        &self,
        backend: &'static str,
        vip: &'static str,
        http: Option<HttpProbe>,
        times: usize,
    ) -> Vec<Found> {
        self.checker.run(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let means = Means { tls: tls::connector(None).unwrap(), through: Through::open() };
                let port = if http.as_ref().is_some_and(|http| http.tls) { 443 } else { 80 };
                let how = http.map(How::Http);
                let asked =
                    Probe { how, port, through_vip: vip.into(), timeout_ms: 1_500, ..Probe::default() };
                let plan = Plan::new(&asked, backend.parse().unwrap()).unwrap();
                let mut found = Vec::new();
                for _ in 0..times {
                    found.push(probe(&plan, &means).await.found);
                }
                found
            })
        })
    }
    /// Connections that the backend has, in these states of its kernel.
    fn connections(&self, states: &[&str]) -> usize {
        let text = self.backend.sh("cat /proc/net/tcp /proc/net/tcp6");
        text.lines().filter(|l| l.split_whitespace().nth(3).is_some_and(|s| states.contains(&s))).count()
    }
    /// Resets that the checker's kernel has sent.
    fn resets(&self) -> u64 {
        let text = self.checker.sh("grep ^Tcp: /proc/net/snmp");
        let [names, numbers] = [0, 1].map(|n| text.lines().nth(n).unwrap().split(' ').collect::<Vec<_>>());
        let at = names.iter().position(|name| *name == "OutRsts").unwrap();
        numbers[at].parse().unwrap()
    }
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while lines.read_line(&mut head)? > 2 {}
    let body = if head.starts_with("GET /long ") { "x".repeat(60_000) + "READY" } else { "short".into() };
    let status = if head.starts_with("GET /gone ") { "404 Not Found" } else { "200 OK" };
    // As somebody who lets its host asked for the VIP.
    let status = if head.contains("host: 10.2.0.2") { "421 Misdirected Request" } else { status };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
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
    assert_eq!(nodes.connections(&[OPENING]), 0);
    assert_eq!(nodes.resets(), 0, "the host's own TCP knows nothing of it, and says nothing");
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

/// HTTP through the VIP: a question and an answer of many segments, by each way.
#[test]
fn http_through_the_vip_is_what_a_client_gets() {
    if !ready("http_through_the_vip_is_what_a_client_gets") {
        return;
    }
    let nodes = Nodes::new();
    let _decap = nodes.decap();
    nodes.answer();
    let get = |path: &str, part: &str| {
        Some(HttpProbe { path: path.into(), body_contains: part.into(), ..HttpProbe::default() })
    };
    for (backend, vip) in WAYS {
        let ask = |path: &str, part: &str, times| nodes.ask(backend, vip, get(path, part), times);
        assert_eq!(ask("/", "", 20), vec![Found::Pass; 20], "{vip} at {backend}");
        assert_eq!(ask("/long", "READY", 5), vec![Found::Pass; 5], "{vip} at {backend}");
        // More than a segment, as the path of a health check seldom is.
        let long = format!("/?{}", "q".repeat(2_000));
        assert_eq!(ask(&long, "short", 2), vec![Found::Pass; 2], "{vip} at {backend}");
        assert!(fails(&ask("/gone", "", 1), "status 404"), "{vip} at {backend}");
        assert!(fails(&ask("/long", "ABSENT", 1), "the body has not"), "{vip} at {backend}");
    }
    assert_eq!(nodes.connections(&[OPENING, OPEN]), 0, "the backend keeps nothing");
    nodes.answer_tls();
    let secret = |host: &str| Some(HttpProbe { tls: true, host: host.into(), ..HttpProbe::default() });
    for (backend, vip) in WAYS {
        for host in ["", "backend.test"] {
            let found = nodes.ask(backend, vip, secret(host), 3);
            assert_eq!(found, vec![Found::Pass; 3], "{vip} at {backend}, `{host}`");
        }
    }
    // A backend without the VIP looks well at its own address.
    nodes.vips("del");
    let straight = Some(HttpProbe { host: "shop.example".into(), ..HttpProbe::default() });
    for (backend, vip) in WAYS {
        assert_eq!(nodes.ask(backend, "", straight.clone(), 1), [Found::Pass]);
        let found = nodes.ask(backend, vip, get("/", ""), 1);
        assert!(fails(&found, "no answer within 1500 ms"), "{vip} at {backend}: {found:?}");
    }
}
