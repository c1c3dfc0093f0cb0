//! What the emitters write for every case stands in `out/`, side by side; `cargo xtask bless` writes it anew.
//!
//! The sizes of `packets.toml` count for its stories only: `out/` shows those of the source, and the case's constants.
#![allow(clippy::unwrap_used)]

use pipeline_ir::verify::Verified;
use snapshots::case::Case;
use snapshots::objects;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Path in `out/` to text.
type Files = BTreeMap<String, String>;

/// The case and its pipeline; none if only its stories are its own.
fn load(case: &str) -> Option<(Case, Verified)> {
    let case = Case::named(case).unwrap();
    let verified = case.compile(&[]).unwrap();
    case.is_own(verified.pipeline()).then_some((case, verified))
}

/// Everything that is made from a pipeline, but for the C headers, which stand in `codegen/src/xdp/prelude`.
fn emitted(verified: &Verified) -> Files {
    let mut files = Files::from([("ir.txt".to_owned(), pipeline_ir::print::print(verified.pipeline()))]);
    files.insert("ways.txt".to_owned(), snapshots::ways::text(verified.pipeline()));
    for name in hw_targets::names() {
        let target = hw_targets::target(name).unwrap();
        files.insert(format!("fit-{name}.txt"), codegen::fit::verdict(verified, &target).report());
        let Ok(fitted) = codegen::fit(verified, &target) else { continue };
        let Some(artifacts) = codegen::emit(&fitted) else { continue };
        for (path, bytes) in artifacts.iter().filter(|(p, _)| !p.ends_with(".h") && !p.ends_with(".bin")) {
            // The second P4 program of a pipeline is told apart by its architecture.
            let path = match path.split_once('.') {
                Some((stem, ending)) if files.contains_key(path) => {
                    format!("{stem}.{}.{ending}", target.arch)
                }
                _ => path.to_owned(),
            };
            files.insert(path, String::from_utf8(bytes.to_vec()).unwrap());
        }
    }
    files
}

fn read(dir: &Path) -> Files {
    let Ok(entries) = std::fs::read_dir(dir) else { return Files::new() };
    let paths = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file());
    let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
    paths.map(|p| (name(&p), std::fs::read_to_string(&p).unwrap())).collect()
}

fn out_is_what_is_emitted(case: &str) {
    let Some((case, verified)) = load(case) else { return };
    let new = emitted(&verified);
    assert_eq!(new, emitted(&verified), "the same twice");
    let dir = case.dir.join("out");
    let old = read(&dir);
    if old == new {
        return;
    }
    if std::env::var_os("GUIDEWAY_BLESS").is_some() {
        std::fs::create_dir_all(&dir).unwrap();
        for name in old.keys().filter(|n| !new.contains_key(*n)) {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
        for (name, text) in &new {
            std::fs::write(dir.join(name), text).unwrap();
        }
        return;
    }
    let mut report = String::new();
    for name in old.keys().chain(new.keys()).collect::<std::collections::BTreeSet<_>>() {
        report += &difference(name, old.get(name), new.get(name));
    }
    panic!("{}: look at the difference, then `cargo xtask bless`\n{report}", case.name);
}

/// The first line that differs.
fn difference(name: &str, old: Option<&String>, new: Option<&String>) -> String {
    let (Some(old), Some(new)) = (old, new) else {
        return format!("{name}: {}\n", if old.is_some() { "no longer emitted" } else { "new" });
    };
    let mut lines = old.lines().zip(new.lines()).zip(1..);
    match lines.find(|((a, b), _)| a != b) {
        Some(((a, b), line)) => format!("{name}:{line}:\n- {a}\n+ {b}\n"),
        None if old == new => String::new(),
        None => format!("{name}: {} lines, were {}\n", new.lines().count(), old.lines().count()),
    }
}

/// What the P4 parser reads is what the printer wrote.
fn p4_comes_back(case: &str) {
    let Some((_, verified)) = load(case) else { return };
    for (name, text) in emitted(&verified).iter().filter(|(n, _)| n.ends_with(".p4")) {
        let program = p4::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(p4::print(&program), *text, "{name}");
        assert_eq!(p4::parse(&p4::print(&program)).unwrap(), program, "{name}");
    }
}

/// clang takes the C without a warning.
fn clang_is_content(case: &str) {
    let Some((_, verified)) = load(case) else { return };
    if objects::clang().is_none() {
        eprintln!("skipped: {case}: no clang");
        return;
    }
    let fitted = codegen::fit(&verified, &hw_targets::target("xdp").unwrap()).unwrap();
    let artifacts = codegen::xdp::emit(&fitted);
    let files: Vec<_> = artifacts.iter().map(|(p, b)| (p, std::str::from_utf8(b).unwrap())).collect();
    let source = files.iter().find(|f| f.0.ends_with(".bpf.c")).unwrap().1;
    objects::compile(source, &files).unwrap_or_else(|e| panic!("{e}"));
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn out_is_what_is_emitted() {
                super::out_is_what_is_emitted($name);
            }
            #[test]
            fn p4_comes_back() {
                super::p4_comes_back($name);
            }
            #[test]
            fn clang_is_content() {
                super::clang_is_content($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
