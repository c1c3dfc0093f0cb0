//! What chips that do one operation in each step refuse, since they would do it otherwise without a word.
#![cfg(feature = "p4")]
#![allow(clippy::unwrap_used)]

use codegen::fit;
use pipeline_ir::verify::verify;

/// What speaks against a pipeline of this text on a chip: `what needs word`, or a limit.
fn refused(text: &str) -> Vec<String> {
    let verified = verify(pipeline_syntax::compile_source("small.rs", text, &[]).unwrap()).unwrap();
    let faults = fit(&verified, &hw_targets::target("tofino2").unwrap()).err().unwrap_or_default();
    let short = |message: &str| message.split([' ', ';', ',']).take(5).collect::<Vec<_>>().join(" ");
    faults.0.iter().map(|f| short(&f.message)).collect()
}

/// A pipeline that changes IPv4 and UDP, with one statement list.
fn control(body: &str) -> String {
    format!(
        "#[guideway::pipeline(targets = [tofino2])]
        pub mod small {{
            use guideway::headers::{{Ethernet, Ipv4, Udp}};
            struct Headers {{ eth: Ethernet, outer: Ipv4, ip4: Ipv4, udp: Udp }}
            struct Meta {{ a: bit<16>, b: bit<16> }}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.eth);
                p.extract(h.ip4);
                p.extract(h.udp);
                accept
            }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ {body} forward(1) }}
        }}"
    )
}

const ADJUST: &str = "adjust(h.udp.checksum, h.udp.src_port, h.udp.dst_port);";
const SUM: &str = "h.ip4.checksum = internet_checksum(h.ip4.src, h.ip4.dst);";

#[test]
fn what_follows_a_checksum_of_the_deparser() {
    let read = &["control needs checksum.read (reading a"][..];
    let ways = &["control needs checksum.ways (one checksum"][..];
    let cases: &[(&str, &[&str])] = &[
        // Changes after changes, and the whole after changes: what the deparser does last is what counts.
        ("ADJUST h.udp.src_port = h.udp.dst_port; adjust(h.udp.checksum, bit::<16>(7), bit::<16>(9));", &[]),
        ("adjust(h.ip4.checksum, h.ip4.src, h.ip4.dst); SUM", &[]),
        ("h.udp.checksum = 5; ADJUST", &[]),
        // A place that the deparser writes is written by nobody after.
        ("ADJUST h.udp.checksum = 5;", read),
        ("SUM h.ip4.checksum = 5;", read),
        ("SUM adjust(h.ip4.checksum, h.ip4.src, h.ip4.dst);", read),
        ("ADJUST h.udp.pop(); h.udp.push(Udp { src_port: 1, dst_port: 2, length: 8, checksum: 0 });", read),
        // Nor is what a whole checksum is of.
        ("SUM h.ip4.src = 5;", read),
        ("h.ip4.checksum = internet_checksum(h.udp.checksum, h.ip4.src); ADJUST", read),
        ("h.ip4.checksum = internet_checksum(h.udp.src_port, h.ip4.src); h.udp.pop();", read),
        // Whether one is 0 is asked of the one that came in; anything else can't be asked.
        ("ADJUST if h.udp.checksum == 0 { m.a = 1; } h.udp.length = m.a;", &[]),
        ("ADJUST if h.udp.dst_port == 9 && 0 != h.udp.checksum { m.a = 1; } h.udp.length = m.a;", &[]),
        ("ADJUST if h.udp.checksum > 5 { m.a = 1; } h.udp.length = m.a;", read),
        ("ADJUST if h.udp.checksum == 5 { m.a = 1; } h.udp.length = m.a;", read),
        ("ADJUST if h.udp.checksum == h.udp.length { m.a = 1; } h.udp.length = m.a;", read),
        ("ADJUST m.a = h.udp.checksum; h.udp.length = m.a;", read),
        ("SUM if h.ip4.checksum == 0 { m.a = 1; } h.udp.length = m.a;", read),
        // Ways that exclude each other don't meet; those that join do.
        ("if h.udp.length == 9 { ADJUST } else { h.udp.checksum = 5; }", &[]),
        ("if h.udp.length == 9 { ADJUST return forward(2); } h.udp.checksum = 5;", &[]),
        ("if h.udp.length == 9 { ADJUST } h.udp.checksum = 5;", read),
        // One checksum is of the same on all ways.
        ("if h.udp.length == 9 { SUM } else { SUM }", &[]),
        ("if h.udp.length == 9 { SUM } else { h.ip4.checksum = internet_checksum(h.ip4.src); }", ways),
        (
            "if h.udp.length == 9 { SUM return forward(2); } h.ip4.checksum = internet_checksum(h.ip4.src);",
            ways,
        ),
    ];
    for (body, expected) in cases {
        let body = body.replace("ADJUST", ADJUST).replace("SUM", SUM);
        assert_eq!(refused(&control(&body)), *expected, "{body}");
    }
}

