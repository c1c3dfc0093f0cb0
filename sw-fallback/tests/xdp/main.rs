//! The XDP loader against this machine's kernel. Needs root, clang and BPF; without them each test says that it is
//! skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used)]

mod attach;
mod early;
mod entries;
mod lab;
mod pins;
mod pipeline;
mod refusals;
