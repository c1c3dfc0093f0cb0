//! The demo's main job without any right and any device: clients and backends are user-space TCP stacks in this process,
//! the native l4lb and the native decap stand between them, and time is the lab's own.
//!
//! `in_memory [--connections N] [--json]`

mod client;
mod host;
mod net;

use client::{Client, Job, Outcome, Server};
use guideway::builtin::l4lb::native::TICK_NS;
use net::{BACKENDS, Net, To};
use smoltcp::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::IpAddr;
use std::process::ExitCode;

const CLIENTS: usize = 4;
/// Connections of a client at a time.
const AT_ONCE: usize = 24;
/// Longest IP packet of a backend: room for the longest outer header.
const BACKEND_MTU: usize = 1460;
/// The backend that leaves.
const LEAVING: usize = 1;
/// Long transfers when it does, and their bytes.
const LONG: (usize, u64) = (64, 1 << 20);
/// Flows made before and after.
const AGAIN: usize = 800;

/// Everything, at a moment.
struct Lab {
    net: Net,
    clients: Vec<Client>,
    servers: Vec<Server>,
    now: Instant,
}

impl Lab {
    fn new() -> Result<Self, Box<dyn Error>> {
        let servers =
            BACKENDS.iter().zip(100..).map(|((name, _), seed)| Server::new(name, BACKEND_MTU, seed));
        Ok(Self {
            net: Net::new()?,
            clients: (0..CLIENTS).map(Client::new).collect(),
            servers: servers.collect(),
            now: Instant::from_millis(1),
        })
    }

    /// Goes on until it is enough, or `most` of the lab's time is over.
    fn run(&mut self, at_once: usize, most: Duration, enough: impl Fn(&Self) -> bool) {
        let end = self.now + most;
        while self.now < end && !enough(self) {
            let mut moved = false;
            for server in &mut self.servers {
                moved |= server.host.poll(self.now);
                server.work(self.now);
                moved |= server.host.poll(self.now);
            }
            for client in &mut self.clients {
                moved |= client.host.poll(self.now);
                client.work(at_once);
                moved |= client.host.poll(self.now);
            }
            moved |= self.carry();
            let pause = if moved { Duration::from_micros(50) } else { self.idle() };
            self.now += pause;
        }
    }

    /// Takes every packet to where it goes.
    fn carry(&mut self) -> bool {
        let outward = |h: &mut host::Host| std::mem::take(&mut h.wire.outward);
        let mut packets: Vec<Vec<u8>> = self.clients.iter_mut().flat_map(|c| outward(&mut c.host)).collect();
        packets.extend(self.servers.iter_mut().flat_map(|s| outward(&mut s.host)));
        let tick = (self.now.total_micros() as u64 * 1000 / TICK_NS) as u32;
        for packet in &packets {
            match self.net.carry(packet, tick) {
                To::Backend(i, packet) => self.servers[i].host.wire.inward.push_back(packet),
                To::Address(to, packet) => {
                    let is_own = |c: &&mut Client| to == IpAddr::V4(c.v4) || to == IpAddr::V6(c.v6);
                    if let Some(client) = self.clients.iter_mut().find(is_own) {
                        client.host.wire.inward.push_back(packet);
                    }
                }
                To::Nowhere => {}
            }
        }
        !packets.is_empty()
    }

    /// Until some stack has something to do.
    fn idle(&mut self) -> Duration {
        let now = self.now;
        let hosts =
            self.clients.iter_mut().map(|c| &mut c.host).chain(self.servers.iter_mut().map(|s| &mut s.host));
        let next = hosts.filter_map(|h| h.idle(now)).min().unwrap_or(Duration::from_millis(1));
        next.clamp(Duration::from_micros(50), Duration::from_millis(100))
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        self.clients.iter_mut().flat_map(|c| std::mem::take(&mut c.done)).collect()
    }

