//! p4c-dpdk judges every P4 that is written for PNA, where it is on PATH, and makes the `.spec` of it.
#![allow(clippy::unwrap_used)]

use hw_targets::target;
use snapshots::case::{Case, emitted};
use snapshots::judge::Judge;

/// The case's P4 for DPDK; none where it doesn't fit.
fn program(case: &str) -> Option<String> {
    let verified = Case::named(case).unwrap().sized().unwrap();
    let fitted = codegen::fit(&verified, &target("pna").unwrap()).ok()?;
    Some(emitted(&fitted, "p4").unwrap())
}

/// Takes the program without an error or a warning about it, and writes a `.spec`.
fn p4c_dpdk_is_content(case: &str) {
    let Some(program) = program(case) else { return };
    let judge = Judge::of(&target("pna").unwrap()).unwrap();
    if judge.skip(case) {
        return;
    }
    let judged = judge.ask(&program, &[]).unwrap();
    let said = &judged.said;
    // It warns about its own `pna.p4`, too, which it finds beside itself.
    let theirs = |line: &str| line.contains("p4include/dpdk/pna.p4");
    let of_ours = said.lines().any(|line| line.contains("warning:") && !theirs(line));
    assert!(judged.status.success() && !of_ours, "{case}:\n{said}");
    let spec = std::fs::read_to_string(judged.out()).unwrap();
    assert!(spec.contains("apply {"), "{case}: no program in the .spec");
}

/// Some pipelines fit, or the judge would have nothing to say.
#[test]
fn small_pipelines_fit() {
    for case in ["count", "keys", "labels", "nat", "pin", "police", "vlan"] {
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
