//! Pipelines without parts of them.
#![allow(clippy::unwrap_used)]

use codegen::off::{Fate, off, pipes, set, split};
use pipeline_ir::print::print;
use pipeline_ir::verify::{Verified, verify};

const SOURCE: &str = "#[guideway::pipeline(targets = [native])]
pub mod small {
    use guideway::headers::{Ethernet, Ipv4, Udp};
    struct Headers { eth: Ethernet, ip4: Ipv4, udp: Udp }
    struct Meta { port: bit<32>, allowed: bool }
    enum Reason { Rate, Empty, NoPool, NoSlot, NoServer }
    struct Key { #[exact] dst: bit<32> }
    enum Way { Send { to: bit<32> }, Twice { to: bit<32>, other: bit<32> }, #[default_only] Unknown }
    #[table(size = 8)]
    static WAYS: Table<Key, Way> = Unknown;
    enum Server { Serve { at: bit<32> }, #[default_only] Gone }
    struct ServerKey { #[exact] id: bit<16> }
    #[table(size = 8)]
    static SERVERS: Table<ServerKey, Server> = Gone;
    struct FlowKey { src: bit<32>, port: bit<16> }
    #[flow_table(entries = 8, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static FLOWS: Affinity<FlowKey, bit<16>>;
    #[ring(slots = 256, pools = 2, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<8>, bit<16>>;
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
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        match h.ip4.protocol { 17 => udp, _ => accept }
    }
    #[state]
    fn udp(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.udp); accept }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.ip4.is_valid() { return pass(); }
        SEEN.count(0);
        if h.udp.is_valid() {
            let hash = Crc32.of(bit::<32>(7), (h.ip4.src, h.udp.src_port));
            let flow = FLOWS.find(FlowKey { src: h.ip4.src, port: h.udp.src_port }, hash, event::DATAGRAM, 0);
            match SERVERS.stay_or(flow, || RING.select(1, hash)) {
                Serve { at } => { flow.remember(); return forward(at); }
                Gone => return drop(NoServer),
            }
        }
        let allowed = PACE.allow();
        if !allowed { return drop(Rate); }
        match WAYS.apply(Key { dst: h.ip4.dst }) {
            Send { to } => m.port = to,
            Twice { to, other } => m.port = to ^ other,
            Unknown => return drop(Empty),
        }
        forward(m.port)
    }
}";

fn small() -> Verified {
    of(SOURCE)
}

fn of(source: &str) -> Verified {
    let pipeline = pipeline_syntax::compile_source("small.rs", source, &[]).unwrap_or_else(|e| panic!("{e}"));
    verify(pipeline).unwrap_or_else(|e| panic!("{e}"))
}

/// Without a part, the pipeline has these words no more, and has those still.
fn check(name: &str, gone: &[&str], stays: &[&str]) {
    let whole = print(small().pipeline());
    let text = print(off(&small(), &[name]).unwrap_or_else(|e| panic!("{name}: {e}")).pipeline());
    for word in gone {
        assert!(whole.contains(word), "`{word}` is not in the whole:\n{whole}");
        assert!(!text.contains(word), "{name} is off, and there is `{word}`:\n{text}");
    }
    for word in stays {
        assert!(text.contains(word), "{name} is off, and there is no `{word}`:\n{text}");
    }
}

#[test]
fn what_is_off_goes_with_what_it_alone_used() {
    check("udp", &["udp.valid", "flows", "ring", "servers", "no_server"], &["apply ways", "left_out = true"]);
    check("WAYS", &["apply ways", "send.to", "m.port"], &["drop empty", "by servers", "serve"]);
    check("Twice", &["twice"], &["on send", "on unknown"]);
    check("FLOWS", &["find", "remember", "stay"], &["select ring", "apply servers"]);
    check("PACE", &["allow ", "apply ways", "drop empty"], &["drop rate"]);
    check("SEEN", &["count"], &["apply ways"]);
}

#[test]
fn nothing_off_is_the_pipeline() {
    assert_eq!(off(&small(), &[]).unwrap(), small());
}

#[test]
fn several_parts_are_off_at_once() {
    let text = print(off(&small(), &["udp", "pace", "seen"]).unwrap().pipeline());
    assert!(!text.contains("flows") && !text.contains("allow ") && text.contains("drop rate"), "{text}");
}

#[test]
fn what_can_t_be_off_is_refused() {
    for (name, why) in [
        ("nothing", "the pipeline has no part of that name"),
        ("start", "parsing starts there"),
        ("Unknown", "it is what a miss runs"),
        ("servers", "flows stay by it"),
    ] {
        let text = off(&small(), &[name]).unwrap_err().to_string();
        assert!(text.contains(why), "{name}: {text}");
    }
}

#[test]
fn settings_say_what_is_off() {
    let own = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let all = own(&[("A", "5"), ("udp", "off"), ("ipv4", "to:7"), ("ipv6", "from:300"), ("B", "to:x")]);
    let fates = vec![("udp", Fate::Off), ("ipv4", Fate::To(7)), ("ipv6", Fate::From(300))];
    assert_eq!(split(&all), (fates.clone(), own(&[("A", "5"), ("B", "to:x")])));
    for (name, fate) in fates {
        let said = fate.to_string();
        assert!(all.iter().any(|(n, value)| n == name && *value == said), "{name}: {said}");
    }
}

/// With what becomes of parts, the pipeline has these words.
fn check_words(fates: &[(&str, Fate)], words: &[&str]) {
    check_words_of(&small(), fates, words);
}

fn check_words_of(verified: &Verified, fates: &[(&str, Fate)], words: &[&str]) {
    let text = print(set(verified, fates).unwrap_or_else(|e| panic!("{fates:?}: {e}")).pipeline());
    for word in words {
        assert!(text.contains(word), "{fates:?}: no `{word}`:\n{text}");
    }
}

#[test]
fn packets_go_from_pipe_to_pipe() {
    check_words(
        &[("ipv4", Fate::To(9))],
        &["sent = true", "eth.ethertype = (INGRESS_PORT as bit<16>)", "forward 32w0x9"],
    );
    check_words(&[("ipv4", Fate::From(9))], &["looped = true", "eth.ethertype = 16w0x800", "0x9 => looped"]);
}

#[test]
fn two_families_go_to_two_other_pipes() {
    let three = SOURCE.replace(
        "_ => accept }
    }
    #[state]
    fn ipv4",
        "0x0806 => arp, _ => accept }
    }
    #[state]
    fn arp(p: &mut Packet, h: &mut Headers) -> State { accept }
    #[state]
    fn ipv4",
    );
    check_words_of(
        &of(&three),
        &[("ipv4", Fate::To(9)), ("arp", Fate::To(10))],
        &["forward 32w0x9", "forward 32w0xa"],
    );
}

