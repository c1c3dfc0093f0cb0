//! p4c-bm2-psa judges every P4 that is written for PSA, where it is on PATH, and makes BMv2's JSON of it.
#![allow(clippy::unwrap_used)]

use pipeline_ir::verify::{Verified, verify};
use snapshots::case::Case;
use std::path::Path;
use std::process::Command;

fn has_judge() -> bool {
    Command::new("p4c-bm2-psa").arg("--version").output().is_ok_and(|out| out.status.success())
}

/// The P4 for PSA, or what the target lacks.
fn program(verified: &Verified) -> Result<Vec<u8>, String> {
    let target = hw_targets::target("psa-bmv2").unwrap();
    let fitted = codegen::fit(verified, &target).map_err(|why| why.to_string())?;
    let name = format!("{}.p4", verified.pipeline().name);
    Ok(codegen::emit(&fitted).unwrap().get(&name).unwrap().to_vec())
}

fn compiled(case: &str) -> Verified {
    let case = Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap();
    let overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
    case.compile(&overrides).unwrap()
}

/// Takes the program without a word, and writes JSON with all of its blocks.
fn takes(what: &str, program: &[u8]) {
    let required = std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|v| v.split(',').any(|w| w == "p4c-bm2-psa"));
    if !has_judge() {
        assert!(!required, "{what}: p4c-bm2-psa is not on PATH");
        eprintln!("skipped: {what}: p4c-bm2-psa is not on PATH");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (p4, json) = (dir.path().join("program.p4"), dir.path().join("program.json"));
    std::fs::write(&p4, program).unwrap();
    let mut judge = Command::new("p4c-bm2-psa");
    let out = judge.args(["--arch", "psa", "-o"]).arg(&json).arg(&p4).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.is_empty(), "{what}:\n{said}");
    let json = std::fs::read_to_string(&json).unwrap();
    for block in ["ingress_parser", "ingress", "ingress_deparser", "egress_parser", "egress_deparser"] {
        assert!(json.contains(&format!("\"name\" : \"{block}\"")), "{what}: no {block}");
    }
}

fn p4c_bm2_psa_is_content(case: &str) {
    if let Ok(program) = program(&compiled(case)) {
        takes(case, &program);
    }
}

/// No case has a limiter and nothing that PSA lacks.
const LIMITED: &str = "
    #[guideway::pipeline(targets = [native])]
    pub mod limited {
        use guideway::headers::Ethernet;
        struct Headers { eth: Ethernet }
        struct Meta {}
        enum Reason { TooMany }
        #[limiter(per_tick = 100)]
        static RATE: Limiter;
        #[state]
        fn start(p: &mut Packet, h: &mut Headers) -> State {
            p.extract(h.eth);
            accept
        }
        fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
            let allowed = RATE.allow();
            if !allowed {
                return drop(TooMany);
            }
            forward(INGRESS_PORT)
        }
    }";

#[test]
fn a_limiter_is_a_register() {
    let pipeline = pipeline_syntax::compile_source("limited.rs", LIMITED, &[]).unwrap();
    let program = program(&verify(pipeline).unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&program).contains("Register<bit<32>, bit<32>>(1) rate;"));
    takes("a limiter", &program);
}

/// Some pipelines fit, or the judge would have nothing to say; of the others it is said what PSA lacks.
#[test]
fn what_fits_and_what_psa_lacks() {
    for case in ["acl", "count", "labels", "nat", "route", "spread", "stateless", "vlan", "wide"] {
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