#[test]
fn conditions_behind_a_checksum_cost_time_in_proportion() {
    let asks: String = (0..200).map(|n| format!("if h.udp.length == {n} {{ m.a = m.b; }} ")).collect();
    let read = "m.b = h.udp.checksum; h.udp.length = m.a;";
    let found = refused(&control(&format!("{ADJUST} {asks} {read}")));
    assert!(found.contains(&"control needs checksum.read (reading a".to_owned()), "{found:?}");
}

/// A pipeline that keeps flows, with these statements behind the hash.
fn flows(body: &str) -> String {
    // Nothing is declared that nothing uses.
    let used = body.contains("OTHER");
    let other = if used { "#[table(size = 256)] static OTHER: Table<Id, ServerAction> = Not;" } else { "" };
    format!(
        "#[guideway::pipeline(targets = [tofino2])]
        pub mod small {{
            use guideway::headers::{{Ethernet, Ipv4, Udp}};
            const HASH: HashAlgorithm = Crc32;
            struct Headers {{ eth: Ethernet, ip4: Ipv4, udp: Udp }}
            struct Meta {{ port: bit<16> }}
            enum Reason {{ NoPool, NoServer }}
            struct FlowKey {{ src: bit<32>, port: bit<16> }}
            #[flow_table(entries = 4096, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
            static FLOWS: Affinity<FlowKey, bit<16>>;
            #[ring(slots = 256, pools = 4, pool_table = IN_USE, no_pool = NoPool, no_slot = NoPool)]
            static SERVERS: Ring<bit<8>, bit<16>>;
            struct Id {{ #[exact] id: bit<16> }}
            enum ServerAction {{ To {{ port: bit<32> }}, #[default_only] Not }}
            #[table(size = 256)]
            static SERVER: Table<Id, ServerAction> = Not;
            {other}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.eth);
                match h.eth.ethertype {{ 0x0800 => ip, _ => accept }}
            }}
            #[state]
            fn ip(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.ip4);
                match h.ip4.protocol {{ 17 => udp, _ => accept }}
            }}
            #[state]
            fn udp(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.udp); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{
                if !h.ip4.is_valid() {{ return pass(); }}
                if h.udp.is_valid() {{ m.port = h.udp.src_port; }}
                let hash = HASH.of(bit::<32>(0), (h.ip4.src, m.port));
                {body}
            }}
        }}"
    )
}

#[test]
fn a_flow_table_on_a_chip_has_one_key_and_one_cursor() {
    let of = |way: &str| format!("let flow = if h.udp.is_valid() {{ FIRST }} else {{ {way} }}; STAY");
    let first = "FLOWS.find(FlowKey { src: h.ip4.src, port: m.port }, hash, event::DATAGRAM, 0)";
    let stay = "match SERVER.stay_or(flow, || SERVERS.select(1, hash)) {
        To { port } => { flow.remember(); forward(port) }
        Not => drop(NoServer),
    }";
    let find = |key: &str| format!("FLOWS.find(FlowKey {{ {key} }}, hash, event::DATA, 0)");
    let places = &["flow table flows needs table.places"][..];
    let cases: &[(String, &[&str])] = &[
        (format!("let flow = {first}; STAY"), &[]),
        (of(&find("src: h.ip4.src, port: m.port")), &[]),
        (of(&find("src: h.ip4.src, port: 0")), places),
        (of(&find("src: h.ip4.dst, port: m.port")), places),
        // The same words, but what stands for them differs by what is known there.
        (
            of(&find("src: h.ip4.src, port: m.port + 1"))
                .replace("FIRST", &find("src: h.ip4.src, port: m.port + 1").replace("DATA", "DATAGRAM")),
            places,
        ),
        (
            of(&find("src: h.ip4.src, port: h.udp.dst_port"))
                .replace("FIRST", &find("src: h.ip4.src, port: h.udp.dst_port").replace("DATA", "DATAGRAM")),
            places,
        ),
        // Two cursors.
        (
            format!(
                "if h.ip4.ttl == 9 {{
                    let other = FLOWS.find(FlowKey {{ src: h.ip4.src, port: m.port }}, hash, event::DATA, 0);
                    match OTHER.stay_or(other, || 5) {{
                        To {{ port }} => {{ other.remember(); forward(port) }}
                        Not => drop(NoServer),
                    }}
                }} else {{ let flow = {first}; STAY }}"
            ),
            places,
        ),
    ];
    for (body, expected) in cases {
        let body = body.replace("FIRST", first).replace("STAY", stay);
        assert_eq!(refused(&flows(&body)), *expected, "{body}");
    }
}

