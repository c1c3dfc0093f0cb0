//! The P4 parser takes any text: it gives a program that prints and reads again as itself, or an error inside the text.
#![allow(clippy::unwrap_used)]

use fuzz::{Choices, mutate, target, words};
use std::path::Path;
use std::sync::LazyLock;

/// What the P4 emitter writes for every case.
static PROGRAMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots");
    let mut outs: Vec<_> = std::fs::read_dir(cases).unwrap().map(|e| e.unwrap().path().join("out")).collect();
    outs.sort();
    let files = outs.iter().flat_map(|out| std::fs::read_dir(out).into_iter().flatten().flatten());
    let mut files: Vec<_> = files.map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "p4"));
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    files.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect()
});

static SHORTER: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let short: Vec<&str> = PROGRAMS.iter().map(String::as_str).filter(|p| p.len() < 20_000).collect();
    assert!(short.len() > 5);
    short
});

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut all: Vec<&str> = PROGRAMS.iter().flat_map(|p| words(p)).collect();
    all.extend([
        "error",
        "match_kind",
        "extern",
        "tuple",
        "varbit<8>",
        "int",
        "string",
        "8w0x1f",
        "8s-1",
        "0b1_0",
        "0o17",
        "...",
        "_",
        "&&&",
        "..",
        "++",
        "|+|",
        "|-|",
        "?",
        "@pragma",
        "@id(1)",
        "\"\\n\"",
        "#include",
        "/*",
        "*/",
        "//",
        "\u{e9}",
        "type",
        "typedef",
        "enum",
        "header_union",
        "switch",
        "default",
        "exit",
        "return",
        "this",
        "true",
        "void",
        "list",
    ]);
    all.sort_unstable();
    all.dedup();
    all
});

fn check(text: &str) {
    match p4::parse(text) {
        Ok(program) => {
            let printed = p4::print(&program);
            assert_eq!(p4::parse(&printed).as_ref(), Ok(&program), "of:\n{text}\nprinted:\n{printed}");
            assert_eq!(p4::print(&program), printed);
        }
        Err(e) => {
            let line = text.split('\n').nth(e.line - 1).unwrap_or_else(|| panic!("{e} of:\n{text}"));
            assert!(e.column >= 1 && e.column <= line.chars().count() + 1, "{e} of:\n{text}");
            assert!(!e.expected.is_empty() && !e.found.is_empty(), "{e:?}");
        }
    }
    if let Ok(expr) = p4::parse::parse_expr(text) {
        assert_eq!(p4::parse::parse_expr(&p4::print::expr(&expr)), Ok(expr), "{text}");
    }
}

#[test]
fn any_text() {
    target!(5000, |input: &[u8]| check(&String::from_utf8_lossy(input)));
}

#[test]
fn any_words() {
    target!(3000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let frames =
            ["", "control c() { apply { ", "parser p() { state start { ", "action a() { x = ", "table t { "];
        let mut text = choices.pick(&frames).to_string();
        while !choices.is_empty() && text.len() < 4000 {
            text += WORDS[choices.below(WORDS.len())];
            text.push(' ');
        }
        check(&text);
        check(&format!("{text} }} }}"));
    });
}

#[test]
fn mutants() {
    target!(600, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut pieces = words(SHORTER[choices.below(SHORTER.len())]);
        mutate(&mut pieces, &WORDS, &mut choices);
        check(&pieces.concat());
    });
}

/// Expressions of few kinds of tokens: many of them are sound.
#[test]
fn expressions() {
    const TOKENS: [&str; 36] = [
        "a", "b.c", "1", "8w3", "true", "(", ")", "[", "]", "{", "}", ",", ":", "?", "+", "-", "*", "/", "%",
        "&", "|", "^", "~", "!", "<<", ">>", "<", ">", "<=", "==", "&&", "||", "++", "(bit<8>)", "f(", "|+|",
    ];
    target!(10_000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut text = String::new();
        for _ in 0..24 {
            if choices.is_empty() {
                break;
            }
            text += TOKENS[choices.below(TOKENS.len())];
            text.push(' ');
        }
        check(&text);
        check(&format!("const bit<8> x = {text};"));
    });
}

#[test]
fn deep_and_long_text() {
    const OPEN: [(&str, &str); 16] = [
        ("(", ")"),
        ("{", "}"),
        ("a[", "]"),
        ("!", ""),
        ("-", ""),
        ("(bit<8>)", ""),
        ("f(", ")"),
        ("1 + ", ""),
        ("1 == ", ""),
        ("1 & 1 == ", ""),
        ("a ? b : ", ""),
        ("a ? ", " : b"),
        ("if (a) { ", "}"),
        ("if (a) x = 1; else ", ""),
        ("tuple<", ">"),
        ("@a(", ")"),
    ];
    target!(200, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let (mut before, mut after) = (String::new(), String::new());
        for _ in 0..=choices.below(2) {
            let (open, close) = choices.pick(&OPEN);
            let many = [10, 24, 47, 48, 49, 300, 2000][choices.below(7)];
            before += &open.repeat(many);
            after = close.repeat(many) + &after;
        }
        check(&format!("{before}1{after}"));
        check(&format!("const bit<8> x = {before}1{after};"));
        check(&format!("control c() {{ apply {{ {before} x = 1; {after} }} }}"));
        check(&format!("{before} x;"));
    });
}
