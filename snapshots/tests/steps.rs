//! A pipeline in steps does what the pipeline does: the oracle runs both, story by story and packet by packet.
#![allow(clippy::unwrap_used)]

use pipeline_ir::Loc;
use pipeline_ir::stmt::{Stmt, StmtKind, Verdict, walk};
use pipeline_ir::verify::{Verified, verify};
use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::programs;
use snapshots::run::{differences, prepare, run};
use snapshots::story::Story;
use sw_fallback::plane::TestPlane;

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x7374_6570;

fn load(case: &str) -> (Case, Verified) {
    let case = Case::named(case).unwrap();
    let verified = case.compile(&case.stories().unwrap().overrides()).unwrap();
    (case, verified)
}

fn does_as_the_pipeline(name: &str) {
    let (case, verified) = load(name);
    let stories = case.stories().unwrap();
    let steps = in_steps(&verified);
    let mut fresh = OraclePlane::new(&steps, TICK_NS);
    prepare(&stories, &mut fresh).unwrap();
    let mut oracle = OraclePlane::new(&verified, TICK_NS);
    prepare(&stories, &mut oracle).unwrap();
    let mut faults = String::new();
    for story in &stories.story {
        let expected = run(story, &mut oracle.clone()).unwrap();
        let text = differences(&expected, &run(story, &mut fresh.clone()).unwrap());
        if !text.is_empty() {
            faults += &format!("{}\n{text}", story.about);
        }
    }
    assert!(faults.is_empty(), "{faults}");

    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut told = |story: &Story| run(story, &mut fresh.clone());
    let oracle = OraclePlane::new(&verified, TICK_NS);
    compare(&stories, &oracle, generator, packets(), &mut told).unwrap_or_else(|e| panic!("{e:#}"));
}

/// The pipeline in steps. Ways that have ended run to the end of the control: verification wants a verdict there, too.
fn in_steps(verified: &Verified) -> Verified {
    let mut steps = codegen::steps::steps(verified.pipeline(), false).pipeline;
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
        let mut steps = OraclePlane::new(&in_steps(&verified), TICK_NS);
        for frame in &frames {
            for cut in (0..frame.len()).step_by(10).chain([frame.len()]) {
                // Fields of the headers, by chance, but for those that tell what comes next.
                let mut frame = frame[..cut].to_vec();
                let bytes = (0..).zip(&mut frame).filter(|(at, _)| ![12, 13, 23].contains(at));
                bytes.for_each(|(at, byte)| *byte ^= (seed.wrapping_mul(0x9e37_79b9) >> (at % 24)) as u8);
                let [expected, got] = [&mut oracle, &mut steps].map(|plane| plane.process(1, 0, &frame));
                assert_eq!(expected, got, "seed {seed}, {cut} bytes of {frame:02x?}:\n{source}");
            }
        }
    }
}

/// Nothing stands behind a verdict, and no statement asks twice.
fn each_statement_is_a_step(name: &str) {
    let (_, verified) = load(name);
    let steps = codegen::steps::steps(verified.pipeline(), false).pipeline;
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
