//! p4c and BMv2 judge every case's P4, where they are on PATH.
#![allow(clippy::unwrap_used)]

use codegen::{Artifacts, fit, p4};
use pipeline_ir::verify::Verified;
use snapshots::bmv2::{Bmv2, Program, available, compile, has_p4c};
use snapshots::case::Case;
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Story;
use std::path::Path;

struct Judged {
    case: Case,
    verified: Verified,
    artifacts: Artifacts,
    tick_ns: u64,
}

impl Judged {
    fn of(case: &str) -> Self {
        let case = Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap();
        let overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
        let verified = case.compile(&overrides).unwrap();
        let mut target = hw_targets::target("bmv2").unwrap();
        // Stories have many pools and few slots.
        target.limits.get_mut("ring_pools").unwrap().value = 64;
        let artifacts = p4::emit(&fit(&verified, &target).unwrap());
        Self { case, verified, artifacts, tick_ns: target.tick_ns }
    }

    fn file(&self, ending: &str) -> &[u8] {
        let path = format!("{}.{ending}", self.verified.pipeline().name);
        self.artifacts.get(&path).unwrap()
    }

    fn text(&self, ending: &str) -> String {
        String::from_utf8(self.file(ending).to_vec()).unwrap()
    }
}

/// p4c takes the program without a warning, and its P4Info is ours, with our ids in the program and without.
fn p4c_agrees(case: &str) {
    let judged = Judged::of(case);
    let program = judged.text("p4");
    let without_ids: String =
        program.lines().map(|l| l.split(" @id(").next().unwrap().to_owned() + "\n").collect();
    assert_ne!(program, without_ids, "the program states ids");
    let dir = tempfile::tempdir().unwrap();
    for text in [program, without_ids] {
        let (_, info) = compile(text.as_bytes(), dir.path()).unwrap();
        assert_eq!(info, judged.text("p4info.txtpb"));
    }
}

/// BMv2's clock runs by itself, and a frame without a byte doesn't reach it.
fn is_for_bmv2(story: &Story) -> bool {
    let waits = story.step.iter().any(|s| s.now.is_some_and(|now| now != 0));
    let empty = story.step.iter().any(|s| packet::bytes(&s.packet).is_ok_and(|b| b.is_empty()));
    !waits && !empty
}

fn bmv2_does_as_the_oracle(case: &str) {
    let judged = Judged::of(case);
    let Ok(stories) = judged.case.stories() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (json, _) = compile(judged.file("p4"), dir.path()).unwrap();
    let program = Program { info: judged.file("p4info.bin"), json: &json };
    let mut bmv2 = Bmv2::start(&judged.verified, program).unwrap();
    let mut fresh = OraclePlane::new(&judged.verified, judged.tick_ns);
    prepare(&stories, &mut fresh).unwrap();
    let mut faults = Vec::new();
    let told: Vec<&Story> = stories.story.iter().filter(|s| is_for_bmv2(s)).collect();
    for story in &told {
        bmv2.reset(&json).unwrap();
        prepare(&stories, &mut bmv2).unwrap();
        let expected = run(story, &mut fresh.clone()).unwrap();
        let mut seen = run(story, &mut bmv2).unwrap();
        seen.flows = None;
        let text = differences(&expected, &seen);
        if !text.is_empty() {
            faults.push(format!("{}:\n{text}", story.about));
        }
    }
    let all = told.len();
    assert!(faults.is_empty(), "{} of {all} stories differ:\n{}", faults.len(), faults.join("\n"));
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn p4c_agrees() {
                if super::has_p4c() {
                    super::p4c_agrees($name);
                }
            }
            #[test]
            fn bmv2_does_as_the_oracle() {
                if super::available() {
                    super::bmv2_does_as_the_oracle($name);
                }
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
