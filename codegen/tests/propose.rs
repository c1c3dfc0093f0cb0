//! Ways out, where a target refuses a pipeline.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "p4")]

use codegen::fit::propose::{Part, Proposal, propose};
use codegen::off::{pipes, set};
use pipeline_ir::verify::{Verified, verify};

const L4LB: &str = include_str!("../../pipeline/pipelines/l4lb.rs");

fn l4lb(set: &[(&str, &str)]) -> Verified {
    let set: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    verify(pipeline_syntax::compile_source("l4lb.rs", L4LB, &set).unwrap()).unwrap()
}

/// What is off in each pipe, and what in all of them.
fn check(found: &Proposal, pipes: &[&[&str]], all: &[&str]) {
    let names = |parts: &[Part]| parts.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let own: Vec<_> = found.pipes.iter().map(|pipe| names(&pipe.off)).collect();
    assert_eq!(own, pipes);
    assert_eq!(names(&found.off), all);
}

#[test]
fn the_load_balancer_takes_one_pipe_of_a_tofino_2() {
    let found = propose(&l4lb(&[]), &hw_targets::target("tofino2").unwrap()).unwrap();
    check(&found, &[&[]], &["TOO_BIG_RATE"]);
}

#[test]
fn the_load_balancer_takes_two_pipes_of_a_first_tofino() {
    let target = hw_targets::target("tofino").unwrap();
    let found = propose(&l4lb(&[]), &target).unwrap();
    check(&found, &[&["ipv6"], &["ipv4", "Ipip4"]], &["TOO_BIG_RATE"]);
    assert_eq!(
        found.slots.iter().map(|s| (s.ring.as_str(), s.slots)).collect::<Vec<_>>(),
        [("ring", 65_536)]
    );
    assert_eq!(found.off[0].lost, "TOO_BIG_RATE lets no packet through");
    let base = l4lb(&[("RING_SLOTS", "65536")]);
    let names = |parts: &[Part]| parts.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let off: Vec<_> = found.pipes.iter().map(|pipe| [names(&pipe.off), names(&found.off)].concat()).collect();
    for (pipe, fates) in found.pipes.iter().zip(pipes(base.pipeline(), &target, &off).unwrap()) {
        let fates: Vec<_> = fates.iter().map(|(name, fate)| (name.as_str(), *fate)).collect();
        let fitted = codegen::fit(&set(&base, &fates).unwrap(), &target).unwrap();
        assert_eq!(pipe.stages, Some(fitted.placement().unwrap().stages.len() as u64), "{fates:?}");
    }
}

#[test]
fn none_is_found_where_each_pipe_lacks_it() {
    let sip = l4lb(&[("HASH", "HalfSipHash")]);
    let why = propose(&sip, &hw_targets::target("tofino").unwrap()).unwrap_err();
    for part in [" TOO_BIG_RATE=off: ", "hash.halfsiphash"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn a_refusal_names_what_to_leave_out() {
    for (target, message, help) in [
        ("tofino2", "control needs packet.truncate", "`--set TOO_BIG_RATE=off`"),
        ("psa-bmv2", "flow table flows4 needs flow.affinity", "`--set FLOWS4=off`"),
        ("psa-bmv2", "control needs packet.length", "leave it out of the pipelines for this target"),
    ] {
        let faults = codegen::fit(&l4lb(&[]), &hw_targets::target(target).unwrap()).unwrap_err();
        let fault = faults.0.iter().find(|f| f.message.starts_with(message)).unwrap();
        assert!(fault.help.contains(help), "{target}: {fault:?}");
    }
}

const SMALL: &str = "#[guideway::pipeline(targets = [native])]
pub mod small {
    use guideway::headers::{Ethernet, Ipv4};
    struct Headers { eth: Ethernet, ip4: Ipv4 }
    struct Meta { allowed: bool }
    enum Reason { Rate, Denied, Empty }
    struct Key { #[exact] dst: bit<32> }
    enum Way { Send { to: bit<32> }, Cut { to: bit<32> }, #[default_only] Unknown }
    #[table(size = 8)]
    static WAYS: Table<Key, Way> = Unknown;
    enum Mark { Sum { ttl: bit<8> }, Deny, #[default_only] Plain }
    #[table(size = 8)]
    static MARKS: Table<Key, Mark> = Plain;
    #[limiter(per_tick = 4)]
    static PACE: Limiter;
    #[counter(size = 2, kind = packets)]
    static SEEN: Counter;
    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype { 0x0800 => ipv4, _ => accept }
    }
    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.ip4); accept }
    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.ip4.is_valid() { return pass(); }
        SEEN.count(0);
        if h.ip4.ttl == 1 {
            let allowed = PACE.allow();
            if !allowed { return drop(Rate); }
        }
        match MARKS.apply(Key { dst: h.ip4.src }) {
            Sum { ttl } => { h.ip4.ttl = ttl; h.ip4.checksum = internet_checksum(h.ip4); }
            Deny => return drop(Denied),
            Plain => {}
        }
        match WAYS.apply(Key { dst: h.ip4.dst }) {
            Send { to } => forward(to),
            Cut { to } => { truncate(64); forward(to) }
            Unknown => drop(Empty),
        }
    }
}";

/// What is off, or what is said where nothing is found.
type Expected = Result<&'static [&'static str], &'static str>;

/// Without stages there is one pipe only, and no parser state is off.
#[test]
fn one_pipe_loses_what_carries_the_need() {
    let whole = verify(pipeline_syntax::compile_source("small.rs", SMALL, &[]).unwrap()).unwrap();
    let cases: &[(&[&str], Expected)] = &[
        (&["state.limiter"], Ok(&["PACE"])),
        (&["counter.indirect"], Ok(&["SEEN"])),
        (&["packet.truncate"], Ok(&["Cut"])),
        (&["packet.truncate", "state.limiter", "counter.indirect"], Ok(&["SEEN", "PACE", "Cut"])),
        // All that is left in the table would drop.
        (&["checksum.internet"], Err("as it is: control needs checksum.internet")),
        (&["checksum.internet", "state.limiter"], Err("with PACE=off: control needs checksum.internet")),
        (&["verdict.forward"], Err("as it is: control needs verdict.forward")),
    ];
    for (lacks, expected) in cases {
        let mut target = hw_targets::target("native").unwrap();
        target.provides.retain(|word| !lacks.contains(&word.as_str()));
        match (propose(&whole, &target), expected) {
            (Ok(found), Ok(names)) => check(&found, &[&[]], names),
            (Err(why), Err(part)) => assert!(why.contains(part), "{lacks:?}: {why}"),
            (found, _) => panic!("{lacks:?}: {found:?}"),
        }
    }
}

/// A limiter that lets nothing through would take the tables behind it along.
#[test]
fn nothing_goes_that_takes_more_with_it() {
    let source = SMALL.replace("if h.ip4.ttl == 1 {", "if h.ip4.ttl != 0 {");
    let source = source.replace(
        "if !allowed { return drop(Rate); }\n        }",
        "if !allowed { return drop(Rate); }\n        } else { return drop(Empty); }",
    );
    let whole = verify(pipeline_syntax::compile_source("small.rs", &source, &[]).unwrap()).unwrap();
    let mut target = hw_targets::target("native").unwrap();
    target.provides.retain(|word| word != "packet.truncate" && word != "state.limiter");
    let why = propose(&whole, &target).unwrap_err();
    assert!(why.contains("with Cut=off: limiter pace needs state.limiter"), "{why}");
}
