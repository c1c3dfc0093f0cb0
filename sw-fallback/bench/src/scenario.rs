//! What packets are measured.

use crate::frames::{ACK, SYN, Shape, Transport};

/// How a scenario's packets follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Flows {
    /// So many flows that are known, in a scattered order.
    Established(u32),
    /// Every packet is the first of its flow, and there is room.
    New,
    /// The same, and the table is full.
    NewWhenFull,
}

/// One kind of traffic.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    pub shape: Shape,
    pub flows: Flows,
    pub siphash: bool,
}

const fn tcp(flags: u8) -> Shape {
    Shape { ipv6: false, transport: Transport::Tcp { flags }, to_vip: true }
}

const fn scenario(name: &'static str, about: &'static str, shape: Shape, flows: Flows) -> Scenario {
    Scenario { name, about, shape, flows, siphash: false }
}

const UDP: Shape = Shape { ipv6: false, transport: Transport::Udp, to_vip: true };
const TCP6: Shape = Shape { ipv6: true, ..tcp(ACK) };
const NO_VIP: Shape = Shape { to_vip: false, ..tcp(ACK) };

/// All of them, in the order of the table.
pub const SCENARIOS: &[Scenario] = &[
    scenario("est1", "one established TCP flow", tcp(ACK), Flows::Established(1)),
    scenario("est1k", "1,000 established TCP flows", tcp(ACK), Flows::Established(1_000)),
    scenario("est100k", "100,000 established TCP flows", tcp(ACK), Flows::Established(100_000)),
    scenario("est1m", "1,000,000 established TCP flows", tcp(ACK), Flows::Established(1_000_000)),
    scenario("syn", "new TCP flows, the table has room", tcp(SYN), Flows::New),
    scenario("synfull", "new TCP flows, the table is full", tcp(SYN), Flows::NewWhenFull),
    scenario("novip", "TCP to an address that is no VIP", NO_VIP, Flows::Established(1)),
    scenario("udp1", "one UDP flow", UDP, Flows::Established(1)),
    scenario("v6est1", "one established TCP flow over IPv6", TCP6, Flows::Established(1)),
    Scenario {
        siphash: true,
        ..scenario(
            "sip-est1",
            "one established TCP flow, keyed hash (HalfSipHash)",
            tcp(ACK),
            Flows::Established(1),
        )
    },
];

/// The scenarios whose instructions are gated: those that differ in code, not in cache misses only.
pub fn gated() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(|s| !matches!(s.flows, Flows::Established(2..)))
}
