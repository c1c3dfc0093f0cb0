//! The aggregator against a naive model, which keeps every report and starts from the first one each time it is asked.
#![allow(clippy::unwrap_used)]

use control_core::health::{Certainty, Damping, Health, Liveness, Settings, Verdict};
use control_proto::v1::{Health as Found, HealthReport};
use proptest::prelude::*;

const EXPIRY: u64 = 15_000;
/// Checkers.
const CHECKERS: usize = 4;

/// What one checker finds at one time; `None`: it can't tell.
#[derive(Clone, Copy, Debug)]
struct Heard {
    at: u64,
    checker: usize,
    found: Option<bool>,
    count: u32,
}

/// The opinion of one checker at a time, and when its last report came.
fn opinion(all: &[Heard], checker: usize, now: u64) -> Option<(Option<bool>, u64)> {
    let mut opinion: Option<(Option<bool>, u64)> = None;
    for heard in all.iter().filter(|h| h.checker == checker && h.at <= now) {
        if opinion.is_some_and(|(_, last)| heard.at >= last + EXPIRY) || heard.found.is_none() {
            opinion = None;
        }
        let Some(found) = heard.found else { continue };
        let decided = heard.count >= if found { 2 } else { 3 };
        let before = opinion.and_then(|(value, _)| value);
        opinion = Some((if decided { Some(found) } else { before }, heard.at));
    }
    opinion.filter(|(_, last)| now < last + EXPIRY)
}

fn quorum(all: &[Heard], now: u64) -> Option<bool> {
    let opinions: Vec<_> = (0..CHECKERS).filter_map(|c| opinion(all, c, now)).collect();
    let agree = |what| opinions.iter().filter(|(value, _)| *value == Some(what)).count();
    let enough = |what| agree(what) >= 2 && agree(what) * 2 > opinions.len();
    [true, false].into_iter().find(|what| enough(*what))
}

/// All times at which something can change.
fn moments(all: &[Heard], now: u64) -> Vec<u64> {
    let mut moments: Vec<u64> =
        all.iter().flat_map(|h| [h.at, h.at + EXPIRY]).chain([0, now]).filter(|at| *at <= now).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// After all that was heard: what it is, and whether a quorum says so now.
fn model(all: &[Heard], now: u64) -> (Liveness, bool) {
    let mut value = None;
    // At each report in turn, those of one instant too; and whenever one expires.
    for (i, heard) in all.iter().enumerate() {
        for at in moments(&all[..i], heard.at).into_iter().filter(|at| i == 0 || *at >= all[i - 1].at) {
            value = quorum(&all[..i], at).or(value);
        }
        value = quorum(&all[..=i], heard.at).or(value);
    }
    for at in moments(all, now) {
        if all.last().is_none_or(|h| h.at <= at) {
            value = quorum(all, at).or(value);
        }
    }
    let live = match value {
        None => Liveness::Unknown,
        Some(true) => Liveness::Up,
        Some(false) => Liveness::Down,
    };
    (live, quorum(all, now).is_some())
}

fn report(heard: &Heard) -> HealthReport {
    let (state, passes, failures) = match heard.found {
        None => (Found::Unknown, 0, 0),
        Some(true) => (Found::Healthy, heard.count, 0),
        Some(false) => (Found::Unhealthy, 0, heard.count),
    };
    HealthReport {
        pool: "web".into(),
        backend: "a".into(),
        state: state.into(),
        checked_at_ms: heard.at,
        consecutive_passes: passes,
        consecutive_failures: failures,
        ..HealthReport::default()
    }
}

fn heard() -> impl Strategy<Value = (u64, usize, Option<bool>, u32)> {
    let found = prop_oneof![6 => Just(Some(true)), 6 => Just(Some(false)), 1 => Just(None)];
    let pause = prop_oneof![8 => 1_u64..900, 3 => 900_u64..4_000, 1 => 10_000_u64..20_000];
    (pause, 0..CHECKERS, found, 0_u32..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn equals_the_model(all in prop::collection::vec(heard(), 1..60)) {
        // Without damping: a timeline of its own has it.
        let damping = Damping { first_ms: 0, ..Damping::default() };
        let mut health = Health::new(Settings { damping, ..Settings::default() });
        health.track("web", "a", &Verdict::default(), 0);
        let (mut past, mut now) = (Vec::new(), 0);
        let mut turns = 0;
        for (pause, checker, found, count) in all {
            // The server sleeps until the deadline, and no longer.
            while let Some(wake) = health.next_deadline().filter(|wake| *wake <= now + pause) {
                health.advance(wake);
                compare(&health, &past, wake)?;
                turns += 1;
                prop_assert!(turns < 1_000, "it never sleeps");
            }
            now += pause;
            let heard = Heard { at: now, checker, found, count };
            past.push(heard);
            health.report(&format!("c{checker}"), vec![report(&heard)], now).unwrap();
            compare(&health, &past, now)?;
        }
    }

    /// Whatever comes in, nothing panics, deadlines lie ahead, and it comes to rest.
    #[test]
    fn any_report_is_survived(all in prop::collection::vec((any::<[i32; 2]>(), any::<[u32; 4]>(), any::<[u64; 2]>()), 1..80)) {
        let mut health = Health::new(Settings::default());
        health.track("web", "a", &Verdict::default(), 0);
        let mut highest = 0;
        for ([state, ready], counts, [at, now]) in all {
            let report = HealthReport {
                pool: "web".into(), backend: "a".into(),
                state: state % 6, ready: ready % 6, checked_at_ms: at,
                consecutive_passes: counts[0] % 2 * counts[0], consecutive_failures: counts[1] % 2 * counts[1],
                ready_passes: counts[2] % 2 * counts[2], ready_failures: counts[3] % 2 * counts[3],
                detail: "é".repeat((at % 400) as usize), ..HealthReport::default()
            };
            highest = highest.max(now);
            health.report(&format!("c{}", at % 70), vec![report], now).ok();
            health.signal("web", "a", at, now, now);
            prop_assert!(health.next_deadline().is_none_or(|wake| wake > highest || highest == u64::MAX));
        }
        prop_assert!(health.reports("web", "a").iter().all(|r| r.detail.len() <= 200));
        prop_assert!(health.checkers().len() <= 64);
    }
}

fn compare(health: &Health, past: &[Heard], now: u64) -> Result<(), TestCaseError> {
    let verdict = health.verdict("web", "a").unwrap();
    let (live, agreed) = model(past, now);
    prop_assert_eq!(verdict.live, live, "at {}: {:?}", now, past);
    prop_assert_eq!(verdict.certainty == Certainty::Agreed, agreed, "at {}: {:?}", now, past);
    Ok(())
}
