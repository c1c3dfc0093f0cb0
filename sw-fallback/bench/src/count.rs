//! Instructions per packet of a scenario, by the interpreter.

use crate::frames::{SYN, Shape, Transport};
use crate::interp::{Counts, HotLine, Machine, Maps, Program};
use crate::scenario::{Flows, Scenario};
use crate::setup::Setup;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use sw_fallback::xdp::Inside;

/// What clang calls the source.
const STDIN: &str = "<stdin>";
/// The program's function.
const MAIN: &str = "gw_main";
/// Packets of a scenario in which each is another flow.
const PACKETS: u32 = 256;
/// A table of this many entries is full soon.
const SMALL: &str = "4096";
const FILL: u32 = 4096 * 3;
/// A tick of the flow table's clock, in ns.
const TICK: u64 = 1 << 26;

const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;

/// What the kernel's maps have.
pub struct Kernel(pub Inside);

impl Maps for Kernel {
    fn element(&self, map: &str, index: u32) -> Option<Vec<u8>> {
        self.0.element(map, index).ok()
    }
}

/// A program and the maps that the loader has filled for it.
pub struct Counter {
    program: Program,
    maps: Kernel,
    source: String,
    headers: BTreeMap<String, String>,
}

impl Counter {
    /// Compiles and loads `l4lb` for scenarios with this hash; C of one's own may stand for the emitted.
    ///
    /// # Errors
    /// No clang, or the kernel refuses.
    pub fn new(siphash: bool, source: Option<&str>) -> Result<Self> {
        let hash = [("HASH", "HalfSipHash")];
        let small = [("FLOW_ENTRIES", SMALL)];
        let sets: Vec<(&str, &str)> = small.into_iter().chain(hash.into_iter().filter(|_| siphash)).collect();
        let setup = Setup::with(&sets, source)?;
        let plane = setup.load("lo", false)?;
        Ok(Self {
            program: Program::read(&setup.object)?,
            maps: Kernel(plane.inside()?),
            source: setup.source,
            headers: setup.headers,
        })
    }

    /// What the loader has told the program of the kernel's clock.
    fn jiffy_ns(&self) -> Option<u64> {
        let (section, at) = self.program.variable("gw_jiffy_ns")?;
        let bytes = self.maps.element(section, 0)?;
        bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes)
    }

    /// The source lines that cost most.
    #[must_use]
    pub fn hot(&self, counts: &Counts) -> Vec<HotLine> {
        let mut lines = counts.hot(&self.program);
        for line in &mut lines {
            let file = if line.file == STDIN { Some(&self.source) } else { self.headers.get(&line.file) };
            let text = file.and_then(|text| text.lines().nth(line.line as usize - 1));
            if line.file == STDIN {
                line.file = "l4lb.bpf.c".to_owned();
            }
            line.text = text.unwrap_or_default().trim().to_owned();
        }
        lines
    }

    /// What the packets of a scenario cost.
    ///
    /// # Errors
    /// The program does what it must not, or a packet does not meet the verdict of its scenario.
    pub fn count(&self, scenario: &Scenario) -> Result<Counts> {
        let mut machine = Machine::new(&self.program, &self.maps);
        machine.clock_ns = 1000 * TICK;
        machine.jiffy_ns = self.jiffy_ns().unwrap_or(1);
        let opening = match scenario.shape.transport {
            Transport::Tcp { .. } => Shape { transport: Transport::Tcp { flags: SYN }, ..scenario.shape },
            Transport::Udp => scenario.shape,
        };
        let mut one = |shape: Shape, flow: u32| {
            let outcome = machine.run(MAIN, &shape.frame(flow)).with_context(|| scenario.name)?;
            let expected = if scenario.shape.to_vip { XDP_TX } else { XDP_PASS };
            ensure!(outcome.verdict == expected, "{}: verdict {}", scenario.name, outcome.verdict);
            anyhow::Ok(())
        };
        let (before, first, packets) = match scenario.flows {
            Flows::Established(flows) => (flows, 0, flows.min(PACKETS)),
            Flows::New => (0, 0, PACKETS),
            Flows::NewWhenFull => (FILL, FILL, PACKETS),
        };
        for flow in 0..before {
            one(opening, flow)?;
            if let Flows::Established(_) = scenario.flows {
                // The state moves on, and is written, once.
                one(scenario.shape, flow)?;
            }
        }
        machine.take_counts();
        machine.clock_ns += TICK / 2;
        let mut one = |flow: u32| machine.run(MAIN, &scenario.shape.frame(flow));
        for flow in first..first + packets {
            one(flow)?;
        }
        Ok(machine.take_counts())
    }
}
