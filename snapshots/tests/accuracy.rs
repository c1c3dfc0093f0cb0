//! `docs/fit-accuracy.md`: what `fit` says of stages and memory beside what the chip's own compiler reports.
//!
//! The compiler's figures stand in `placed.toml`; ours are computed, so a change of the model shows. Where
//! `p4c-barefoot` is on PATH, the rows of the sizes as written are compiled and compared with the file, and
//! `GUIDEWAY_BLESS=1` measures all rows anew; elsewhere one line says that it was skipped.
#![allow(clippy::unwrap_used)]

use codegen::fit::{Chip, most};
use hw_targets::{Target, target};
use pipeline_ir::verify::Verified;
use serde::{Deserialize, Serialize};
use snapshots::case::{Case, emitted};
use snapshots::judge::{Judge, barefoot};
use std::fmt::Write as _;
use std::path::PathBuf;

const HEAD: &str = "\
# How right `fit` is about a chip

Made by `cargo xtask bless` from `snapshots/placed.toml`, which holds the compiler's figures, and from `guideway fit`.
Each case is taken with its sizes as written and with larger ones, as far as keys can tell so many apart; of flows and pools no more
is placed than the target's file says. A row holds if the verdict is the same, the stages are within one, and the blocks of SRAM and
TCAM are each within 10 % or within two blocks. Pipelines that ask for an operation that the chip lacks are no rows: there is no
program to compile.

";

/// What the compiler has reported.
#[derive(Debug, Deserialize, Serialize)]
struct Placed {
    /// Which compiler, with its version.
    compiler: String,
    row: Vec<Row>,
}

/// One compilation. The pipeline's sizes are `times` those of its source.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Row {
    case: String,
    target: String,
    times: u64,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
struct Figures {
    fits: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    stages: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    sram: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    tcam: u64,
    /// Why the compiler refuses it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn placed() -> Placed {
    toml::from_str(&std::fs::read_to_string(root().join("placed.toml")).unwrap()).unwrap()
}

fn pipeline(row: &Row) -> Verified {
    let verified = Case::named(&row.case).unwrap().compile(&[]).unwrap();
    most::scaled(&verified, row.times).unwrap()
}

/// What `fit` says.
fn ours(row: &Row) -> Figures {
    let target = target(&row.target).unwrap();
    let verified = pipeline(row);
    let verdict = codegen::fit::verdict(&verified, &target);
    let fits = verdict.fits();
    let Some((p, _)) = verdict.placement() else {
        return Figures { fits, ..Figures::default() };
    };
    Figures { fits, stages: p.stages.len() as u64, sram: p.sram(), tcam: p.tcam(), why: String::new() }
}

/// Why a row does not hold; nothing: it holds.
fn off(ours: &Figures, theirs: &Figures) -> Vec<&'static str> {
    let near = |a: u64, b: u64| a.abs_diff(b) <= 2 || a.abs_diff(b) * 10 <= b;
    let mut off = Vec::new();
    if ours.fits != theirs.fits {
        off.push("verdict");
    } else if ours.fits {
        let pairs = [
            ("stages", ours.stages.abs_diff(theirs.stages) <= 1),
            ("SRAM", near(ours.sram, theirs.sram)),
            ("TCAM", near(ours.tcam, theirs.tcam)),
        ];
        off.extend(pairs.iter().filter(|p| !p.1).map(|p| p.0));
    }
    off
}

fn figures(f: &Figures) -> String {
    match f.fits {
        true => format!("fits | {} | {} | {}", f.stages, f.sram, f.tcam),
        false if f.stages > 0 => format!("no | ({}) | ({}) | ({})", f.stages, f.sram, f.tcam),
        false => "no | | |".into(),
    }
}

fn page() -> String {
    let placed = placed();
    let mut text = HEAD.to_owned();
    let mut table =
        "| case | target | sizes | `fit` | stages | SRAM | TCAM | compiler | stages | SRAM | TCAM | |\n"
            .to_owned();
    table += &format!("|{}\n", " --- |".repeat(12));
    let (mut holds, mut reasons) = (0, Vec::new());
    for row in &placed.row {
        let (ours, theirs) = (ours(row), &row.figures);
        let off = off(&ours, theirs);
        holds += usize::from(off.is_empty());
        let says = if off.is_empty() { "holds".to_owned() } else { format!("**{}**", off.join(", ")) };
        let Row { case, target, times, .. } = row;
        writeln!(
            table,
            "| `{case}` | `{target}` | x{times} | {} | {} | {says} |",
            figures(&ours),
            figures(theirs)
        )
        .unwrap();
        if !theirs.why.is_empty() {
            reasons.push(format!("- `{case}` on `{target}`, x{times}: {}\n", theirs.why));
        }
    }
    writeln!(text, "Compiler: {}. {holds} of {} rows hold.\n", placed.compiler, placed.row.len()).unwrap();
    text += &table;
    if !reasons.is_empty() {
        text += "\nWhy the compiler refuses:\n\n";
        reasons.iter().for_each(|r| text += r);
    }
    text
}

#[test]
fn the_page_is_what_fit_says() {
    let path = root().join("../docs/fit-accuracy.md");
    let new = page();
    if std::env::var_os("GUIDEWAY_BLESS").is_some() {
        std::fs::write(&path, &new).unwrap();
    }
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(old, new, "look at the difference, then `cargo xtask bless`");
}

/// The P4 of a pipeline, also of one that does not fit: the compiler shall say so.
fn program(verified: &Verified, target: &Target) -> String {
    let fitted = codegen::fit(verified, target).unwrap_or_else(|_| {
        let mut long = target.clone();
        long.limits.get_mut("stages").unwrap().value = 1000;
        codegen::fit(verified, &long).unwrap()
    });
    emitted(&fitted, "p4").unwrap()
}

/// What the compiler reports.
fn measured(row: &Row) -> Figures {
    let target = target(&row.target).unwrap();
    assert!(Chip::of(&target).is_some(), "{} has no stages", row.target);
    let verdict = barefoot::place(&program(&pipeline(row), &target), &target).unwrap();
    let Some(places) = verdict.places else {
        let why = verdict.error().unwrap_or("no reason given").to_owned();
        return Figures { why, ..Figures::default() };
    };
    // It lays out more stages than there are without a word; its assembler refuses them.
    let (stages, there_are) = (places.stages, target.limit("stages").unwrap());
    let fits = stages <= there_are;
    let why = if fits { String::new() } else { format!("laid out in {stages} stages, of {there_are}") };
    Figures { fits, stages, sram: places.sram, tcam: places.tcam, why }
}

#[test]
fn the_compiler_reports_what_is_recorded() {
    let chip = target("tofino").unwrap();
    if Judge::of(&chip).unwrap().skip("the compiler's figures") {
        return;
    }
    let bless = std::env::var_os("GUIDEWAY_BLESS").is_some();
    let mut placed = placed();
    placed.compiler = format!("p4c-barefoot {}", barefoot::version(&chip).unwrap());
    for row in placed.row.iter_mut().filter(|r| bless || r.times == 1) {
        let measured = measured(row);
        if bless {
            row.figures = measured;
        } else {
            assert_eq!(row.figures, measured, "{} on {}", row.case, row.target);
        }
    }
    if bless {
        std::fs::write(root().join("placed.toml"), toml::to_string(&placed).unwrap()).unwrap();
    }
}
