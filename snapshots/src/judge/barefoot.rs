//! p4c's back end for Tofino: it finds a place for a program, and reports it.

use super::{Judge, Judged};
use anyhow::{Context as _, Result};
use hw_targets::Target;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the compiler has laid a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Stages, to the last that has a table. More than the chip has are laid out without a word.
    pub stages: u64,
    /// Blocks of SRAM.
    pub sram: u64,
    /// Blocks of TCAM.
    pub tcam: u64,
}

/// What the compiler says of a program, and where it has laid it; no place if it refuses.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Its places.
    pub places: Option<Places>,
    /// All that it has said.
    pub said: String,
}

impl Verdict {
    /// Its warnings about the program. It warns about its own parser states, too.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.said.lines().filter(|line| line.contains("program.p4") && line.contains("warning"))
    }

    /// Its first error, in its words.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.said.lines().find_map(|line| line.split_once("error:")).map(|(_, error)| error.trim())
    }
}

/// Has the compiler lay out a program for a chip.
///
/// # Errors
/// It can't be run, or its report can't be read.
pub fn place(p4: &str, target: &Target) -> Result<Verdict> {
    let judged = Judge::of(target)?.ask(p4, &["-g", "--verbose"])?;
    let places = judged.status.success().then(|| places(&report(&judged))).transpose()?;
    Ok(Verdict { places, said: judged.said })
}

/// The compiler's version, as 9.13.4.
///
/// # Errors
/// It can't be run, or tells none.
pub fn version(target: &Target) -> Result<String> {
    let out = Command::new(Judge::of(target)?.program).arg("--version").output()?;
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let version = said.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    Ok(version.with_context(|| format!("no version: {said}"))?.to_owned())
}

fn report(judged: &Judged) -> PathBuf {
    judged.out().join("pipe/logs/resources.json")
}

/// Reads the compiler's report.
fn places(report: &Path) -> Result<Places> {
    let text = std::fs::read_to_string(report).with_context(|| report.display().to_string())?;
    let report: Value = serde_json::from_str(&text)?;
    let stages = report["resources"]["mau"]["mau_stages"].as_array().context("no stages in the report")?;
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let used = |v: &Value| list(v).iter().filter(|b| !list(&b["usages"]).is_empty()).count() as u64;
    let mut places = Places::default();
    for stage in stages {
        if !list(&stage["logical_tables"]["ids"]).is_empty() {
            let number = stage["stage_number"].as_u64().context("a stage without a number")?;
            places.stages = places.stages.max(number + 1);
        }
        places.sram += used(&stage["rams"]["srams"]);
        places.tcam += used(&stage["tcams"]["tcams"]);
    }
    Ok(places)
}
