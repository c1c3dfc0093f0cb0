//! `tidy`: the workspace's invariants that no compiler checks. Each is a named check that reports
//! `file:line` and what to do.

mod arrows;
mod source;
mod text;
mod user;

use crate::run::{capture, cargo, workspace_root};
use anyhow::{Context, Result, bail};
use source::Source;
use std::fmt;
use std::path::Path;

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    check: &'static str,
    place: String,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [{}] {}", self.place, self.check, self.advice)
    }
}

/// Checks the whole workspace and prints what it finds.
///
/// # Errors
/// Something breaks a rule, or a file can't be read.
pub fn tidy() -> Result<()> {
    let findings = findings(&workspace_root())?;
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break the workspace's rules", findings.len());
    }
    Ok(())
}

fn findings(root: &Path) -> Result<Vec<Finding>> {
    let metadata = capture(cargo(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root), "")?;
    let metadata = serde_json::from_str(&metadata).context("reading cargo's metadata")?;
    let mut findings = arrows::check(&metadata);
    findings.extend(user::find()?);
    for file in source::files(root)? {
        findings.extend(text::check(&file));
        if file.is_rust() {
            findings.extend(source::check(&file));
        }
    }
    Ok(findings)
}

/// A finding at `line` (from 1) of `file`.
fn at(check: &'static str, file: &Source, line: usize, advice: impl Into<String>) -> Finding {
    Finding { check, place: format!("{}:{line}", file.path), advice: advice.into() }
}