/// What is put aside is told from what the source calls by the same name.
#[test]
fn names_of_the_source_stay_its_own() {
    for (name, part, fate, words) in [
        ("left_out", "udp", Fate::Off, &["m.left_out_ = true", "if m.left_out_"][..]),
        ("sent", "ipv4", Fate::To(9), &["m.sent_ = true", "if m.sent_"]),
        ("looped", "ipv4", Fate::From(9), &["m.looped_ = true", "if (m.looped_ && eth.valid)"]),
    ] {
        let own = SOURCE.replace("allowed: bool }", &format!("allowed: bool, {name}: bool }}")).replace(
            "        SEEN.count(0);",
            &format!("        m.{name} = h.ip4.ttl == 1; if m.{name} {{ SEEN.count(0); }}"),
        );
        check_words_of(&of(&own), &[(part, fate)], words);
    }
}

#[test]
fn what_no_pipe_can_send_is_refused() {
    let by_port = SOURCE.replace("match h.eth.ethertype { 0x0800 => ipv4", "match INGRESS_PORT { 1 => ipv4");
    let two_ways = SOURCE.replace("{ 0x0800 => ipv4,", "{ 0x0800 => ipv4, 0x88a8 => ipv4,");
    let read_later = SOURCE
        .replace("match h.ip4.protocol {", "match (h.ip4.protocol, h.eth.ethertype) {")
        .replace("17 => udp", "(17, 0x0800) => udp");
    for (verified, fates, why) in [
        (small(), &[("udp", Fate::To(1))][..], "nothing in the first header alone says"),
        (small(), &[("WAYS", Fate::To(1))], "it is no parser state"),
        (small(), &[("start", Fate::From(1))], "nothing in the first header alone says"),
        (small(), &[("ipv4", Fate::From(1)), ("udp", Fate::From(2))], "several parser states take"),
        (of(&by_port), &[("ipv4", Fate::To(1))], "the parser asks for the ingress port"),
        (of(&two_ways), &[("ipv4", Fate::To(1))], "nothing in the first header alone says"),
        (of(&read_later), &[("ipv4", Fate::From(1))], "the parser reads it once more"),
        (small(), &[("ipv4", Fate::To(1)), ("IPV4", Fate::Off)], "`ipv4` is set twice: to:1 and off"),
    ] {
        let text = set(&verified, fates).unwrap_err().to_string();
        assert!(text.contains(why), "{fates:?}: {text}");
    }
}