/// A pipeline with a limiter and a table of two actions: what each does, and what comes behind.
fn limited([one, other, rest]: [&str; 3]) -> String {
    let body = format!(
        "match WAY.apply(Port {{ port: h.udp.dst_port }}) {{ One => {{ {one} }} Other => {{ {other} }} }}
        {rest} h.udp.length = m.a;"
    );
    let mut text = String::new();
    for (n, part) in body.split("RATE").enumerate() {
        if n > 0 {
            text += &format!("let asked{n} = RATE.allow(); if !asked{n} {{ return drop(TooMany); }}");
        }
        text += part;
    }
    let objects = "enum Reason { TooMany }
        #[limiter(per_tick = 9)]
        static RATE: Limiter;
        struct Port { #[exact] port: bit<16> }
        enum Way { One, #[default_only] Other }
        #[table(size = 8)]
        static WAY: Table<Port, Way> = Other;
        struct Meta";
    control(&text).replace("struct Meta", objects)
}

#[test]
fn a_limiter_on_a_chip_is_asked_once_on_a_way() {
    let twice = &["limiter rate needs limiter.places (one"][..];
    let cases: &[([&str; 3], &[&str])] = &[
        (["m.a = 1;", "m.a = 2;", "RATE"], &[]),
        (["RATE", "m.a = 2;", ""], &[]),
        (["RATE", "m.a = 2; RATE", ""], &[]),
        (["RATE return forward(2);", "m.a = 1;", "RATE"], &[]),
        (["m.a = 1;", "m.a = 2;", "if h.udp.length == 9 { RATE } else { RATE }"], &[]),
        (["m.a = 1;", "RATE RATE", ""], twice),
        (["RATE", "m.a = 2;", "RATE"], twice),
        (["m.a = 1;", "m.a = 2;", "RATE if h.udp.length == 9 { RATE }"], twice),
        // Two ways go on, and a chip's compiler does not see that the third does not.
        (["if h.udp.length == 9 { RATE return forward(2); } m.a = 1;", "m.a = 2;", "RATE"], twice),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(&limited(*body)), *expected, "{body:?}");
    }
}

/// The P4 of a pipeline of this text on a chip.
fn written(text: &str) -> String {
    let verified = verify(pipeline_syntax::compile_source("small.rs", text, &[]).unwrap()).unwrap();
    let fitted = fit(&verified, &hw_targets::target("tofino2").unwrap()).unwrap_or_else(|e| panic!("{e}"));
    let files = codegen::p4::emit(&fitted);
    String::from_utf8(files.get(&format!("{}.p4", verified.pipeline().name)).unwrap().to_vec()).unwrap()
}

#[test]
fn the_outermost_header_tells_a_frame_s_length() {
    let text = written(
        "#[guideway::pipeline(targets = [tofino2])]
        pub mod small {
            use guideway::headers::{Ethernet, Ipv4, Ipv6};
            struct Headers { eth: Ethernet, ip4: Ipv4, ip6: Ipv6 }
            struct Meta {}
            enum Reason { TooLong }
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {
                p.extract(h.eth);
                match h.eth.ethertype { 0x0800 => ipv4, 0x86dd => ipv6, _ => accept }
            }
            #[state]
            fn ipv6(p: &mut Packet, h: &mut Headers) -> State {
                p.extract(h.ip6);
                match h.ip6.next_header { 4 => ipv4, _ => accept }
            }
            #[state]
            fn ipv4(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.ip4); accept }
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
                if FRAME_LENGTH > 100 { return drop(TooLong); }
                forward(1)
            }
        }",
    );
    let apply = text.split_once("    apply {").unwrap().1;
    let at = |word: &str| apply.find(word).unwrap_or_else(|| panic!("no {word}:\n{apply}"));
    assert!(at("h.ip6.isValid()") < at("h.ip4.isValid()"), "{apply}");
}

