//! What p4c-dpdk makes of the P4 for PNA, in DPDK's SWX: stories and generated packets as the oracle, but for what `fit-pna.txt`
//! lists. What entries have counted is not looked at: p4c counts by numbers that DPDK 22.11 tells nobody.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use anyhow::Result;
use hw_targets::{Target, target};
use needed::skip;
use pipeline_ir::verify::{Verified, verify};
use snapshots::case::{Case, emitted};
use snapshots::dpdk;
use snapshots::generate::{Generator, compare, packets};
use snapshots::judge::Judge;
use snapshots::oracle::OraclePlane;
use snapshots::run::{Seen, differences, prepare, run};
use snapshots::story::{Stories, Story};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SEED: u64 = 0x0070_6e61;

/// All share the memory of one DPDK environment.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pna() -> Target {
    target("pna").unwrap()
}

/// A case's program as p4c-dpdk has made it, and the oracle; entries count in neither.
struct Made {
    stories: Stories,
    verified: Verified,
    spec: String,
    oracle: OraclePlane,
}

impl Made {
    /// None where the case doesn't fit, or something is missing here.
    fn of(name: &str) -> Option<Self> {
        let case = Case::named(name).unwrap();
        let mut stories = case.stories().unwrap();
        stories.story.retain(|s| dpdk::is_for_dpdk(s).unwrap());
        let verified = case.compile(&stories.overrides()).unwrap();
        let program = emitted(&codegen::fit(&verified, &pna()).ok()?, "p4").unwrap();
        let judge = Judge::of(&pna()).unwrap();
        if judge.skip(name) || skip(name, "dpdk", dpdk::unavailable()) {
            return None;
        }
        let judged = judge.ask(&program, &[]).unwrap();
        assert!(judged.status.success(), "{name}: {}", judged.said);
        let spec = std::fs::read_to_string(judged.out()).unwrap();
        let mut pipeline = verified.pipeline().clone();
        pipeline.tables.iter_mut().for_each(|t| t.counters = None);
        let verified = verify(pipeline).unwrap();
        let oracle = OraclePlane::new(&verified, pna().tick_ns);
        Some(Self { stories, verified, spec, oracle })
    }

    /// Flows rest by the processor's clock, which no story moves.
    fn can_be_told(&self, story: &Story) -> bool {
        let waits = story.step.iter().any(|s| s.now.is_some_and(|now| now != 0));
        self.verified.pipeline().flow_tables.is_empty() || !waits
    }

    fn told(&self, story: &Story) -> Result<Seen> {
        let mut plane = dpdk::load_p4c(&self.verified, &self.spec)?;
        prepare(&self.stories, &mut plane)?;
        let mut seen = run(story, &mut plane)?;
        // SWX tells nobody which keys it holds.
        seen.flows = None;
        Ok(seen)
    }

    fn expected(&self, story: &Story) -> Result<Seen> {
        let mut oracle = self.oracle.clone();
        prepare(&self.stories, &mut oracle)?;
        let mut seen = run(story, &mut oracle)?;
        seen.flows = None;
        Ok(seen)
    }
}

/// Cases of which SWX refuses what p4c-dpdk makes: each value on the way has a field of its own.
const TOO_MUCH_METADATA: [&str; 3] = ["l4lb-ip4", "nat", "pin"];

/// Stories of which the packets differ: case, how the story's name begins, why. `fit-pna.txt`, `docs/semantics.md` and `docs/dpdk.md`
/// say so.
const DIFFER: [(&str, &str, &str); 3] = [
    (
        "keep",
        "a server that goes takes its flows with it",
        "the entry stays until it rests: nothing is stored anew",
    ),
    (
        "keep",
        "after FIN the last segments find their server",
        "an OPEN on a closed flow stays where the flow was",
    ),
    ("labels", "four labels are as deep as it reads", CHOICE),
];
/// Of p4c-dpdk's own doing.
const CHOICE: &str = "a choice between two values, in a condition of two parts, is made when all is decided";

fn differs(case: &str, story: &str) -> bool {
    DIFFER.iter().any(|(c, begins, _)| *c == case && story.starts_with(begins))
}

/// SWX refuses it, and says why.
fn is_refused(made: &Made) {
    let refused = dpdk::load_p4c(&made.verified, &made.spec).map(drop).unwrap_err();
    let text = format!("{refused:#}");
    assert!(text.contains("instructions find the first 256 bytes only"), "{text}");
}

fn tells_the_stories(name: &str) {
    let _alone = alone();
    let Some(made) = Made::of(name) else { return };
    if TOO_MUCH_METADATA.contains(&name) {
        return is_refused(&made);
    }
    let mine: Vec<&Story> = made.stories.story.iter().filter(|s| made.can_be_told(s)).collect();
    let mut faults = Vec::new();
    for story in &mine {
        let seen = made.told(story).unwrap_or_else(|e| panic!("{}: {e:#}", story.about));
        let text = differences(&made.expected(story).unwrap(), &seen);
        match (text.is_empty(), differs(name, &story.about)) {
            (false, false) => faults.push(format!("{}\n{text}", story.about)),
            (true, true) => faults.push(format!("{}: it is listed, and yet nothing differs", story.about)),
            _ => {}
        }
    }
    let all = mine.len();
    assert!(faults.is_empty(), "{} of {all} stories differ:\n{}", faults.len(), faults.join("\n"));
    assert!(all > 0, "no story ran");
}

/// Not those with flows: how SWX forgets and moves them differs; nor `labels`, for [`CHOICE`].
fn does_as_the_oracle(name: &str) {
    let _alone = alone();
    let Some(made) = Made::of(name) else { return };
    if !made.verified.pipeline().flow_tables.is_empty()
        || TOO_MUCH_METADATA.contains(&name)
        || name == "labels"
    {
        return;
    }
    let generator = Generator::new(&made.stories, SEED, 0..=3500).unwrap();
    let mut told = |story: &Story| made.told(story);
    compare(&made.stories, &made.oracle, generator, packets() / 10, &mut told)
        .unwrap_or_else(|e| panic!("{e:#}"));
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn tells_the_stories() {
                super::tells_the_stories($name);
            }
            #[test]
            fn does_as_the_oracle() {
                super::does_as_the_oracle($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
