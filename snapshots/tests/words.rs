//! What a pipeline names like a word of the language that is emitted.
#![allow(clippy::unwrap_used)]

use needed::skip;
use pipeline_ir::verify::Verified;
use snapshots::case::{Case, emitted};
use snapshots::judge::Judge;
use snapshots::oracle::OraclePlane;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Stories;
use snapshots::xdp::{XdpCase, unavailable};

/// `police` with a limiter and a counter named like words of C and P4.
fn with_words() -> (Verified, Stories) {
    let mut case = Case::named("police").unwrap();
    for (name, word) in [("ICMP_RATE", "ELSE"), ("BY_TYPE", "REGISTER")] {
        assert!(case.source.contains(name));
        case.source = case.source.replace(name, word);
    }
    let stories = case.stories().unwrap();
    (case.compile(&stories.overrides()).unwrap(), stories)
}

/// clang takes the C, and in the kernel it limits and counts.
#[test]
fn xdp_has_names_of_its_own_for_words_of_c() {
    if skip("words on XDP", "bpf", unavailable()) {
        return;
    }
    let (verified, stories) = with_words();
    let mut oracle = OraclePlane::new(&verified, hw_targets::target("xdp").unwrap().tick_ns);
    prepare(&stories, &mut oracle).unwrap();
    let xdp = XdpCase::compile(&verified, &stories).unwrap_or_else(|e| panic!("{e:#}"));
    let mut plane = xdp.serve().unwrap_or_else(|e| panic!("{e:#}"));
    let mut counted = false;
    for story in stories.story.iter().filter(|s| s.step.len() > 1) {
        plane.renew().unwrap();
        prepare(&stories, &mut plane).unwrap();
        let (expected, seen) = (run(story, &mut oracle.clone()).unwrap(), run(story, &mut plane).unwrap());
        assert_eq!(differences(&expected, &seen), "", "{}", story.about);
        counted |= seen.counters.keys().any(|name| name.starts_with("register["));
    }
    assert!(counted, "no story counts");
}

/// So do p4c's back ends the P4, where they are on PATH.
#[test]
fn p4_has_names_of_its_own_for_words_of_p4() {
    let (verified, _) = with_words();
    for name in ["bmv2", "pna"] {
        let target = hw_targets::target(name).unwrap();
        let fitted = codegen::fit(&verified, &target).unwrap();
        let program = emitted(&fitted, "p4").unwrap();
        p4::parse(&program).unwrap_or_else(|e| panic!("{name}: {e}"));
        let judge = Judge::of(&target).unwrap();
        if !judge.skip(name) {
            let judged = judge.ask(&program, &[]).unwrap();
            assert!(judged.status.success(), "{name}:\n{}", judged.said);
        }
    }
}
