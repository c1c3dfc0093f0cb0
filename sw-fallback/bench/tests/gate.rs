//! No scenario needs more instructions per packet than `ceilings.toml` says, and the numbers there fall with what is
//! needed. Nanoseconds gate nothing.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use sw_fallback::xdp::clang;
use xdp_bench::ceilings::{self, fault};
use xdp_bench::count::Counter;
use xdp_bench::scenario::gated;

mod common;

#[test]
fn instructions_per_packet_stay_below_their_ceilings() {
    if common::skip("instructions per packet") {
        return;
    }
    let version = std::process::Command::new(clang::find().unwrap()).arg("--version").output().unwrap();
    let compiler = ceilings::compiler(&String::from_utf8_lossy(&version.stdout)).unwrap();
    let mut all = ceilings::read().unwrap_or_default();
    let bless = std::env::var_os("GUIDEWAY_BLESS").is_some();
    if !bless && !all.contains_key(&compiler) {
        eprintln!("skipped: ceilings.toml knows no {compiler}; `cargo xtask bless` enters it");
        return;
    }
    let known = all.entry(compiler.clone()).or_default();
    let counters: BTreeMap<bool, Counter> = [false, true].map(|s| (s, Counter::new(s, None).unwrap())).into();
    let mut faults = Vec::new();
    for scenario in gated() {
        let needed = counters[&scenario.siphash].count(scenario).unwrap().per_frame();
        if let Some(fault) = fault(scenario.name, needed, known.get(scenario.name).copied()) {
            faults.push(fault);
            known.insert(scenario.name.to_owned(), needed);
        }
    }
    if bless && !faults.is_empty() {
        ceilings::write(&all).unwrap();
        return;
    }
    assert!(faults.is_empty(), "with {compiler}:\n{}", faults.join("\n"));
}
