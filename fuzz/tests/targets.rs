//! Target files: any text gives a target or an error, and what is a target can be fitted to.
#![allow(clippy::unwrap_used)]

use fuzz::{Choices, mutate, target, words};
use hw_targets::Target;
use pipeline_ir::verify::Verified;
use std::path::Path;
use std::sync::LazyLock;

static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hw-targets/targets");
    hw_targets::names().map(|n| std::fs::read_to_string(dir.join(format!("{n}.toml"))).unwrap()).collect()
});

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut all: Vec<&str> = FILES.iter().flat_map(|f| words(f)).collect();
    all.extend([
        "-1",
        "1e400",
        "18446744073709551616",
        "inf",
        "1979-05-27",
        "\"\"\"",
        "'",
        "[[",
        "]]",
        "\\u{1}",
    ]);
    all.sort_unstable();
    all.dedup();
    all
});

static PIPELINE: LazyLock<Verified> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline/pipelines/l4lb.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let pipeline = pipeline_syntax::compile_source("l4lb.rs", &text, &[]).unwrap();
    pipeline_ir::verify::verify(pipeline).unwrap()
});

fn check(text: &str) {
    match Target::parse("mutant", text) {
        Ok(target) => {
            target.check().unwrap();
            match codegen::fit(&PIPELINE, &target) {
                Ok(fitted) => assert!(!fitted.report().is_empty()),
                Err(found) => assert!(!found.is_empty()),
            }
        }
        Err(e) => assert!(e.to_string().starts_with("target"), "{e}"),
    }
}

#[test]
fn any_text() {
    target!(5000, |input: &[u8]| check(&String::from_utf8_lossy(input)));
}

#[test]
fn mutants() {
    target!(400, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut pieces = words(&FILES[choices.below(FILES.len())]);
        mutate(&mut pieces, &WORDS, &mut choices);
        check(&pieces.concat());
    });
}
