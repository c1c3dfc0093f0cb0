//! No source makes the compiler panic: it gives a pipeline, or diagnostics that lie inside the file. What is sound goes
//! on to every emitter, and the oracle runs it.
#![allow(clippy::unwrap_used)]

use fuzz::{Choices, mutate, target, words};
use pipeline_ir::eval::Oracle;
use pipeline_ir::verify::{Verified, verify};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Every pipeline of this repository: the built-in ones, the cases, and what is refused.
static SOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = |dir: &str| -> Vec<PathBuf> {
        let found = std::fs::read_dir(root.join(dir)).unwrap().map(|e| e.unwrap().path());
        found.map(|p| if p.is_dir() { p.join("pipeline.rs") } else { p }).collect()
    };
    let dirs = ["pipeline/pipelines", "snapshots", "snapshots/reject"];
    let mut all: Vec<PathBuf> = dirs.iter().flat_map(|d| sources(d)).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "rs") && p.is_file());
    all.retain(|p| !p.ends_with("build.rs"));
    all.sort();
    all.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect()
});

/// Those without the longest, which would take all the time.
static SHORTER: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let short: Vec<&str> = SOURCES.iter().map(String::as_str).filter(|s| s.len() < 8000).collect();
    assert!(short.len() > 40 && short.len() < SOURCES.len());
    short
});

/// Words of all of them.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut all: Vec<&str> = SOURCES.iter().flat_map(|s| words(s)).collect();
    all.extend([
        "\u{301}",
        "r#\"",
        "b'",
        "\"",
        "'",
        "0x",
        "1e9",
        "loop",
        "while",
        "unsafe",
        "macro_rules!",
        "\0",
    ]);
    all.sort_unstable();
    all.dedup();
    all
});

/// Does this place lie inside the text?
fn inside(text: &str, line: u32, column: u32) -> bool {
    let Some(line) = text.split('\n').nth((line as usize).wrapping_sub(1)) else { return false };
    column as usize <= line.chars().count()
}

/// What the front end says of this text, and what all that follows makes of it.
fn survive(text: &str) {
    let (pipeline, spans, found) = pipeline_syntax::parse_file("mutant.rs", text, &[]);
    let verified = if found.is_empty() { verify(pipeline) } else { Err(found) };
    match verified {
        Ok(verified) => go_on(&verified),
        Err(found) => {
            assert!(!found.is_empty(), "neither a pipeline nor a diagnostic");
            let style = pipeline_syntax::render::Style::default();
            assert!(!pipeline_syntax::render::render("mutant.rs", text, &found, style).is_empty());
            for d in &found.0 {
                assert!(!d.message.is_empty(), "{d:?}");
                let _ = spans.error(d);
                // The only one that is about no place.
                if d.message == "this file has no pipeline" {
                    continue;
                }
                let places = [(d.at.line, d.at.column), (d.at.end_line, d.at.end_column)];
                assert!(places.iter().all(|p| inside(text, p.0, p.1)), "{d:?} lies outside of:\n{text}");
                assert!(places[0] <= places[1], "{d:?}");
            }
        }
    }
}

/// Fits and emits for every target, reads the P4 again, and sends a few frames through the oracle.
fn go_on(verified: &Verified) {
    assert!(!pipeline_ir::print::print(verified.pipeline()).is_empty());
    for target in hw_targets::names().map(|n| hw_targets::target(n).unwrap()) {
        let Ok(fitted) = codegen::fit(verified, &target) else { continue };
        if !target.emits {
            continue;
        }
        let files = codegen::emit(&fitted).unwrap();
        for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".p4")) {
            let text = std::str::from_utf8(bytes).unwrap();
            let program = p4::parse(text).unwrap_or_else(|e| panic!("{path}: {e}\n{text}"));
            assert_eq!(p4::parse(&p4::print(&program)), Ok(program), "{path}");
        }
    }
    // A table of the largest size would take all memory.
    let p = verified.pipeline();
    let flows: u64 = p.flow_tables.iter().map(|t| u64::from(t.entries)).sum();
    let slots: u64 = p.rings.iter().map(|r| u64::from(r.slots) * u64::from(r.pools)).sum();
    if flows + slots > 1 << 23 {
        return;
    }
    let mut oracle = Oracle::new(verified, 1 << 26);
    for length in [0, 13, 14, 33, 34, 54, 60, 200] {
        for byte in [0, 0x45, 0xff] {
            oracle.process(1, 7, &vec![byte; length]);
        }
    }
}

#[test]
fn any_text() {
    target!(5000, |input: &[u8]| survive(&String::from_utf8_lossy(input)));
}

#[test]
fn any_words() {
    target!(3000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut text = String::new();
        let framed = choices.below(4) > 0;
        if framed {
            text += "#[pipeline] mod a { struct Headers {} struct Meta { n: bit<8> } enum Reason { No }
                #[state] fn start(p: &mut Packet) -> State { accept }
                fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict { ";
        }
        while !choices.is_empty() && text.len() < 4000 {
            text += WORDS[choices.below(WORDS.len())];
            text.push(' ');
        }
        if framed {
            text += " pass() } }";
        }
        survive(&text);
    });
}

#[test]
fn mutants() {
    target!(1000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut pieces = words(SHORTER[choices.below(SHORTER.len())]);
        mutate(&mut pieces, &WORDS, &mut choices);
        survive(&pieces.concat());
    });
}

#[test]
fn mutants_of_the_longest() {
    target!(50, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut pieces = words(SOURCES.iter().max_by_key(|s| s.len()).unwrap());
        mutate(&mut pieces, &WORDS, &mut choices);
        survive(&pieces.concat());
    });
}

#[test]
fn cut_text() {
    target!(400, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let source = SHORTER[choices.below(SHORTER.len())];
        let end = source.floor_char_boundary(choices.below(65536) % source.len());
        survive(&format!("{}{}", &source[..end], String::from_utf8_lossy(choices.bytes(8))));
    });
}

/// Text that is deep or long is refused, and no stack overflows.
#[test]
fn deep_and_long_text() {
    const OPEN: [(&str, &str, &str); 12] = [
        ("let x: bit<8> = ", "(", ")"),
        ("let x: bit<8> = ", "{", "}"),
        ("let x: bit<8> = 1", " + 1", ""),
        ("let x: bool = ", "!", ""),
        ("let x: bool = ", "-", ""),
        ("let x: bool = ", "&", ""),
        ("let x: bit<8> = h", ".a", ""),
        ("let x: bit<8> = 1", " as bit<8>", ""),
        ("", "{", "}"),
        ("if true {}", " else if true {}", ""),
        ("if true ", "{ if true ", "}"),
        ("", "match 1 { _ => ", "}"),
    ];
    target!(400, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut inside = String::new();
        for _ in 0..=choices.below(2) {
            let (before, open, close) = choices.pick(&OPEN);
            let many = [30, 47, 48, 120, 128, 300, 640, 5000][choices.below(8)];
            inside += &format!("{before}{}1{}; ", open.repeat(many), close.repeat(many));
        }
        survive(&format!(
            "#[pipeline] mod a {{ struct Headers {{}} #[state] fn start(p: &mut Packet) -> State {{ accept }}
             fn ingress(h: &mut Headers) -> Verdict {{ {inside} pass() }} }}"
        ));
    });
}
