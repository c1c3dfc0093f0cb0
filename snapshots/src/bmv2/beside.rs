//! A case on BMv2, and the oracle beside it.

use super::plane::{Bmv2, Span};
use super::ticks::timings;
use crate::generate::{Generator, judge};
use crate::oracle::OraclePlane;
use crate::packet;
use crate::run::{Seen, differences, prepare, run};
use crate::story::{Stories, Story};
use anyhow::{Result, ensure};
use hw_targets::Target;
use pipeline_ir::Pipeline;
use pipeline_ir::verify::Verified;
use std::time::Duration;
use sw_fallback::plane::{Count, DataPlane as _};

/// Both, with the case's stories.
#[derive(Debug)]
pub struct Beside {
    stories: Stories,
    json: Vec<u8>,
    bmv2: Bmv2,
    fresh: OraclePlane,
    tick: Duration,
    /// Do entries count on this target? Else its file says that they don't.
    counts: bool,
}

/// BMv2's clock runs by itself: only what says so is told in real time. A frame without a byte doesn't reach
/// `simple_switch_grpc`.
fn is_for_bmv2(story: &Story) -> bool {
    let waits = story.step.iter().any(|s| s.now.is_some_and(|now| now != 0));
    let empty = story.step.iter().any(|s| packet::bytes(&s.packet).is_ok_and(|b| b.is_empty()));
    (!waits || story.real_time) && !empty
}

/// How many packets of a slow switch share a tick is open; so are short time-outs.
fn is_hurried(pipeline: &Pipeline) -> bool {
    pipeline.limiters.iter().any(|l| l.per_tick < 64)
        || pipeline.flow_tables.iter().flat_map(|t| &t.idle).any(|i| i.new < 10_000)
}

/// The story as the oracle hears it at other ticks.
fn at(story: &Story, ticks: &[u32]) -> Story {
    let mut story = story.clone();
    story.step.iter_mut().zip(ticks).for_each(|(step, now)| step.now = Some(*now));
    story
}

impl Beside {
    /// The switch runs p4c's JSON of the pipeline on that target.
    ///
    /// # Errors
    /// The oracle refuses what stands before every story.
    pub fn new(
        verified: &Verified,
        target: &Target,
        stories: Stories,
        json: Vec<u8>,
        bmv2: Bmv2,
    ) -> Result<Self> {
        let mut fresh = OraclePlane::new(verified, target.tick_ns);
        prepare(&stories, &mut fresh)?;
        let lacks = |r: &hw_targets::Recipe| r.answers == "counter.direct" && !r.differs.is_empty();
        let counts = !target.recipes.iter().any(lacks);
        Ok(Self { stories, json, bmv2, fresh, tick: Duration::from_nanos(target.tick_ns), counts })
    }

    /// What the oracle sees, as far as the target can show it.
    fn expected(&self, story: &Story) -> Result<Seen> {
        let mut seen = run(story, &mut self.fresh.clone())?;
        seen.flows = None;
        if !self.counts {
            seen.entries.iter_mut().for_each(|(_, count)| *count = Count::default());
        }
        Ok(seen)
    }

    /// What the oracle sees at whatever times BMv2 can have read; none if that differs, since the machine was slow.
    fn expected_at(&self, story: &Story, spans: &[Span]) -> Result<Option<Seen>> {
        let mut all = timings(spans, self.tick).into_iter().map(|ticks| self.expected(&at(story, &ticks)));
        let Some(first) = all.next().transpose()? else { return Ok(None) };
        for seen in all {
            if seen? != first {
                return Ok(None);
            }
        }
        Ok(Some(first))
    }

    /// What differs; a story in real time is told again when a slow machine leaves open what must come.
    fn told(&mut self, story: &Story) -> Result<String> {
        for _ in 0..8 {
            self.bmv2.reset(&self.json)?;
            prepare(&self.stories, &mut self.bmv2)?;
            if story.real_time {
                self.bmv2.begin(self.tick);
            }
            let mut seen = run(story, &mut self.bmv2)?;
            seen.flows = None;
            let expected = match story.real_time {
                true => self.expected_at(story, self.bmv2.spans())?,
                false => Some(self.expected(story)?),
            };
            if let Some(expected) = expected {
                return Ok(differences(&expected, &seen));
            }
        }
        Ok("the machine is too slow to tell this in real time\n".to_owned())
    }

    /// Tells every story that BMv2 can hear.
    ///
    /// # Errors
    /// All stories in which BMv2 and the oracle differ, and how; or there is none to tell.
    pub fn stories(&mut self) -> Result<()> {
        let mine: Vec<Story> = self.stories.story.iter().filter(|s| is_for_bmv2(s)).cloned().collect();
        let mut faults = Vec::new();
        for story in &mine {
            let text = self.told(story)?;
            if !text.is_empty() {
                faults.push(format!("{}:\n{text}", story.about));
            }
        }
        let all = mine.len();
        ensure!(faults.is_empty(), "{} of {all} stories differ:\n{}", faults.len(), faults.join("\n"));
        ensure!(all > 0, "no story ran");
        Ok(())
    }

    /// Generated packets, in less time than the built-in time-outs. Where limits or time-outs are short there are none.
    ///
    /// # Errors
    /// The shortest story in which BMv2 and the oracle differ, and how.
    pub fn generated(&mut self, seed: u64, packets: usize) -> Result<()> {
        if is_hurried(self.bmv2.pipeline()) {
            return Ok(());
        }
        let mut generator = Generator::new(&self.stories, seed, 1..=2000)?;
        judge(generator.moment(packets), &mut |story| self.told(story))
    }
}