#[test]
fn names_that_chips_add_are_kept_free() {
    let body = "m.clock = h.ip4.identification;
        m.drop_reason = h.ip4.identification;
        let flow = FLOWS.find(FlowKey { src: h.ip4.src, port: m.port }, hash, event::DATA, 0);
        match SERVER.stay_or(flow, || SERVERS.select(1, hash)) {
            To { port } => {
                flow.remember();
                if m.clock == 7 && m.drop_reason == 8 { return drop(NoServer); }
                forward(port)
            }
            Not => drop(NoServer),
        }";
    let text = written(&flows(body).replace(
        "struct Meta { port: bit<16> }",
        "struct Meta { port: bit<16>, clock: bit<16>, drop_reason: bit<16> }",
    ));
    let fields = text.split_once("struct metadata_t {").unwrap().1.split_once('}').unwrap().0;
    let names: Vec<&str> =
        fields.lines().filter_map(|l| l.trim().strip_suffix(';')?.split(' ').nth(1)).collect();
    let once: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert!(once.contains("clock") && once.contains("drop_reason"), "{fields}");
    assert_eq!(once.len(), names.len(), "{fields}");
}

/// A pipeline as in `control`, of packets that have all headers.
fn headed(body: &str) -> String {
    control(&format!("if h.udp.is_valid() && h.ip4.is_valid() {{ {body} }}"))
}

/// The words that the deparser sums for IPv4's checksum.
fn summed(text: &str) -> Vec<&str> {
    let words = text.split_once("ip4_checksum_of.update({").unwrap().1.split_once('}').unwrap().0;
    words.split(',').map(str::trim).collect()
}

#[test]
fn a_checksum_is_of_what_each_way_says() {
    let sum = "h.ip4.checksum = internet_checksum(m.a, h.ip4.dst);";
    let ways = |one: &str, other: &str| {
        format!("if h.udp.length == 9 {{ m.a = {one}; {sum} }} else {{ m.a = {other}; {sum} }}")
    };
    let [source, kept] = ["h.udp.src_port", "meta.ip4_checksum_data0"];
    // How often the word is set in the control, and the word.
    let cases = [
        // The same text on both ways: a copy of a field on one, something else on the other.
        (ways(source, "h.udp.dst_port"), 2, kept),
        (ways(source, "h.udp.dst_port + 1"), 2, kept),
        (ways("h.udp.src_port + 1", source), 2, kept),
        (ways(source, "7"), 2, kept),
        // What the copy is of changes after.
        (format!("m.a = {source}; {sum} {source} = 5;"), 1, kept),
        (format!("h.ip4.checksum = internet_checksum({source}, h.ip4.dst);"), 0, source),
    ];
    for (body, set, word) in cases {
        let text = written(&headed(&body));
        assert_eq!(summed(&text), [word, "h.ip4.dst"], "{body}:\n{text}");
        let apply = text.split_once("    apply {").unwrap().1;
        assert_eq!(apply.matches(&format!("{kept} = ")).count(), set, "{body}:\n{text}");
    }
}

#[test]
fn a_header_that_may_be_absent_is_tested_before_it_is_written() {
    let sum = "h.ip4.checksum = internet_checksum(h.ip4.src, h.ip4.dst);";
    // What the control does, and how that stands in the P4, without white space.
    let cases: &[(&str, &str)] = &[
        // One test for all that follows on one another.
        (
            "h.udp.src_port = 5; h.udp.dst_port = 6; h.ip4.ttl = 7;",
            "if(h.udp.isValid()){h.udp.src_port=5;h.udp.dst_port=6;}if(h.ip4.isValid()){h.ip4.ttl=7;}",
        ),
        // The value is computed there, too.
        ("h.udp.src_port = h.udp.src_port + 1;", "if(h.udp.isValid()){h.udp.src_port=h.udp.src_port+1;}"),
        ("m.a = 4; h.udp.src_port = m.a;", "meta.a=4;if(h.udp.isValid()){h.udp.src_port=meta.a;}"),
        (sum, "if(h.ip4.isValid()){meta.ip4_checksum_whole=true;}"),
        (
            "adjust(h.udp.checksum, bit::<16>(1), bit::<16>(2));",
            "if(h.udp.isValid()){meta.udp_checksum_changes=true;",
        ),
        // Where it is known, nothing is asked, and an absent one is not written.
        (
            "if h.udp.is_valid() { h.udp.src_port = 5; } else { h.udp.src_port = 6; m.a = 7; h.eth.ethertype = m.a; }",
            "if(h.udp.isValid()){h.udp.src_port=5;}else{meta.a=7;",
        ),
        (
            "h.udp.pop(); h.udp.src_port = 5; h.eth.ethertype = 6;",
            "h.udp.setInvalid();if(h.eth.isValid()){h.eth.ethertype=6;}",
        ),
    ];
    for (body, expected) in cases {
        let text = written(&control(body));
        let packed: String = text.split_once("    apply {").unwrap().1.split_whitespace().collect();
        assert!(packed.contains(expected), "{body}: no {expected}\n{text}");
    }
}
