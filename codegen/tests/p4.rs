//! The P4 that is emitted: what it says, and that it reads back as it was meant.
#![cfg(feature = "p4")]
#![allow(clippy::unwrap_used)]

use codegen::{fit, p4 as emitter};
use std::path::{Path, PathBuf};

fn emit(path: &Path, overrides: &[(&str, &str)]) -> String {
    emit_for("bmv2", path, overrides)
}

fn emit_for(target: &str, path: &Path, overrides: &[(&str, &str)]) -> String {
    let source = std::fs::read_to_string(path).unwrap();
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    let pipeline = pipeline_syntax::compile_source("pipeline.rs", &source, &overrides).unwrap();
    let verified = pipeline_ir::verify::verify(pipeline).unwrap();
    let artifacts = emitter::emit(&fit(&verified, &hw_targets::target(target).unwrap()).unwrap());
    let name = &verified.pipeline().name;
    String::from_utf8(artifacts.get(&format!("{name}.p4")).unwrap().to_vec()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn l4lb(overrides: &[(&str, &str)]) -> String {
    emit(&root().join("pipeline/pipelines/l4lb.rs"), overrides)
}

/// A pipeline with one statement list, to look at what becomes of it.
fn control(reasons: &str, body: &str) -> String {
    let text = format!(
        "pub mod small {{
            use guideway::headers::{{Ethernet, Ipv4, Udp}};
            struct Headers {{ eth: Ethernet, ip4: Ipv4, udp: Udp }}
            struct Meta {{ a: bit<16>, b: bit<16> }}
            enum Reason {{ {reasons} }}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{
                p.extract(h.eth);
                match h.eth.ethertype {{ 0x0800 => ip, _ => accept }}
            }}
            #[state]
            fn ip(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.ip4); p.extract(h.udp); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ {body} }}
        }}"
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small.rs");
    std::fs::write(&path, format!("#[guideway::pipeline(targets = [bmv2])]\n{text}")).unwrap();
    emit(&path, &[])
}

fn check(body: &str, says: &[&str], says_not: &[&str]) {
    let p4 = control("Bad", body);
    for text in says {
        assert!(p4.contains(text), "no `{text}` in\n{p4}");
    }
    for text in says_not {
        assert!(!p4.contains(text), "`{text}` in\n{p4}");
    }
}

#[test]
fn what_is_printed_reads_back() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("snapshots"))
        .unwrap()
        .map(|d| d.unwrap().path().join("pipeline.rs"))
        .filter(|f| f.is_file())
        .collect();
    files.extend(["l4lb.rs", "decap.rs"].map(|f| root().join("pipeline/pipelines").join(f)));
    assert!(files.len() >= 9);
    for file in files {
        let text = emit(&file, &[]);
        let tree = p4::parse(&text).unwrap();
        assert_eq!(p4::print(&tree), text, "{}", file.display());
    }
}

#[test]
fn a_field_is_read_under_a_test_unless_its_header_is_known_to_be_valid() {
    check(
        "m.a = h.udp.src_port; if m.a > 9 { return drop(Bad); } pass()",
        &["meta.a = h.udp.isValid() ? h.udp.src_port : 16w0;"],
        &[],
    );
    check(
        "if h.udp.is_valid() { m.a = h.udp.src_port; } if m.a > 9 { return drop(Bad); } pass()",
        &["meta.a = h.udp.src_port;"],
        &[],
    );
    // The parser extracts UDP after IPv4 only.
    check(
        "if h.udp.is_valid() && h.ip4.ttl == 0 { return drop(Bad); } pass()",
        &["h.udp.isValid() && h.ip4.ttl == 0"],
        &[],
    );
    check(
        "if h.udp.src_port == 9 { return drop(Bad); } pass()",
        &["h.udp.isValid() && h.udp.src_port == 9"],
        &["16w0"],
    );
}

#[test]
fn writes_to_a_header_that_is_gone_are_lost() {
    check(
        "h.udp.pop(); h.udp.src_port = 7; if h.udp.src_port == 7 { return drop(Bad); } pass()",
        &["h.udp.setInvalid();"],
        &["h.udp.src_port"],
    );
}

#[test]
fn a_verdict_ends_the_control() {
    check(
        "if h.ip4.is_valid() { return drop(Bad); } forward(INGRESS_PORT)",
        &[
            "drop_bad.count(0);",
            "mark_to_drop(standard_metadata);",
            "standard_metadata.egress_spec = standard_metadata.ingress_port;",
            "@name(\".drop.bad\")",
        ],
        &["CPU_PORT"],
    );
    check(
        "if h.ip4.is_valid() { return drop(Bad); } pass()",
        &["standard_metadata.egress_spec = CPU_PORT;"],
        &[],
    );
}

