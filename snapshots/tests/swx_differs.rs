//! What DPDK's SWX does otherwise than the oracle, as `fit.txt` and `docs/semantics.md` list it: each difference is there. (Keys that are
//! marks elsewhere: `swx.rs`, whose stories must differ.)
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use dpdk_switch::DpdkPlane;
use needed::skip;
use pipeline_ir::verify::Verified;
use snapshots::case::Case;
use snapshots::dpdk;
use snapshots::oracle::OraclePlane;
use snapshots::run::{Seen, prepare, run};
use snapshots::story::{Change, Step, Stories, Story};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use sw_fallback::plane::Verdict;

/// All share the memory of one DPDK environment.
static ALONE: Mutex<()> = Mutex::new(());

/// `pin` with so many flows, on the oracle and in SWX; none where DPDK can't start.
struct Pair {
    stories: Stories,
    oracle: OraclePlane,
    swx: DpdkPlane,
}

impl Pair {
    fn new(test: &str, flows: &str) -> Option<Self> {
        if skip(test, "dpdk", dpdk::unavailable()) {
            return None;
        }
        let case = Case::named("pin").unwrap();
        let mut stories = case.stories().unwrap();
        stories.sizes.insert("FLOW_ENTRIES".into(), flows.into());
        let verified: Verified = case.compile(&stories.overrides()).unwrap();
        let program = dpdk::program(&verified).unwrap().unwrap();
        let mut oracle = OraclePlane::new(&verified, hw_targets::target("dpdk").unwrap().tick_ns);
        let mut swx = DpdkPlane::load(&verified, &program, 9).unwrap();
        prepare(&stories, &mut oracle).unwrap();
        prepare(&stories, &mut swx).unwrap();
        Some(Self { stories, oracle, swx })
    }

    fn both(&mut self, step: &[Step]) -> [Seen; 2] {
        let story = Story { about: "a difference".into(), step: step.to_vec(), ..Story::default() };
        [run(&story, &mut self.oracle).unwrap(), run(&story, &mut self.swx).unwrap()]
    }

    /// The change with which `pin`'s own stories send new flows to server 2, by port 4.
    fn second_server(&self) -> Change {
        let mut changes = self.stories.story.iter().flat_map(|s| &s.step).flat_map(|s| &s.before);
        changes.find(|c| matches!(c, Change::Modify(_))).unwrap().clone()
    }
}

fn step(now: u32, packet: &str) -> Step {
    Step {
        now: Some(now),
        packet: packet.replace("$to", "eth / ip4(src=192.0.2.1, dst=10.0.0.80)"),
        ..Step::default()
    }
}

fn ways(seen: &Seen) -> Vec<&Verdict> {
    seen.outcomes.iter().map(|o| &o.verdict).collect()
}

fn count(seen: &Seen, name: &str) -> u64 {
    seen.counters[name].packets
}

/// `pin` hashes the server's port too, which is not in a flow's key: elsewhere another hash looks in another bucket.
#[test]
fn a_flow_is_found_by_its_key_alone() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut pair) = Pair::new("a_flow_is_found_by_its_key_alone", "65536") else { return };
    let turned =
        Step { before: vec![pair.second_server()], ..step(2, "$to / tcp(sport=1000, dport=81, flags=A)") };
    let [oracle, swx] = pair.both(&[
        step(1, "$to / tcp(sport=1000, dport=80, flags=S)"),
        step(1, "$to / tcp(sport=1000, dport=80, flags=A)"),
        turned,
    ]);
    let [first, second] = [Verdict::Forward { port: 3 }, Verdict::Forward { port: 4 }];
    assert_eq!(ways(&oracle), [&first, &first, &second], "by the ring");
    assert_eq!(ways(&swx), [&first, &first, &first], "it stays");
    assert_eq!((count(&oracle, "flows.stored"), count(&swx, "flows.stored")), (2, 1));
}

/// Elsewhere a flow gives its room to the next one as soon as packets' ticks say that its time is over, and a new one does even before.
#[test]
fn a_key_gives_its_room_back_by_the_processors_clock() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut pair) = Pair::new("a_key_gives_its_room_back_by_the_processors_clock", "8") else { return };
    let flows = |now, first: u32| -> Vec<Step> {
        let syn = |n| step(now, &format!("$to / tcp(sport={n}, dport=80, flags=S)"));
        (first..first + 40).map(syn).collect()
    };
    let [oracle, swx] = pair.both(&flows(1, 1000));
    assert_eq!(
        (count(&oracle, "flows.stored"), count(&oracle, "flows.not_stored")),
        (40, 0),
        "new ones give way"
    );
    let stored = count(&swx, "flows.stored");
    assert!((1..=8).contains(&stored) && stored + count(&swx, "flows.not_stored") == 40, "{stored}");
    // Ticks after every time-out, in the same instant of the processor's clock.
    let since = Instant::now();
    let [_, swx] = pair.both(&flows(10_000, 2000));
    let now = count(&swx, "flows.stored");
    assert!(now <= 8 || since.elapsed() > Duration::from_secs(1), "{now} stored: an expired one gave way");
    // And some seconds later, for whoever comes then.
    let mut first = 3000;
    while since.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(500));
        let [_, swx] = pair.both(&flows(20_000, first));
        first += 40;
        if count(&swx, "flows.stored") > now {
            return;
        }
    }
    panic!("no room after {:?}", since.elapsed());
}
