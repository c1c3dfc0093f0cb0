//! What the language means: bodies of `ingress`, run by the oracle on the frame `01 02 03 04 05 06 07 08`, and where
//! the packet goes.
#![allow(clippy::unwrap_used)]

use pipeline_ir::eval::{Oracle, Verdict};
use pipeline_ir::verify::verify;
use pipeline_syntax::compile_source;

/// Where a packet goes: the port, or `None` for `pass` and `drop`.
fn run(items: &str, body: &str) -> Option<u32> {
    let text = format!(
        "#[pipeline]
mod language {{
    #[header] struct Bytes {{ a: bit<8>, b: bit<8>, c: bit<16>, d: bit<32> }}
    struct Headers {{ x: Bytes, y: Bytes }}
    struct Meta {{ n: bit<32>, flag: bool }}
    enum Reason {{ Unwanted }}
    const TWO: bit<8> = 2;
    const FIVE: u32 = (1 << 2) + 1;
    #[state] fn start(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.x); accept }}
    {items}
    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ if FRAME_LENGTH == 0 {{ return drop(Unwanted); }} {body} }}
}}"
    );
    let pipeline = compile_source("language.rs", &text, &[]).unwrap_or_else(|e| panic!("{body}\n{e}"));
    let verified = verify(pipeline).unwrap_or_else(|e| panic!("{body}\n{e}"));
    let outcome = Oracle::new(&verified, 1).process(9, 0, &[1, 2, 3, 4, 5, 6, 7, 8]);
    match outcome.verdict {
        Verdict::Forward { port } => Some(port),
        _ => None,
    }
}

#[test]
fn numbers_take_the_width_of_their_place() {
    for (body, port) in [
        ("forward(FIVE)", 5),
        ("forward(FIVE + 1)", 6),
        ("forward(TWO as bit<32>)", 2),
        ("forward((h.x.a + 255) as bit<32>)", 0),
        ("forward((h.x.a - TWO) as bit<32>)", 255),
        ("forward((!h.x.a) as bit<32>)", 254),
        ("forward((h.x.c & !0xff) as bit<32>)", 0x300),
        ("forward(h.x.c as bit<8> as bit<32>)", 4),
        ("forward(h.x.d.bits(31, 24) as bit<32>)", 5),
        ("forward(concat(h.x.a, h.x.b, h.x.c))", 0x0102_0304),
        ("forward(concat(bit::<16>(7), h.x.c))", 0x0007_0304),
        ("forward((h.x.d << 4) >> 8)", 0x0050_6070),
        ("forward(h.x.d << 32)", 0),
        ("forward(FRAME_LENGTH)", 8),
        ("forward(INGRESS_PORT)", 9),
        ("let x = 3; forward(x)", 3),
        ("let x: bit<8> = 3; forward((x * h.x.b) as bit<32>)", 6),
        ("forward(if 2 > 1 { 4 } else { 5 })", 4),
    ] {
        assert_eq!(run("", body), Some(port), "{body}");
    }
}

#[test]
fn control_flow_gives_values() {
    for (body, port) in [
        ("let x = if h.x.a == 1 { 7 } else { h.x.d }; forward(x)", 7),
        ("let x = if h.x.a == 2 { 7 } else { h.x.d }; forward(x)", 0x0506_0708),
        ("let x = if h.x.a == 1 { m.n = 3; m.n + 1 } else { 0 }; forward(x + m.n)", 7),
        ("let x: bit<32> = if h.x.a == 1 { 6 } else { return pass() }; forward(x)", 6),
        ("let x = match h.x.a { 0 => 5, 1 | 2 => h.x.d.bits(7, 0) as bit<32>, _ => 6 }; forward(x)", 8),
        ("match (h.x.a, h.x.b) { (1, 3) => forward(1), (1..=4, TWO) => forward(2), _ => forward(3) }", 2),
        ("match h.x.c { mask(0x0300, 0xff00) => forward(1), _ => forward(2) }", 1),
        ("match h.x.is_valid() { true => forward(1), _ => forward(2) }", 1),
        ("let x = { let y = h.x.d; y + 1 }; forward(x)", 0x0506_0709),
        ("let mut x: bit<32> = 1; x += 4; x <<= 2; x ^= 1; forward(x)", 21),
        ("m.flag = h.x.a < h.x.b && !(h.x.a == 0); if m.flag { forward(1) } else { forward(2) }", 1),
        ("m.n = 1; { let m_n = m.n; m.n = m_n + 1; } forward(m.n)", 2),
        ("let x: bit<32> = 1; let x = x + 1; forward(x)", 2),
    ] {
        assert_eq!(run("", body), Some(port), "{body}");
    }
}

#[test]
fn a_call_leaves_its_result_in_a_variable() {
    let items = "
        #[limiter(per_tick = 1)]
        static RATE: Limiter;
    ";
    for (body, port) in [
        ("let ok = RATE.allow(); if ok { forward(1) } else { forward(2) }", 1),
        ("if RATE.allow() { forward(1) } else { forward(2) }", 1),
        ("m.flag = RATE.allow(); forward(if m.flag { 1 } else { 2 })", 1),
    ] {
        assert_eq!(run(items, body), Some(port), "{body}");
    }
}

