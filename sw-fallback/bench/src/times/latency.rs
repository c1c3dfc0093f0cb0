//! What the way through the load balancer adds to a round trip: UDP pings of a client in one network namespace to a
//! server in another, in turn straight and through the emitted program in a third. Answers always go straight.

use super::establish;
use super::live::ip;
use crate::frames::{ACK, Shape, TCP_PORT, Transport, UDP_PORT, VIP4};
use crate::programs::{Choice, Feed, Floors};
use crate::setup::{ID, SLOTS, Setup, World, entry, mac};
use crate::sys;
use anyhow::{Context, Result, anyhow, ensure};
use pipeline_ir::KeyValue;
use serde::Serialize;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Port, XdpPlane};

/// Microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
}

/// Round trips at some load.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Latency {
    /// Other packets per second through the load balancer meanwhile.
    pub load: u32,
    pub pings: usize,
    pub lost: usize,
    pub straight: Percentiles,
    pub through: Percentiles,
}

impl Latency {
    /// What the load balancer adds.
    #[must_use]
    pub fn added(&self) -> Percentiles {
        Percentiles { p50: self.through.p50 - self.straight.p50, p99: self.through.p99 - self.straight.p99 }
    }
}

const CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
/// The outer source of the load balancer.
const BALANCER: u32 = 0xc612_8003;
/// MAC addresses: the load balancer's sides towards client and server, the server's, the client's.
const TO_CLIENT: [u8; 6] = [2, 0, 0, 0, 1, 1];
const TO_SERVER: [u8; 6] = [2, 0, 0, 0, 1, 2];
const OF_SERVER: [u8; 6] = [2, 0, 0, 0, 1, 3];
const OF_CLIENT: [u8; 6] = [2, 0, 0, 0, 1, 4];

/// Pings so often at each load (packets per second).
///
/// # Errors
/// No right to namespaces, or the kernel refuses.
pub fn latency(pings: usize, loads: &[u32], cpu: usize) -> Result<Vec<Latency>> {
    let inside = || -> Result<Vec<Latency>> {
        let lab = Lab::build()?;
        loads.iter().map(|load| lab.ping(pings, *load, cpu)).collect()
    };
    // The namespaces are the thread's: they go with it.
    std::thread::scope(|scope| scope.spawn(inside).join()).map_err(|_| anyhow!("the thread ended"))?
}

/// Three hosts. Dropping it takes everything away.
struct Lab {
    client: File,
    server: File,
    /// Held, so that it stays.
    _balancer: File,
    out: u32,
    floors: Floors,
    _sink: std::os::fd::OwnedFd,
    planes: [XdpPlane; 2],
}

impl Lab {
    fn build() -> Result<Self> {
        let [client, balancer, server] = [host()?, host()?, host()?];
        sys::enter(client.as_fd())?;
        wire("c0", OF_CLIENT, "l0", TO_CLIENT, &balancer)?;
        wire("c1", [2, 0, 0, 0, 2, 1], "b1", [2, 0, 0, 0, 2, 2], &server)?;
        sys::enter(balancer.as_fd())?;
        wire("l1", TO_SERVER, "b0", OF_SERVER, &server)?;
        ip("link set l0 up")?;
        let mut first = balancer_setup()?.load_on(ports(&["l0", "l1"]), false)?;
        first.attach()?;
        sys::enter(server.as_fd())?;
        let vip = Ipv4Addr::from(VIP4);
        for words in ["link set lo up", "link set b0 up", "link set b1 up"] {
            ip(words)?;
        }
        ip(&format!("addr add {SERVER}/24 dev b1"))?;
        ip(&format!("addr add {vip}/32 dev lo"))?;
        let mut second = server_setup()?.load_on(ports(&["b0"]), false)?;
        second.attach()?;
        sys::enter(client.as_fd())?;
        let floors = Floors::new(false)?;
        let out = sys::interface("c0")?;
        let sink = sys::attach(floors.program("drop")?, out)?;
        ip(&format!("addr add {CLIENT}/24 dev c1"))?;
        ip("link set c1 up")?;
        ip(&format!("route add {vip}/32 dev c0"))?;
        let [a, b, c, d, e, f] = TO_CLIENT;
        let address = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
        ip(&format!("neigh add {vip} lladdr {address} dev c0 nud permanent"))?;
        Ok(Self { client, server, _balancer: balancer, out, floors, _sink: sink, planes: [first, second] })
    }

