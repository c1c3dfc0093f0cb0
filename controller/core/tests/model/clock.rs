//! The clock of whoever leads next is ahead of that of whoever led before, or behind.

use crate::lab::{Lab, deregister, drain, register};
use control_core::{Command, LONGEST_TIMEOUT_MS};
use control_proto::v1::*;

const HOUR: u64 = 3_600_000;
/// Some time in 2026.
const THEN: u64 = 1_780_000_000_000;
const WINDOW: u64 = 60_000;

/// `b` drains since 20 s when another begins to lead at `now`: how much longer it does.
fn check(now: u64, left: u64) {
    let mut lab = Lab::web(&["a", "b", "c"]);
    lab.now = THEN - 20_000;
    lab.run(&drain("web", "b", WINDOW, false)).unwrap();
    let (before, table) = (lab.shares("web"), lab.slots("web"));
    lab.now = now;
    lab.run(&Command::Begin).unwrap();
    lab.run(&Command::Tick).unwrap();
    let b = lab.backend("web", "b");
    assert_eq!((b.state(), b.drain_deadline_ms), (BackendState::Draining, now + left), "at {now}");
    assert!(b.since_ms <= now, "at {now}: since {}", b.since_ms);
    assert_eq!((lab.shares("web"), lab.slots("web")), (before, table), "at {now}");
    lab.now += left - 1;
    lab.run(&Command::Tick).unwrap();
    assert_eq!(lab.backend("web", "b").state(), BackendState::Draining);
    lab.now += 1;
    lab.run(&Command::Tick).unwrap();
    assert_eq!(lab.backend("web", "b").state(), BackendState::Evicted);
    // And it is told of for an hour, by this clock.
    lab.now += LONGEST_TIMEOUT_MS;
    lab.run(&Command::Tick).unwrap();
    assert_eq!(lab.id("web", "b"), None, "at {now}");
}

#[test]
fn a_drain_lasts_no_longer_than_its_window_and_ends_no_sooner() {
    check(THEN, 40_000);
    check(THEN + 39_999, 1);
    check(THEN - 20_000, WINDOW);
    // Ahead: it seems to be over.
    check(THEN + 40_001, WINDOW);
    check(THEN + 10 * HOUR, WINDOW);
    // Behind: it seems to begin one day.
    check(THEN - 20_001, WINDOW);
    check(THEN - 10 * HOUR, WINDOW);
    check(1_000, WINDOW);
}

#[test]
fn who_was_evicted_in_the_future_is_forgotten_in_an_hour() {
    let mut lab = Lab::web(&["a", "b"]);
    lab.now = THEN;
    lab.run(&drain("web", "b", 1, false)).unwrap();
    lab.now += 1;
    lab.run(&Command::Tick).unwrap();
    lab.now = THEN - 1000 * HOUR;
    lab.run(&Command::Begin).unwrap();
    assert_eq!(lab.backend("web", "b").since_ms, lab.now);
    lab.now += LONGEST_TIMEOUT_MS;
    lab.run(&Command::Tick).unwrap();
    assert_eq!(lab.id("web", "b"), None);
}

#[test]
fn numbers_rest_for_an_hour_by_the_new_clock() {
    let mut lab = Lab::with(control_core::Settings { pools: 3, ..Lab::new().settings });
    lab.now = THEN;
    lab.pool("a");
    lab.pool("b");
    lab.run(&register("b", "x", "10.0.0.1")).unwrap();
    lab.run(&deregister("b", "x", true)).unwrap();
    lab.run(&Command::DeletePool(DeletePoolRequest { name: "a".into() })).unwrap();
    lab.now = THEN - 1000 * HOUR;
    lab.run(&Command::Begin).unwrap();
    let create = Command::CreatePool(CreatePoolRequest { name: "c".into(), ..Default::default() });
    lab.now += LONGEST_TIMEOUT_MS - 1;
    lab.run(&create).unwrap_err();
    lab.now += 1;
    lab.run(&create).unwrap();
}

#[test]
fn a_clock_that_is_right_changes_nothing() {
    let mut lab = Lab::web(&["a", "b", "c"]);
    lab.run(&drain("web", "b", WINDOW, false)).unwrap();
    let version = lab.state.version();
    lab.now += 5;
    lab.run(&Command::Begin).unwrap();
    assert_eq!(lab.state.version(), version);
}
