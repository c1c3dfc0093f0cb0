//! Nanoseconds per packet: every program on the same packets, in turn, again and again.

mod captured;
mod cpus;
mod fixture;
mod latency;
mod live;

pub use captured::{Captured, captured};
pub use cpus::{OnCpus, on_two_cpus};
pub use fixture::Fixture;
pub use latency::{Latency, Percentiles, latency};
pub use live::{Live, over_veth};

use crate::frames::{SYN, Shape, Transport};
use crate::programs::{Choice, FLOOR_NAMES, Feed, LRU_FLOWS, Sample};
use crate::scenario::{Flows, Scenario};
use anyhow::{Result, ensure};
use serde::Serialize;

/// The name under which the emitted program is shown.
pub const OURS: &str = "guideway";
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Effort {
    pub rounds: usize,
    /// Of one program in one round.
    pub seconds: f64,
}

/// Median and extremes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// Of some numbers; all 0 of none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (values.first(), values.last()) else { return Self::default() };
        let half = values.len() / 2;
        let odd = values.len() % 2 == 1;
        let median = if odd { values[half] } else { f64::midpoint(values[half - 1], values[half]) };
        Self { median, least, most }
    }
}

/// What a program costs in a scenario.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Cost {
    pub program: String,
    /// Per packet, without what the bench itself needs: `drop`, measured in the same round, is taken off.
    pub ns: Spread,
    /// The same by hardware counters: instructions and missed branches.
    pub hardware: Option<[f64; 2]>,
}

/// A scenario's costs.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Times {
    pub scenario: &'static str,
    pub about: &'static str,
    pub costs: Vec<Cost>,
}

impl Times {
    /// What a program costs, in ns.
    #[must_use]
    pub fn ns(&self, program: &str) -> f64 {
        self.costs.iter().find(|c| c.program == program).map_or(f64::NAN, |c| c.ns.median)
    }

    /// What ours costs as a multiple of another.
    #[must_use]
    pub fn ratio(&self, floor: &str) -> f64 {
        self.ns(OURS) / self.ns(floor)
    }
}

/// Packets of new flows in one run: they must find room.
const NEW_FLOWS: u32 = 800_000;

/// Measures a scenario on this thread's CPU.
///
/// # Errors
/// The kernel refuses, or a packet does not become what it must.
pub fn measure(
    scenario: &Scenario,
    effort: Effort,
    fixture: &mut Fixture,
    mut progress: impl FnMut(usize),
) -> Result<Times> {
    let mut feed = Feed::new(scenario.shape)?;
    let mut session = Session { scenario, next_flow: 1 << 28 };
    let names: Vec<&str> = FLOOR_NAMES.into_iter().chain([OURS]).collect();
    let mut frames = Vec::new();
    for name in &names {
        session.prepare(&mut feed, fixture, name)?;
        frames.push(session.frames(&mut feed, fixture, name, effort)?);
    }
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); names.len()];
    for round in 0..effort.rounds {
        progress(round);
        for (i, name) in names.iter().enumerate() {
            samples[i].push(session.run(&mut feed, fixture, name, frames[i])?);
        }
    }
    let base = samples[0].clone();
    let costs = names.iter().zip(&samples).map(|(name, samples)| cost(name, samples, &base)).collect();
    Ok(Times { scenario: scenario.name, about: scenario.about, costs })
}

/// Takes off what the bench itself needs, round by round; of the floor `drop` that is all there is.
fn cost(name: &str, samples: &[Sample], base: &[Sample]) -> Cost {
    let own = |of: fn(&Sample) -> f64| {
        let pairs = samples.iter().zip(base);
        Spread::of(pairs.map(|(s, b)| of(s) - if name == FLOOR_NAMES[0] { 0.0 } else { of(b) }).collect())
    };
    let counted = samples.iter().all(|s| s.hardware.is_some());
    let hardware = counted.then(|| {
        let [a, b]: [fn(&Sample) -> f64; 2] =
            [|s| s.hardware.map_or(0.0, |h| h[0]), |s| s.hardware.map_or(0.0, |h| h[1])];
        [own(a).median, own(b).median]
    });
    Cost { program: name.to_owned(), ns: own(|s| s.ns), hardware }
}