    fn ping(&self, pings: usize, load: u32, cpu: usize) -> Result<Latency> {
        sys::enter(self.server.as_fd())?;
        let vip = SocketAddrV4::new(VIP4.into(), UDP_PORT);
        let straight = SocketAddrV4::new(SERVER, UDP_PORT);
        let servers = [UdpSocket::bind(straight)?, UdpSocket::bind(vip).context("the VIP at the server")?];
        sys::enter(self.client.as_fd())?;
        let clients = [client(straight)?, client(vip)?];
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let done = &done;
            for server in &servers {
                scope.spawn(move || answer(server, done));
            }
            let loader = (load > 0).then(|| scope.spawn(move || self.load(load, cpu, done)));
            let result = round_trips(&clients, pings);
            done.store(true, Ordering::Relaxed);
            if let Some(loader) = loader {
                loader.join().map_err(|_| anyhow!("the load's thread ended"))??;
            }
            let ([mut straight, mut through], lost) = result.with_context(|| self.counts())?;
            ensure!(!through.is_empty() && !straight.is_empty(), "no ping came back");
            let (straight, through) = (percentiles(&mut straight), percentiles(&mut through));
            Ok(Latency { load, pings, lost, straight, through })
        })
    }

    /// What the programs have counted, for who looks for lost packets.
    fn counts(&self) -> String {
        let counts = self.planes.each_ref().map(|plane| {
            let known = plane.counters().into_iter().filter(|(_, c)| c.packets > 0);
            known.map(|(name, c)| format!("{name} {}", c.packets)).collect::<Vec<_>>().join(", ")
        });
        format!("balancer: {}; server: {}", counts[0], counts[1])
    }

    /// Other packets, in bursts, until told to end.
    fn load(&self, load: u32, cpu: usize, done: &AtomicBool) -> Result<()> {
        const BURST: u32 = 128;
        sys::pin(cpu)?;
        sys::enter(self.client.as_fd())?;
        let shape = Shape { ipv6: false, transport: Transport::Tcp { flags: ACK }, to_vip: true };
        let mut feed = Feed::new(shape)?;
        feed.feeds(self.floors.program("drop")?)?;
        establish(&mut feed, shape, 0, 1000)?;
        feed.flows(Choice::Among(1000), 0)?;
        let pause = Duration::from_secs_f64(f64::from(BURST) / f64::from(load));
        let mut next = Instant::now();
        while !done.load(Ordering::Relaxed) {
            feed.send(BURST, self.out).context("sending the load")?;
            next += pause;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }
}

fn ports(names: &[&str]) -> Vec<Port> {
    (1..).zip(names).map(|(number, name)| Port { number, interface: (*name).to_owned() }).collect()
}

/// A network namespace, which lasts as long as somebody holds it. This thread is in it then.
fn host() -> Result<File> {
    sys::own_network()?;
    for scope in ["all", "default"] {
        // The answer comes in by another interface than the question went out.
        std::fs::write(format!("/proc/sys/net/ipv4/conf/{scope}/rp_filter"), "0")?;
    }
    File::open("/proc/thread-self/ns/net").context("this thread's network namespace")
}

/// A cable from here to another host.
fn wire(name: &str, address: [u8; 6], peer: &str, peer_address: [u8; 6], host: &File) -> Result<()> {
    let text = |m: [u8; 6]| m.map(|b| format!("{b:02x}")).join(":");
    let (own, other) = (text(address), text(peer_address));
    ip(&format!("link add {name} address {own} type veth peer name {peer} address {other}"))?;
    ip(&format!("link set {peer} netns /proc/{}/fd/{}", std::process::id(), host.as_raw_fd()))?;
    ip(&format!("link set {name} up"))
}

