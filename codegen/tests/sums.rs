//! Checksums that a chip's deparser sums: the words that are kept aside, added up as the deparser does, give what
//! RFC 1624 does for the whole change.
#![cfg(feature = "p4")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

/// The TNA P4 of a control.
fn emitted(body: &str) -> String {
    let source = format!(
        "#[guideway::pipeline(targets = [bmv2])]
        pub mod small {{
            use guideway::headers::{{Ethernet, Ipv4}};
            struct Headers {{ eth: Ethernet, ip4: Ipv4 }}
            struct Meta {{ a: bit<8> }}
            enum Reason {{ Bad }}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.eth); p.extract(h.ip4); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ if !h.ip4.is_valid() {{ return drop(Bad); }} m.a = h.ip4.tos; {body} }}
        }}"
    );
    let verified =
        pipeline_ir::verify::verify(pipeline_syntax::compile_source("small.rs", &source, &[]).unwrap())
            .unwrap();
    let fitted = codegen::fit(&verified, &hw_targets::target("tofino").unwrap()).unwrap();
    String::from_utf8(codegen::p4::emit(&fitted).get("small.p4").unwrap().to_vec()).unwrap()
}

#[test]
fn what_conditions_of_the_deparser_ask_shares_no_container() {
    let text = emitted("adjust(h.ip4.checksum, h.ip4.src, h.ip4.dst); return forward(1);");
    for field in ["meta.ip4_checksum_changes", "ig_intr_md_for_dprsr.drop_ctl"] {
        assert!(text.contains(&format!("@pa_solitary(\"ingress\", \"{field}\")")), "no {field} in\n{text}");
    }
}

/// `[15:8]`
fn slice(place: &str) -> (&str, u32, u32) {
    let Some((name, bits)) = place.split_once('[') else { return (place, 15, 0) };
    let (high, low) = bits.trim_end_matches(']').split_once(':').unwrap();
    (name, high.parse().unwrap(), low.parse().unwrap())
}

/// Runs the assignments to the checksum's words; other values are known by their names.
fn run(text: &str, words: &mut BTreeMap<String, u32>, known: &[(&str, u32)]) {
    for line in text.lines() {
        let Some((place, value)) = line.trim().trim_end_matches(';').split_once(" = ") else { continue };
        let (name, high, low) = slice(place);
        let wanted = ["_was", "_old0", "_new0"].iter().any(|end| name.ends_with(end));
        if !name.starts_with("meta.ip4_checksum") || !wanted {
            continue;
        }
        let mask = (1u32 << (high - low + 1)) - 1;
        let (value, inverted) = value.strip_prefix('~').map_or((value, false), |v| (v, true));
        let number = known.iter().find(|k| k.0 == value).map(|k| k.1);
        let number = number.unwrap_or_else(|| value.rsplit('w').next().unwrap().parse().unwrap());
        let number = if inverted { !number } else { number } & mask;
        let word = words.entry(name.to_owned()).or_default();
        *word = *word & !(mask << low) | number << low;
    }
}

fn folded(mut sum: u32) -> u32 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

/// A way of a control: what comes before it, its own text, and what becomes of ttl and protocol.
type Way<'a> = (&'a str, &'a str, fn(u32, u32, u32) -> (u32, u32));

fn check((begins, way, change): Way<'_>) {
    let edges = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    for n in 0..edges.len().pow(3) {
        let [ttl, protocol, a] = [n, n / edges.len(), n / edges.len().pow(2)].map(|n| edges[n % edges.len()]);
        for checksum in [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff] {
            let known = [
                ("h.ip4.ttl", ttl),
                ("h.ip4.protocol", protocol),
                ("h.ip4.tos", a),
                ("meta.a", a),
                ("h.ip4.checksum", checksum),
            ];
            let mut words = BTreeMap::new();
            run(begins, &mut words, &known);
            run(way, &mut words, &known);
            assert_eq!(words.len(), 3, "{way}");
            let (new_ttl, new_protocol) = change(ttl, protocol, a);
            let (old, new) = (ttl << 8 | protocol, new_ttl << 8 | new_protocol);
            let whole = (!checksum & 0xffff) + (!old & 0xffff) + new;
            let sum = words.values().sum();
            assert_eq!(folded(sum), folded(whole), "{ttl} {protocol} {a} {checksum}: {words:x?}\n{way}");
        }
    }
}

#[test]
fn a_part_that_changes_counts_as_the_whole_word_does() {
    let text = emitted(
        "adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(m.a, h.ip4.protocol)); pass()",
    );
    let (begins, apply) = text.split_once("control ingress").unwrap();
    assert!(apply.contains("_old0[15:8] = ~h.ip4.ttl;") && !apply.contains("_old0[7:0]"), "{apply}");
    check((begins, apply, |_, protocol, a| (a, protocol)));
}

#[test]
fn ways_that_change_other_parts_write_the_rest() {
    let text = emitted(
        "if h.ip4.ttl == 7 {
            adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(m.a, h.ip4.protocol));
        } else {
            adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(h.ip4.ttl, m.a));
        }
        pass()",
    );
    let (begins, apply) = text.split_once("control ingress").unwrap();
    let (first, second) = apply.split_once("ttl == 7").unwrap().1.split_once("} else {").unwrap();
    check((begins, first, |_, protocol, a| (a, protocol)));
    check((begins, second, |ttl, _, a| (ttl, a)));
}
