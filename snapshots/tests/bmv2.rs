//! p4c and BMv2 judge every case's P4, where they are on PATH.
#![allow(clippy::unwrap_used)]

use codegen::off::Fate;
use codegen::{Artifacts, fit, p4};
use hw_targets::Target;
use needed::{missing, skip};
use pipeline_ir::verify::Verified;
use snapshots::bmv2::{Beside, Bmv2, P4C, Program, SWITCH, compile, masked};
use snapshots::case::Case;
use snapshots::generate::packets;
use snapshots::story::Stories;

const SEED: u64 = 0x626d_7632;

struct Judged {
    case: Case,
    verified: Verified,
    artifacts: Artifacts,
    target: Target,
}

impl Judged {
    fn of(case: &str) -> Self {
        Self::with(case, None)
    }

    /// With a flow table of another size, where the case's stories choose one.
    fn with(case: &str, flow_entries: Option<u32>) -> Self {
        let case = Case::named(case).unwrap();
        let mut overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
        for (name, value) in &mut overrides {
            if let Some(entries) = flow_entries.filter(|_| name == "FLOW_ENTRIES") {
                *value = entries.to_string();
            }
        }
        Self::on(case, &overrides, hw_targets::target("bmv2").unwrap())
    }

    /// As if BMv2 had neither CRC-32 nor Internet checksum nor remainder: by the recipes of a target that lacks them.
    fn by_recipes(case: &str) -> Self {
        let mut case = Case::named(case).unwrap();
        // A number of slots that takes a remainder.
        case.source = case.source.replace("slots = 16,", "slots = 251,");
        let overrides = case.stories().map(|s| s.overrides()).unwrap_or_default();
        let mut target = hw_targets::target("bmv2").unwrap();
        let words = ["arith.modulo", "checksum.internet", "hash.crc32"];
        target.provides.retain(|word| !words.contains(&word.as_str()));
        let recipes = hw_targets::target("pna").unwrap().recipes;
        target.recipes.extend(recipes.into_iter().filter(|r| words.contains(&r.answers.as_str())));
        target.recipes.iter_mut().for_each(|r| r.needs.retain(|need| !words.contains(&need.as_str())));
        Self::on(case, &overrides, target)
    }

    fn on(case: Case, overrides: &[(String, String)], mut target: Target) -> Self {
        let verified = case.compile(overrides).unwrap();
        // Stories have many pools and few slots, or few pools and many slots.
        let slots = verified.pipeline().rings.iter().map(|r| u64::from(r.slots)).max().unwrap_or(1);
        target.limits.get_mut("ring_pools").unwrap().value = (131_072 / slots).clamp(2, 64);
        let artifacts = p4::emit(&fit(&verified, &target).unwrap());
        Self { case, verified, artifacts, target }
    }

    fn file(&self, ending: &str) -> &[u8] {
        let path = format!("{}.{ending}", self.verified.pipeline().name);
        self.artifacts.get(&path).unwrap()
    }

    fn text(&self, ending: &str) -> String {
        String::from_utf8(self.file(ending).to_vec()).unwrap()
    }
}

/// p4c takes the program without a warning, its P4Info is ours, with our ids in the program and without, and its JSON matches
/// what P4Info says.
fn p4c_agrees(case: &str) {
    let judged = Judged::of(case);
    let program = judged.text("p4");
    let without_ids: String =
        program.lines().map(|l| l.split(" @id(").next().unwrap().to_owned() + "\n").collect();
    assert_ne!(program, without_ids, "the program states ids");
    for text in [program, without_ids] {
        let (json, info) = compile(&text).unwrap();
        assert_eq!(info, judged.text("p4info.txtpb"));
        assert_eq!(masked(&json).unwrap(), [""; 0], "keys under a mask");
    }
}

fn bmv2_does_as_the_oracle(case: &str) {
    does_as_the_oracle(&Judged::of(case));
}

/// BMv2 with the program, and the oracle.
fn beside(judged: &Judged, stories: Stories) -> Beside {
    let (json, _) = compile(&judged.text("p4")).unwrap();
    let program = Program { info: judged.file("p4info.bin"), json: &json };
    let bmv2 = Bmv2::start(&judged.verified, program).unwrap();
    Beside::new(&judged.verified, &judged.target, stories, json, bmv2).unwrap()
}

fn does_as_the_oracle(judged: &Judged) {
    let Ok(stories) = judged.case.stories() else { return };
    beside(judged, stories).stories().unwrap_or_else(|e| panic!("{e:#}"));
}

/// In a small flow table it would count which flow is older by a tick.
fn bmv2_does_as_the_oracle_with_generated_packets(case: &str) {
    let judged = Judged::with(case, Some(65_536));
    let stories = judged.case.stories().unwrap();
    beside(&judged, stories).generated(SEED, packets() / 50).unwrap_or_else(|e| panic!("{e:#}"));
}

/// Is the case for one of a chip's pipes? BMv2 is one pipe, and a second pass there would find the type that says where a
/// packet came in.
fn is_of_a_pipe(case: &str) -> bool {
    let case = Case::named(case).unwrap();
    let sends = case.constants.iter().any(|(_, value)| matches!(Fate::parse(value), Some(Fate::To(_))));
    let fits = || fit(&case.sized().unwrap(), &hw_targets::target("bmv2").unwrap()).is_ok();
    assert!(!sends || !fits(), "{}: it fits, and can be told to BMv2", case.name);
    sends
}

fn no_p4c(case: &str) -> bool {
    is_of_a_pipe(case) || skip(case, "p4c", missing(&[P4C]))
}

fn no_bmv2(case: &str) -> bool {
    is_of_a_pipe(case) || skip(case, "bmv2", missing(&[P4C, SWITCH]))
}

/// What a target lacks and a recipe computes is the same number: BMv2 runs the recipes.
#[test]
fn recipes_compute_what_they_stand_for() {
    for case in ["moves", "wide"] {
        if !no_bmv2(case) {
            let judged = Judged::by_recipes(case);
            let text = judged.text("p4");
            assert!(
                text.contains("crc_byte(") && !text.contains("HashAlgorithm."),
                "{case}: no recipe is used"
            );
            does_as_the_oracle(&judged);
        }
    }
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn p4c_agrees() {
                if !super::no_p4c($name) {
                    super::p4c_agrees($name);
                }
            }
            #[test]
            fn bmv2_does_as_the_oracle() {
                if !super::no_bmv2($name) {
                    super::bmv2_does_as_the_oracle($name);
                }
            }
            #[test]
            fn bmv2_does_as_the_oracle_with_generated_packets() {
                if !super::no_bmv2($name) {
                    super::bmv2_does_as_the_oracle_with_generated_packets($name);
                }
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