#[test]
fn words_of_p4_are_renamed_but_not_for_the_control_plane() {
    let police = emit(&root().join("snapshots/police/pipeline.rs"), &[]);
    assert!(police.contains("@name(\"level\") bit<8> level_2"), "{police}");
}

#[test]
fn a_second_pass_repeats_nothing() {
    let p4 = l4lb(&[]);
    let control = p4.split("control ingress").nth(1).unwrap();
    let guard = control.find("if (!meta.retry) {").unwrap();
    let stay = control.find("if (meta.flow_hit) {").unwrap();
    for once in
        ["vip4.apply()", "vip6_any.apply()", "flows4_look(meta.flow_hash)", "meta.now = standard_metadata"]
    {
        let at = control.find(once).unwrap();
        assert!(guard < at && at < stay, "{once} is outside of the first pass");
    }
    for kept in
        ["bit<32> flow_hash;", "bit<80> flows4_key;", "bit<18> now;", "bit<9> ingress_port;", "bool retry;"]
    {
        assert!(p4.contains(&format!("@field_list(1) {kept}")), "{kept} is not kept");
    }
    assert!(!p4.contains("@field_list(1) bool flow_hit"), "the second pass hits nothing");
}

#[test]
fn the_ring_takes_the_hash_modulo_its_slots() {
    let prime = l4lb(&[]);
    assert!(prime.contains("hash(meta.ring_slot, HashAlgorithm.identity, 32w0, { meta.hash }, 32w65537);"));
    assert!(prime.contains("bit<17> ring_slot;"));
    let power = l4lb(&[("RING_SLOTS", "65_536")]);
    assert!(power.contains("meta.ring_slot = meta.hash[15:0];"));
    assert!(power.contains("bit<16> ring_slot;"));
}

#[test]
fn time_outs_are_in_ticks_of_the_target() {
    // 300 s and 3600 s in ticks of 65.536 ms, rounded up.
    let p4 = l4lb(&[]);
    assert!(p4.contains("18w4578") && p4.contains("18w54932"), "{p4}");
}

/// What stands in a case's program for PNA, in this order, and what doesn't.
fn pna(case: &str, says: &[&str], says_not: &[&str]) {
    let path = root().join("snapshots").join(case).join("pipeline.rs");
    let p4 = emit_for("pna", &path, &[]);
    assert_eq!(p4::print(&p4::parse(&p4).unwrap()), p4, "{case}");
    let mut rest = p4.as_str();
    for text in says {
        rest = rest.split_once(text).unwrap_or_else(|| panic!("{case}: no `{text}` here in\n{rest}")).1;
    }
    for text in says_not {
        assert!(!p4.contains(text), "{case}: `{text}` in\n{p4}");
    }
}

#[test]
fn pna_looks_before_it_reads_a_header() {
    let room = ["packet.extract(h.preamble)", "meta.room = meta.room - 14", "packet.extract(h.eth)"];
    pna("vlan", &room, &["v1model", "standard_metadata"]);
    pna("count", &["vlan", "meta.room = meta.room - 20", "packet.extract(h.ip4)"][1..], &[]);
}

#[test]
fn pna_learns_a_flow_only_when_it_is_remembered() {
    let looks =
        ["    apply {", "meta.flows_write = 0;", "flows.apply();", "meta.flow_hit = meta.flows_found"];
    let again = ["if (meta.flow_hit)", "server.apply().hit", "meta.flow_hit = false", "server.apply().hit"];
    let adds =
        ["meta.flows_id = meta.id;", "meta.flows_write = 1;", "flows.apply();", "flows_stored.count(0)"];
    pna("pin", &[&looks[..], &again[..], &adds[..]].concat(), &["resubmit", "Register<", "retry"]);
}

#[test]
fn pna_counts_in_the_entry_and_keeps_keys_together() {
    let says = [
        "action to_mac",
        "server_counter.count(meta.frame_length)",
        "meta.flows_src: exact",
        "meta.flows_dst: exact",
    ];
    pna("pin", &says, &["counters = "]);
    pna("police", &["spent = icmp_rate.read(32w0)", "h.preamble.most = "], &["truncate("]);
}

