//! The pipeline language: Rust tokens in, IR and diagnostics out.
