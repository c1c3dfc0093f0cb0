//! Where BPF can't be loaded, its tests say so and pass; with `GUIDEWAY_REQUIRE=bpf` they fail.

use sw_fallback::xdp::clang;

pub(crate) fn skip(what: &str) -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    let why = match (clang::find().is_some(), root) {
        (false, _) => "no clang",
        (_, false) => "not root",
        _ => return false,
    };
    let required = std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|v| v.split(',').any(|w| w == "bpf"));
    assert!(!required, "{what}: {why}");
    eprintln!("skipped: {what}: {why}");
    true
}
