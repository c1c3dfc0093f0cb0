//! The `.spec` that is emitted for SWX: what it says for what a pipeline does, and what is refused because SWX would do it
//! wrong without a word.
#![cfg(feature = "p4")]
#![allow(clippy::unwrap_used)]

use codegen::{fit, swx};
use pipeline_ir::diagnostic::Diagnostics;

const TABLE: &str = "struct K { #[exact] src: bit<128> }
    enum A { Out { port: bit<32>, addr: bit<128> }, #[default_only] Not }
    #[table(size = 16, counters = packets)]
    static T: Table<K, A> = Not;";

/// A pipeline with one statement list.
fn spec(fields: &str, body: &str) -> Result<String, Diagnostics> {
    // Nothing is declared that nothing uses.
    let table = if body.contains("T.apply") { TABLE } else { "" };
    let reason = if body.contains("Bad") { "enum Reason { Bad }" } else { "" };
    let text = format!(
        "#[guideway::pipeline(targets = [dpdk])]
        pub mod small {{
            use guideway::headers::{{Ethernet, Ipv6}};
            #[header]
            struct Own {{ {fields} }}
            struct Headers {{ eth: Ethernet, ip6: Ipv6, own: Own }}
            struct Meta {{ a: bit<16>, wide: bit<128> }}
            {reason}
            {table}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.eth);
                match h.eth.ethertype {{ 0x86dd => six, 0x0800 => own, _ => accept }}
            }}
            #[state]
            fn six(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.ip6); accept }}
            #[state]
            fn own(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.own); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ {body} }}
        }}"
    );
    let pipeline = pipeline_syntax::compile_source("small.rs", &text, &[]).unwrap();
    let verified = pipeline_ir::verify::verify(pipeline).unwrap();
    let fitted = fit(&verified, &hw_targets::target("dpdk").unwrap())?;
    Ok(String::from_utf8(swx::emit(&fitted).get("small.spec").unwrap().to_vec()).unwrap())
}

/// What stands in the text, in this order.
fn check(body: &str, says: &[&str]) {
    let text = spec("x: bit<8>", body).unwrap();
    let mut rest = text.as_str();
    for part in says {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("no `{part}` here in\n{rest}\nof\n{text}")).1;
    }
}

#[test]
fn a_header_is_taken_only_where_there_are_bytes_for_it() {
    check("forward(1)", &["apply {", "jmplt CONTROL m.room 14", "extract h.eth", "sub m.room 14"]);
}

#[test]
fn numbers_of_128_bits_are_two() {
    let body = "if !h.ip6.is_valid() { return drop(Bad); }
        match T.apply(K { src: h.ip6.src }) {
            Out { port, addr } => { h.ip6.dst = addr; forward(port) }
            Not => pass(),
        }";
    check(
        body,
        &[
            "bit<64> src_hi",
            "bit<64> src_lo",
            "action t__out args",
            "mov m.out_addr_hi t.addr_hi",
            "regadd t_packets t.cell 1",
            "h.t__key.src_hi exact",
            "h.t__key.src_lo exact",
            "regadd drop_bad m.zero 1",
            "mov h.t__key.src_hi h.ip6.src_hi",
            "table t",
            "jmpa NOT t__not",
            "mov h.ip6.dst_hi m.out_addr_hi",
            "mov m.out_port 254",
        ],
    );
}

#[test]
fn two_halves_change_places_by_way_of_a_third() {
    let body = "if !h.ip6.is_valid() { return drop(Bad); }
        m.wide = h.ip6.src;
        m.wide = concat(m.wide.bits(63, 0), m.wide.bits(127, 64));
        h.ip6.src = m.wide;
        forward(1)";
    check(body, &["mov m.t64_1 m.wide_hi", "mov m.wide_hi m.wide_lo", "mov m.wide_lo m.t64_1"]);
}

#[test]
fn a_variable_shares_no_place_with_what_is_ours() {
    let swap = |own: &str| {
        format!(
            "let {own} = h.eth.dst as bit<64>;
            m.wide = h.ip6.src;
            m.wide = concat(m.wide.bits(63, 0), m.wide.bits(127, 64));
            h.ip6.src = m.wide;
            h.eth.src = {own}.bits(47, 0);
            forward(1)"
        )
    };
    for (own, place) in [
        ("t64_1", "t64_1_2"),
        ("wide_hi", "wide_hi_2"),
        ("flow0_word", "flow0_word_2"),
        ("out_port", "out_port_2"),
        ("t64_x", "t64_x"),
        ("flow0", "flow0"),
    ] {
        let text = spec("x: bit<8>", &swap(own)).unwrap();
        assert!(text.contains(&format!("    bit<64> {place}\n")), "{own} is not {place}:\n{text}");
    }
}

#[test]
fn what_may_be_read_before_it_is_written_starts_as_0() {
    check(
        "if h.ip6.is_valid() { m.a = h.ip6.payload_length; } forward(m.a as bit<32>)",
        &["rx m.in_port", "mov m.a 0", "jmplt"],
    );
    let text = spec("x: bit<8>", "m.a = h.eth.ethertype; forward(m.a as bit<32>)").unwrap();
    assert!(!text.contains("mov m.a 0"), "{text}");
}

#[test]
fn a_field_of_a_header_that_may_be_absent_is_read_under_a_test() {
    check("forward(h.own.x as bit<32>)", &["mov m.t8_1 0", "jmpnv ABSENT h.own", "mov m.t8_1 h.own.x"]);
}

#[test]
fn a_struct_that_offsets_do_not_reach_is_refused() {
    let fields = |n: usize| (0..n).map(|i| format!("f{i}: bit<64>")).collect::<Vec<_>>().join(", ");
    assert!(spec(&fields(31), "forward(1)").is_ok());
    let faults = spec(&fields(32), "forward(1)").unwrap_err();
    let says: Vec<&str> = faults.0.iter().map(|f| f.message.as_str()).collect();
    assert!(says.iter().any(|s| s.contains("header own needs 256 struct_bytes")), "{says:?}");
}
