//! The built-in l4lb in this process: packets per second that one core takes in, balances and encapsulates, in memory.
//!
//! `native [--json] [--seconds S] [SCENARIO ..]`. Times are those of the thread on its core; the median of three runs. A
//! packet is copied in, as from a ring of frames, then processed; the clock is read every 64 packets.

use guideway::Native;
use guideway::builtin::l4lb;
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{Entry, RingFill, Tables, WriteKind};
use std::error::Error;
use std::time::Instant;
use sw_fallback::native::NativePlane;
use sw_fallback::plane::DataPlane;
use sw_fallback_rt::{Packet, Verdict};

const BACKENDS: u32 = 750;
const SLOTS: u32 = 65_537;
const RUNS: usize = 3;
/// Packets between two looks at the clock.
const BATCH: u32 = 64;

/// What is sent.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    about: &'static str,
    kind: Kind,
    /// A power of two.
    flows: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Tcp4,
    Tcp6,
    Udp4,
    /// New flows: nothing is stored before.
    Syn4,
    /// No VIP's.
    Other,
    /// The copy alone.
    Nothing,
}

const MILLION: u32 = 1 << 20;
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "copy", about: "the frame copied in, nothing else", kind: Kind::Nothing, flows: 1 },
    Scenario { name: "novip", about: "IPv4 TCP to no VIP", kind: Kind::Other, flows: 1 },
    Scenario { name: "tcp4", about: "IPv4 TCP, one flow", kind: Kind::Tcp4, flows: 1 },
    Scenario { name: "tcp4_1m", about: "IPv4 TCP, a million flows", kind: Kind::Tcp4, flows: MILLION },
    Scenario { name: "udp4", about: "IPv4 UDP, one flow", kind: Kind::Udp4, flows: 1 },
    Scenario { name: "udp4_1m", about: "IPv4 UDP, a million flows", kind: Kind::Udp4, flows: MILLION },
    Scenario { name: "tcp6", about: "IPv6 TCP, one flow", kind: Kind::Tcp6, flows: 1 },
    Scenario { name: "tcp6_1m", about: "IPv6 TCP, a million flows", kind: Kind::Tcp6, flows: MILLION },
    Scenario { name: "syn4", about: "IPv4 TCP, every packet a new flow", kind: Kind::Syn4, flows: 1 << 21 },
];

/// A frame of which the client's address and port are still to be written.
struct Template {
    frame: Vec<u8>,
    /// Where the last four bytes of the client's address are.
    address: usize,
    /// Where its port is.
    port: usize,
}

impl Kind {
    fn template(self, flags: u8) -> Template {
        let (v6, udp) = (self == Self::Tcp6, self == Self::Udp4);
        let mut frame = vec![0; if v6 { 78 } else { 64 }];
        frame[12..14].copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[0x08, 0x00] });
        let l4 = if v6 { ip6(&mut frame) } else { ip4(&mut frame, if udp { 17 } else { 6 }) };
        if self == Self::Other {
            frame[33] = 99;
        }
        frame[l4 + 2..l4 + 4].copy_from_slice(&80_u16.to_be_bytes());
        if udp {
            frame[l4 + 5] = 30;
        } else {
            (frame[l4 + 12], frame[l4 + 13]) = (0x50, flags);
        }
        Template { frame, address: if v6 { 34 } else { 26 }, port: l4 }
    }
}

fn ip4(frame: &mut [u8], protocol: u8) -> usize {
    frame[14] = 0x45;
    frame[17] = 50;
    (frame[22], frame[23]) = (64, protocol);
    frame[30..34].copy_from_slice(&[10, 200, 1, 1]);
    34
}

fn ip6(frame: &mut [u8]) -> usize {
    frame[14] = 0x60;
    frame[19] = 24;
    (frame[20], frame[21]) = (6, 64);
    (frame[22], frame[23]) = (0x20, 0x01);
    frame[38..54].copy_from_slice(&0x2001_0db8_0000_0000_0000_0000_0000_0001_u128.to_be_bytes());
    54
}

