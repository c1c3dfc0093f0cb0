//! The special controls of the ways through the parser: what the oracle makes of them is what it makes of the
//! pipeline's own control, story by story and packet by packet.
#![allow(clippy::unwrap_used)]

use codegen::ways::{specialise, ways};
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::stmt::{StmtKind, walk};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{FieldId, FlowTableId, TableId};
use snapshots::case::Case;
use snapshots::generate::{Generator, compare, packets};
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::run::{differences, prepare, run};
use snapshots::story::{Step, Stories, Story};
use snapshots::ways::{COUNTER, routed};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use sw_fallback::plane::{Count, DataPlane, FlowRecord, Outcome, TestPlane};

/// Nanoseconds of the host's tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x7761_7973;

/// The oracle of the routed pipeline. The counter of ways isn't the pipeline's own: its cells go to `met`.
struct Routed {
    plane: OraclePlane,
    met: Rc<RefCell<BTreeSet<String>>>,
}

impl DataPlane for Routed {
    fn pipeline(&self) -> &Pipeline {
        self.plane.pipeline()
    }
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.plane.write(entry, kind)
    }
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.plane.fill_ring(fill)
    }
    fn counters(&self) -> BTreeMap<String, Count> {
        let (met, own) =
            self.plane.counters().into_iter().partition(|(n, _)| n.starts_with(&format!("{COUNTER}[")));
        let met: BTreeMap<String, Count> = met;
        self.met.borrow_mut().extend(met.into_keys());
        own
    }
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.plane.table_entries(table)
    }
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.plane.flows(table)
    }
}

impl TestPlane for Routed {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        self.plane.process(port, now, frame)
    }
}

fn load(case: &str) -> (Case, Verified) {
    let case = Case::named(case).unwrap();
    let verified = case.compile(&case.stories().unwrap().overrides()).unwrap();
    (case, verified)
}

fn does_as_the_control(name: &str) {
    let (case, verified) = load(name);
    let stories = case.stories().unwrap();
    let both = verify(routed(verified.pipeline())).unwrap_or_else(|e| panic!("{e}"));
    let met = Rc::new(RefCell::new(BTreeSet::new()));
    let mut fresh = Routed { plane: OraclePlane::new(&both, TICK_NS), met: Rc::clone(&met) };
    prepare(&stories, &mut fresh).unwrap();
    let mut oracle = OraclePlane::new(&verified, TICK_NS);
    prepare(&stories, &mut oracle).unwrap();
    let mut faults = String::new();
    for story in &stories.story {
        let expected = run(story, &mut oracle.clone()).unwrap();
        let mut plane = Routed { plane: fresh.plane.clone(), met: Rc::clone(&met) };
        let text = differences(&expected, &run(story, &mut plane).unwrap());
        if !text.is_empty() {
            faults += &format!("{}\n{text}", story.about);
        }
    }
    assert!(faults.is_empty(), "{faults}");

    let own = frames(verified.pipeline(), &stories);
    let mut plane = Routed { plane: fresh.plane.clone(), met: Rc::clone(&met) };
    let expected = run(&own, &mut oracle.clone()).unwrap();
    let text = differences(&expected, &run(&own, &mut plane).unwrap());
    assert!(text.is_empty(), "{text}");

    let generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    let mut told =
        |story: &Story| run(story, &mut Routed { plane: fresh.plane.clone(), met: Rc::clone(&met) });
    let oracle = OraclePlane::new(&verified, TICK_NS);
    compare(&stories, &oracle, generator, packets(), &mut told).unwrap_or_else(|e| panic!("{e:#}"));

    for (i, way) in ways(verified.pipeline()).iter().enumerate() {
        let cell = format!("{COUNTER}[{i}]");
        assert!(met.borrow().contains(&cell), "no packet takes the way {}", way.name(verified.pipeline()));
    }
}

/// For each way, packets of stories made to take it: what the way demands of a field is written into it. Looking
/// ahead is left to chance.
fn frames(p: &Pipeline, stories: &Stories) -> Story {
    let steps = stories.story.iter().flat_map(|s| &s.step);
    let seeds: Vec<Vec<u8>> = steps.map(|s| packet::bytes(&s.packet).unwrap()).collect();
    let mut state = SEED;
    let mut random = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        u128::from(state >> 33)
    };
    let mut story = Story { about: "a packet for each way".to_owned(), ..Story::default() };
    for way in ways(p) {
        for _ in 0..200 {
            let mut frame = seeds[random() as usize % seeds.len()].clone();
            while frame.len() < way.frame as usize {
                frame.push(random() as u8);
            }
            for (header, at) in &way.headers {
                let ty = p.header_type(*header);
                for (field, declared) in ty.fields.iter().enumerate() {
                    let field = FieldId(field as u32);
                    let values = way.facts.field(p, *header, field);
                    let from = at * 8 + ty.offset(field);
                    if values.contains(bits(&frame, from, declared.width)) {
                        continue;
                    }
                    let value = (0..).map(|_| values.low() + random() % (values.high() - values.low() + 1));
                    let value = value.take(1000).find(|v| values.contains(*v)).unwrap();
                    put(&mut frame, from, declared.width, value);
                }
            }
            let digits: String = frame.iter().map(|b| format!("{b:02x}")).collect();
            let (port, packet) = (Some(random() as u32 % 4), format!("hex:{digits}"));
            story.step.push(Step { port, packet, ..Step::default() });
        }
    }
    story
}

fn bits(frame: &[u8], from: u32, width: u8) -> u128 {
    let bit = |i: u32| u128::from(frame[i as usize / 8] >> (7 - i % 8) & 1);
    (from..from + u32::from(width)).fold(0, |value, i| value << 1 | bit(i))
}

fn put(frame: &mut [u8], from: u32, width: u8, value: u128) {
    for n in 0..u32::from(width) {
        let (i, bit) = (from + u32::from(width) - 1 - n, (value >> n & 1) as u8);
        frame[i as usize / 8] = frame[i as usize / 8] & !(1 << (7 - i % 8)) | bit << (7 - i % 8);
    }
}

/// What is special can't become more so; every hash knows where it comes from; every `find` is told.
fn is_done_once(name: &str) {
    let (_, verified) = load(name);
    let p = verified.pipeline();
    let mut own = Vec::new();
    walk(&p.control, &mut |s| own.extend(matches!(s.kind, StmtKind::Hash { .. }).then_some(s)));
    for way in ways(p) {
        let special = specialise(p, &way);
        let again = specialise(&Pipeline { control: special.control.clone(), ..p.clone() }, &way);
        assert_eq!(again.control, special.control, "{}", way.name(p));
        assert_eq!(again.flows, special.flows, "{}", way.name(p));
        assert_eq!(specialise(p, &way), special, "the same twice");
        let mut left = Vec::new();
        walk(&special.control, &mut |s| left.extend(matches!(s.kind, StmtKind::Hash { .. }).then_some(s)));
        assert_eq!(left.len(), special.hashes.len());
        for (hash, number) in left.iter().zip(&special.hashes) {
            assert_eq!(hash.at, own[*number].at, "{}", way.name(p));
        }
        walk(&special.control, &mut |s| {
            if let StmtKind::Find { cursor, table, .. } = &s.kind {
                let flow = &special.flows[cursor.index()];
                assert!(flow.tables.contains(table) && flow.events.is_some(), "{}", way.name(p));
            }
        });
    }
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn does_as_the_control() {
                super::does_as_the_control($name);
            }
            #[test]
            fn is_done_once() {
                super::is_done_once($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
