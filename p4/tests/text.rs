//! Hand-written programs in canonical form, and what is wrong with wrong ones.

#![allow(clippy::unwrap_used)]

use p4::parse::{MAX_DEPTH, parse_expr};
use p4::print;

/// Each `NAME.p4` prints as `NAME.out.p4`, which prints as itself.
fn check(input: &str, expected: &str) {
    let program = p4::parse(input).unwrap();
    let text = p4::print(&program);
    assert_eq!(text, expected, "canonical form:\n{text}");
    assert_eq!(p4::parse(&text).unwrap(), program);
}

#[test]
fn hand_formatting_becomes_canonical() {
    check(include_str!("cases/table.p4"), include_str!("cases/table.out.p4"));
}

#[test]
fn parentheses_stay_where_they_are_needed_or_help() {
    let cases = [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a&b==c", "(a & b) == c"),
        ("a&(b==c)", "a & (b == c)"),
        ("a|b^c&d", "a | (b ^ (c & d))"),
        ("a<<b+c", "a << (b + c)"),
        ("a++b++c", "a ++ b ++ c"),
        ("a++(b++c)", "a ++ (b ++ c)"),
        ("a++b+c", "(a ++ b) + c"),
        ("a||b&&c||d", "a || b && c || d"),
        ("(a||b)&&c", "(a || b) && c"),
        ("!(a&&b)", "!(a && b)"),
        ("!a.isValid()", "!a.isValid()"),
        ("((bit<8>)x)[3:0]", "((bit<8>) x)[3:0]"),
        ("(bit<8>)x[3:0]", "(bit<8>) x[3:0]"),
        ("(bit<8>)-x", "(bit<8>) -x"),
        ("(t)-x", "t - x"),
        ("(t)(-x)", "(t) (-x)"),
        ("(t)x", "(t) x"),
        ("a?b:c?d:e", "a ? b : (c ? d : e)"),
        ("f<bit<8>>(x)", "f<bit<8>>(x)"),
        ("f <b && c>(x)", "f < b && c > x"),
        ("a >> b > c", "(a >> b) > c"),
        ("a |+| b |-| c", "a |+| b |-| c"),
        ("{ }", "{ }"),
        ("{ a = 1, b = { 2, }, }", "{ a = 1, b = { 2 } }"),
        ("16w0x0800 + 0b0_1 + 8s5 + 0xFF", "16w0x0800 + 0b01 + 8s5 + 0xff"),
    ];
    for (input, expected) in cases {
        assert_eq!(print::expr(&parse_expr(input).unwrap()), expected, "{input}");
    }
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let cases = [
        ("const bit<8> x = ;", "1:18: expected an expression, found ';'"),
        ("header h {\n    bit<8> x\n}", "3:1: expected `;`, found '}'"),
        ("control C() { apply { x = 1 } }", ""),
        ("parser P() { state start { transition } }", "1:39: expected a name, found '}'"),
        ("#define X 1\n", "1:1: expected `#include <path>` or `#include \"path\"`, found '#'"),
        ("/* open", "1:1: expected a comment that ends in `*/`, found '/'"),
        ("const bit<8> x = \"open", "1:18: expected a string that ends in `\"`, found '\"'"),
        ("const bit<8> ä = 1;", "1:14: expected a name, a number or an operator, found `ä`"),
        (
            "const bit<8> x = 0x1ffffffffffffffffffffffffffffffff;",
            "1:18: expected a number of up to 128 bits, found `0x1ffffffffffffffffffffffffffffffff`",
        ),
        ("const bit<99999999999> x = 1;", "1:11: expected a number of up to 32 bits, found `99999999999`"),
    ];
    for (input, expected) in cases {
        let error = p4::parse(input).unwrap_err().to_string();
        if expected.is_empty() {
            assert!(error.starts_with("1:29: expected ") && error.contains("`;`"), "{error}");
        } else {
            assert_eq!(error, expected, "{input}");
        }
    }
}

#[test]
fn nesting_is_bounded_and_does_not_overflow_the_stack() {
    let deep = |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    let most = MAX_DEPTH as usize - 1;
    for (open, close, most) in [
        ("(", ")", most),
        ("{", "}", most),
        ("-", "", most),
        ("!", "", most),
        ("(bit<8>)", "", most),
        ("f(", ")", most),
        ("a[", "]", most),
        // Each is printed in parentheses.
        ("a?b:", "", most.div_ceil(2)),
        ("a?", ":b", most.div_ceil(2)),
        ("1==", "", most + 2),
    ] {
        let expr = parse_expr(&deep(open, close, most)).unwrap_or_else(|e| panic!("{open}: {e}"));
        assert_eq!(parse_expr(&p4::print::expr(&expr)), Ok(expr), "{open}");
        let error = parse_expr(&deep(open, close, 50_000)).unwrap_err();
        let deeper = ["fewer levels of nesting", "a shorter expression"];
        assert!(deeper.contains(&error.expected.as_str()), "{open}: {error}");
        let error = parse_expr(&deep(open, close, most + 2)).unwrap_err();
        assert_eq!(error.expected, "fewer levels of nesting", "{open}");
    }
    for (open, close) in [("x+", ""), ("", ".m"), ("", "()"), ("", "[1]")] {
        assert_eq!(
            parse_expr(&deep(open, close, 50_000)).unwrap_err().expected,
            "a shorter expression",
            "{close}"
        );
    }
    for (open, close) in [("{", "}"), ("if (a) ", ""), ("if (a) {} else ", ""), ("switch (a) { b: {", "}}")] {
        let program =
            format!("control C() {{ apply {{ {};{} }} }}", open.repeat(50_000), close.repeat(50_000));
        assert_eq!(p4::parse(&program).unwrap_err().expected, "fewer levels of nesting", "{open}");
    }
    let types = format!("{}x{} y;", "a<".repeat(50_000), ">".repeat(50_000));
    assert_eq!(p4::parse(&types).unwrap_err().expected, "fewer levels of nesting");
}
