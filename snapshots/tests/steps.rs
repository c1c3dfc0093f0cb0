//! A pipeline in steps does what the pipeline does: the oracle runs both, story by story and packet by packet.
#![allow(clippy::unwrap_used)]

use codegen::steps::May;
use pipeline_ir::stmt::{Stmt, StmtKind, Verdict, walk};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{Loc, TableId};
use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::programs;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Story;
use std::collections::BTreeSet;
use sw_fallback::plane::{DataPlane, TestPlane};

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x7374_6570;

fn load(case: &str) -> (Case, Verified) {
    let case = Case::named(case).unwrap();
    let verified = case.compile(&case.stories().unwrap().overrides()).unwrap();
    (case, verified)
}

/// With gateways only, and with tables that decide.
const WAYS: [May; 2] = [May { tell_length: false, decide: false }, May { tell_length: false, decide: true }];

fn does_as_the_pipeline(name: &str) {
    let (case, verified) = load(name);
    WAYS.into_iter().for_each(|may| does_as(&case, &verified, may));
}

fn does_as(case: &Case, verified: &Verified, may: May) {
    let stories = case.stories().unwrap();
    let steps = in_steps(verified, may);
    let mut fresh = OraclePlane::new(&steps, TICK_NS);
    prepare(&stories, &mut fresh).unwrap();
    let mut oracle = OraclePlane::new(verified, TICK_NS);
    prepare(&stories, &mut oracle).unwrap();
    // Entries of tables that decide are nobody's.
    let tables = verified.pipeline().tables.len()..steps.pipeline().tables.len();
    let own = tables.flat_map(|t| fresh.table_entries(TableId(t as u32)));
    let own: BTreeSet<String> = own.map(|(e, _)| format!("{e:?}")).collect();
    let told = |story: &Story| {
        let mut outcome = run(story, &mut fresh.clone())?;
        outcome.entries.retain(|(e, _)| !own.contains(e));
        anyhow::Ok(outcome)
    };
    let mut faults = String::new();
    for story in &stories.story {
        let expected = run(story, &mut oracle.clone()).unwrap();
        let text = differences(&expected, &told(story).unwrap());
        if !text.is_empty() {
            faults += &format!("{}\n{text}", story.about);
        }
    }
    assert!(faults.is_empty(), "{faults}");

    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut told = told;
    let oracle = OraclePlane::new(verified, TICK_NS);
    compare(&stories, &oracle, generator, packets(), &mut told).unwrap_or_else(|e| panic!("{e:#}"));
}

/// The pipeline in steps. Ways that have ended run to the end of the control: verification wants a verdict there, too.
fn in_steps(verified: &Verified, may: May) -> Verified {
    let mut steps = codegen::steps::steps(verified.pipeline(), may).pipeline;
    let checked = verify(steps.clone()).or_else(|_| {
        steps.control.push(Stmt { kind: StmtKind::Verdict(Verdict::Pass), at: Loc::default() });
        verify(steps)
    });
    checked.unwrap_or_else(|e| panic!("{e}"))
}

/// Programs put together by chance, each on the same packets: TCP, UDP, neither, cut at every tenth byte.
#[test]
fn any_program_does_as_it_says() {
    let frames = ["tcp(sport=1000, dport=80, flags=S)", "udp(sport=5, dport=53)", "4"].map(|l4| {
        let proto = if l4 == "4" { ", proto=47" } else { "" };
        packet::bytes(&format!("eth / ip4(src=192.0.2.1, dst=10.0.0.80{proto}) / {l4}")).unwrap()
    });
    for seed in 0..packets() as u64 / 100 {
        let source = programs::source(seed);
        let pipeline = pipeline_syntax::compile_source("chance.rs", &source, &[]);
        let verified = verify(pipeline.unwrap_or_else(|e| panic!("{e}\n{source}"))).unwrap();
        let mut oracle = OraclePlane::new(&verified, TICK_NS);
        let mut steps = WAYS.map(|may| OraclePlane::new(&in_steps(&verified, may), TICK_NS));
        for frame in &frames {
            for cut in (0..frame.len()).step_by(10).chain([frame.len()]) {
                // Fields of the headers, by chance, but for those that tell what comes next.
                let mut frame = frame[..cut].to_vec();
                let bytes = (0..).zip(&mut frame).filter(|(at, _)| ![12, 13, 23].contains(at));
                bytes.for_each(|(at, byte)| *byte ^= (seed.wrapping_mul(0x9e37_79b9) >> (at % 24)) as u8);
                let expected = oracle.process(1, 0, &frame);
                for (steps, may) in steps.iter_mut().zip(WAYS) {
                    let got = steps.process(1, 0, &frame);
                    assert_eq!(expected, got, "{may:?}, seed {seed}, {cut} bytes of {frame:02x?}:\n{source}");
                }
            }
        }
    }
}

/// Nothing stands behind a verdict, and no statement asks twice.
fn each_statement_is_a_step(name: &str) {
    let (_, verified) = load(name);
    let steps = codegen::steps::steps(verified.pipeline(), WAYS[1]).pipeline;
    let ends = |block: &[pipeline_ir::stmt::Stmt]| {
        let verdict = block.iter().position(|s| matches!(s.kind, StmtKind::Verdict(_)));
        assert!(verdict.is_none_or(|at| at + 1 == block.len()), "{name}: behind a verdict");
    };
    ends(&steps.control);
    walk(&steps.control, &mut |s| s.kind.blocks().into_iter().for_each(|b| ends(b)));
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn does_as_the_pipeline() {
                super::does_as_the_pipeline($name);
            }
            #[test]
            fn each_statement_is_a_step() {
                super::each_statement_is_a_step($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
