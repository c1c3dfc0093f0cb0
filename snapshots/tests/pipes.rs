//! The load balancer in two pipes, and in ingress and egress, does what it does in one piece: the oracle runs all, packet by packet,
//! whichever pipe a packet comes in by. Reference for IPv6 is the whole pipeline without servers of IPv4, which are no IPv6 client's.
#![allow(clippy::unwrap_used)]

use codegen::off::{Fate, pipes, set};
use codegen::p4::HANDED_OVER;
use codegen::steps::May;
use hw_targets::{Target, target};
use pipeline_ir::entry::{Tables, WriteKind};
use pipeline_ir::stmt::{Stmt, StmtKind, Verdict as ir};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{Loc, Pipeline};
use snapshots::case::{Case, emitted};
use snapshots::entries::EntryText;
use snapshots::generate::{Generator, packets};
use snapshots::judge::{Judge, barefoot};
use snapshots::oracle::OraclePlane;
use snapshots::packet;
use snapshots::story::{Change, Stories, Story};
use sw_fallback::plane::{DataPlane, Outcome, TestPlane, Verdict};

/// Nanoseconds of a tick.
const TICK_NS: u64 = 1 << 26;
const SEED: u64 = 0x7069_7065;
/// What each pipe does without: the other's family; and what comes by IPv6 goes to no server by IPv4.
const OFF: [&[&str]; 2] = [&["ipv6"], &["ipv4", "Ipip4"]];
const IPV6: [u8; 2] = [0x86, 0xdd];

/// The whole, and its halves on a chip.
fn divided(set_to: &[(&str, &str)], chip: &Target) -> (Verified, [Verified; 2]) {
    let case = Case::named("l4lb").unwrap();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let constants: Vec<_> = set_to.iter().map(own).collect();
    let whole = set(&case.compile(&constants).unwrap(), &[("TOO_BIG_RATE", Fate::Off)]).unwrap();
    let off = OFF.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let halves = pipes(whole.pipeline(), chip, &off).unwrap();
    let half = |i: usize| {
        let fates: Vec<(&str, Fate)> = halves[i].iter().map(|(name, fate)| (name.as_str(), *fate)).collect();
        set(&whole, &fates).unwrap_or_else(|e| panic!("{e}"))
    };
    (whole.clone(), [half(0), half(1)])
}

/// The ports by which packets come in again, of each pipe.
fn loops() -> [u32; 2] {
    let ports = target("tofino2").unwrap().loop_ports.unwrap().value;
    [ports[0].into(), ports[1].into()]
}

/// One program with its state.
#[derive(Clone)]
struct Side {
    plane: OraclePlane,
    /// Its entries have not this action.
    without: &'static str,
}

impl Side {
    fn new(verified: &Verified, without: &'static str) -> Self {
        Self { plane: OraclePlane::new(verified, TICK_NS), without }
    }

    /// Writes what it has room for; what is refused as things stand is refused on all sides alike.
    fn change(&mut self, change: &Change) {
        let pipeline = self.plane.pipeline().clone();
        let tables = Tables::new(&pipeline);
        let (entry, kind) = match change {
            Change::Insert(entry) => (entry, WriteKind::Insert),
            Change::Modify(entry) => (entry, WriteKind::Modify),
            Change::Delete(entry) => (entry, WriteKind::Delete),
            Change::Ring(ring) => {
                self.plane.fill_ring(&ring.check(&pipeline, &tables).unwrap()).unwrap();
                return;
            }
        };
        if takes(&pipeline, entry, self.without) {
            drop(self.plane.write(&entry.check(&pipeline, &tables).unwrap(), kind));
        }
    }
}

fn takes(pipeline: &Pipeline, entry: &EntryText, without: &str) -> bool {
    let text = |key: &str| entry.0.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let rings = pipeline.rings.iter().flat_map(|r| [r.name.clone(), r.pool_table.clone()]);
    let mut tables = pipeline.tables.iter().map(|t| t.name.clone()).chain(rings);
    tables.any(|name| name == text("table")) && text("action") != without
}

