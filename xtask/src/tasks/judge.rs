//! `judge`: other people's compilers on what we emit.

use crate::needs::{self, CLANG};
use crate::run::{on_path, shown, workspace_root};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// P4 that is judged where its judge is on PATH: ending, judge, and how that is asked.
const OTHERS: [(&str, &str, &[&str]); 4] = [
    (".pna.p4", "p4c-dpdk", &["--arch", "pna"]),
    (".psa.p4", "p4c-bm2-psa", &["--arch", "psa"]),
    (".tna.p4", "p4c-barefoot", &["--target", "tofino", "--arch", "tna"]),
    (".t2na.p4", "p4c-barefoot", &["--target", "tofino2", "--arch", "t2na"]),
];

/// Gives every emitted P4 to p4c and every emitted XDP C to clang. Any word from them is a failure.
///
/// # Errors
/// A compiler is missing, refuses a file or warns; or there is nothing to judge.
pub fn judge() -> Result<()> {
    needs::ensure(&[CLANG], false)?;
    let root = workspace_root().join("snapshots");
    let mut files = Vec::new();
    find(&root, &mut files)?;
    files.sort();
    let out = tempfile::tempdir()?;
    headers(out.path())?;
    let mut wrong = Vec::new();
    let mut judged = 0;
    for file in &files {
        let Some(mut command) = judge_of(file, out.path())? else { continue };
        judged += 1;
        let output = command.output().with_context(|| format!("can't start `{}`", shown(&command)))?;
        let words = [output.stdout, output.stderr].concat();
        let good = output.status.success() && !speaks_of(&words, file);
        let name = file.strip_prefix(&root).unwrap_or(file).display();
        println!("{} {name}", if good { "ok    " } else { "FAILED" });
        if !good {
            wrong.push(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&words)));
        }
    }
    if judged == 0 {
        bail!("snapshots hold no emitted P4 and no emitted C to judge");
    }
    if !wrong.is_empty() {
        bail!("{} of {judged} files are refused or warned about:\n{}", wrong.len(), wrong.join("\n"));
    }
    Ok(())
}

/// Has the judge said something of the file? p4c-dpdk warns about its own `pna.p4` each time, p4c-barefoot about parser states
/// of its own; anything else counts.
fn speaks_of(words: &[u8], file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(".tna.p4") || name.ends_with(".t2na.p4") {
        let words = String::from_utf8_lossy(words);
        return words.lines().any(|line| line.contains(&*name) && line.contains("warning"));
    }
    if !name.ends_with(".pna.p4") {
        return !words.is_empty();
    }
    let theirs = |line: &str| line.contains("p4include/dpdk/pna.p4");
    let of_ours = |line: &str| line.contains(&*name) || line.contains("warning:") || line.contains("error:");
    String::from_utf8_lossy(words).lines().any(|line| !theirs(line) && of_ours(line))
}

/// The command that judges `file`, or `None` for one that no compiler here judges.
fn judge_of(file: &Path, out: &Path) -> Result<Option<Command>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if let Some((_, judge, asked)) = OTHERS.iter().find(|(ending, ..)| name.ends_with(ending)) {
        let Some(p4c) = on_path(&[judge]) else {
            println!("skipped {name}: {judge} is not on PATH");
            return Ok(None);
        };
        let mut command = Command::new(p4c);
        command.args(*asked).arg("-o").arg(out.join(judge)).arg(file);
        return Ok(Some(command));
    }
    if name.ends_with(".p4") {
        let Some(p4c) = on_path(&["p4c-bm2-ss"]) else {
            bail!("p4c-bm2-ss is not on PATH; it comes with p4c (https://github.com/p4lang/p4c)");
        };
        let mut command = Command::new(p4c);
        command.args(["--arch", "v1model", "-o"]).arg(out.join("out.json")).arg(file);
        return Ok(Some(command));
    }
    if name.ends_with(".bpf.c") {
        let clang = on_path(CLANG.programs).context("clang is not on PATH")?;
        let mut command = Command::new(clang);
        command.args(["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror", "-I"]);
        command.arg(out).args(["-c", "-o"]).arg(out.join("out.o")).arg(file);
        return Ok(Some(command));
    }
    Ok(None)
}

/// Puts the C headers where the emitted C includes them from: they stand once, beside the emitter.
fn headers(out: &Path) -> Result<()> {
    let to = out.join("guideway");
    std::fs::create_dir(&to)?;
    let mut all = Vec::new();
    find(&workspace_root().join("codegen/src/xdp/prelude"), &mut all)?;
    for header in &all {
        std::fs::copy(header, to.join(header.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn other_files_have_no_judge() {
        for name in ["case/out/case.rs", "case/out/case.p4info.txtpb", "case/pipeline.rs"] {
            assert!(judge_of(Path::new(name), Path::new("out")).unwrap().is_none(), "{name}");
        }
    }
}
