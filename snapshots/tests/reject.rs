//! Every pipeline in `reject/` is refused, with exactly the report beside it. `GUIDEWAY_BLESS=1` writes the reports.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pipeline_ir::Loc;
use pipeline_ir::diagnostic::{CODES, Code, Diagnostics};
use pipeline_ir::verify::verify;
use pipeline_syntax::compile_source;
use pipeline_syntax::render::{Style, render};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reject")
}

/// The cases: `gwNNN-name.rs`, in order.
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases: Vec<(String, PathBuf)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .map(|p| (p.file_stem().unwrap().to_str().unwrap().to_owned(), p))
        .collect();
    cases.sort();
    cases
}

/// What the compiler says, whichever proof finds it.
fn refusal(file: &str, text: &str) -> Diagnostics {
    let verified = match compile_source(file, text, &[]).and_then(verify) {
        Ok(verified) => verified,
        Err(found) => return found,
    };
    let mut found = Diagnostics::default();
    for name in &verified.pipeline().targets {
        match hw_targets::target(name) {
            Ok(target) => found.0.extend(codegen::fit(&verified, &target).err().unwrap_or_default().0),
            Err(e) => found.push(Code::TargetUnknown, Loc::default(), e.to_string(), ""),
        }
    }
    found
}

#[test]
fn every_case_is_refused_as_reported() {
    let bless = std::env::var_os("GUIDEWAY_BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, path) in cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = refusal(&format!("{name}.rs"), &text);
        let code = name.split('-').next().unwrap();
        let codes: Vec<&str> = found.0.iter().map(|d| d.code.text()).collect();
        if !codes.contains(&code) {
            wrong.push(format!("{name}: {code} is not among {codes:?}\n{found}"));
            continue;
        }
        let report = render(&format!("{name}.rs"), &text, &found, Style::default());
        let expected = path.with_extension("txt");
        if bless {
            std::fs::write(&expected, &report).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != report {
            wrong.push(format!("{name}: the report differs from {}\n{report}", expected.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let shown: BTreeSet<String> =
        cases().iter().map(|(n, _)| n.split('-').next().unwrap().to_owned()).collect();
    let all: BTreeSet<String> = CODES.iter().map(|c| c.1.to_owned()).collect();
    assert_eq!(shown, all);
}
