//! Every case's stories, on every data plane that is there.
#![allow(clippy::unwrap_used)]

use snapshots::case::Case;
use snapshots::oracle::OraclePlane;
use snapshots::run::{expect, prepare, run};

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;

fn oracle(case: &str) {
    let case = Case::named(case).unwrap();
    let stories = case.stories().unwrap();
    let verified = case.compile(&stories.overrides()).unwrap();
    let mut fresh = OraclePlane::new(&verified, TICK_NS);
    prepare(&stories, &mut fresh).unwrap();
    let mut faults = Vec::new();
    for story in &stories.story {
        let mut plane = fresh.clone();
        let result = run(story, &mut plane).and_then(|seen| expect(story, verified.pipeline(), &seen));
        faults.extend(result.err().map(|e| format!("{e:#}")));
    }
    let all = stories.story.len();
    assert!(faults.is_empty(), "{} of {all} stories fail:\n{}", faults.len(), faults.join("\n"));
    assert!(all >= 6, "{all} stories are too few");
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn oracle_tells_the_stories() {
                super::oracle($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
