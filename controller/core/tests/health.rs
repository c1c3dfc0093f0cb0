//! Timelines of reports, and the verdicts they lead to: each file in `tests/health` is a case.
//!
//! A line is `@MILLISECONDS DO`, a setting (`set NAME NUMBER`), or a comment (`#`). Lines are played by rising time. `DO` is
//! - `track|moved|forget POOL/BACKEND [up|down] [ready|unready|unprobed]`,
//! - `CHECKER[,CHECKER] POOL/BACKEND up|down|draining|unknown COUNT [ready|unready COUNT] [at CHECKED_AT] [= INTAKE]`, where
//!   INTAKE is `taken`, `late`, `unknown`, `malformed` or `refused`,
//! - `signal POOL/BACKEND ICMP_ERRORS EARLY_RESETS`,
//! - `every STEP until END DO`: again and again,
//! - `expect POOL/BACKEND LIVENESS READINESS CERTAINTY [suspect] [held UNTIL]`, or `expect POOL/BACKEND nothing`.
#![allow(clippy::unwrap_used)]

use control_core::Downs;
use control_core::health::{Certainty, Health, Liveness, Readiness, Settings, Verdict};
use control_proto::v1::{Health as Found, HealthReport};
use std::path::Path;

struct Line<'a> {
    at: u64,
    number: usize,
    words: Vec<&'a str>,
}

#[test]
fn timelines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/health");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "cases are missing");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(text.contains("expect"), "{name} expects nothing");
        check(&name, &text);
    }
}

/// A case does fail when the verdict is another.
#[test]
#[should_panic(expected = "x:2")]
fn a_wrong_expectation_is_seen() {
    check("x", "@0 track web/a\n@0 expect web/a up ready agreed");
}

fn check(name: &str, text: &str) {
    let mut settings = Settings::default();
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l.split('#').next().unwrap().trim()))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.split_first() {
            None => {}
            Some((&"set", rest)) => set(&mut settings, rest[0], rest[1].parse().unwrap()),
            Some((at, rest)) => {
                let at = at.strip_prefix('@').unwrap_or_else(|| panic!("{name}:{number}: no time"));
                expand(at.parse().unwrap(), number, rest, &mut lines);
            }
        }
    }
    lines.sort_by_key(|l| (l.at, l.number));
    let mut health = Health::new(settings);
    let mut shown = std::collections::BTreeMap::new();
    for line in lines {
        health.advance(line.at);
        play(&mut health, &line, &format!("{name}:{}", line.number));
        for changed in health.changes() {
            let key = (changed.name.pool.clone(), changed.name.backend.clone());
            assert_eq!(health.verdict(&key.0, &key.1), Some(&changed.verdict));
            let was = shown.insert(key, changed.verdict.clone());
            assert_ne!(was, Some(changed.verdict), "{name}:{}: told again", line.number);
        }
    }
}

fn set(settings: &mut Settings, name: &str, number: u64) {
    match name {
        "min_agree" => settings.min_agree = u32::try_from(number).unwrap(),
        "max_checkers" => settings.max_checkers = usize::try_from(number).unwrap(),
        other => panic!("no setting {other}"),
    }
}

fn expand<'a>(at: u64, number: usize, words: &[&'a str], lines: &mut Vec<Line<'a>>) {
    if let [every, step, until, end, rest @ ..] = words
        && (*every, *until) == ("every", "until")
    {
        let (step, end): (u64, u64) = (step.parse().unwrap(), end.parse().unwrap());
        for at in (at..=end).step_by(usize::try_from(step).unwrap()) {
            lines.push(Line { at, number, words: rest.to_vec() });
        }
    } else {
        lines.push(Line { at, number, words: words.to_vec() });
    }
}