/// What `keep` becomes on a chip says these, in this order.
fn staged(target: &str, says: &[&str], never: &[&str]) {
    let sizes = [("FLOW_ENTRIES", "32768"), ("RING_SLOTS", "256")];
    let text = emit_for(target, &root().join("snapshots/pin/pipeline.rs"), &sizes);
    let mut rest = text.as_str();
    for word in says {
        let at = rest.find(word).unwrap_or_else(|| panic!("{target}: no `{word}` in its place:\n{text}"));
        rest = &rest[at + word.len()..];
    }
    for word in never {
        assert!(!text.contains(word), "{target}: `{word}` in\n{text}");
    }
}

#[test]
fn a_chip_meets_each_register_once() {
    let stay = ["servers.apply()", "look0.apply()", "look1.apply()", "know1.apply()", "know0.apply()"];
    let moves = ["flows_stored.count(0)", "server.apply()", "if (meta.flow_hit)", "resubmit_type = 1"];
    for target in ["tofino", "tofino2"] {
        // What stands before a packet is as long in its second pass as in its first.
        staged(
            target,
            &["advance(PORT_METADATA_SIZE)", "servers_in_use.apply()"],
            &["bit<128>", "advance(128)"],
        );
        staged(target, &[&stay[..], &moves[..]].concat(), &["field_list", "exit;", "flows.apply()"]);
    }
}

#[test]
fn a_register_compares_digest_and_time_in_one_go() {
    let words = ["\"meta.flow_digest\", 32", "\"meta.now\", 32", "Register<flow_entry_t, bit<14>>(16384"];
    let open = ["this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now)"];
    // 10 s are 149.01 ticks, 300 s are 4,470.3.
    let idle = ["meta.now + 150", "meta.now + 4471", "meta.now + 895", "entry.until = meta.now;"];
    staged("tofino", &[&words[..2], &words[2..], &open, &idle].concat(), &[]);
    // 48 bits of nanoseconds leave 22 for ticks of 2^26.
    staged("tofino2", &["meta.clock + 2097152", "clock.before + 4194304", "global_tstamp[47:26]"], &[]);
}

/// A pipeline of two tables that share an action; the arms of the second.
fn two_tables(second: &str) -> String {
    let text = format!(
        "#[guideway::pipeline(targets = [bmv2])]
        pub mod small {{
            use guideway::headers::{{Ethernet, Ipv4}};
            struct Headers {{ eth: Ethernet, ip4: Ipv4 }}
            struct Meta {{ a: bit<32> }}
            enum Reason {{ Bad }}
            struct Key {{ #[exact] dst: bit<32> }}
            enum Does {{ To {{ dst: bit<32>, port: bit<32> }}, #[default_only] Nothing }}
            #[table(size = 16, counters = both)]
            static FIRST: Table<Key, Does> = Nothing;
            #[table(size = 16, counters = both)]
            static SECOND: Table<Key, Does> = Nothing;
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.eth); p.extract(h.ip4); accept }}
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{
                if !h.ip4.is_valid() {{ return drop(Bad); }}
                match FIRST.apply(Key {{ dst: h.ip4.dst }}) {{
                    To {{ dst, port }} => {{ h.ip4.dst = dst; return forward(port); }}
                    Nothing => {{}}
                }}
                match SECOND.apply(Key {{ dst: h.ip4.src }}) {{
                    To {{ dst, port }} => {{ {second} }}
                    Nothing => drop(Bad),
                }}
            }}
        }}"
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small.rs");
    std::fs::write(&path, text).unwrap();
    emit_for("tofino", &path, &[])
}

/// A control's action, from its name on.
fn action<'p>(p4: &'p str, name: &str) -> &'p str {
    let from = p4.find(&format!("action {name}(")).unwrap();
    p4[from..].split_once('}').unwrap().0
}

#[test]
fn an_action_keeps_what_the_arms_of_its_table_ask() {
    for (second, kept, port) in [
        ("drop(Bad)", [false, false], "bit<9>"),
        ("forward(port)", [false, true], "bit<9>"),
        ("h.ip4.src = dst; forward(1)", [true, false], "bit<9>"),
        // Not only a port: all of it is kept.
        ("h.ip4.src = port; forward(port)", [false, true], "bit<32>"),
    ] {
        let p4 = two_tables(second);
        let keeps = |table: &str| {
            let action = action(&p4, &format!("{table}_to"));
            ["meta.to_dst = dst;", "meta.to_port = "].map(|set| action.contains(set))
        };
        assert_eq!(keeps("first"), [true, true], "{second}\n{p4}");
        assert_eq!(keeps("second"), kept, "{second}\n{p4}");
        assert!(p4.contains(&format!("    {port} to_port;")), "{second}\n{p4}");
    }
}
