//! p4c-bm2-psa judges every P4 that is written for PSA, where it is on PATH, and makes BMv2's JSON of it.
#![allow(clippy::unwrap_used)]

use pipeline_ir::verify::Verified;
use snapshots::bmv2::masked;
use snapshots::case::{Case, emitted};
use snapshots::judge::Judge;

/// The P4 for PSA, or what the target lacks.
fn program(verified: &Verified) -> Result<String, String> {
    let target = hw_targets::target("psa-bmv2").unwrap();
    let fitted = codegen::fit(verified, &target).map_err(|why| why.to_string())?;
    Ok(emitted(&fitted, "p4").unwrap())
}

fn compiled(case: &str) -> Verified {
    Case::named(case).unwrap().sized().unwrap()
}

/// Takes the program without a word, and writes JSON with all of its blocks, which matches what P4Info says.
fn takes(what: &str, program: &str) {
    let judge = Judge::of(&hw_targets::target("psa-bmv2").unwrap()).unwrap();
    if judge.skip(what) {
        return;
    }
    let judged = judge.ask(program, &[]).unwrap();
    assert!(judged.status.success() && judged.said.is_empty(), "{what}:\n{}", judged.said);
    let json = std::fs::read_to_string(judged.out()).unwrap();
    assert_eq!(masked(json.as_bytes()).unwrap(), [""; 0], "{what}: keys under a mask");
    for block in ["ingress_parser", "ingress", "ingress_deparser", "egress_parser", "egress_deparser"] {
        assert!(json.contains(&format!("\"name\" : \"{block}\"")), "{what}: no {block}");
    }
}

fn p4c_bm2_psa_is_content(case: &str) {
    if let Ok(program) = program(&compiled(case)) {
        takes(case, &program);
    }
}

/// Some pipelines fit, or the judge would have nothing to say; of the others it is said what PSA lacks.
#[test]
fn what_fits_and_what_psa_lacks() {
    for case in
        ["acl", "count", "keys", "labels", "nat", "pace", "route", "spread", "stateless", "vlan", "wide"]
    {
        program(&compiled(case)).unwrap_or_else(|why| panic!("{case}: {why}"));
    }
    for (case, lacks) in [
        ("decap", "packet.length"),
        ("l4lb", "packet.length"),
        ("l4lb", "packet.truncate"),
        ("moves", "packet.length"),
        ("pin", "flow.affinity"),
        ("police", "packet.truncate"),
    ] {
        let why = program(&compiled(case)).unwrap_err();
        assert!(why.contains(&format!("needs {lacks}")), "{case}: {why}");
    }
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn p4c_bm2_psa_is_content() {
                super::p4c_bm2_psa_is_content($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
