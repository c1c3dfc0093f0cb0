//! The workspace's files, and checks that read Rust as a tree.

use super::{Finding, at};
use crate::run::capture;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Longest function, in lines.
const FUNCTION: usize = 60;

/// One file of the repository.
#[derive(Debug)]
pub(super) struct Source {
    /// From the workspace's root.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The line (from 1) at which the file's tests begin; they end the file.
    pub(super) fn tests_from(&self) -> usize {
        if self.path.contains("/tests/") || self.path.ends_with("tests.rs") {
            return 1;
        }
        let found = self.text.lines().zip(1..).find(|(line, _)| line.trim() == "#[cfg(test)]");
        found.map_or(usize::MAX, |(_, line)| line)
    }

    /// Pipelines are programs in the language: their length is the network's affair.
    pub(super) fn is_pipeline(&self) -> bool {
        self.path.starts_with("snapshots/") && !self.path.starts_with("snapshots/src/")
            || self.path.contains("/pipelines/")
    }
}

/// Every text file that git knows or would take, except what emitters wrote.
pub(super) fn files(root: &Path) -> Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = capture(&mut git, "").context("listing the repository's files")?;
    let written =
        |name: &str| name == "Cargo.lock" || name.starts_with("snapshots/") && name.contains("/out/");
    let mut files = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty() && !written(name)) {
        let path = root.join(name);
        // A file deleted but not committed yet, or a binary one, has no text to check.
        if let Ok(text) = std::fs::read_to_string(&path) {
            files.push(Source { path: name.to_owned(), text });
        }
    }
    Ok(files)
}

pub(super) fn check(file: &Source) -> Vec<Finding> {
    if file.is_pipeline() {
        return Vec::new();
    }
    // What is no Rust is the compiler's to report, and samples of bad input are none on purpose.
    let Ok(tree) = syn::parse_file(&file.text) else { return Vec::new() };
    let mut lengths = Lengths { found: Vec::new() };
    lengths.visit_file(&tree);
    let finding = |(name, line, length): (String, usize, usize)| {
        let advice = format!("fn {name} has {length} lines; at most {FUNCTION}: split it");
        at("function-length", file, line, advice)
    };
    // A test's table of cases is data: it may be as long as there are cases.
    let tests_from = file.tests_from();
    lengths.found.into_iter().filter(|(_, line, _)| *line < tests_from).map(finding).collect()
}

struct Lengths {
    found: Vec<(String, usize, usize)>,
}

impl Lengths {
    fn look(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        let length = last + 1 - first;
        if length > FUNCTION {
            self.found.push((signature.ident.to_string(), first, length));
        }
    }
}

impl<'tree> Visit<'tree> for Lengths {
    fn visit_item_fn(&mut self, function: &'tree syn::ItemFn) {
        self.look(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'tree syn::ImplItemFn) {
        self.look(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'tree syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.look(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: String) -> Vec<String> {
        check(&Source { path: path.into(), text }).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn long_functions_are_found_wherever_they_are() {
        let body = |lines: usize| format!("fn a() {{\n{}}}\n", "x();\n".repeat(lines));
        assert!(found("p4/src/a.rs", body(58)).is_empty());
        let long = found("p4/src/a.rs", body(59));
        assert!(long[0].starts_with("p4/src/a.rs:1: [function-length] fn a has 61 lines"), "{long:?}");
        assert_eq!(found("p4/src/a.rs", format!("impl A {{\n{}}}", body(59))).len(), 1);
        assert_eq!(found("p4/src/a.rs", format!("mod b {{ trait A {{\n{}}} }}", body(59))).len(), 1);
        for path in ["snapshots/acl/pipeline.rs", "p4/tests/a.rs"] {
            assert!(found(path, body(59)).is_empty(), "{path}");
        }
        assert!(found("p4/src/a.rs", format!("#[cfg(test)]\nmod tests {{\n{}}}", body(59))).is_empty());
    }

    #[test]
    fn tests_begin_at_their_attribute() {
        let file = |path: &str, text: &str| Source { path: path.into(), text: text.into() }.tests_from();
        assert_eq!(file("p4/src/a.rs", "a\n#[cfg(test)]\nmod tests {}"), 2);
        assert_eq!(file("p4/src/a.rs", "a"), usize::MAX);
        assert_eq!(file("p4/tests/a.rs", "a"), 1);
    }
}