    /// Gives jobs to clients, and waits until all are done.
    fn load(&mut self, jobs: &[(usize, Job)]) -> Vec<Outcome> {
        for (client, job) in jobs {
            self.clients[*client].waiting.push_back(job.clone());
        }
        self.run(AT_ONCE, Duration::from_secs(600), |lab| lab.clients.iter().all(Client::is_done));
        self.outcomes()
    }
}

/// Small requests, and now and then a download.
fn jobs(count: usize) -> Vec<(usize, Job)> {
    let job = |i: usize| {
        let bytes = if i % 8 == 5 { 64 << 10 } else { 200 };
        (i % CLIENTS, Job { v6: i / CLIENTS % 2 == 1, port: 10_000 + (i / CLIENTS) as u16, bytes })
    };
    (0..count).map(job).collect()
}

/// What the backend's leaving did.
#[derive(Default)]
struct Left {
    transfers: usize,
    broken: usize,
    moved: usize,
    expected: usize,
    errors: Vec<String>,
}

type Flow = (usize, u16);

fn owners(outcomes: &[Outcome]) -> BTreeMap<Flow, String> {
    let owner = |o: &Outcome| Some(((o.client, o.job.port), o.backend.clone()?));
    outcomes.iter().filter_map(owner).collect()
}

fn leave(lab: &mut Lab, before: &BTreeMap<Flow, String>) -> Result<Left, Box<dyn Error>> {
    for i in 0..LONG.0 {
        let job = Job { v6: i / CLIENTS % 2 == 1, port: 50_000 + i as u16, bytes: LONG.1 };
        lab.clients[i % CLIENTS].waiting.push_back(job);
    }
    let started = |lab: &Lab| {
        let all: Vec<_> = lab.clients.iter().flat_map(Client::progress).collect();
        all.len() == LONG.0 && all.iter().all(|(_, got)| *got > 0)
    };
    lab.run(LONG.0, Duration::from_secs(60), started);
    if !started(lab) || lab.clients.iter().flat_map(Client::progress).any(|(left, _)| left == 0) {
        return Err("the long transfers did not all run at one time".into());
    }
    lab.net.leave(LEAVING)?;
    for (client, job) in jobs(before.len().min(AGAIN)) {
        lab.clients[client].waiting.push_back(job);
    }
    lab.run(AT_ONCE + LONG.0, Duration::from_secs(600), |lab| lab.clients.iter().all(Client::is_done));
    let (long, again): (Vec<_>, Vec<_>) = lab.outcomes().into_iter().partition(|o| o.job.bytes == LONG.1);
    let name = BACKENDS[LEAVING].0;
    let stayed: Vec<_> = long.iter().filter(|o| o.backend.as_deref() != Some(name)).collect();
    let mut left = Left { transfers: stayed.len(), ..Left::default() };
    left.broken = stayed.iter().filter(|o| o.error.is_some()).count();
    for (flow, owner) in &owners(&again) {
        left.expected += usize::from(before.get(flow).is_some_and(|b| b == name));
        left.moved += usize::from(before.get(flow) != Some(owner));
    }
    left.errors = again.iter().chain(stayed).filter_map(|o| o.error.clone()).collect();
    Ok(left)
}

struct Report {
    total: usize,
    failed: Vec<String>,
    shares: Vec<(&'static str, usize, f64)>,
    left: Left,
    drops: BTreeMap<String, u64>,
    stored: u64,
}

impl Report {
    fn fair(&self) -> bool {
        self.shares.iter().all(|(_, n, ideal)| (*n as f64 - ideal).abs() <= 6.0 * ideal.sqrt())
    }

    fn ok(&self) -> bool {
        let left = &self.left;
        let event =
            left.broken == 0 && left.moved == left.expected && left.expected > 0 && left.errors.is_empty();
        self.failed.is_empty() && self.fair() && event && left.transfers > 0
    }

