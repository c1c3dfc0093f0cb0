#![allow(clippy::unwrap_used)]
use super::*;
use crate::apart::apart;
use std::process::{Child, Command};

/// The kernel's answers, of whatever host this is.
#[tokio::test]
async fn the_kernel_is_asked_about_single_addresses() {
    let mut kernel = Kernel::open(BTreeMap::new()).unwrap();
    let all: BTreeSet<IpAddr> = ["127.0.0.2", "::1", "203.0.113.77"].map(|a| a.parse().unwrap()).into();
    let mut known = Known::default();
    kernel.resolve(&all, &Known::default(), &mut known).await;
    assert!(known.hops.is_empty(), "nothing is a port");
    for own in ["127.0.0.2", "::1"] {
        let why = &known.why[&own.parse::<IpAddr>().unwrap()];
        assert!(why == "it is an address of this host" || why.starts_with("no route"), "{own}: {why}");
    }
    let why = &known.why[&"203.0.113.77".parse::<IpAddr>().unwrap()];
    assert!(why.contains("which is no port") || why.starts_with("no route"), "{why}");
}

fn sh(line: &str) {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{line}: {text}");
}

/// A namespace beside this thread's, with a link `node` to it: routers live there.
struct Beside(Child);

impl Beside {
    fn new() -> Self {
        let it = Self(Command::new("unshare").args(["--net", "sleep", "600"]).spawn().unwrap());
        let (own, there) = ("/proc/thread-self/ns/net", format!("/proc/{}/ns/net", it.0.id()));
        let began = Instant::now();
        while std::fs::read_link(own).unwrap() == std::fs::read_link(&there).unwrap() {
            assert!(began.elapsed() < Duration::from_secs(120), "no namespace");
            std::thread::sleep(Duration::from_millis(2));
        }
        let pid = it.0.id();
        sh(&format!(
            "ip link add node address {NODE} type veth peer name beside address {ROUTER} netns {pid}"
        ));
        sh("ip link set node addrgenmode none up; ip addr add 10.9.0.1/24 dev node");
        sh("ip addr add fd09::1/64 dev node nodad; ip addr add fe80::1/64 dev node nodad");
        it.sh("ip link set beside addrgenmode none up; ip addr add 10.9.0.254/24 dev beside");
        it.sh("ip addr add 10.9.0.7/24 dev beside; ip addr add fd09::7/64 dev beside nodad");
        it.sh("ip addr add fd09::fe/64 dev beside nodad; ip addr add fe80::fe/64 dev beside nodad");
        it
    }

    fn sh(&self, line: &str) {
        sh(&format!("nsenter --net=/proc/{}/ns/net sh -c '{line}'", self.0.id()));
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

const NODE: &str = "02:00:00:00:00:01";
const ROUTER: &str = "02:00:00:00:00:fe";
const NEW_ROUTER: &str = "02:00:00:00:00:fd";

fn mac(text: &str) -> [u8; 6] {
    let bytes: Vec<u8> = text.split(':').map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Asks again and again, as the agent does, until it is so.
async fn resolved(kernel: &mut Kernel, known: &mut Known, all: &[&str], so: impl Fn(&Known) -> bool) {
    let all = all.iter().map(|a| address(a)).collect();
    let began = Instant::now();
    loop {
        let mut next = Known::default();
        kernel.resolve(&all, known, &mut next).await;
        *known = next;
        if so(known) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "not within 120 s: {known:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs with a kernel of its own, whose interface `node` is port 7.
fn beside(test: impl AsyncFnOnce(Beside, Kernel) + Send + 'static) {
    apart(|| {
        let beside = Beside::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(beside, Kernel::open([("node".into(), 7)].into()).unwrap()).await });
    });
}

/// Backends on the link, behind a gateway, and behind one of the other family: address, MTU, preferred source.
const WAYS: [(&str, u16, &str); 7] = [
    ("10.9.0.7", 1_500, "10.9.0.1"),
    ("10.77.0.5", 1_500, "10.9.0.1"),
    ("10.78.0.5", 1_400, "10.9.0.9"),
    ("10.79.0.5", 1_500, "10.9.0.1"),
    ("fd09::7", 1_500, "fd09::1"),
    ("fd77::5", 1_500, "fd09::1"),
    ("fd78::5", 1_400, "fd09::1"),
];

fn routes() {
    sh("ip addr add 10.9.0.9/32 dev node");
    sh("ip route add 10.77.0.0/16 via 10.9.0.254");
    sh("ip route add 10.78.0.0/16 via 10.9.0.254 src 10.9.0.9 mtu 1400");
    sh("ip route add 10.79.0.0/16 via inet6 fe80::fe dev node");
    sh("ip route add fd77::/64 via fd09::fe");
    sh("ip route add fd78::/64 via fe80::fe dev node src fd09::1 mtu 1400");
}

#[test]
fn ways_by_gateways_of_both_families_are_found() {
    beside(async |_beside, mut kernel| {
        routes();
        let (mut known, all) = (Known::default(), WAYS.map(|way| way.0));
        resolved(&mut kernel, &mut known, &all, |known| known.why.is_empty()).await;
        for (backend, mtu, source) in WAYS {
            let (dst_mac, src_mac) = (mac(ROUTER), mac(NODE));
            let hop = Hop { port: 7, dst_mac, src_mac, mtu, source: Some(address(source)) };
            assert_eq!(known.hops[&address(backend)], hop, "{backend}");
        }
        // A route that changes is followed.
        sh("ip route replace 10.77.0.0/16 via 10.9.0.7 mtu 1300");
        let is = |known: &Known| known.hops.get(&address("10.77.0.5")).is_some_and(|hop| hop.mtu == 1_300);
        resolved(&mut kernel, &mut known, &all, is).await;
    });
}

#[test]
fn a_gateway_that_is_silent_stays_as_it_was_and_a_new_one_takes_its_place() {
    beside(async |beside, mut kernel| {
        routes();
        let (mut known, all) = (Known::default(), ["10.77.0.5", "fd77::5", "fd78::5", "10.79.0.5"]);
        resolved(&mut kernel, &mut known, &all, |known| known.why.is_empty()).await;
        let before = known.clone();
        beside.sh("ip addr flush dev beside");
        sh("ip neigh flush dev node; ip -6 neigh flush dev node");
        let nobody = tokio::time::Instant::now() + Duration::from_secs(3);
        while tokio::time::Instant::now() < nobody {
            resolved(&mut kernel, &mut known, &all, |_| true).await;
            assert_eq!(known, before, "silent for a moment");
        }
        // Who never heard it knows no way, and says whom it asks.
        let mut fresh = Known::default();
        resolved(&mut kernel, &mut fresh, &all, |_| true).await;
        for (backend, gateway) in [
            ("10.77.0.5", "10.9.0.254"),
            ("fd77::5", "fd09::fe"),
            ("fd78::5", "fe80::fe"),
            ("10.79.0.5", "fe80::fe"),
        ] {
            let why = format!("its gateway {gateway} does not answer on node");
            assert_eq!(fresh.why[&address(backend)], why);
        }
        // Another router takes the addresses.
        beside.sh(&format!("ip link set beside address {NEW_ROUTER}"));
        beside.sh("ip addr add 10.9.0.254/24 dev beside; ip addr add fd09::fe/64 dev beside nodad");
        beside.sh("ip addr add fe80::fe/64 dev beside nodad");
        let new = |known: &Known| known.hops.values().all(|hop| hop.dst_mac == mac(NEW_ROUTER));
        resolved(&mut kernel, &mut known, &all, |known| known.why.is_empty() && new(known)).await;
    });
}