#[test]
fn functions_stand_in_the_place_of_their_calls() {
    let items = "
        fn twice(n: bit<32>) -> bit<32> { n + n }
        fn set(m: &mut Meta, n: bit<32>) { m.n = 5; m.n = m.n + n; }
        fn out(m: &mut Meta) -> Verdict { forward(m.n) }
        fn first(x: &mut Bytes) -> bit<32> { x.a as bit<32> }
        fn refuse(h: &mut Headers) { if h.x.a == 1 { return drop(Unwanted); } }
        fn unused(h: &mut Headers) -> bit<8> { h.x.a }
    ";
    for (body, port) in [
        ("forward(twice(twice(3)))", Some(12)),
        // The argument is what it was when the call was made.
        ("m.n = 1; set(m, m.n); forward(m.n)", Some(6)),
        ("m.n = 4; out(m)", Some(4)),
        ("if h.x.a == 1 { m.n = 8; return out(m); } pass()", Some(8)),
        ("forward(first(h.x))", Some(1)),
        ("refuse(h); forward(1)", None),
    ] {
        assert_eq!(run(items, body), port, "{body}");
    }
}

#[test]
fn a_pushed_header_takes_values_from_before() {
    for (body, port) in [
        (
            "h.x.push(Bytes { a: h.x.b, b: h.x.a, c: 0, d: 0 }); forward(concat(h.x.a, h.x.b) as bit<32>)",
            0x201,
        ),
        ("h.y.push(Bytes { d: 3, a: 0, b: 0, c: 0 }); forward(h.y.d)", 3),
        ("h.x.pop(); if h.x.is_valid() { pass() } else { forward(h.x.d) }", 0),
    ] {
        assert_eq!(run("", body), Some(port), "{body}");
    }
}

#[test]
fn entries_of_the_source_are_looked_up() {
    let way = "enum Way { To { port: bit<32> }, #[default_only] Nowhere }";
    let acl = "
        struct AclKey { #[ternary] a: bit<8>, #[range] c: bit<16> }
        #[table(size = 4)]
        #[entries(
            AclKey { a: mask(3, 2), c: 5 } => To { port: 1 },
            AclKey { a: TWO } => To { port: 2 },
            AclKey { c: 0x300..=0x310 } => To { port: FIVE },
        )]
        static ACL: Table<AclKey, Way> = Nowhere;
    ";
    let routes = "
        struct RouteKey { #[lpm] d: bit<32> }
        #[table(size = 4)]
        #[entries(
            RouteKey { d: prefix(0x0500_0000, 8) } => To { port: 4 },
            RouteKey { d: prefix(0, 0) } => To { port: 6 },
        )]
        static ROUTES: Table<RouteKey, Way> = Nowhere;
    ";
    let key = "let key = RouteKey { d: h.x.d };";
    let arms = "{ To { port } => forward(port), Nowhere => pass() }";
    for (table, body, port) in [
        (acl, format!("match ACL.apply(AclKey {{ a: h.x.a, c: h.x.c }}) {arms}"), Some(5)),
        (acl, "match ACL.apply(AclKey { a: 1, c: 1 }) { To { port: p } => forward(p), _ => pass() }".to_owned(), None),
        (routes, format!("{key} match ROUTES.apply(key) {arms}"), Some(4)),
        // The key is what it was when it was bound.
        (routes, format!("{key} h.x.d = 1; match ROUTES.apply(key) {arms}"), Some(4)),
        (
            routes,
            "let port = match ROUTES.apply(RouteKey { d: 1 }) { To { port } => port, Nowhere => 0 }; forward(port)"
                .to_owned(),
            Some(6),
        ),
        (routes, "ROUTES.apply(RouteKey { d: 1 }); forward(1)".to_owned(), Some(1)),
    ] {
        assert_eq!(run(&format!("{way}{table}"), &body), port, "{body}");
    }
}

#[test]
fn a_repeated_state_is_as_many_states() {
    let text = "#[pipeline]
mod stack {
    #[header] struct Tag { more: bit<8> }
    struct Headers { tags: [Tag; 3], rest: Tag }
    struct Meta { seen: bit<8> }
    #[state] fn start(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        let first = p.lookahead::<bit<4>>();
        let second = p.lookahead::<bit<4>>(4);
        m.seen = concat(second, first);
        match first { 0 => tag, _ => accept }
    }
    #[state(repeat = 3)] fn tag(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.tags.next);
        match h.tags.last.more { 1 => tag, 2 => rest, _ => accept }
    }
    #[state] fn rest(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.rest); accept }
    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        let n = (h.tags[0].is_valid() as bit<32>) + (h.tags[1].is_valid() as bit<32>) + (h.tags[2].is_valid() as bit<32>);
        forward(concat(m.seen, h.rest.more, n as bit<16>))
    }
}";
    let pipeline = compile_source("stack.rs", text, &[]).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<&str> = pipeline.headers.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(names, ["tags_0", "tags_1", "tags_2", "rest"]);
    assert_eq!(pipeline.parser.states.len(), 5);
    let verified = verify(pipeline).unwrap_or_else(|e| panic!("{e}"));
    for (frame, port) in [
        (&[1, 1, 1, 1, 1, 1][..], 0x1000_0003_u32),
        (&[0, 1, 1, 1, 1, 1], 0x0000_0001),
        (&[1, 2, 9, 0, 0, 0], 0x1009_0002),
        (&[0x31, 0, 0, 0, 0, 0], 0x1300_0000),
    ] {
        let outcome = Oracle::new(&verified, 1).process(0, 0, frame);
        assert_eq!(outcome.verdict, Verdict::Forward { port }, "{frame:?}");
    }
}
