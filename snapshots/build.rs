//! Finds the cases: every folder with a pipeline, so that a dropped folder is a test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(".")?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|d| d.join("pipeline.rs").is_file() || d.join("pipeline").is_file())
        .collect();
    dirs.sort();
    println!("cargo::rerun-if-changed=.");
    let mut text = String::new();
    for dir in dirs {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let _ = writeln!(text, "case!({}, {name:?});", name.replace('-', "_"));
    }
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("cases.rs"), text)
}
