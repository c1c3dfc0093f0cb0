//! Generated packets: what holds for the oracle whatever comes, and that every data plane does as the oracle.
#![allow(clippy::unwrap_used)]

use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::run::{prepare, run};
use snapshots::xdp::{XdpCase, unavailable};
use std::path::Path;
use sw_fallback::plane::Verdict;
use sw_fallback::xdp::FRAME_BYTES;

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x6775_6964_6577_6179;

fn load(case: &str) -> Case {
    Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap()
}

/// Every packet has one verdict; every drop is counted, once, under its reason.
fn every_drop_is_counted(case: &str) {
    let case = load(case);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let mut fresh = OraclePlane::new(&verified, TICK_NS);
    prepare(&stories, &mut fresh).unwrap();
    let mut generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    for _ in 0..10 {
        let seen = run(&generator.story(200), &mut fresh.clone()).unwrap();
        for (name, count) in &seen.counters {
            let Some(reason) = name.strip_prefix("drop.") else { continue };
            let dropped = seen.outcomes.iter().filter(|o| o.verdict == Verdict::Drop(reason.to_owned()));
            assert_eq!(count.packets, dropped.count() as u64, "{name}");
        }
        let sent = seen.outcomes.iter().filter(|o| !matches!(o.verdict, Verdict::Drop(_)));
        let lost =
            seen.outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Drop(_)) && !o.bytes.is_empty());
        assert_eq!(lost.count(), 0, "a dropped packet has no bytes");
        assert!(sent.count() > 0);
    }
}

fn xdp_does_as_the_oracle(case: &str) {
    if let Some(why) = unavailable() {
        let required = std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|v| v.split(',').any(|w| w == "bpf"));
        assert!(!required, "{case}: {why}");
        eprintln!("skipped: {case} on XDP: {why}");
        return;
    }
    let case = load(case);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let oracle = OraclePlane::new(&verified, hw_targets::target("xdp").unwrap().tick_ns);
    let xdp = XdpCase::compile(&verified, &stories).unwrap_or_else(|e| panic!("{e:#}"));
    let generator = Generator::new(&stories, SEED, FRAME_BYTES).unwrap();
    let mut fresh = || {
        let mut plane = xdp.load()?;
        prepare(&stories, &mut plane)?;
        Ok(Box::new(plane) as Box<_>)
    };
    compare(&stories, &oracle, generator, packets(), &mut fresh).unwrap_or_else(|e| panic!("{e:#}"));
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