    fn json(&self) -> String {
        let backend = |(name, n, ideal): &(&str, usize, f64)| {
            format!("{{\"name\":\"{name}\",\"connections\":{n},\"ideal\":{ideal:.1}}}")
        };
        let backends: Vec<String> = self.shares.iter().map(backend).collect();
        let drops: Vec<String> = self.drops.iter().map(|(name, n)| format!("\"{name}\":{n}")).collect();
        let Left { broken, moved, expected, .. } = &self.left;
        format!(
            "{{\"ok\":{},\"data_plane\":\"native (in memory)\",\"connections\":{{\"total\":{},\"failed\":{}}},\"backends\":[{}],\
             \"events\":[{{\"name\":\"{} leaves\",\"broken\":{broken},\"moved\":{moved},\"expected_moved\":{expected}}}],\
             \"drops\":{{{}}}}}",
            self.ok(),
            self.total,
            self.failed.len(),
            backends.join(","),
            BACKENDS[LEAVING].0,
            drops.join(",")
        )
    }

    fn print(&self) {
        println!("\n{} connections through the native (in memory) data plane", self.total);
        println!("\n  backend   connections      ideal");
        for (name, n, ideal) in &self.shares {
            println!("  {name:<9} {n:>11} {ideal:>10.1}");
        }
        println!("\n  dropped, by reason                  packets");
        let some: Vec<_> = self.drops.iter().filter(|(_, n)| **n > 0).collect();
        for (reason, n) in &some {
            println!("  {reason:<30} {n:>12}");
        }
        if some.is_empty() {
            println!("  none, for any of {} reasons", self.drops.len());
        }
        let mark = |ok| if ok { "ok    " } else { "FAILED" };
        let (failed, left) = (self.failed.len(), &self.left);
        println!(
            "\n  {} {} of {} connections succeeded; backends saw the clients' own addresses",
            mark(failed == 0),
            self.total - failed,
            self.total
        );
        println!("  {} every backend has its share", mark(self.fair()));
        println!(
            "  {} {} leaves: {} of {} long transfers on other backends broke",
            mark(left.broken == 0),
            BACKENDS[LEAVING].0,
            left.broken,
            left.transfers
        );
        println!(
            "  {} {} leaves: {} new flows moved, {} had to",
            mark(left.moved == left.expected),
            BACKENDS[LEAVING].0,
            left.moved,
            left.expected
        );
        println!("  {} flows stored by the balancer", self.stored);
        for error in self.failed.iter().chain(&left.errors).take(5) {
            println!("         {error}");
        }
    }
}

fn perform(connections: usize) -> Result<Report, Box<dyn Error>> {
    let mut lab = Lab::new()?;
    let jobs = jobs(connections);
    eprintln!("{connections} connections in memory: small requests and downloads of 64 KB, IPv4 and IPv6");
    let mixed = lab.load(&jobs);
    let failed: Vec<String> = mixed.iter().filter_map(|o| o.error.clone()).collect();
    if mixed.len() != connections {
        return Err(format!("{} connections never ended", connections - mixed.len()).into());
    }
    eprintln!("{} leaves while {} long transfers run", BACKENDS[LEAVING].0, LONG.0);
    let before = owners(&mixed);
    let left = leave(&mut lab, &before)?;
    let sum: u32 = BACKENDS.iter().map(|b| b.1).sum();
    let share = |(name, weight): &(&'static str, u32)| {
        let n = before.values().filter(|b| b == name).count();
        (*name, n, before.len() as f64 * f64::from(*weight) / f64::from(sum))
    };
    let shares = BACKENDS.iter().map(share).collect();
    let (drops, stored) = (lab.net.drops(), lab.net.stored());
    Ok(Report { total: connections, failed, shares, left, drops, stored })
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let at = arguments.iter().position(|a| a == "--connections");
    let connections = at.and_then(|i| arguments.get(i + 1)).map_or(Ok(2400), |n| n.parse())?;
    let report = perform(connections)?;
    if arguments.iter().any(|a| a == "--json") {
        println!("{}", report.json());
    } else {
        report.print();
    }
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_balanced_and_survive_a_backend_that_leaves() {
        let report = perform(160).unwrap_or_else(|e| panic!("{e}"));
        assert!(report.ok(), "{}", report.json());
        assert!(report.stored >= 160 && report.left.expected < 160, "{}", report.json());
    }
}
