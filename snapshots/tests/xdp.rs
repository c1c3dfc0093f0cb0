//! Every case's stories through the emitted C in the kernel, programmed over P4Runtime: as the oracle tells them.
#![allow(clippy::unwrap_used)]

use needed::skip;
use snapshots::case::Case;
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::run::{differences, prepare, run};
use snapshots::story::{Step, Story};
use snapshots::xdp::{XdpCase, unavailable};
use sw_fallback::xdp::FRAME_BYTES;

/// The kernel's runner takes no frame that is shorter than Ethernet's header.
fn runs(story: &Story) -> bool {
    story.step.iter().all(|s| FRAME_BYTES.contains(&packet::bytes(&s.packet).unwrap().len()))
}

/// Loading takes the verifier half a second: all stories of one packet become one, far apart in time, so that
/// flows of one have expired for the next.
fn together(all: Vec<Story>) -> Vec<Story> {
    let alone = |s: &Story| s.step.len() == 1 && s.step[0].before.is_empty();
    let (single, mut stories): (Vec<_>, Vec<_>) = all.into_iter().filter(runs).partition(alone);
    let mut one = Story { about: "the stories of one packet".to_owned(), ..Story::default() };
    for (story, i) in single.into_iter().zip(1..) {
        one.about += &format!("\n  step {i}: {}", story.about);
        one.step.extend(story.step.into_iter().map(|s| Step { now: Some(i * 60_000), ..s }));
    }
    stories.push(one);
    stories
}

fn xdp_does_as_the_oracle(case: &str) {
    if skip(&format!("{case} on XDP"), "bpf", unavailable()) {
        return;
    }
    let case = Case::named(case).unwrap();
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let tick_ns = hw_targets::target("xdp").unwrap().tick_ns;
    let mut oracle = OraclePlane::new(&verified, tick_ns);
    prepare(&stories, &mut oracle).unwrap();
    let xdp = XdpCase::compile(&verified, &stories).unwrap_or_else(|e| panic!("{e:#}"));
    let mut plane = xdp.serve().unwrap_or_else(|e| panic!("{e:#}"));
    let mut faults = Vec::new();
    let mut told = 0;
    for story in &together(stories.story.clone()) {
        let expected = run(story, &mut oracle.clone()).unwrap();
        plane.renew().unwrap_or_else(|e| panic!("{}: {e:#}", story.about));
        prepare(&stories, &mut plane).unwrap();
        let seen = run(story, &mut plane).unwrap_or_else(|e| panic!("{e:#}"));
        let text = differences(&expected, &seen);
        if !text.is_empty() {
            faults.push(format!("{}\n{text}", story.about));
        }
        told += 1;
    }
    assert!(faults.is_empty(), "{} of {told} stories differ:\n{}", faults.len(), faults.join("\n"));
    assert!(told > 0, "no story ran");
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn xdp_does_as_the_oracle() {
                super::xdp_does_as_the_oracle($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
