//! p4c's Tofino back end judges every P4 that is written for TNA, where it is on PATH: it takes it, and places it.
#![allow(clippy::unwrap_used)]

use pipeline_ir::verify::Verified;
use snapshots::case::Case;
use std::path::Path;
use std::process::Command;

/// Targets and their architectures, as the judge names them.
const CHIPS: [(&str, &str); 2] = [("tofino", "tna"), ("tofino2", "t2na")];

fn has_judge() -> bool {
    Command::new("p4c-barefoot").arg("--version").output().is_ok_and(|out| out.status.success())
}

fn verified(case: &str) -> Verified {
    let case = Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap();
    let overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
    case.compile(&overrides).unwrap()
}

/// The case's P4 for a chip; none where it doesn't fit.
fn program(case: &str, chip: &str) -> Option<Vec<u8>> {
    let verified = verified(case);
    let fitted = codegen::fit(&verified, &hw_targets::target(chip).unwrap()).ok()?;
    let name = format!("{}.p4", verified.pipeline().name);
    Some(codegen::emit(&fitted).unwrap().get(&name).unwrap().to_vec())
}

/// Takes the program without an error or a warning about it, and finds a place for all of it.
fn p4c_barefoot_places_it(case: &str) {
    let required = std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|v| v.split(',').any(|w| w == "p4c-barefoot"));
    if !has_judge() {
        assert!(!required, "{case}: p4c-barefoot is not on PATH");
        eprintln!("skipped: {case}: p4c-barefoot is not on PATH");
        return;
    }
    for (chip, arch) in CHIPS {
        let Some(program) = program(case, chip) else { continue };
        let dir = tempfile::tempdir().unwrap();
        let p4 = dir.path().join("program.p4");
        std::fs::write(&p4, program).unwrap();
        let out = dir.path().join("out");
        let mut judge = Command::new("p4c-barefoot");
        judge.args(["--target", chip, "--arch", arch, "-g", "--verbose", "-o"]).arg(&out).arg(&p4);
        let told = judge.output().unwrap();
        let said = String::from_utf8_lossy(&told.stderr);
        let of_ours = said.lines().any(|line| line.contains("program.p4") && line.contains("warning"));
        assert!(told.status.success() && !of_ours, "{case} on {chip}:\n{said}");
        let there_are = hw_targets::target(chip).unwrap().limit("stages").unwrap();
        let used = stages(&out.join("pipe/logs/resources.json"));
        assert!((1..=there_are).contains(&used), "{case} on {chip}: placed in {used} stages of {there_are}");
    }
}

/// How many stages the compiler's report has. It ends without an error, too, when there are not as many.
fn stages(report: &Path) -> u64 {
    let report = std::fs::read_to_string(report).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let stages = report["resources"]["mau"]["mau_stages"].as_array().unwrap();
    let used = stages.iter().filter(|s| !s["logical_tables"]["ids"].as_array().unwrap().is_empty());
    used.map(|s| s["stage_number"].as_u64().unwrap() + 1).max().unwrap_or(0)
}

/// Some pipelines fit, or the judge would have nothing to say.
#[test]
fn small_pipelines_fit() {
    for case in ["acl", "count", "decap", "labels", "nat", "route", "vlan"] {
        for (chip, _) in CHIPS {
            assert!(program(case, chip).is_some(), "{case} on {chip}");
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