/// Two pipes, and where packets come in first.
#[derive(Clone)]
struct Chip {
    halves: [Side; 2],
    first: usize,
    /// Packets that both pipes had.
    sent: usize,
}

impl Chip {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let out = self.halves[self.first].plane.process(port, now, frame);
        let other = 1 - self.first;
        if out.verdict != (Verdict::Forward { port: loops()[other] }) {
            return out;
        }
        self.sent += 1;
        self.halves[other].plane.process(loops()[other], now, &out.bytes)
    }
}

/// The whole for each family, and the chip by each of its pipes.
struct Bench {
    whole: [Side; 2],
    chips: [Chip; 2],
}

impl Bench {
    fn new() -> (Self, Stories) {
        let stories = Case::named("l4lb").unwrap().stories().unwrap();
        let sizes = stories.overrides();
        let sizes: Vec<_> = sizes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (whole, halves) = divided(&sizes, &target("tofino2").unwrap());
        let halves = [Side::new(&halves[0], "none"), Side::new(&halves[1], "ipip4")];
        let chips = [0, 1].map(|first| Chip { halves: halves.clone(), first, sent: 0 });
        let mut bench = Self { whole: [Side::new(&whole, "none"), Side::new(&whole, "ipip4")], chips };
        for entry in &stories.entry {
            bench.change(&Change::Insert(entry.clone()));
        }
        for ring in &stories.ring {
            bench.change(&Change::Ring(ring.clone()));
        }
        (bench, stories)
    }

    fn change(&mut self, change: &Change) {
        let halves = self.chips.iter_mut().flat_map(|chip| &mut chip.halves);
        self.whole.iter_mut().chain(halves).for_each(|side| side.change(change));
    }

    /// Tells a story to all; packets of `port` where a step has none.
    fn tell(&mut self, story: &Story, port: u32) {
        let mut now = 0;
        for (i, step) in story.step.iter().enumerate() {
            now = step.now.unwrap_or(now);
            step.before.iter().for_each(|change| self.change(change));
            let frame = packet::bytes(&step.packet).unwrap();
            let family = usize::from(frame.get(12..14) == Some(&IPV6));
            let port = step.port.unwrap_or(port);
            let expected = self.whole[family].plane.process(port, now, &frame);
            for chip in &mut self.chips {
                let got = chip.process(port, now, &frame);
                assert_eq!(got, expected, "{}: step {} of {}", story.about, i + 1, chip.first);
            }
        }
    }
}

#[test]
fn two_pipes_do_as_one() {
    let (mut bench, stories) = Bench::new();
    for story in &stories.story {
        let mut fresh = Bench { whole: bench.whole.clone(), chips: bench.chips.clone() };
        fresh.tell(story, 1);
        bench.chips.iter_mut().zip(&fresh.chips).for_each(|(chip, fresh)| chip.sent = fresh.sent);
    }
    assert!(bench.chips.iter().all(|chip| chip.sent > 0), "no packet went from pipe to pipe");
    let mut generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
    bench.tell(&generator.story(packets()), 1);
    let sent = bench.chips.each_ref().map(|chip| chip.sent);
    assert!(sent.iter().all(|sent| *sent > packets() / 20), "too few went from pipe to pipe: {sent:?}");
}

/// One program, and what ingress and egress each do of it.
struct CutBench {
    whole: Side,
    cut: [Side; 2],
    handed_over: usize,
}

impl CutBench {
    fn new(whole: &Verified, without: &'static str, stories: &Stories) -> Self {
        let may = May { tell_length: false, decide: true };
        let cut = codegen::p4::in_two(whole.pipeline(), may).unwrap();
        let cut = cut.map(|mut p| {
            // Ways that have ended run to the end of the control: verification wants a verdict there, too.
            let checked = verify(p.clone()).or_else(|_| {
                p.control.push(Stmt { kind: StmtKind::Verdict(ir::Pass), at: Loc::default() });
                verify(p)
            });
            Side::new(&checked.unwrap_or_else(|e| panic!("{e}")), without)
        });
        let mut bench = Self { whole: Side::new(whole, without), cut, handed_over: 0 };
        stories.entry.iter().for_each(|e| bench.change(&Change::Insert(e.clone())));
        stories.ring.iter().for_each(|r| bench.change(&Change::Ring(r.clone())));
        bench
    }