impl Template {
    #[inline]
    fn fill(&self, packet: &mut Packet, flow: u32) {
        packet.receive(self.frame.len(), |to| {
            to.copy_from_slice(&self.frame);
            to[self.address..self.address + 4].copy_from_slice(&(0x0b00_0000 + (flow >> 8)).to_be_bytes());
            to[self.port..self.port + 2].copy_from_slice(&(1024 + (flow as u16 & 0xff)).to_be_bytes());
            self.frame.len()
        });
    }
}

fn entry(table: &str, key: &[(&str, u128)], action: &str, params: &[(&str, u128)]) -> Entry {
    Entry {
        table: table.into(),
        key: key.iter().map(|(n, v)| ((*n).to_owned(), KeyValue::Exact(*v))).collect(),
        priority: 0,
        action: action.into(),
        params: params.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
    }
}

fn entries() -> Vec<Entry> {
    let vip = |table, dst, protocol| {
        let params = [("vip", 1), ("pool", 1), ("hash_key", 0x1234_5678), ("flags", 0), ("class", 0)];
        entry(table, &[("dst", dst), ("protocol", protocol), ("dst_port", 80)], "set_vip", &params)
    };
    let mut all = vec![
        vip("vip4", 0x0ac8_0101, 6),
        vip("vip4", 0x0ac8_0101, 17),
        vip("vip6", 0x2001_0db8 << 96 | 1, 6),
        entry("pool", &[("pool", 1)], "set_generation", &[("generation", 1)]),
    ];
    let v6 = 0x2001_0db8_u128 << 96;
    for i in 0..u128::from(BACKENDS) {
        let macs = [("port", 1), ("dst_mac", 0x02aa_bbcc_ddee), ("src_mac", 0x0200_0000_0001), ("mtu", 1500)];
        let to4 = [&[("src", 0x0ac8_0001), ("spread", 0), ("dst", 0x0ad2_0001 + i)][..], &macs].concat();
        let to6 = [&[("src", v6 | 0xa), ("spread", 0), ("dst", v6 | 0x10000 | i)][..], &macs].concat();
        all.push(entry("backend", &[("backend", 1 << 14 | i)], "ipip4", &to4));
        all.push(entry("backend", &[("backend", 1 << 14 | 0x1000 | i)], "ipip6", &to6));
    }
    all
}

/// One VIP for each family, and a ring of backends of that family.
fn plane(kind: Kind) -> Result<NativePlane, Box<dyn Error>> {
    let mut plane = guideway::plane::<l4lb::Pipeline>()?;
    plane.use_huge_pages();
    let tables = Tables::new(l4lb::Pipeline::verified()?.pipeline());
    let first = if kind == Kind::Tcp6 { 1 << 14 | 0x1000 } else { 1 << 14 };
    let slots = (0..SLOTS).map(|i| first | (i.wrapping_mul(2_654_435_761) % BACKENDS)).collect();
    let fill = RingFill { ring: "ring".into(), pool: 1, generation: 1, slots };
    plane.fill_ring(&tables.check_ring(fill)?)?;
    for entry in entries() {
        plane.write(&tables.check(&entry)?, WriteKind::Insert)?;
    }
    Ok(plane)
}

/// Nanoseconds that this thread has run.
fn thread_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec of ours.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut t);
    }
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// What one run took.
struct Run {
    plane: NativePlane,
    start: Instant,
    packet: Packet,
    kind: Kind,
    next: u32,
}

impl Run {
    fn new(scenario: Scenario) -> Result<Self, Box<dyn Error>> {
        let mut run = Self {
            plane: plane(scenario.kind)?,
            start: Instant::now(),
            packet: Packet::new(),
            kind: scenario.kind,
            next: 0,
        };
        if scenario.kind != Kind::Syn4 {
            // A flow is established by its second packet.
            run.packets(Kind::template(scenario.kind, 0x02), scenario.flows, scenario.flows)?;
            run.packets(Kind::template(scenario.kind, 0x10), scenario.flows, scenario.flows)?;
        }
        Ok(run)
    }

