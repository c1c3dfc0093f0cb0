//! What is printed for people.

use crate::compile::Compile;
use crate::times::{Latency, Live, OURS, OnCpus, Times};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the project wants: ours as a multiple of `lru`.
const BARS: &[(&str, f64)] =
    &[("est1", 0.9), ("est1m", 0.40), ("syn", 0.40), ("synfull", 0.33), ("novip", 0.4), ("sip-est1", 1.6)];

/// The bar of a scenario.
#[must_use]
pub fn bar(scenario: &str) -> Option<f64> {
    BARS.iter().find(|b| b.0 == scenario).map(|b| b.1)
}

fn verdict(good: bool) -> &'static str {
    if good { "met" } else { "missed" }
}

/// One line for each program of a scenario.
#[must_use]
pub fn costs(times: &Times) -> String {
    let mut text = format!("{}: {}\n", times.scenario, times.about);
    for cost in &times.costs {
        let note = if cost.program == "drop" { "  (the bench itself; taken off the others)" } else { "" };
        let counted = cost.hardware.map_or(String::new(), |[instructions, misses]| {
            format!("  {instructions:7.1} instructions {misses:6.3} missed branches")
        });
        let (ns, name) = (cost.ns, &cost.program);
        let _infallible = writeln!(
            text,
            "  {name:<10}{:>8.1} ns  [{:.1} .. {:.1}]{counted}{note}",
            ns.median, ns.least, ns.most
        );
    }
    text
}

/// Ours as multiples, with the bars.
#[must_use]
pub fn ratios(all: &[Times], instructions: &BTreeMap<String, f64>) -> String {
    let mut text = format!(
        "{:<10}{:>10}{:>14}{:>8}{:>8}{:>8}\n",
        "scenario", "ns", "instructions", "/ lru", "/ encap", "bar"
    );
    for times in all {
        let counted = instructions.get(times.scenario).map_or(String::new(), |n| format!("{n:.0}"));
        let (lru, encap) = (times.ratio("lru"), times.ratio("encap"));
        let bar = bar(times.scenario).map_or(String::new(), |b| format!("{b:>8.2}  {}", verdict(lru <= b)));
        let ns = times.ns(OURS);
        let _infallible =
            writeln!(text, "{:<10}{ns:>10.1}{counted:>14}{lru:>8.2}{encap:>8.2}{bar}", times.scenario);
    }
    text
}

/// Two CPUs beside one.
#[must_use]
pub fn cpus(all: &[OnCpus]) -> String {
    let mut text = format!(
        "{:<10}{:<10}{:>12}{:>14}{:>20}\n",
        "scenario", "program", "ns on one", "ns each on two", "both, Mpackets/s"
    );
    for r in all {
        let (one, two, both) = (r.one, r.two, r.together());
        let _infallible =
            writeln!(text, "{:<10}{:<10}{one:>12.1}{two:>14.1}{both:>20.1}", r.scenario, r.program);
    }
    text
}

/// Real frames.
#[must_use]
pub fn live(all: &[Live]) -> String {
    let mut text = format!(
        "{:<10}{:>22}{:>22}{:>10}{:>8}\n",
        "scenario", "Mpackets/s by clock", "by CPU time", "counted", "bar"
    );
    for r in all {
        let good = verdict(r.cpu.median >= 1.0);
        let (wall, cpu, counted) = (r.wall.median, r.cpu.median, r.counted * 100.0);
        let _infallible =
            writeln!(text, "{:<10}{wall:>22.2}{cpu:>22.2}{counted:>9.1}%{:>8}  {good}", r.scenario, "1.00");
    }
    text
}

/// Round trips.
#[must_use]
pub fn latency(all: &[Latency]) -> String {
    let mut text = format!(
        "{:>12}{:>20}{:>20}{:>20}{:>7}  bar 50, 250\n",
        "packets/s", "straight p50, p99", "through p50, p99", "added p50, p99", "lost"
    );
    for r in all {
        let added = r.added();
        let good = verdict(added.p50 <= 50.0 && added.p99 <= 250.0 && r.lost == 0);
        let pairs = [r.straight, r.through, added].map(|p| format!("{:.1}, {:.1} us", p.p50, p.p99));
        let [straight, through, added] = pairs;
        let _infallible =
            writeln!(text, "{:>12}{straight:>20}{through:>20}{added:>20}{:>7}  {good}", r.load, r.lost);
    }
    text
}

/// Compile times.
#[must_use]
pub fn compile(c: &Compile) -> String {
    let mut text = String::new();
    for (name, time) in &c.targets {
        let _infallible = writeln!(text, "{name:<24}{:>8.1} ms", time.median);
    }
    let good = verdict(c.all.median <= 50.0);
    let _infallible = writeln!(text, "{:<24}{:>8.1} ms    bar 50  {good}", "all targets", c.all.median);
    let _infallible = writeln!(text, "{:<24}{:>8.1} ms    (apart)", "clang, emitted C", c.clang.median);
    text
}
