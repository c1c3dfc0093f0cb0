//! Every case's stories, and generated packets, through the emitted Rust, programmed over P4Runtime: as the oracle.
#![allow(clippy::unwrap_used)]

use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::native;
use snapshots::oracle::OraclePlane;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Story;

const SEED: u64 = 0x6e61_7469_7665;

fn load(case: &str) -> Case {
    Case::named(case).unwrap()
}

fn tells_the_stories(name: &str) {
    let case = load(name);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let mut oracle = OraclePlane::new(&verified, hw_targets::target("native").unwrap().tick_ns);
    prepare(&stories, &mut oracle).unwrap();
    let mut plane = native::serve(name, &verified).unwrap();
    let mut faults = Vec::new();
    for story in &stories.story {
        let expected = run(story, &mut oracle.clone()).unwrap();
        plane.renew().unwrap();
        prepare(&stories, &mut plane).unwrap();
        let seen = run(story, &mut plane).unwrap_or_else(|e| panic!("{e:#}"));
        let text = differences(&expected, &seen);
        if !text.is_empty() {
            faults.push(format!("{}\n{text}", story.about));
        }
    }
    let all = stories.story.len();
    assert!(faults.is_empty(), "{} of {all} stories differ:\n{}", faults.len(), faults.join("\n"));
    assert!(all > 0, "no story ran");
}

fn does_as_the_oracle(name: &str) {
    let case = load(name);
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let oracle = OraclePlane::new(&verified, hw_targets::target("native").unwrap().tick_ns);
    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut plane = native::serve(name, &verified).unwrap();
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
