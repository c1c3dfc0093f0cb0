//! What is wrong is told at its place, and nothing that is wrong fills the memory. Any text at all is `fuzz`'s affair.
#![allow(clippy::unwrap_used)]

use pipeline_syntax::compile_source;

fn with(control: &str) -> String {
    format!(
        "#[pipeline] mod a {{ struct Headers {{}} struct Meta {{ n: bit<8> }}
#[state] fn start(p: &mut Packet) -> State {{ accept }}
fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {{ {control} }} }}"
    )
}

/// What stands at the place of the only error.
fn place(text: &str, message: &str) -> String {
    let found = compile_source("place.rs", text, &[]).unwrap_err();
    let [error] = &found.0[..] else { panic!("{found}") };
    assert!(error.message.contains(message), "{found}");
    assert_eq!(error.at.line, error.at.end_line, "{found}");
    let line = text.lines().nth(error.at.line as usize - 1).unwrap();
    let (start, end) = (error.at.column as usize, error.at.end_column as usize);
    line.chars().skip(start).take(end - start).collect()
}

#[test]
fn what_has_no_text_is_told_at_what_stands_beside_it() {
    for (control, message, at) in
        [("", "gives no verdict", "ingress"), ("m.n = 1; ; pass()", "statement is empty", ";")]
    {
        assert_eq!(place(&with(control), message), at, "{control}");
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