fn balancer_setup() -> Result<Setup> {
    let vip = |protocol: u128, port: u16, pool: u128| {
        let key = [("dst", VIP4.into()), ("protocol", protocol), ("dst_port", port.into())];
        let params = [("vip", pool), ("pool", pool), ("hash_key", 1), ("flags", 0), ("class", 0)];
        entry("vip4", &key, "set_vip", &params)
    };
    let backend = |number: u32, port: u128, to: [u8; 6], from: [u8; 6]| {
        let params = [
            ("src", BALANCER.into()),
            ("spread", 0),
            ("dst", u32::from(SERVER).into()),
            ("port", port),
            ("dst_mac", mac(to)),
            ("src_mac", mac(from)),
            ("mtu", 1500),
        ];
        entry("backend", &[("backend", (ID | number).into())], "ipip4", &params)
    };
    let pool = |pool: u128| entry("pool", &[("pool", pool)], "set_generation", &[("generation", 1)]);
    let entries = vec![
        // Pings go to the server; the load goes back where it came from, and ends there.
        vip(17, UDP_PORT, 1),
        vip(6, TCP_PORT, 2),
        backend(0, 2, OF_SERVER, TO_SERVER),
        backend(1, 1, OF_CLIENT, TO_CLIENT),
        pool(1),
        pool(2),
    ];
    let rings = vec![(1, vec![ID; SLOTS as usize]), (2, vec![ID | 1; SLOTS as usize])];
    Setup::of("l4lb.rs", guideway::builtin::L4LB, &[], None, &World { entries, rings })
}

fn server_setup() -> Result<Setup> {
    let mut outer = entry("outer4", &[], "allow", &[]);
    outer.key = [("src".to_owned(), KeyValue::Lpm { value: BALANCER.into(), prefix: 32 })].into();
    let served = entry("served4", &[("dst", VIP4.into())], "serve", &[]);
    let world = World { entries: vec![outer, served], rings: Vec::new() };
    Setup::of("decap.rs", guideway::builtin::DECAP, &[], None, &world)
}

fn client(to: SocketAddrV4) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddrV4::new(CLIENT, 0))?;
    sys::without_checksums(socket.as_fd())?;
    socket.connect(to).with_context(|| format!("reaching {to}"))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(socket)
}

fn answer(socket: &UdpSocket, done: &AtomicBool) {
    let mut bytes = [0; 64];
    // A socket without a time-out would wait for ever.
    if socket.set_read_timeout(Some(Duration::from_millis(50))).is_err() {
        return;
    }
    while !done.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut bytes) {
            // The client counts what does not come back.
            let _lost = socket.send_to(&bytes[..length], from);
        }
    }
}

/// Microseconds straight and through, and how many were lost.
fn round_trips(clients: &[UdpSocket; 2], pings: usize) -> Result<([Vec<f64>; 2], usize)> {
    let mut times = [Vec::new(), Vec::new()];
    let mut lost = 0;
    for number in 0..pings as u64 {
        // Who comes first finds cold caches: in turn.
        for which in [number % 2, 1 - number % 2].map(|w| w as usize) {
            let (client, times) = (&clients[which], &mut times[which]);
            let start = Instant::now();
            // What the socket reports here is what became of the ping before.
            let _lost = client.send(&number.to_ne_bytes());
            let mut answer = [0; 64];
            let good = loop {
                match client.recv(&mut answer) {
                    Ok(8) if answer[..8] == number.to_ne_bytes() => break true,
                    // A late answer to an earlier ping.
                    Ok(_) => {}
                    Err(_) => break false,
                }
            };
            if good { times.push(start.elapsed().as_secs_f64() * 1e6) } else { lost += 1 }
        }
        ensure!(lost < 20, "{lost} of {} pings were lost", number + 1);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((times, lost))
}

fn percentiles(times: &mut [f64]) -> Percentiles {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    Percentiles { p50: at(50), p99: at(99) }
}
