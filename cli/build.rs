//! Compiles the built-in pipelines to Rust, so that `guideway switch --target native` has them.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Each with the constants that are set: a program's constants are fixed when it is compiled.
const PROGRAMS: &[(&str, &str, &[(&str, &str)])] =
    &[("l4lb", "l4lb", &[]), ("l4lb", "l4lb_siphash", &[("HASH", "HalfSipHash")]), ("decap", "decap", &[])];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let target = hw_targets::target("native")?;
    let mut list = String::new();
    for (pipeline, module, set) in PROGRAMS {
        let path = format!("../pipeline/pipelines/{pipeline}.rs");
        println!("cargo::rerun-if-changed={path}");
        let sets: Vec<_> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let text = std::fs::read_to_string(&path)?;
        let compiled = pipeline_syntax::compile_source(&format!("{pipeline}.rs"), &text, &sets)?;
        let fitted = codegen::fit(&pipeline_ir::verify::verify(compiled)?, &target)?;
        std::fs::write(out.join(format!("{module}.rs")), codegen::rust::emit_text(&fitted))?;
        writeln!(list, "    ({module}, {pipeline}, \"/{module}.rs\", {set:?});")?;
    }
    std::fs::write(out.join("programs.rs"), format!("programs! {{\n{list}}}\n"))?;
    Ok(())
}