    fn change(&mut self, change: &Change) {
        self.whole.change(change);
        self.cut[0].change(change);
    }

    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let [ingress, egress] = &mut self.cut;
        let out = ingress.plane.process(port, now, frame);
        if out.verdict != (Verdict::Forward { port: HANDED_OVER }) {
            return out;
        }
        self.handed_over += 1;
        egress.plane.process(port, now, &out.bytes)
    }

    fn tell(&mut self, story: &Story) {
        let mut now = 0;
        for (i, step) in story.step.iter().enumerate() {
            now = step.now.unwrap_or(now);
            step.before.iter().for_each(|change| self.change(change));
            let frame = packet::bytes(&step.packet).unwrap();
            let port = step.port.unwrap_or(1);
            let expected = self.whole.plane.process(port, now, &frame);
            assert_eq!(self.process(port, now, &frame), expected, "{}: step {}", story.about, i + 1);
        }
    }
}

#[test]
fn ingress_and_egress_do_as_one() {
    let stories = Case::named("l4lb").unwrap().stories().unwrap();
    let sizes = stories.overrides();
    let sizes: Vec<_> = sizes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let (whole, [half0, half1]) = divided(&sizes, &target("tofino").unwrap());
    let off = |names: &[&'static str]| names.iter().map(|n| (*n, Fate::Off)).collect::<Vec<_>>();
    let both = off(&["FLOWS4", "FLOWS6"]);
    let programs = [(whole, "none", &both[..]), (half0, "none", &both[..1]), (half1, "ipip4", &both[1..])];
    for (program, without, flows) in programs {
        // When a flow is stored is another matter, and listed.
        let program = set(&program, flows).unwrap_or_else(|e| panic!("{e}"));
        for story in &stories.story {
            CutBench::new(&program, without, &stories).tell(story);
        }
        let mut bench = CutBench::new(&program, without, &stories);
        let mut generator = Generator::new(&stories, SEED, 0..=3500).unwrap();
        bench.tell(&generator.story(packets()));
        assert!(bench.handed_over > packets() / 50, "too few came to egress: {}", bench.handed_over);
    }
}

/// `fit` takes it; and the chip's compiler, where it is on PATH, finds a place for all of it, in about as many stages.
fn is_placed(what: &str, verified: &Verified, chip: &Target) {
    let fitted = codegen::fit(verified, chip).unwrap_or_else(|e| panic!("{what}: {e}"));
    let counted = fitted.placement().unwrap().stages.len() as u64;
    if Judge::of(chip).unwrap().skip(what) {
        return;
    }
    let verdict = barefoot::place(&emitted(&fitted, "p4").unwrap(), chip).unwrap();
    let places = verdict.places.unwrap_or_else(|| panic!("{what}:\n{}", verdict.said));
    assert_eq!(verdict.warnings().next(), None, "{}", verdict.said);
    assert!(places.stages <= chip.limit("stages").unwrap(), "{what}: {} stages", places.stages);
    assert!(places.stages.abs_diff(counted) <= 1, "{what}: {} stages, not {counted}", places.stages);
}

/// As docs/tofino.md has it.
const SIZES: [(&str, &str); 2] = [("RING_SLOTS", "65536"), ("FLOW_ENTRIES", "65536")];

#[test]
fn both_halves_are_placed_on_a_first_tofino() {
    let chip = target("tofino").unwrap();
    let (_, halves) = divided(&SIZES, &chip);
    is_placed("l4lb's IPv4 half", &halves[0], &chip);
    is_placed("l4lb's IPv6 half", &halves[1], &chip);
}

#[test]
fn the_whole_is_placed_on_a_tofino_2() {
    let chip = target("tofino2").unwrap();
    is_placed("l4lb", &divided(&SIZES, &chip).0, &chip);
}
