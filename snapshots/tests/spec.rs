//! What DPDK's SWX takes without a word and then does wrong is in no `.spec`: offsets beyond 255 bytes, a regarray that a
//! number alone is added to, a hash beyond the first 32 bytes of metadata. And what it refuses: names that are not
//! declared, labels that are not there, too many headers.
#![allow(clippy::unwrap_used)]

use snapshots::case::{Case, emitted};
use std::collections::{BTreeMap, BTreeSet};

/// A program's text, by what is declared.
#[derive(Default)]
struct Spec {
    /// Fields with their first bytes.
    structs: BTreeMap<String, BTreeMap<String, u32>>,
    headers: BTreeMap<String, String>,
    metadata: String,
    regarrays: BTreeSet<String>,
    tables: BTreeSet<String>,
    /// Instructions of each action and of `apply`, with the struct of the arguments.
    code: BTreeMap<String, (String, Vec<Vec<String>>)>,
}

fn read(text: &str) -> Spec {
    let mut spec = Spec::default();
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("//"));
    let (mut block, mut inner, mut at) = (Vec::new(), 0, 0);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), block.as_slice()) {
            (["header", name, "instanceof", ty], []) => {
                assert!(spec.headers.insert((*name).into(), (*ty).into()).is_none(), "{name} twice");
            }
            (["metadata", "instanceof", ty], []) => spec.metadata = (*ty).into(),
            (["regarray", name, "size", _, "initval", "0"], []) => {
                assert!(spec.regarrays.insert((*name).into()), "{name} twice");
            }
            ([.., "{"], []) => {
                block = words.iter().map(|w| (*w).to_owned()).collect();
                at = 0;
                if matches!(words[0], "table" | "learner") {
                    assert!(spec.tables.insert(words[1].into()), "{} twice", words[1]);
                }
            }
            ([.., "{"], _) => inner += 1,
            (["}"], _) if inner > 0 => inner -= 1,
            (["}"], _) => block.clear(),
            ([ty, name], [kind, of, ..]) if kind == "struct" => {
                let bits: u32 = ty.strip_prefix("bit<").unwrap().strip_suffix('>').unwrap().parse().unwrap();
                assert!(bits.is_multiple_of(8) && bits <= 64, "{of}.{name}");
                let fields = spec.structs.entry(of.clone()).or_default();
                assert!(fields.insert((*name).into(), at).is_none(), "{of}.{name} twice");
                at += bits / 8;
            }
            (words, [kind, rest @ ..]) if kind == "action" || kind == "apply" => {
                let name = if kind == "apply" { "apply" } else { rest[0].as_str() };
                let args = rest.get(3).cloned().unwrap_or_default();
                let code = spec.code.entry(name.into()).or_insert((args, Vec::new()));
                code.1.push(words.iter().map(|w| (*w).to_owned()).collect());
            }
            (_, [kind, ..]) if kind == "table" || kind == "learner" => {}
            other => panic!("what is this? {other:?}"),
        }
    }
    spec
}

impl Spec {
    /// The first byte of what an operand names; none for a number.
    fn place(&self, operand: &str, args: &str) -> Option<u32> {
        let parts: Vec<&str> = operand.split('.').collect();
        let (ty, field) = match parts.as_slice() {
            ["m", field] => (&self.metadata, field),
            ["h", header, field] => (self.headers.get(*header).unwrap_or_else(|| panic!("{operand}")), field),
            ["t", field] => (&args.to_owned(), field),
            _ => {
                let hex = operand.strip_prefix("0x").map(|n| u64::from_str_radix(n, 16));
                assert!(
                    hex.unwrap_or_else(|| operand.parse()).is_ok(),
                    "{operand} is neither place nor number"
                );
                return None;
            }
        };
        let fields = self.structs.get(ty).unwrap_or_else(|| panic!("{operand}: no struct {ty}"));
        Some(*fields.get(*field).unwrap_or_else(|| panic!("{operand} is not declared")))
    }