    fn tick(&self) -> u32 {
        (self.start.elapsed().as_nanos() as u64 / self.plane.tick_ns()) as u32
    }

    /// Sends packets of so many flows, in an order that no cache foresees.
    #[allow(clippy::needless_pass_by_value, reason = "the loop's own")]
    fn packets(&mut self, template: Template, flows: u32, count: u32) -> Result<(), Box<dyn Error>> {
        let expected = |v| match self.kind {
            Kind::Other => v == Verdict::Pass,
            _ => v == Verdict::Forward(1),
        };
        let mut right = 0;
        let mut sent = 0;
        while sent < count {
            let now = self.tick();
            for _ in 0..BATCH.min(count - sent) {
                let flow = self.next.wrapping_mul(2_654_435_761) & (flows - 1);
                self.next = self.next.wrapping_add(1);
                template.fill(&mut self.packet, flow);
                let verdict = match self.kind {
                    Kind::Nothing => {
                        Verdict::Forward(std::hint::black_box(&self.packet).frame().len() as u32 / 64)
                    }
                    _ => self.plane.run(1, now, &mut self.packet),
                };
                right += u32::from(expected(verdict));
                sent += 1;
            }
        }
        if right == count {
            Ok(())
        } else {
            Err(format!("{} of {count} packets went astray", count - right).into())
        }
    }

    /// Nanoseconds per packet.
    fn measure(&mut self, scenario: Scenario, seconds: f64) -> Result<f64, Box<dyn Error>> {
        let template =
            || Kind::template(scenario.kind, if scenario.kind == Kind::Syn4 { 0x02 } else { 0x10 });
        if scenario.kind == Kind::Syn4 {
            let start = thread_ns();
            self.packets(template(), scenario.flows, scenario.flows)?;
            return Ok((thread_ns() - start) as f64 / f64::from(scenario.flows));
        }
        let (mut sent, start) = (0_u64, thread_ns());
        loop {
            self.packets(template(), scenario.flows, 1 << 18)?;
            sent += 1 << 18;
            let spent = thread_ns() - start;
            if spent as f64 >= seconds * 1e9 {
                return Ok(spent as f64 / sent as f64);
            }
        }
    }
}

fn median(scenario: Scenario, seconds: f64) -> Result<f64, Box<dyn Error>> {
    let mut all = Vec::new();
    for _ in 0..RUNS {
        all.push(Run::new(scenario)?.measure(scenario, seconds)?);
    }
    all.sort_by(f64::total_cmp);
    Ok(all[RUNS / 2])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let json = arguments.iter().any(|a| a == "--json");
    arguments.retain(|a| a != "--json");
    let mut seconds = 0.5;
    if let Some(at) = arguments.iter().position(|a| a == "--seconds") {
        seconds = arguments.get(at + 1).ok_or("--seconds S")?.parse()?;
        arguments.drain(at..at + 2);
    }
    if let Some(odd) = arguments.iter().find(|a| SCENARIOS.iter().all(|s| s.name != **a)) {
        let known: Vec<&str> = SCENARIOS.iter().map(|s| s.name).collect();
        return Err(format!("there is no scenario `{odd}`; there are {}", known.join(", ")).into());
    }
    let mut lines = Vec::new();
    for scenario in SCENARIOS.iter().filter(|s| arguments.is_empty() || arguments.iter().any(|a| a == s.name))
    {
        let ns = median(*scenario, seconds)?;
        let Scenario { name, about, .. } = scenario;
        if !json {
            println!("{name:<8} {:>7.1} ns {:>7.2} Mpps  {about}", ns, 1e3 / ns);
        }
        lines.push(format!("{{\"name\":\"{name}\",\"ns\":{ns:.1},\"mpps\":{:.2}}}", 1e3 / ns));
    }
    if json {
        println!("{{\"native\":[{}]}}", lines.join(","));
    }
    Ok(())
}
