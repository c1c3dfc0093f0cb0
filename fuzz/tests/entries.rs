//! Entry files: any text gives checked entries, or every fault at a line of the file.
#![allow(clippy::unwrap_used)]

use fuzz::{Choices, mutate, target, words};
use pipeline_entries::value;
use pipeline_ir::{KeyValue, Pipeline};
use std::path::Path;
use std::sync::LazyLock;

const TOML: &str = r#"
[[entry]]
table = "vip4"
key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
action = "set_vip"
params = { vip = 1, pool = 1, hash_key = "0x1122334455667788", flags = 6, class = 0 }
[[ring]]
pool = 1
generation = 3
backends = [16384, 16385]
weights = [100, 50]
"#;
const JSON: &str = r#"{"entry": [{"table": "backend", "key": {"backend": 16385}, "action": "ipip6",
 "params": {"src": "::1", "spread": "0xff", "dst": "2001:db8::1", "port": 1, "mtu": 1500,
 "dst_mac": "02:00:00:00:00:02", "src_mac": 2}}],
 "ring": {"ring": "ring", "pool": 2, "backends": [1]}}"#;
const VALUES: [&str; 22] = [
    "-1",
    "1e999",
    "4294967296",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "'10.0.0.0/33'",
    "'::/129'",
    "'1 & '",
    "'5..=1'",
    "'..='",
    "'*'",
    "[]",
    "{}",
    "null",
    "true",
    "\"\\u0000\"",
    "NaN",
    "1979-05-27",
    "priority",
    "[[entry]]",
    "\"\"\"",
    "\u{e9}",
];

fn pipeline(path: &str) -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    pipeline_syntax::compile_source("p.rs", &std::fs::read_to_string(path).unwrap(), &[]).unwrap()
}

static L4LB: LazyLock<Pipeline> = LazyLock::new(|| pipeline("pipeline/pipelines/l4lb.rs"));
static ACL: LazyLock<Pipeline> = LazyLock::new(|| pipeline("snapshots/acl/pipeline.rs"));

fn check(text: &str) {
    for p in [&*L4LB, &*ACL] {
        let Err(faults) = pipeline_entries::parse("lb.toml", text, p) else { continue };
        assert!(!faults.found.is_empty(), "{text}");
        let lines = text.split('\n').count() as u32;
        for fault in &faults.found {
            assert!((1..=lines).contains(&fault.line), "{fault:?} of:\n{text}");
            assert!(!fault.message.is_empty(), "{text}");
        }
        assert!(faults.to_string().starts_with("lb.toml:"), "{faults}");
    }
}

#[test]
fn any_text() {
    target!(3000, |input: &[u8]| check(&String::from_utf8_lossy(input)));
}

#[test]
fn mutants() {
    let others: Vec<&str> = words(TOML).into_iter().chain(words(JSON)).chain(VALUES).collect();
    target!(3000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut pieces = words([TOML, JSON][choices.below(2)]);
        mutate(&mut pieces, &others, &mut choices);
        check(&pieces.concat());
    });
}

/// Values as text: what is read is shown in a form that reads as the same.
#[test]
fn values() {
    const PARTS: [&str; 24] = [
        "0",
        "1",
        "255",
        "256",
        ".",
        ":",
        "::",
        "/",
        "32",
        "33",
        "129",
        "&",
        "..=",
        "0x",
        "ff",
        "_",
        "*",
        "-",
        " ",
        "tcp",
        "10.0.0.1",
        "2001:db8::",
        "02:00:00:00:00:01",
        "340282366920938463463374607431768211455",
    ];
    target!(10_000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let parts = choices.below(6);
        let text: String = (0..parts).map(|_| PARTS[choices.below(PARTS.len())]).collect();
        let Some(read) = value::key_value(&text) else { return };
        for (name, width) in [("src", 32), ("port", 16), ("dst_mac", 48), ("dst", 128)] {
            let bits = |v: u128| width == 128 || v < 1 << width;
            let fits = match read {
                KeyValue::Exact(v) | KeyValue::Lpm { value: v, .. } => bits(v),
                KeyValue::Ternary { value, mask } => bits(value) && bits(mask),
                KeyValue::Range { low, high } => bits(low) && bits(high),
                KeyValue::Optional(_) => false,
            };
            if fits {
                assert_eq!(value::key_value(&value::shown_key(name, width, &read)), Some(read), "{text}");
            }
        }
    });
}