    fn check(&self) {
        assert!(self.headers.len() <= 64, "{} headers", self.headers.len());
        let names =
            self.structs.keys().chain(self.headers.keys()).chain(&self.regarrays).chain(self.code.keys());
        names.for_each(|name| assert!(name.len() < 64, "{name}"));
        for (name, fields) in &self.structs {
            fields.iter().for_each(|(f, at)| assert!(*at < 256, "{name}.{f} begins at byte {at}"));
        }
        for (name, (args, code)) in &self.code {
            let labels: BTreeMap<&str, usize> = code
                .iter()
                .enumerate()
                .filter(|(_, words)| words.get(1).is_some_and(|w| w == ":"))
                .map(|(at, words)| (words[0].as_str(), at))
                .collect();
            for (at, words) in code.iter().enumerate() {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let words = if words.get(1) == Some(&":") { &words[2..] } else { &words[..] };
                if words[0].starts_with("jmp") {
                    let to = labels.get(words[1]).unwrap_or_else(|| panic!("{name}: no label {}", words[1]));
                    assert!(*to > at, "{name}: {words:?} goes back");
                }
                self.instruction(words, args);
            }
        }
    }

    fn instruction(&self, words: &[&str], args: &str) {
        let place = |operand| self.place(operand, args);
        match words {
            ["mov" | "add" | "sub" | "and" | "or" | "xor" | "shl" | "shr", to, from] => {
                assert!(place(to).is_some(), "{words:?} writes a number");
                place(from);
            }
            ["jmpeq" | "jmpneq" | "jmplt" | "jmpgt", _, a, b] => {
                assert!(place(a).is_some(), "{words:?} compares a number first");
                place(b);
            }
            ["regadd" | "regwr", array, cell, value] => {
                assert!(self.regarrays.contains(*array), "{words:?}");
                assert!(
                    place(cell).is_some() || place(value).is_some(),
                    "{words:?} goes to the first regarray"
                );
            }
            ["regrd", to, array, cell] => {
                assert!(self.regarrays.contains(*array), "{words:?}");
                assert!(place(to).is_some());
                place(cell);
            }
            ["hash", _, to, first, last] => {
                assert!(place(to).unwrap() < 32, "{words:?} is written elsewhere");
                assert!(place(first).unwrap() <= place(last).unwrap());
            }
            ["table", name] => assert!(self.tables.contains(*name), "{words:?}"),
            ["extract" | "emit" | "validate" | "invalidate" | "lookahead", header] => {
                assert!(self.headers.contains_key(header.strip_prefix("h.").unwrap()), "{words:?}");
            }
            ["jmpv" | "jmpnv", _, header] => {
                assert!(self.headers.contains_key(header.strip_prefix("h.").unwrap()), "{words:?}");
            }
            ["jmpa" | "jmpna", _, action] => assert!(self.code.contains_key(*action), "{words:?}"),
            ["learn", action, timeout] => {
                assert!(self.code.contains_key(*action) && place(timeout).is_some(), "{words:?}");
            }
            ["jmp" | "jmph" | "jmpnh", _] | ["return"] | ["tx", "255"] => {}
            ["rx" | "tx" | "entryid" | "rearm", to] => assert!(to.starts_with("m.") && place(to).is_some()),
            other => panic!("no instruction: {other:?}"),
        }
    }
}

fn swx_takes_it_as_it_is_meant(case: &str) {
    let case = Case::named(case).unwrap();
    let verified = case.sized().unwrap();
    let target = hw_targets::target("dpdk").unwrap();
    let Ok(fitted) = codegen::fit(&verified, &target) else {
        assert_eq!(case.name, "acl", "all others fit");
        return;
    };
    let spec = read(&emitted(&fitted, "spec").unwrap());
    assert!(spec.code["apply"].1.len() > 10, "{}", case.name);
    spec.check();
}

macro_rules! case {
    ($module:ident, $name:literal) => {
        mod $module {
            #[test]
            fn swx_takes_it_as_it_is_meant() {
                super::swx_takes_it_as_it_is_meant($name);
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/cases.rs"));
