//! Finds the cases: every folder with a pipeline, so that a dropped folder is a test. Each is compiled to Rust, so that
//! the tests can run it.

#[path = "src/source.rs"]
mod source;

use source::Source;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(".")?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|d| d.is_dir() && Source::find(d).is_some())
        .collect();
    dirs.sort();
    println!("cargo::rerun-if-changed=.");
    println!("cargo::rerun-if-changed=../pipeline/pipelines");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let (mut cases, mut native, mut expanded) = (String::new(), String::new(), String::new());
    let mut tests = String::new();
    for dir in dirs {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let module = name.replace('-', "_");
        writeln!(cases, "case!({module}, {name:?});")?;
        let (pipeline, text) = rust(&dir).map_err(|e| format!("case {name}:\n{e}"))?;
        std::fs::write(out.join(format!("native-{name}.rs")), text)?;
        writeln!(native, "case!({module}, {name:?}, {pipeline}, \"/native-{name}.rs\");")?;
        if let Ok(source) = dir.join("pipeline.rs").canonicalize() {
            writeln!(expanded, "#[path = {source:?}]\nmod {module};")?;
            writeln!(tests, "case!({module}, {name:?}, {module}::{pipeline}::Pipeline);")?;
        }
    }
    std::fs::write(out.join("cases.rs"), cases)?;
    std::fs::write(out.join("expanded.rs"), expanded + &tests)?;
    std::fs::write(out.join("native.rs"), format!("cases! {{\n{}}}\n", native.replace("case!", "")))?;
    Ok(())
}

/// The pipeline's name and its Rust, with the case's constants and the sizes of its stories.
fn rust(dir: &Path) -> Result<(String, String), Box<dyn Error>> {
    let Source { path, constants } = Source::find(dir).ok_or("no source")?;
    let stories: toml::Table =
        std::fs::read_to_string(dir.join("packets.toml")).unwrap_or_default().parse()?;
    let sizes = stories.get("sizes").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let mut sizes: Vec<(String, String)> =
        sizes.iter().filter_map(|(n, v)| Some((n.clone(), v.as_str()?.to_owned()))).collect();
    let own = constants.into_iter().filter(|own| sizes.iter().all(|size| size.0 != own.0));
    sizes.extend(own.collect::<Vec<_>>());
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (parts, sizes) = codegen::off::split(&sizes);
    let pipeline = pipeline_syntax::compile_source(&file, &std::fs::read_to_string(&path)?, &sizes)?;
    let name = pipeline.name.clone();
    let verified = codegen::off::set(&pipeline_ir::verify::verify(pipeline)?, &parts)?;
    let fitted = codegen::fit(&verified, &hw_targets::target("native")?)?;
    Ok((name, codegen::rust::emit_text(&fitted)))
}
