//! p4c-bm2-psa judges every P4 that is written for PSA, where it is on PATH, and makes BMv2's JSON of it; `psa_switch`
//! runs that, where it is on PATH too.
#![allow(clippy::unwrap_used)]

use codegen::{Artifacts, fit, p4};
use hw_targets::Target;
use needed::{missing, skip};
use pipeline_ir::verify::Verified;
use snapshots::bmv2::{Beside, Bmv2, PSA_SWITCH, Program, masked};
use snapshots::case::Case;
use snapshots::generate::packets;
use snapshots::judge::Judge;

const SEED: u64 = 0x0070_7361;

fn target() -> Target {
    hw_targets::target("psa-bmv2").unwrap()
}

/// What is emitted for PSA, or what the target lacks.
fn artifacts(verified: &Verified) -> Result<Artifacts, String> {
    let fitted = fit(verified, &target()).map_err(|why| why.to_string())?;
    Ok(p4::emit(&fitted))
}

/// The file with that ending, under the pipeline's name.
fn file<'a>(artifacts: &'a Artifacts, verified: &Verified, ending: &str) -> &'a [u8] {
    artifacts.get(&format!("{}.{ending}", verified.pipeline().name)).unwrap()
}

/// The P4 for PSA, or what the target lacks.
fn program(verified: &Verified) -> Result<String, String> {
    let artifacts = artifacts(verified)?;
    Ok(String::from_utf8(file(&artifacts, verified, "p4").to_vec()).unwrap())
}

fn compiled(case: &str) -> Verified {
    Case::named(case).unwrap().sized().unwrap()
}

/// What p4c makes of a program, which it takes without a word.
fn json(what: &str, judge: &Judge, program: &str) -> Vec<u8> {
    let judged = judge.ask(program, &[]).unwrap();
    assert!(judged.status.success() && judged.said.is_empty(), "{what}:\n{}", judged.said);
    std::fs::read(judged.out()).unwrap()
}

/// Takes the program without a word, and writes JSON with all of its blocks, which matches what P4Info says.
fn takes(what: &str, program: &str) {
    let judge = Judge::of(&target()).unwrap();
    if judge.skip(what) {
        return;
    }
    let json = json(what, &judge, program);
    assert_eq!(masked(&json).unwrap(), [""; 0], "{what}: keys under a mask");
    let json = String::from_utf8(json).unwrap();
    for block in ["ingress_parser", "ingress", "ingress_deparser", "egress_parser", "egress_deparser"] {
        assert!(json.contains(&format!("\"name\" : \"{block}\"")), "{what}: no {block}");
    }
}

fn p4c_bm2_psa_is_content(case: &str) {
    if let Ok(program) = program(&compiled(case)) {
        takes(case, &program);
    }
}

/// `psa_switch` with the case's program, and the oracle; none where the case doesn't fit, or a program is missing.
fn beside(case: &str) -> Option<Beside> {
    let stories = Case::named(case).unwrap().stories().unwrap();
    let verified = compiled(case);
    let artifacts = artifacts(&verified).ok()?;
    let judge = Judge::of(&target()).unwrap();
    if judge.skip(case) || skip(case, PSA_SWITCH, missing(&[PSA_SWITCH])) {
        return None;
    }
    let json = json(case, &judge, &program(&verified).unwrap());
    let program = Program { info: file(&artifacts, &verified, "p4info.bin"), json: &json };
    let bmv2 = Bmv2::psa(&verified, program).unwrap();
    Some(Beside::new(&verified, &target(), stories, json, bmv2).unwrap())
}

fn psa_switch_does_as_the_oracle(case: &str) {
    if let Some(mut both) = beside(case) {
        both.stories().unwrap_or_else(|e| panic!("{e:#}"));
    }
}

fn psa_switch_does_as_the_oracle_with_generated_packets(case: &str) {
    if let Some(mut both) = beside(case) {
        both.generated(SEED, packets() / 50).unwrap_or_else(|e| panic!("{e:#}"));
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
            #[test]
            fn psa_switch_does_as_the_oracle() {
                super::psa_switch_does_as_the_oracle($name);
            }
            #[test]
            fn psa_switch_does_as_the_oracle_with_generated_packets() {
                super::psa_switch_does_as_the_oracle_with_generated_packets($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
