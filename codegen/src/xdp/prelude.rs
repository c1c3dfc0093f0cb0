//! The headers that generated programs include.

/// A header's name, its text, and what a program that needs it says.
const PRELUDE: &[(&str, &str, &[&str])] = &[
    ("bpf.h", include_str!("prelude/bpf.h"), &["SEC("]),
    (
        "bytes.h",
        include_str!("prelude/bytes.h"),
        &["be16(", "be32(", "be48(", "be64(", "be128(", "put16(", "put48(", "wide(", "struct place "],
    ),
    ("checksum.h", include_str!("prelude/checksum.h"), &["fold(", "adjust("]),
    ("clock.h", include_str!("prelude/clock.h"), &["tick()"]),
    ("counters.h", include_str!("prelude/counters.h"), &["count_packet(", "count_event("]),
    ("crc32.h", include_str!("prelude/crc32.h"), &["CRC32_"]),
    ("exact.h", include_str!("prelude/exact.h"), &["exact_set("]),
    ("flow.h", include_str!("prelude/flow.h"), &["struct flow "]),
    ("flow_narrow.h", include_str!("prelude/flow_narrow.h"), &["flow_narrow_"]),
    ("flow_wide.h", include_str!("prelude/flow_wide.h"), &["flow_wide_"]),
    ("halfsiphash.h", include_str!("prelude/halfsiphash.h"), &["halfsiphash_"]),
    ("limiter.h", include_str!("prelude/limiter.h"), &["limiter_allow("]),
    ("ports.h", include_str!("prelude/ports.h"), &["forward(ctx", "ingress_port(ctx"]),
];

/// The headers that a program's text needs, in order of names.
pub(super) fn used(body: &str) -> Vec<&'static str> {
    PRELUDE
        .iter()
        .filter(|(_, _, words)| words.iter().any(|w| body.contains(w)))
        .map(|(name, _, _)| *name)
        .collect()
}

/// These headers and those that they include.
pub(super) fn closure(names: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let mut wanted: Vec<&str> = names.to_vec();
    let mut done: Vec<(&'static str, &'static str)> = Vec::new();
    while let Some(name) = wanted.pop() {
        let Some((name, text, _)) = PRELUDE.iter().find(|(n, _, _)| *n == name) else { continue };
        if done.iter().any(|(n, _)| n == name) {
            continue;
        }
        wanted.extend(text.lines().filter_map(|l| l.strip_prefix("#include \"")?.strip_suffix('"')));
        done.push((name, text));
    }
    done.sort_unstable();
    done
}
