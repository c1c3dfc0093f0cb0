//! Compiles variants of the built-in pipelines to Rust: `guideway switch --target native` has them beside those that
//! come from the crate `guideway`. A program's constants are fixed when it is compiled.

use std::error::Error;
use std::path::PathBuf;

/// The constant that is set, and its value.
const SET: (&str, &str) = ("HASH", "HalfSipHash");

fn main() -> Result<(), Box<dyn Error>> {
    const SOURCE: &str = "../pipeline/pipelines/l4lb.rs";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SOURCE}");
    let set = [(SET.0.to_owned(), SET.1.to_owned())];
    let compiled = pipeline_syntax::compile_source("l4lb.rs", &std::fs::read_to_string(SOURCE)?, &set)?;
    let verified = pipeline_ir::verify::verify(compiled)?;
    let fitted = codegen::fit(&verified, &hw_targets::target("native")?)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("l4lb_siphash.rs"), codegen::rust::emit_text(&fitted))?;
    Ok(())
}
