//! p4c-dpdk judges every P4 that is written for PNA, where it is on PATH, and makes the `.spec` of it.
#![allow(clippy::unwrap_used)]

use snapshots::case::Case;
use std::path::Path;
use std::process::Command;

fn has_judge() -> bool {
    Command::new("p4c-dpdk").arg("--version").output().is_ok_and(|out| out.status.success())
}

/// The case's P4 for DPDK; none where it doesn't fit.
fn program(case: &str) -> Option<Vec<u8>> {
    let case = Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap();
    let overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
    let verified = case.compile(&overrides).unwrap();
    let target = hw_targets::target("pna").unwrap();
    let fitted = codegen::fit(&verified, &target).ok()?;
    let name = format!("{}.p4", verified.pipeline().name);
    Some(codegen::emit(&fitted).unwrap().get(&name).unwrap().to_vec())
}

/// Takes the program without an error or a warning about it, and writes a `.spec`.
fn p4c_dpdk_is_content(case: &str) {
    let Some(program) = program(case) else { return };
    let required = std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|v| v.split(',').any(|w| w == "p4c-dpdk"));
    if !has_judge() {
        assert!(!required, "{case}: p4c-dpdk is not on PATH");
        eprintln!("skipped: {case}: p4c-dpdk is not on PATH");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (p4, spec) = (dir.path().join("program.p4"), dir.path().join("program.spec"));
    std::fs::write(&p4, program).unwrap();
    let mut judge = Command::new("p4c-dpdk");
    let out = judge.args(["--arch", "pna", "-o"]).arg(&spec).arg(&p4).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    // It warns about its own `pna.p4`, too, which it finds beside itself.
    let theirs = |line: &str| line.contains("p4include/dpdk/pna.p4");
    let of_ours = said.lines().any(|line| line.contains("warning:") && !theirs(line));
    assert!(out.status.success() && !of_ours, "{case}:\n{said}");
    assert!(std::fs::read_to_string(&spec).unwrap().contains("apply {"), "{case}: no program in the .spec");
}

/// Some pipelines fit, or the judge would have nothing to say.
#[test]
fn small_pipelines_fit() {
    for case in ["count", "labels", "nat", "pin", "police", "vlan"] {
        assert!(program(case).is_some(), "{case}");
    }
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn p4c_dpdk_is_content() {
                super::p4c_dpdk_is_content($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
