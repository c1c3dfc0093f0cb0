//! Every case's stories, and generated packets, through the emitted `.spec` in DPDK's SWX, programmed over P4Runtime: as the
//! oracle, but for what `fit.txt` lists.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use needed::skip;
use snapshots::case::Case;
use snapshots::dpdk;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Story;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const SEED: u64 = 0x6470_646b;

/// All share the memory of one DPDK environment, which is not for two programs of the greatest size for each thread.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load(case: &str) -> Case {
    Case::named(case).unwrap()
}

fn no_dpdk(case: &str) -> bool {
    skip(case, "dpdk", dpdk::unavailable())
}

/// Stories of which the packets, or what is stored of them, differ: case, how the story's name begins, why. The pipelines'
/// `fit.txt` and `docs/semantics.md` say so.
const DIFFER: &[(&str, &str, &str)] = &[
    ("l4lb", "a flow whose key is the mark", MARK),
    ("l4lb", "IPv6: the mark is the first 32 bits", MARK),
    ("l4lb-siphash", "IPv4 over", FULL),
    ("l4lb-tiny", "both buckets full", FULL),
    ("l4lb-tiny", "first and second bucket are the same one", FULL),
    ("l4lb-tiny", "the same in the other bucket", FULL),
    ("l4lb-tiny", "a flood of SYNs breaks no established flow", FULL),
    ("l4lb-tiny", "among new flows the oldest gives way", FULL),
    ("l4lb-tiny", "a refreshed flow is not the oldest", FULL),
    ("l4lb-tiny", "equally old: the lowest way", FULL),
    ("l4lb-tiny", "closing gives way before new", FULL),
    ("l4lb-tiny", "among closing flows the oldest gives way", FULL),
    ("l4lb-tiny", "established UDP flows are not evicted either", FULL),
    ("pin", "a full table keeps its established flows", FULL),
];
/// A learner has no way under construction, so no key is its mark.
const MARK: &str = "every key can be stored";
/// Buckets are the learner's own: one for each flow, by another hash.
const FULL: &str = "a full bucket takes no flow until one of its own has rested";

/// Less than any key rests.
const MOMENT: Duration = Duration::from_secs(3);

fn why(case: &str, story: &str) -> Option<&'static str> {
    DIFFER.iter().find(|(c, begins, _)| *c == case && story.starts_with(begins)).map(|d| d.2)
}

fn tells_the_stories(name: &str) {
    let _alone = alone();
    if no_dpdk(name) {
        return;
    }
    let case = load(name);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let Some(program) = dpdk::program(&verified).unwrap() else { return };
    let mut oracle = OraclePlane::new(&verified, hw_targets::target("dpdk").unwrap().tick_ns);
    prepare(&stories, &mut oracle).unwrap();
    let mut plane = dpdk::serve(&verified, &program).unwrap();
    let mut faults = Vec::new();
    let mine: Vec<&Story> = stories.story.iter().filter(|s| dpdk::is_for_dpdk(s).unwrap()).collect();
    for story in &mine {
        let expected = run(story, &mut oracle.clone()).unwrap();
        let mut text = String::new();
        for _ in 0..20 {
            plane.renew().unwrap();
            prepare(&stories, &mut plane).unwrap();
            let since = Instant::now();
            let mut seen = run(story, &mut plane).unwrap_or_else(|e| panic!("{e:#}"));
            // SWX tells nobody which keys it holds.
            seen.flows = None;
            text = differences(&expected, &seen);
            // A key gives its room back by the processor's clock: what a stalled machine does is told again.
            if text.is_empty() || since.elapsed() < MOMENT {
                break;
            }
        }
        match (text.is_empty(), why(name, &story.about)) {
            (false, None) => faults.push(format!("{}\n{text}", story.about)),
            (true, Some(MARK)) => faults.push(format!("{}: {MARK}, and yet nothing differs", story.about)),
            _ => {}
        }
    }
    let all = mine.len();
    assert!(faults.is_empty(), "{} of {all} stories differ:\n{}", faults.len(), faults.join("\n"));
    assert!(all > 0, "no story ran");
}

/// Their hash is of more than a flow's key, and decides where others look for the flow; a learner finds it by the key alone.
const HASH_MORE: [&str; 2] = ["keep", "pin"];

/// Their packets name ports, which may be any of 16 bits: SWX has fewer, and drops what goes to others.
const NAME_PORTS: [&str; 1] = ["l4lb-pipe1"];

/// With a flow table in which no bucket is ever full. Not those that [`HASH_MORE`], nor those that [`NAME_PORTS`].
fn does_as_the_oracle(name: &str) {
    let _alone = alone();
    if no_dpdk(name) {
        return;
    }
    let case = load(name);
    let mut stories = case.stories().unwrap();
    stories.story.retain(|s| dpdk::is_for_dpdk(s).unwrap());
    let mut overrides = stories.overrides();
    overrides.iter_mut().filter(|o| o.0 == "FLOW_ENTRIES").for_each(|o| o.1 = ENTRIES.to_string());
    let verified = case.compile(&overrides).unwrap();
    let Some(program) = dpdk::program(&verified).unwrap() else { return };
    if HASH_MORE.contains(&name)
        || NAME_PORTS.contains(&name)
        || verified.pipeline().flow_tables.iter().any(|t| t.entries < ENTRIES)
    {
        return;
    }
    let oracle = OraclePlane::new(&verified, hw_targets::target("dpdk").unwrap().tick_ns);
    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut plane = dpdk::serve(&verified, &program).unwrap();
    let mut told = |story: &Story| {
        plane.renew()?;
        prepare(&stories, &mut plane)?;
        let mut seen = run(story, &mut plane)?;
        seen.flows = None;
        Ok(seen)
    };
    compare(&stories, &oracle, generator, packets() / 10, &mut told).unwrap_or_else(|e| panic!("{e:#}"));
}

/// Flows of a table that is never full.
const ENTRIES: u32 = 65_536;

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
