//! Checks that read lines.

use super::source::Source;
use super::{Finding, at};

/// Longest file, in lines.
const FILE: usize = 600;

/// A rule about words on a line: `(name, where, what, what to do)`.
struct Words {
    check: &'static str,
    applies: fn(&str) -> bool,
    found: fn(&str) -> bool,
    advice: &'static str,
}

/// Words are put together here, so that this file doesn't break its own rules.
const RULES: &[Words] = &[
    Words {
        check: "open-ends",
        applies: |_| true,
        found: |line| {
            [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")].iter().any(|w| has_word(line, w))
        },
        advice: "finish it, or open an issue; code says what is",
    },
    Words {
        check: "machine-paths",
        applies: |_| true,
        found: |line| {
            [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")]
                .iter()
                .any(|w| line.contains(w))
        },
        advice: "a path of one machine means nothing on another: make it relative",
    },
    Words {
        check: "total-emitters",
        applies: |path| emitter(path),
        found: |line| {
            ["panic!", "todo!", "unimplemented!", "unreachable!", ".unwrap()", ".expect("]
                .iter()
                .any(|w| line.contains(w))
        },
        advice: "an emitter is total: let `fit` or `verify` exclude the case, or make the type say so",
    },
    Words {
        check: "target-names",
        applies: |path| path.starts_with("codegen/src") || path.starts_with("pipeline/ir/src"),
        found: compares_target_name,
        advice: "no code compares a target's name: ask what it provides, its limits or its recipes",
    },
    Words {
        check: "no-io",
        applies: |path| ["pipeline/ir/src", "codegen/src", "p4/src"].iter().any(|f| path.starts_with(f)),
        found: |line| {
            ["std::fs", "std::net", "std::process", "std::env::var", "File::open"]
                .iter()
                .any(|w| line.contains(w))
        },
        advice: "the compile path does no I/O: return data, and let the CLI or the macro write it",
    },
];

fn emitter(path: &str) -> bool {
    ["p4", "xdp", "rust"].iter().any(|backend| path.starts_with(&format!("codegen/src/{backend}")))
        && path.ends_with(".rs")
}

fn compares_target_name(line: &str) -> bool {
    ["bmv2", "xdp", "native", "tofino", "tofino2", "dpdk"].iter().any(|name| {
        let quoted = format!("\"{name}\"");
        line.match_indices(&quoted).any(|(at, _)| {
            let (before, after) = (line[..at].trim_end(), line[at + quoted.len()..].trim_start());
            before.ends_with("==")
                || before.ends_with("!=")
                || before.ends_with("eq(")
                || after.starts_with("==")
                || after.starts_with("!=")
                || after.starts_with("=>")
                || after.starts_with('|')
        })
    })
}

/// True when `word` stands alone on `line`.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !letter(line[..at].chars().next_back()) && !letter(line[at + word.len()..].chars().next())
    })
}

pub(super) fn check(file: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    if file.is_rust() && !file.is_pipeline() && lines > FILE {
        let advice = format!("{lines} lines; a file holds one idea in at most {FILE}: split it");
        findings.push(at("file-length", file, lines, advice));
    }
    let tests_from = file.tests_from();
    for (line, number) in file.text.lines().zip(1..) {
        for rule in RULES.iter().filter(|rule| (rule.applies)(&file.path)) {
            let comment = line.trim_start().starts_with("//");
            let everywhere = matches!(rule.check, "open-ends" | "machine-paths");
            if (everywhere || !comment && number < tests_from) && (rule.found)(line) {
                findings.push(at(rule.check, file, number, rule.advice));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<&'static str> {
        let file = Source { path: path.into(), text: text.into() };
        check(&file).into_iter().map(|finding| finding.check).collect()
    }

    #[test]
    fn each_rule_finds_its_bad_sample_and_spares_the_good_one() {
        let cases = [
            ("p4/src/a.rs", concat!("// TO", "DO: later"), "open-ends", "// METHODOLOGY"),
            ("docs/a.md", concat!("see /ho", "me/me/x"), "machine-paths", "see /usr/include"),
            ("codegen/src/xdp/a.rs", "x.unwrap();", "total-emitters", "x.unwrap_or(1);"),
            ("codegen/src/p4/a.rs", "unreachable!()", "total-emitters", "// never unreachable!()"),
            ("codegen/src/fit/a.rs", "if name == \"bmv2\" {", "target-names", "load(\"bmv2\")"),
            ("codegen/src/fit/a.rs", "\"xdp\" => 1,", "target-names", "let names = [\"xdp\", \"native\"];"),
            ("pipeline/ir/src/a.rs", "std::fs::read(p)", "no-io", "std::fmt::Display"),
        ];
        for (path, bad, check, good) in cases {
            assert_eq!(found(path, bad), [check], "{bad}");
            assert_eq!(found(path, good), [""; 0], "{good}");
        }
    }

    #[test]
    fn rules_hold_where_they_belong() {
        assert!(found("cli/src/a.rs", "std::fs::read(p)").is_empty());
        assert!(found("codegen/src/fit/a.rs", "x.unwrap();").is_empty());
        assert!(
            found("codegen/src/xdp/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\nx.unwrap();\n}").is_empty()
        );
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(found("p4/src/a.rs", &"\n".repeat(601)), ["file-length"]);
        assert!(found("p4/src/a.rs", &"\n".repeat(600)).is_empty());
        assert!(found("Cargo.lock", &"\n".repeat(601)).is_empty());
    }
}
