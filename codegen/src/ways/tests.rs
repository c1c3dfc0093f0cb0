//! What a way leaves of small controls.
#![allow(clippy::unwrap_used)]

use super::{Special, Values, specialise, ways};
use pipeline_ir::stmt::{StmtKind, event};
use pipeline_ir::{FlowTableId, Pipeline, print};

/// Two ways: Ethernet and IPv4, and Ethernet alone. `body` is the control.
fn pipeline(body: &str) -> Pipeline {
    let source = format!(
        "#[guideway::pipeline(targets = [native])] pub mod p {{
            use guideway::headers::{{Ethernet, Ipv4, Udp}};
            struct Headers {{ eth: Ethernet, outer: Ipv4, ip4: Ipv4, udp: Udp }}
            struct Meta {{ a: bit<8>, b: bit<8>, wide: bit<16>, yes: bool, no: bool }}
            enum Reason {{ One, Two, NoPool, NoSlot }}
            struct Key {{ #[exact] k: bit<8> }}
            enum Act {{ Go {{ to: bit<8> }}, #[default_only] Stop {{ why: bit<8> }} }}
            #[table(size = 8)] static T: Table<Key, Act> = Stop;
            struct IdKey {{ #[exact] id: bit<8> }}
            enum Back {{ Known, #[default_only] Gone }}
            #[table(size = 8)] static BACK: Table<IdKey, Back> = Gone;
            struct FlowKey {{ src: bit<32> }}
            #[flow_table(entries = 8, idle(new = 1.s, tcp = 1.s, udp = 1.s, closing = 1.s))]
            static FLOWS: Affinity<FlowKey, bit<8>>;
            #[ring(slots = 7, pools = 4, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
            static RING: Ring<bit<8>, bit<8>>;
            #[counter(size = 8, kind = packets)] static C: Counter;
            #[limiter(per_tick = 1)] static LIMIT: Limiter;
            const HASH: HashAlgorithm = Crc32;
            #[state] fn start(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.eth);
                match h.eth.ethertype {{ 0x0800 => ipv4, _ => accept }}
            }}
            #[state] fn ipv4(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.ip4);
                match (h.ip4.ihl, h.ip4.protocol) {{ (5, 6 | 17) => accept, _ => udp }}
            }}
            #[state] fn udp(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.udp); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ {body} }}
        }}"
    );
    pipeline_syntax::compile_source("p.rs", &source, &[]).unwrap_or_else(|e| panic!("{body}\n{e}"))
}

fn special(p: &Pipeline, way: usize) -> Special {
    let special = specialise(p, &ways(p)[way]);
    let again = Pipeline { control: special.control.clone(), ..p.clone() };
    assert_eq!(specialise(&again, &ways(p)[way]).control, special.control, "once is enough");
    special
}

/// The lines that the first way (IPv4, `ihl` 5 and `protocol` 6 or 17) leaves of the control.
fn check(body: &str, expected: &[&str]) {
    let p = pipeline(body);
    let text = print::block(&p, &special(&p, 0).control);
    let lines: Vec<&str> = text.lines().map(|line| &line[2..]).collect();
    assert_eq!(lines, expected, "of {body}");
}

#[test]
fn ways_come_in_the_order_of_the_cases() {
    let p = pipeline("pass()");
    let ways = ways(&p);
    let names: Vec<_> = ways.iter().map(|w| w.name(&p)).collect();
    assert_eq!(names, ["start-ipv4", "start-ipv4-udp", "start"]);
    assert_eq!(ways.iter().map(|w| w.bytes).collect::<Vec<_>>(), [34, 42, 14]);
    let cases: Vec<_> = ways.iter().map(|w| w.steps.last().unwrap().cases.clone()).collect();
    assert_eq!(cases, [0..2, 0..0, 1..2]);
    assert_eq!(ways.iter().map(|w| w.is_named(&p)).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn validity_and_fields_are_settled() {
    check("if h.ip4.is_valid() && !h.udp.is_valid() { return drop(One); } pass()", &["drop one"]);
    check(
        "C.count(h.ip4.ihl as bit<32>); forward(h.udp.src_port as bit<32>)",
        &["count c[32w0x5]", "forward 32w0x0"],
    );
    check(
        "if h.ip4.protocol == 1 { return drop(One); } if h.ip4.protocol == 6 { return drop(Two); } pass()",
        &["if (ip4.protocol == 8w0x6)", "  drop two", "pass"],
    );
    check(
        "h.udp.src_port = 1; h.eth.ethertype = h.udp.dst_port; pass()",
        &["eth.ethertype = 16w0x0", "pass"],
    );
}

#[test]
fn facts_end_with_a_write() {
    check(
        "h.ip4.ihl = h.ip4.ttl.bits(3, 0); C.count(h.ip4.ihl as bit<32>); pass()",
        &["ip4.ihl = ip4.ttl[3:0]", "count c[(ip4.ihl as bit<32>)]", "pass"],
    );
    check(
        "h.ip4.protocol = 1; if h.ip4.protocol == 6 { return drop(One); } pass()",
        &["ip4.protocol = 8w0x1", "pass"],
    );
    check(
        "if h.ip4.ttl == 0 { h.ip4.protocol = 1; } if h.ip4.protocol == 6 { return drop(One); } pass()",
        &[
            "if (ip4.ttl == 8w0x0)",
            "  ip4.protocol = 8w0x1",
            "if (ip4.protocol == 8w0x6)",
            "  drop one",
            "pass",
        ],
    );
    check(
        "adjust(h.ip4.checksum, h.ip4.total_length, 5); m.wide = h.ip4.checksum; C.count(m.wide as bit<32>); pass()",
        &[
            "adjust ip4.checksum from ip4.total_length to 16w0x5",
            "m.wide = ip4.checksum",
            "count c[(m.wide as bit<32>)]",
            "pass",
        ],
    );
}

#[test]
fn facts_end_with_their_header() {
    check(
        "h.ip4.pop(); C.count(h.ip4.ihl as bit<32>); h.ip4.pop();
         h.ip4.push(Ipv4 { version: 4, ihl: 6, tos: 0, total_length: 0, identification: 0, reserved: 0,
             dont_fragment: 0, more_fragments: 0, fragment_offset: 0, ttl: h.ip4.ttl, protocol: 0, checksum: 0,
             src: 1, dst: 1 });
         C.count(h.ip4.ihl as bit<32>); h.ip4.ihl = 5; drop(One)",
        &["pop ip4", "count c[32w0x0]", "push ip4", "count c[32w0x6]", "drop one"],
    );
    // A header that is pushed is full of zeros.
    let p = pipeline(
        "h.udp.push(Udp { src_port: 1, dst_port: 2, length: 3, checksum: 4 });
         C.count(h.udp.length as bit<32>); C.count(h.udp.src_port as bit<32>); pass()",
    );
    let bare = p.control.iter().filter(|s| !matches!(s.kind, StmtKind::Set { .. })).cloned().collect();
    let bare = Pipeline { control: bare, ..p };
    let text = print::block(&bare, &special(&bare, 0).control);
    assert_eq!(text, "  push udp\n  count c[32w0x0]\n  count c[32w0x0]\n  pass\n");
    // Behind the branches nobody knows whether it is there.
    check(
        "if h.ip4.ttl == 0 { h.ip4.pop(); m.a = 1; } if h.ip4.is_valid() && m.a == 1 { return drop(One); }
         if h.ip4.is_valid() { return drop(Two); } pass()",
        &["if (ip4.ttl == 8w0x0)", "  pop ip4", "if ip4.valid", "  drop two", "pass"],
    );
}

#[test]
fn branches_meet() {
    check(
        "if h.ip4.ttl == 0 { m.a = 1; m.b = 2; } else { m.a = 1; m.b = 3; }
         C.count(m.a as bit<32>); C.count(m.b as bit<32>); if m.b == 4 { return drop(One); } pass()",
        &[
            "if (ip4.ttl == 8w0x0)",
            "  m.b = 8w0x2",
            "else",
            "  m.b = 8w0x3",
            "count c[32w0x1]",
            "count c[(m.b as bit<32>)]",
            "pass",
        ],
    );
    check(
        "if h.ip4.ttl < 5 { return drop(One); } if h.ip4.ttl < 3 { return drop(Two); } pass()",
        &["if (ip4.ttl < 8w0x5)", "  drop one", "pass"],
    );
    check(
        "if h.ip4.ttl < 3 { h.ip4.ttl = 9; } if h.ip4.ttl < 2 { return drop(Two); } pass()",
        &["if (ip4.ttl < 8w0x3)", "  ip4.ttl = 8w0x9", "pass"],
    );
}

#[test]
fn a_second_test_knows_the_first() {
    check(
        "m.yes = h.ip4.ttl == 0; if m.yes { m.a = 1; } if m.yes { return drop(One); }
         C.count(m.a as bit<32>); pass()",
        &["m.yes = (ip4.ttl == 8w0x0)", "if m.yes", "  drop one", "count c[32w0x0]", "pass"],
    );
    check(
        "m.yes = h.ip4.ttl == 0; if m.yes { m.a = 1; } m.yes = h.ip4.tos == 0; if m.yes { return drop(One); }
         C.count(m.a as bit<32>); pass()",
        &[
            "m.yes = (ip4.ttl == 8w0x0)",
            "if m.yes",
            "  m.a = 8w0x1",
            "m.yes = (ip4.tos == 8w0x0)",
            "if m.yes",
            "  drop one",
            "count c[(m.a as bit<32>)]",
            "pass",
        ],
    );
}

/// More paths than are kept apart: facts are lost, none is wrong.
#[test]
fn many_paths_become_one() {
    let tests: String = (0..6)
        .map(|bit| format!("if h.ip4.ttl.bits({bit}, {bit}) == 1 {{ m.a = m.a + {}; }} ", 1 << bit))
        .collect();
    let p =
        pipeline(&format!("{tests} if m.a == 63 {{ return drop(One); }} C.count(m.a as bit<32>); pass()"));
    let text = print::block(&p, &special(&p, 0).control);
    assert_eq!(text.matches("  if ").count(), 7, "{text}");
    assert!(text.contains("if (m.a == 8w0x3f)"), "{text}");
}

#[test]
fn tables_write_their_parameters() {
    check(
        "m.a = 7; match T.apply(Key { k: m.a }) { Go { to } => { m.a = to; } Stop { why } => { m.b = why; } }
         C.count(m.a as bit<32>); C.count(m.b as bit<32>); pass()",
        &[
            "m.a = 8w0x7",
            "apply t(8w0x7)",
            "  on go",
            "    m.a = go.to",
            "  on stop",
            "count c[(m.a as bit<32>)]",
            "count c[32w0x0]",
            "pass",
        ],
    );
}

#[test]
fn what_nobody_reads_is_not_written() {
    check(
        "m.a = h.ip4.ttl; m.a = m.a + 1; h.ip4.ttl = 3; h.ip4.ttl = m.a; if m.yes { m.b = 4; } pass()",
        &["m.a = ip4.ttl", "m.a = (m.a + 8w0x1)", "ip4.ttl = m.a", "pass"],
    );
    check("h.ip4.ttl = 3; m.yes = h.ip4.tos == 0; if m.yes { m.b = 5; } drop(One)", &["drop one"]);
    check(
        "if h.ip4.tos == 0 { } else { m.b = 4; h.ip4.ttl = m.b; } pass()",
        &["if (ip4.tos != 8w0x0)", "  ip4.ttl = 8w0x4", "pass"],
    );
    // It counts, whoever reads it.
    check(
        "if h.udp.is_valid() { C.count(1); } let mine = LIMIT.allow(); pass()",
        &["mine#7 = allow limit", "pass"],
    );
}

#[test]
fn expressions_are_folded() {
    for (cond, left) in [
        ("m.wide & 0 == 0", "true"),
        ("!(!m.yes)", "false"),
        ("h.ip4.ttl & 0x0f > 15", "false"),
        ("h.ip4.ttl <= 255", "true"),
        ("h.ip4.ttl == 1 || h.ip4.protocol < 20", "true"),
        ("!(h.ip4.ttl == 1)", "(ip4.ttl != 8w0x1)"),
        ("(h.ip4.ttl << 0) + 0 == 1", "(ip4.ttl == 8w0x1)"),
        ("h.ip4.ttl << 8 == 1", "false"),
        ("h.ip4.ttl as bit<16> + 256 < 256", "false"),
        ("h.ip4.ttl + 255 < 255", "((ip4.ttl + 8w0xff) < 8w0xff)"),
        ("h.ip4.ttl == 1 && h.ip4.ttl == 2", "false"),
        ("h.ip4.ttl != 1 || h.ip4.ttl != 2", "true"),
        ("concat(h.ip4.ihl, h.ip4.version) == 0x54", "((4w0x5 ++ ip4.version) == 8w0x54)"),
        ("concat(h.ip4.ihl, h.ip4.version) < 0x50", "false"),
        ("h.ip4.ihl.bits(2, 1) == 2", "true"),
        ("h.ip4.ihl - 6 == 15", "true"),
        ("!h.ip4.ihl == 10", "true"),
        ("(h.ip4.tos == 0) == true", "(ip4.tos == 8w0x0)"),
        ("(if h.ip4.tos == 0 { h.ip4.ihl } else { 5 }) == 5", "true"),
        ("FRAME_LENGTH < 34", "false"),
        ("FRAME_LENGTH < 35", "(FRAME_LENGTH < 32w0x23)"),
        ("h.ip4.protocol == 6 || h.ip4.protocol == 17", "true"),
    ] {
        let body = format!("if {cond} {{ return drop(One); }} pass()");
        let test = format!("if {left}");
        match left {
            "true" => check(&body, &["drop one"]),
            "false" => check(&body, &["pass"]),
            _ => check(&body, &[&test, "  drop one", "pass"]),
        }
    }
}

#[test]
fn flows_are_told() {
    let body = |found: &str| {
        format!(
            "let e = if h.ip4.protocol == 6 {{ event::OPEN }} else {{ event::DATAGRAM }};
             let f = if {found} {{ FLOWS.find(FlowKey {{ src: h.ip4.src }}, 1, e, 0) }} else {{ Flow::none() }};
             match BACK.stay_or(f, || RING.select(0, 1)) {{ Known => {{ f.remember(); pass() }} Gone => drop(One) }}"
        )
    };
    let flow = |found: &str| {
        let p = pipeline(&body(found));
        special(&p, 0).flows[0].clone()
    };
    let open = flow("h.ip4.is_valid()");
    assert_eq!(open.tables, [FlowTableId(0)]);
    assert_eq!(open.events, Some(Values::In([event::OPEN, event::DATAGRAM].into())));
    assert!(!open.idle && flow("h.ip4.ttl == 0").idle);
    // A flow that is never found selects.
    assert_eq!(flow("h.udp.is_valid()").events, None);
    check(
        &body("h.udp.is_valid()"),
        &[
            "id#8 = select ring pool 8w0x0 hash 32w0x1",
            "apply back(id#8)",
            "  on known",
            "    pass",
            "  on gone",
            "    drop one",
        ],
    );
}

#[test]
fn hashes_keep_their_number() {
    let p = pipeline(
        "if h.udp.is_valid() { m.a = HASH.of(1, (h.ip4.src)).bits(7, 0); }
         if h.ip4.ttl == 0 { m.a = HASH.of(2, (h.ip4.src)).bits(7, 0); }
         m.b = HASH.of(3, (h.ip4.src)).bits(7, 0); m.b = HASH.of(4, (h.ip4.dst)).bits(7, 0);
         C.count(m.a as bit<32>); C.count(m.b as bit<32>); pass()",
    );
    assert_eq!(special(&p, 0).hashes, [1, 3]);
    assert_eq!(special(&p, 1).hashes, [0, 1, 3]);
}
