//! p4c's Tofino back end judges every P4 that is written for TNA, where it is on PATH: it takes it, and places it.
#![allow(clippy::unwrap_used)]

use hw_targets::{Target, target};
use snapshots::case::{Case, emitted};
use snapshots::judge::{Judge, barefoot};

const CHIPS: [&str; 2] = ["tofino", "tofino2"];

/// The case's P4 for a chip; none where it doesn't fit.
fn program(case: &str, chip: &Target) -> Option<String> {
    let verified = Case::named(case).unwrap().sized().unwrap();
    let fitted = codegen::fit(&verified, chip).ok()?;
    Some(emitted(&fitted, "p4").unwrap())
}

/// Takes the program without an error or a warning about it, and finds a place for all of it.
fn p4c_barefoot_places_it(case: &str) {
    for chip in CHIPS {
        let chip = target(chip).unwrap();
        let Some(program) = program(case, &chip) else { continue };
        let what = format!("{case} on {}", chip.name);
        if Judge::of(&chip).unwrap().skip(&what) {
            continue;
        }
        let verdict = barefoot::place(&program, &chip).unwrap();
        let places = verdict.places.unwrap_or_else(|| panic!("{what}:\n{}", verdict.said));
        assert_eq!(verdict.warnings().next(), None, "{what}:\n{}", verdict.said);
        let there_are = chip.limit("stages").unwrap();
        assert!(
            (1..=there_are).contains(&places.stages),
            "{what}: placed in {} stages of {there_are}",
            places.stages
        );
    }
}

/// Some pipelines fit, or the judge would have nothing to say.
#[test]
fn small_pipelines_fit() {
    for case in ["acl", "count", "decap", "keep", "keys", "labels", "nat", "pace", "route", "vlan"] {
        for chip in CHIPS {
            assert!(program(case, &target(chip).unwrap()).is_some(), "{case} on {chip}");
        }
    }
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn p4c_barefoot_places_it() {
                super::p4c_barefoot_places_it($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
