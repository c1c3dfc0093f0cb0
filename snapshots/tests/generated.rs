//! Generated packets: what holds for the oracle whatever comes, and that every data plane, programmed over P4Runtime, does as
//! the oracle.
#![allow(clippy::unwrap_used)]

use needed::skip;
use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::run::{prepare, run, verdict};
use snapshots::story::Story;
use snapshots::xdp::{XdpCase, unavailable};
use std::collections::BTreeSet;
use sw_fallback::plane::Verdict;
use sw_fallback::xdp::FRAME_BYTES;

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x6775_6964_6577_6179;

fn load(case: &str) -> Case {
    Case::named(case).unwrap()
}

/// Every drop is counted, once, under its reason; and every reason is met, so that the packets are worth sending.
fn every_drop_is_counted(case: &str) {
    let case = load(case);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let mut fresh = OraclePlane::new(&verified, TICK_NS);
    prepare(&stories, &mut fresh).unwrap();
    let mut generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut met = BTreeSet::new();
    for _ in 0..5 {
        let seen = run(&generator.story(1000), &mut fresh.clone()).unwrap();
        for (name, count) in &seen.counters {
            let Some(reason) = name.strip_prefix("drop.") else { continue };
            let dropped = seen.outcomes.iter().filter(|o| o.verdict == Verdict::Drop(reason.to_owned()));
            assert_eq!(count.packets, dropped.count() as u64, "{name}");
        }
        met.extend(seen.outcomes.iter().map(|o| verdict(&o.verdict)));
        met.extend(seen.flows.iter().flatten().flatten().map(|f| format!("state {}", f.state)));
        met.extend(
            seen.counters.iter().filter(|(n, c)| n.ends_with("stored") && c.packets > 0).map(|c| c.0.clone()),
        );
    }
    let pipeline = verified.pipeline();
    // A case with another's pipeline has fewer stories to start from.
    let own = case.name == pipeline.name;
    for reason in pipeline.reasons.iter().filter(|_| own) {
        let name = format!("drop {}", reason.name);
        assert!(met.contains(&name), "no generated packet meets `{name}`: {met:?}");
    }
    for table in &pipeline.flow_tables {
        assert!(met.contains(&format!("{}.stored", table.name)), "{met:?}");
        assert!((1..=4).all(|s| met.contains(&format!("state {s}"))), "{met:?}");
    }
}

fn xdp_does_as_the_oracle(case: &str) {
    if skip(&format!("{case} on XDP"), "bpf", unavailable()) {
        return;
    }
    let case = load(case);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let oracle = OraclePlane::new(&verified, hw_targets::target("xdp").unwrap().tick_ns);
    let xdp = XdpCase::compile(&verified, &stories).unwrap_or_else(|e| panic!("{e:#}"));
    let generator = Generator::new(&stories, SEED, FRAME_BYTES).unwrap();
    let mut plane = xdp.serve().unwrap_or_else(|e| panic!("{e:#}"));
    let mut told = |story: &Story| {
        plane.renew()?;
        prepare(&stories, &mut plane)?;
        run(story, &mut plane)
    };
    // Most of what can go wrong needs flows.
    let share = if verified.pipeline().flow_tables.is_empty() { 4 } else { 1 };
    compare(&stories, &oracle, generator, packets() / share, &mut told).unwrap_or_else(|e| panic!("{e:#}"));
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn every_drop_is_counted() {
                super::every_drop_is_counted($name);
            }
            #[test]
            fn xdp_does_as_the_oracle() {
                super::xdp_does_as_the_oracle($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
