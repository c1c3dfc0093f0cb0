//! Whatever is printed reads back as the same tree.

#![allow(clippy::unwrap_used)]

mod generate;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions(expr in generate::expr()) {
        let text = p4::print::expr(&expr);
        prop_assert_eq!(p4::parse::parse_expr(&text), Ok(expr), "{}", text);
    }

    #[test]
    fn programs(program in generate::program()) {
        let text = p4::print(&program);
        let again = p4::parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&program), "{}", text);
        prop_assert!(!text.lines().any(|line| line.ends_with(' ')), "trailing blanks:\n{}", text);
        prop_assert!(!text.contains("\n\n\n"), "two blank lines:\n{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z<>(){}=;:.,@\"/0-9 \n\\PC]{0,60}") {
        if let Ok(program) = p4::parse(&text) {
            prop_assert_eq!(p4::parse(&p4::print(&program)), Ok(program));
        }
    }

    #[test]
    fn damaged_programs_are_read_or_refused(program in generate::program(), at in 0.0..1.0f64, with in "\\PC{0,3}") {
        let mut text = p4::print(&program);
        let at = text.floor_char_boundary((text.len() as f64 * at) as usize);
        text.truncate(at);
        text.push_str(&with);
        if let Err(error) = p4::parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1);
            prop_assert!(!error.expected.is_empty(), "{:?}", error);
        }
    }
}