fn play(health: &mut Health, line: &Line<'_>, place: &str) {
    let (verb, rest) = line.words.split_first().unwrap();
    let (pool, backend) = rest[0].split_once('/').unwrap_or_else(|| panic!("{place}: POOL/BACKEND"));
    let rest = &rest[1..];
    match *verb {
        "track" => health.track(pool, backend, &was(rest), line.at),
        "downs" => {
            let times = |list: &str| list.split(',').map(|at| at.parse().unwrap()).collect();
            let downs = Downs { live: times(rest[1]), ready: rest.get(3).map_or(Vec::new(), |r| times(r)) };
            assert!(rest[0] == "live" && rest.get(2).is_none_or(|word| *word == "ready"), "{place}");
            health.remember(pool, backend, &downs);
        }
        "moved" => health.moved(pool, backend, line.at),
        "forget" => health.forget(pool, backend),
        "signal" => health.signal(pool, backend, rest[0].parse().unwrap(), rest[1].parse().unwrap(), line.at),
        "expect" => {
            let wanted = rest.join(" ");
            let got = health.verdict(pool, backend).map_or("nothing".into(), show);
            assert_eq!(got, wanted, "{place}: {:?}", health.reason(pool, backend));
        }
        checkers => {
            for checker in checkers.split(',') {
                report(health, checker, (pool, backend), rest, line.at, place);
            }
        }
    }
}

fn was(words: &[&str]) -> Verdict {
    let mut was = Verdict::default();
    for word in words {
        match *word {
            "up" => was.live = Liveness::Up,
            "down" => was.live = Liveness::Down,
            "ready" => was.ready = Readiness::Ready,
            "unready" => was.ready = Readiness::NotReady,
            "unprobed" => was.ready = Readiness::Unprobed,
            other => panic!("{other}?"),
        }
    }
    was
}

fn show(v: &Verdict) -> String {
    let live = format!("{:?}", v.live).to_lowercase();
    let ready = format!("{:?}", v.ready).to_lowercase();
    let mut text = format!("{live} {ready} {}", format!("{:?}", v.certainty).to_lowercase());
    if v.suspect {
        text += " suspect";
    }
    if let Some(until) = v.held_until {
        text += &format!(" held {until}");
    }
    assert!(v.certainty != Certainty::Agreed || v.live != Liveness::Unknown);
    text
}

fn report(health: &mut Health, checker: &str, of: (&str, &str), words: &[&str], now: u64, place: &str) {
    let state = |word: &str| match word {
        "up" | "ready" => Found::Healthy,
        "down" | "unready" => Found::Unhealthy,
        "draining" => Found::Draining,
        "unknown" => Found::Unknown,
        other => panic!("{place}: {other}?"),
    };
    let number = |word: &str| word.parse::<u32>().unwrap_or_else(|_| panic!("{place}: {word}"));
    let counts = |state: Found, n: u32| if state == Found::Unhealthy { (0, n) } else { (n, 0) };
    let live = state(words[0]);
    let (consecutive_passes, consecutive_failures) = counts(live, number(words[1]));
    let mut report = HealthReport {
        pool: of.0.into(),
        backend: of.1.into(),
        state: live.into(),
        checked_at_ms: now,
        consecutive_passes,
        consecutive_failures,
        ..HealthReport::default()
    };
    let mut expected = "taken";
    for pair in words[2..].chunks(2) {
        match pair {
            ["at", at] => report.checked_at_ms = at.parse().unwrap(),
            ["=", intake] => expected = intake,
            ["sic", passes] => report.consecutive_passes = number(passes),
            [ready, n] => {
                report.ready = state(ready).into();
                (report.ready_passes, report.ready_failures) = counts(state(ready), number(n));
            }
            odd => panic!("{place}: {odd:?}"),
        }
    }
    let got = match health.report(checker, vec![report], now) {
        Err(_) => "refused",
        Ok(i) => [(i.taken, "taken"), (i.late, "late"), (i.unknown, "unknown"), (i.malformed, "malformed")]
            .into_iter()
            .find_map(|(n, word)| (n == 1).then_some(word))
            .unwrap(),
    };
    assert_eq!(got, expected, "{place}: {checker}");
}
