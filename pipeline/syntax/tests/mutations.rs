//! No input makes the front end panic: mutated sources, from a fixed seed, give a pipeline or diagnostics.
#![allow(clippy::unwrap_used)]

use pipeline_ir::verify::verify;
use pipeline_syntax::compile_source;

const SOURCES: [&str; 3] = [
    include_str!("../../pipelines/l4lb.rs"),
    include_str!("../../pipelines/decap.rs"),
    include_str!("../../../snapshots/count/pipeline.rs"),
];

/// A small generator of its own: xorshift, 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// What the front end says of this text, and that verify bears what it made.
fn survive(text: &str) {
    let (pipeline, spans, found) = pipeline_syntax::parse_file("mutant.rs", text, &[]);
    let lines = text.lines().count() as u32 + 1;
    for d in &found.0 {
        assert!(d.at.line <= lines, "{:?} lies outside", d.at);
        assert!(!d.message.is_empty());
        let _ = spans.error(d);
    }
    if found.is_empty() {
        let _ = verify(pipeline);
    }
}

/// Words of a source: what mutations move about.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = ' ';
    for (i, c) in text.char_indices() {
        let joined = |c: char| c.is_alphanumeric() || c == '_';
        if i > 0 && !(joined(last) && joined(c)) {
            words.push(&text[start..i]);
            start = i;
        }
        last = c;
    }
    words.push(&text[start..]);
    words
}

#[test]
fn words_moved_about_are_survived() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let smaller = &SOURCES[1..];
    for round in 0..600 {
        let source = smaller[round % smaller.len()];
        let mut mutant = words(source);
        for _ in 0..=random.below(4) {
            let (i, j) = (random.below(mutant.len()), random.below(mutant.len()));
            match random.below(4) {
                0 => mutant.swap(i, j),
                1 => mutant[i] = mutant[j],
                2 => {
                    mutant.remove(i);
                }
                _ => mutant.insert(i, mutant[j]),
            }
        }
        survive(&mutant.concat());
    }
}

#[test]
fn the_load_balancer_mutated_is_survived() {
    let mut random = Random(7);
    for _ in 0..40 {
        let mut mutant = words(SOURCES[0]);
        let (i, j) = (random.below(mutant.len()), random.below(mutant.len()));
        mutant[i] = mutant[j];
        survive(&mutant.concat());
    }
}

#[test]
fn cut_text_is_survived() {
    for source in &SOURCES[1..] {
        for end in (0..source.len()).step_by(97) {
            if source.is_char_boundary(end) {
                survive(&source[..end]);
            }
        }
    }
}

#[test]
fn deep_and_long_text_is_refused_not_overflowed() {
    let body = |inside: &str| {
        format!(
            "#[pipeline] mod a {{ struct Headers {{}} #[state] fn start(p: &mut Packet) -> State {{ accept }}
             fn ingress(h: &mut Headers) -> Verdict {{ {inside} }} }}"
        )
    };
    let many = |s: &str, n: usize| s.repeat(n);
    for inside in [
        format!("let x: bit<8> = {}1{}; pass()", many("(", 5_000), many(")", 5_000)),
        format!("let x: bit<8> = {}1{}; pass()", many("(", 40), many(")", 40)),
        format!("let x: bool = {}true; pass()", many("!", 5_000)),
        format!("let x: bool = {}true; pass()", many("!", 500)),
        format!("let x: bit<8> = 1 {}; pass()", many("+ 1", 5_000)),
        format!("let x: bit<32> = FRAME_LENGTH {}; pass()", many("+ 1", 300)),
        format!("if true {{}} {} pass()", many("else if true {}", 5_000)),
        format!("if FRAME_LENGTH == 1 {{}} {} pass()", many("else if FRAME_LENGTH == 2 {}", 120)),
        format!("{} pass() {}", many("{", 5_000), many("}", 5_000)),
        format!("{} pass() {}", many("{", 40), many("}", 40)),
    ] {
        survive(&body(&inside));
    }
}

#[test]
fn calls_that_double_are_refused() {
    let mut text = "#[pipeline] mod a { struct Headers {} struct Meta { n: bit<8> }
        #[state] fn start(p: &mut Packet) -> State { accept }
        fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict { f0(m); pass() }\n"
        .to_owned();
    for i in 0..30 {
        text += &format!("fn f{i}(m: &mut Meta) {{ f{0}(m); f{0}(m); }}\n", i + 1);
    }
    text += "fn f30(m: &mut Meta) { m.n += 1; } }";
    let found = compile_source("doubling.rs", &text, &[]).unwrap_err();
    assert!(found.0.iter().any(|d| d.message.contains("20000 statements")), "{found}");
}
