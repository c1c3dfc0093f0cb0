//! Whatever is printed reads back as the same tree. Texts that nobody printed are `fuzz`'s affair.

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
}
