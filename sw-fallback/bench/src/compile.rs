//! How long `l4lb` takes from its source to a target's text.

use crate::times::Spread;
use anyhow::{Result, anyhow};
use serde::Serialize;
use std::time::Instant;
use sw_fallback::xdp::clang;

/// Milliseconds.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Compile {
    pub targets: Vec<(String, Spread)>,
    /// All targets, the source read once.
    pub all: Spread,
    /// What clang then takes for the emitted C.
    pub clang: Spread,
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Compiles `rounds` times.
///
/// # Errors
/// `l4lb` does not fit a target, or clang refuses.
pub fn compile(rounds: usize) -> Result<Compile> {
    let mut front = Vec::new();
    let mut emit: [Vec<f64>; 3] = Default::default();
    let mut all = Vec::new();
    let mut clang = Vec::new();
    for round in 0..rounds {
        let start = Instant::now();
        let pipeline = pipeline_syntax::compile_source("l4lb.rs", guideway::builtin::L4LB, &[])
            .map_err(|d| anyhow!("{d}"))?;
        let verified = pipeline_ir::verify::verify(pipeline).map_err(|d| anyhow!("{d}"))?;
        front.push(ms(start));
        for (target, times) in TARGETS.iter().zip(&mut emit) {
            let start = Instant::now();
            let target = hw_targets::target(target.0)?;
            let fitted = codegen::fit(&verified, &target).map_err(|d| anyhow!("{d}"))?;
            let artifacts = codegen::emit(&fitted).ok_or_else(|| anyhow!("{} emits nothing", target.name))?;
            times.push(ms(start));
            let mut files = Vec::new();
            for (path, bytes) in artifacts.iter() {
                files.push((path, std::str::from_utf8(bytes).unwrap_or_default()));
            }
            if let Some((_, source)) = files.iter().find(|f| f.0.ends_with(".bpf.c") && round < 3) {
                let start = Instant::now();
                clang::compile(source, &files)?;
                clang.push(ms(start));
            }
        }
        all.push(front[round] + emit.iter().map(|times| times[round]).sum::<f64>());
    }
    let names = TARGETS.iter().map(|t| t.1.to_owned());
    let emitted = names.zip(emit.map(Spread::of));
    let targets =
        [("reading and checking".to_owned(), Spread::of(front))].into_iter().chain(emitted).collect();
    Ok(Compile { targets, all: Spread::of(all), clang: Spread::of(clang) })
}

/// Names of targets, and what is emitted for them.
const TARGETS: [(&str, &str); 3] =
    [("xdp", "xdp: C"), ("bmv2", "bmv2: P4_16, P4Info"), ("native", "native: Rust")];
