//! `docs/targets.md` is what the target files and `fit` say; `cargo xtask bless` writes it anew.
#![allow(clippy::unwrap_used)]

use hw_targets::{Level, Target};
use pipeline_ir::verify::Verified;
use snapshots::case::Case;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# Targets

Made from `hw-targets/targets/*.toml` and `guideway fit` by `cargo xtask bless`.

";

fn level(level: Level) -> &'static str {
    match level {
        Level::Compiled => "compiled",
        Level::Placed => "placed",
        Level::Ran => "ran",
        Level::ByteExact => "byte-exact",
    }
}

/// The pipelines of the cases, each once.
fn pipelines() -> Vec<(String, Verified)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<_> = folders.filter(|f| f.join("packets.toml").exists()).collect();
    all.sort();
    let all = all.iter().map(|folder| Case::load(folder).unwrap());
    let all = all.map(|case| (case.compile(&[]).unwrap(), case));
    all.filter(|(verified, case)| case.is_own(verified.pipeline())).map(|(v, case)| (case.name, v)).collect()
}

/// Who has shown what.
fn proven(targets: &[Target]) -> String {
    let mut text = "| target | | architecture | emitted | shown | by | of |\n| --- | --- | --- | --- | --- | --- | --- |\n".to_owned();
    for t in targets {
        let emits = if t.emits { "yes" } else { "no" };
        let head = format!("| `{}` | {} | `{}` | {emits} |", t.name, t.title, t.arch);
        if t.proven.is_empty() {
            writeln!(text, "{head} nothing yet | | |").unwrap();
        }
        for (at, p) in t.proven.iter().enumerate() {
            let head = if at == 0 { &head } else { "| | | | |" };
            writeln!(text, "{head} {} | {} | {} |", level(p.level), p.by, p.of).unwrap();
        }
    }
    text
}

/// Which pipeline fits which target; where one does not, how many reasons `fit` gives.
fn fits(targets: &[Target]) -> String {
    let names: Vec<String> = targets.iter().map(|t| format!("`{}`", t.name)).collect();
    let mut text = format!("| pipeline | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    for (name, verified) in pipelines() {
        let cell = |t: &Target| match codegen::fit(&verified, t) {
            Ok(fitted) if fitted.report().contains("\nnot as on other targets\n") => "differs".to_owned(),
            Ok(_) => "fits".to_owned(),
            Err(why) => format!("no ({})", why.0.len()),
        };
        let cells: Vec<String> = targets.iter().map(cell).collect();
        writeln!(text, "| `{name}` | {} |", cells.join(" | ")).unwrap();
    }
    text
}

fn section(t: &Target) -> String {
    let mut text = format!("\n## `{}`: {}\n\n", t.name, t.title);
    if let Some(judge) = &t.judge {
        writeln!(text, "Judge: `{judge}`.\n").unwrap();
    }
    text += "| limit | value | source |\n| --- | --- | --- |\n";
    let host = t.host_port.as_ref().map(|port| ("host_port", port));
    for (name, limit) in host.into_iter().chain(t.limits.iter().map(|(name, limit)| (name.as_str(), limit))) {
        writeln!(text, "| {name} | {} | {} |", limit.value, limit.source).unwrap();
    }
    if !t.recipes.is_empty() {
        text += "\n| need | recipe | how |\n| --- | --- | --- |\n";
    }
    for r in &t.recipes {
        writeln!(text, "| {} | {} | {} |", r.answers, r.name, r.how).unwrap();
    }
    let differs: Vec<&String> = t.recipes.iter().flat_map(|r| &r.differs).collect();
    if !differs.is_empty() {
        text += "\nNot as on other targets:\n\n";
        differs.iter().for_each(|line| writeln!(text, "- {line}").unwrap());
    }
    text
}

#[test]
fn the_page_is_what_the_files_say() {
    let targets: Vec<Target> = hw_targets::names().map(|name| hw_targets::target(name).unwrap()).collect();
    let mut text = HEAD.to_owned();
    text += &proven(&targets);
    text += "\nWhich pipelines fit: `differs` if something is not as on other targets, else the number of reasons (`guideway fit`).\n\n";
    text += &fits(&targets);
    targets.iter().for_each(|t| text += &section(t));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/targets.md");
    if std::env::var_os("GUIDEWAY_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = held.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(held == text, "docs/targets.md is not what the files say ({differs:?}): `cargo xtask bless`");
}
