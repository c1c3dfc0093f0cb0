//! Where BPF can't be loaded, its tests say so and pass; with `GUIDEWAY_REQUIRE=bpf` they fail.

use sw_fallback::xdp::clang;

pub(crate) fn skip(what: &str) -> bool {
    needed::skip(what, "bpf", needed::bpf(clang::find().is_some()))
}