#[test]
fn what_is_off_in_a_pipe_goes_where_it_is_not() {
    let chip = hw_targets::target("tofino2").unwrap();
    let check = |off: &[&[&str]], said: &str| {
        let off: Vec<Vec<String>> =
            off.iter().map(|names| names.iter().map(|n| (*n).to_owned()).collect()).collect();
        let text = match pipes(small().pipeline(), &chip, &off) {
            Err(e) => e.to_string(),
            Ok(pipes) => {
                let pipe = |fates: &Vec<(String, Fate)>| {
                    fates.iter().map(|(name, fate)| format!("{name}={fate}")).collect::<Vec<_>>().join(" ")
                };
                pipes.iter().map(pipe).collect::<Vec<_>>().join(" | ")
            }
        };
        assert!(text.contains(said), "{off:?}: {text}");
    };
    check(&[&["ipv4", "pace"], &["seen"]], "ipv4=to:128 pace=off | ipv4=from:128 seen=off");
    check(&[&[], &["ipv4"], &["ipv4"]], "ipv4=from:6 | ipv4=to:6 | ipv4=to:6");
    check(&[&["ipv4"], &["ipv4"]], "ipv4=off | ipv4=off");
    check(&[&["ipv4"], &["IPV4"]], "IPV4=off | IPV4=off");
    check(&[&["ipv4"], &["PACE"], &["pace"]], "ipv4=to:128 | PACE=off ipv4=from:128 | PACE=off");
    check(&[&["ipv4", "IPV4"], &[]], "IPV4=to:128 | IPV4=from:128");
    check(&[&[], &[], &[], &[], &[]], "has 4 pipes, and 5 are wanted");
    let error =
        pipes(small().pipeline(), &hw_targets::target("xdp").unwrap(), &[vec![], vec![]]).unwrap_err();
    assert!(error.to_string().contains("no port of eBPF/XDP"), "{error}");
}

/// The load balancer's IPv4 half on a Tofino 2 with so many stages.
fn half(stages: u64) -> codegen::Fitted {
    let source = include_str!("../../pipeline/pipelines/l4lb.rs");
    let set = [("RING_SLOTS".to_owned(), "65536".to_owned())];
    let whole = verify(pipeline_syntax::compile_source("l4lb.rs", source, &set).unwrap()).unwrap();
    let verified = off(&whole, &["ipv6", "Ipip6", "TOO_BIG_RATE"]).unwrap();
    let mut target = hw_targets::target("tofino2").unwrap();
    target.limits.get_mut("stages").unwrap().value = stages;
    codegen::fit(&verified, &target).unwrap_or_else(|e| panic!("{stages} stages: {e}"))
}

#[test]
fn what_comes_behind_the_last_table_is_done_in_egress_where_ingress_has_too_few_stages() {
    let whole = half(20);
    assert!(!whole.is_cut());
    let least = (1..20).rev().find(|n| half(*n).is_cut()).unwrap();
    let text = |f: &codegen::Fitted| {
        String::from_utf8(codegen::p4::emit(f).get("l4lb.p4").unwrap().to_vec()).unwrap()
    };
    let (one, two) = (text(&whole), text(&half(least)));
    assert!(!one.contains("bridge") && one.contains("bypass_egress = 1"));
    let (ingress, egress) = two.split_once("parser egress_parse").unwrap();
    for word in ["h.bridge.setValid();", "h.bridge.arm = 1;", "bridge_t bridge;"] {
        assert!(ingress.contains(word), "{word}:\n{ingress}");
    }
    let goes_on = ingress.split("h.bridge.setValid();").skip(1).map(|rest| rest.split('}').next().unwrap());
    goes_on.for_each(|rest| assert!(!rest.contains("bypass_egress"), "{rest}"));
    for word in [
        "extract(h.bridge)",
        "h.bridge.arm == 1",
        "h.outer4.setValid()",
        "egress_drops.count",
        "emit(h.outer4)",
    ] {
        assert!(egress.contains(word), "{word}:\n{egress}");
    }
    assert!(!egress.contains("emit(h.bridge)") && !ingress.contains("h.outer4.setValid()"));
    assert_eq!(p4::print(&p4::parse(&two).unwrap()), two);
}