/// The shape that opens a scenario's flows.
fn opening(shape: Shape) -> Shape {
    match shape.transport {
        Transport::Tcp { .. } => Shape { transport: Transport::Tcp { flags: SYN }, ..shape },
        Transport::Udp => shape,
    }
}

/// Makes flows known: an opening packet and one more of each.
fn establish(feed: &mut Feed, shape: Shape, first: u32, flows: u32) -> Result<()> {
    for shape in [opening(shape), shape, shape] {
        feed.take(shape);
        feed.flows(Choice::Each, first)?;
        feed.run(flows)?;
    }
    Ok(())
}

struct Session<'a> {
    scenario: &'a Scenario,
    next_flow: u32,
}

impl Session<'_> {
    /// Brings a program's memory of flows to where the scenario starts.
    fn prepare(&mut self, feed: &mut Feed, fixture: &mut Fixture, name: &str) -> Result<()> {
        fixture.forget(name)?;
        feed.feeds(fixture.program(name)?)?;
        match self.scenario.flows {
            Flows::Established(flows) => establish(feed, self.scenario.shape, 0, flows)?,
            Flows::New => {}
            Flows::NewWhenFull => {
                let fill = if name == OURS { fixture.full() } else { LRU_FLOWS + LRU_FLOWS / 3 };
                if [OURS, "lru"].contains(&name) {
                    self.new_flows(feed, fill)?;
                }
            }
        }
        Ok(())
    }

    fn new_flows(&mut self, feed: &mut Feed, flows: u32) -> Result<Sample> {
        feed.flows(Choice::Each, self.next_flow)?;
        self.next_flow = self.next_flow.wrapping_add(flows);
        feed.run(flows)
    }

    /// How many frames take as long as was asked for.
    fn frames(&mut self, feed: &mut Feed, fixture: &mut Fixture, name: &str, effort: Effort) -> Result<u32> {
        let ns = self.run(feed, fixture, name, 100_000)?.ns;
        let frames = (effort.seconds * 1e9 / ns.max(1.0)) as u32;
        let most = if self.scenario.flows == Flows::New { NEW_FLOWS } else { u32::MAX };
        Ok(frames.clamp(100_000, most))
    }

    fn run(&mut self, feed: &mut Feed, fixture: &mut Fixture, name: &str, frames: u32) -> Result<Sample> {
        if self.scenario.flows == Flows::New {
            fixture.forget(name)?;
        }
        feed.feeds(fixture.program(name)?)?;
        let sample = match self.scenario.flows {
            Flows::Established(flows) => {
                feed.flows(Choice::Among(flows), 0)?;
                feed.run(frames)?
            }
            Flows::New | Flows::NewWhenFull => self.new_flows(feed, frames)?,
        };
        if name == OURS {
            self.check(&sample)?;
        }
        Ok(sample)
    }

    /// Ours must do its job, or the time says nothing.
    fn check(&self, sample: &Sample) -> Result<()> {
        let shape = self.scenario.shape;
        let bytes = if shape.ipv6 { 84 } else { 64 };
        let (verdict, bytes) = match (shape.to_vip, shape.ipv6) {
            (false, _) => (XDP_PASS, bytes),
            (true, false) => (XDP_TX, bytes + 20),
            (true, true) => (XDP_TX, bytes + 40),
        };
        let is = (sample.verdict, sample.frame.len());
        ensure!(is == (verdict, bytes), "{}: verdict and length {is:?}", self.scenario.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert!((Spread::of(vec![4.0, 1.0]).median - 2.5).abs() < 1e-9);
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }

    #[test]
    fn the_base_of_the_same_round_is_taken_off() {
        let samples = |ns: [f64; 3]| ns.map(|ns| Sample { ns, ..Sample::default() });
        let (base, other) = (samples([10.0, 20.0, 30.0]), samples([15.0, 26.0, 37.0]));
        assert_eq!(cost("lru", &other, &base).ns, Spread { median: 6.0, least: 5.0, most: 7.0 });
        assert!((cost("drop", &base, &base).ns.median - 20.0).abs() < 1e-9);
    }
}
