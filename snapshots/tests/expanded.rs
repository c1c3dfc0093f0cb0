//! What the macro makes of a pipeline does what the file compiler's reading of it does: stories, and generated packets.
#![allow(clippy::unwrap_used)]

use guideway::Native;
use guideway::builtin::{decap, l4lb};
use snapshots::case::Case;
use snapshots::generate::{Generator, compare};
use snapshots::oracle::OraclePlane;
use snapshots::run::{differences, prepare, run};
use snapshots::story::{Stories, Story};

const SEED: u64 = 0x6d_6163_726f;

fn load(case: &str) -> Case {
    Case::named(case).unwrap()
}

/// The oracle reads the file; with the constants of the source, as the macro does.
fn oracle(case: &Case) -> OraclePlane {
    let verified = case.compile(&[]).unwrap();
    OraclePlane::new(&verified, hw_targets::target("native").unwrap().tick_ns)
}

fn tells_the_stories<P: Native>(name: &str) {
    let case = load(name);
    let stories = case.stories().unwrap();
    assert_eq!(P::FILE, case.file);
    let mut oracle = oracle(&case);
    prepare(&stories, &mut oracle).unwrap();
    for story in &stories.story {
        let expected = run(story, &mut oracle.clone()).unwrap();
        let mut plane = guideway::plane::<P>().unwrap();
        prepare(&stories, &mut plane).unwrap();
        let text = differences(&expected, &run(story, &mut plane).unwrap());
        assert!(text.is_empty(), "{name}: {}\n{text}", story.about);
    }
    assert!(!stories.story.is_empty(), "no story ran");
}

/// Packets of the case's stories, varied; few, for these tables are big.
fn does_as_the_oracle<P: Native>(name: &str, packets: usize) {
    let case = load(name);
    let stories: Stories = case.stories().unwrap();
    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut told = |story: &Story| {
        let mut plane = guideway::plane::<P>().unwrap();
        prepare(&stories, &mut plane)?;
        run(story, &mut plane)
    };
    compare(&stories, &oracle(&case), generator, packets, &mut told).unwrap_or_else(|e| panic!("{e:#}"));
}

#[test]
fn decap_tells_the_stories() {
    tells_the_stories::<decap::Pipeline>("decap");
}

#[test]
fn l4lb_does_as_the_oracle() {
    does_as_the_oracle::<l4lb::Pipeline>("l4lb", 2000);
}

macro_rules! case {
    ($module:ident, $name:literal, $program:ty) => {
        #[test]
        fn $module() {
            tells_the_stories::<$program>($name);
            does_as_the_oracle::<$program>($name, 1000);
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/expanded.rs"));
