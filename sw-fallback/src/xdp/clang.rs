//! Compiles emitted C to a BPF object.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why there is no object.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ClangError {
    #[error("clang is not installed; XDP programs need it (version 14 or newer): `apt-get install clang`")]
    Missing,
    #[error("clang refuses the emitted C; report it with the pipeline:\n{0}")]
    Refused(String),
    #[error("can't run clang: {0}")]
    System(#[from] std::io::Error),
}

/// Names under which clang is looked for, in order.
const NAMES: [&str; 7] = ["clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14"];

/// Flags of every compilation.
pub const FLAGS: [&str; 7] = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror"];

/// The clang on PATH.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|file| file.is_file()))
}

/// What makes an object the same wherever it is compiled, and leaves no report behind if clang itself fails.
const ALONE: [&str; 2] = ["-fdebug-compilation-dir=.", "-fno-crash-diagnostics"];

/// Compiles C to an object. Headers are the files that the source includes by `#include "..."`, under their paths; each
/// is there once, where it is named first.
///
/// Nothing is written to a disk: clang reads one text from a pipe and writes to another, so nothing stays behind,
/// however this ends.
///
/// # Errors
/// There is no clang, or it refuses; see [`ClangError`].
pub fn compile(source: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>, ClangError> {
    let clang = find().ok_or(ClangError::Missing)?;
    let mut whole = Whole { headers, taken: vec![false; headers.len()], text: String::new() };
    whole.add("<stdin>", "", source);
    run(&clang, &whole.text)
}

/// A source with its headers in it; every line keeps its file and number, by the marks that preprocessors leave for
/// compilers: a file is entered by 1, and left by 2 for the one that includes it.
struct Whole<'a> {
    headers: &'a [(&'a str, &'a str)],
    /// Those that are in it.
    taken: Vec<bool>,
    text: String,
}

impl Whole<'_> {
    fn add(&mut self, file: &str, mark: &str, text: &str) {
        self.text.push_str(&format!("# 1 \"{file}\"{mark}\n"));
        for (number, line) in (1u32..).zip(text.lines()) {
            match self.header(file, line) {
                Some(at) => {
                    if std::mem::replace(&mut self.taken[at], true) {
                        self.text.push('\n');
                    } else {
                        let (name, text) = self.headers[at];
                        self.add(name, " 1", text);
                        self.text.push_str(&format!("# {} \"{file}\" 2\n", number + 1));
                    }
                }
                // Where each header is taken once, this is said already.
                None if line.trim_end() == "#pragma once" => self.text.push('\n'),
                None => {
                    self.text.push_str(line);
                    self.text.push('\n');
                }
            }
        }
    }

    /// The header that a line of a file includes: the one beside the file before others.
    fn header(&self, file: &str, line: &str) -> Option<usize> {
        let (name, _) = line.strip_prefix("#include \"")?.split_once('"')?;
        let find = |path: &str| self.headers.iter().position(|(header, _)| *header == path);
        let beside = file.rsplit_once('/').and_then(|(folder, _)| find(&format!("{folder}/{name}")));
        beside.or_else(|| find(name))
    }
}

fn run(clang: &Path, text: &str) -> Result<Vec<u8>, ClangError> {
    // Elsewhere clang would take the text of lines, which debug information has, from files that happen to be there.
    let mut command = Command::new(std::path::absolute(clang)?);
    command.current_dir("/");
    command.args(FLAGS).args(ALONE).args(["-x", "c", "-c", "-", "-o", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = std::time::Instant::now();
    let mut child = command.spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(ClangError::Refused(start_of(&String::from_utf8_lossy(&output.stderr))));
    }
    written?;
    let (bytes, took) = (output.stdout.len(), start.elapsed());
    tracing::debug!(clang = %clang.display(), lines = text.lines().count(), bytes, ?took, "compiled");
    Ok(output.stdout)
}

/// The first lines: what follows mostly follows from them.
fn start_of(errors: &str) -> String {
    const LINES: usize = 20;
    let mut text = errors.lines().take(LINES).collect::<Vec<_>>().join("\n");
    if errors.lines().count() > LINES {
        text.push_str("\n...");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_error_in_the_source_is_shown() {
        if find().is_none() {
            return;
        }
        let error =
            compile("#include \"a/b.h\"\nint f(void) { return nothing; }", &[("a/b.h", "")]).unwrap_err();
        assert!(error.to_string().contains("nothing"), "{error}");
    }

    #[test]
    fn warnings_are_errors_and_objects_are_elf() {
        if find().is_none() {
            return;
        }
        assert!(compile("static int f(void) { return 1; }", &[]).is_err());
        assert!(compile("int f(void) { return 1; }", &[]).unwrap().starts_with(b"\x7fELF"));
    }

    #[test]
    fn lines_of_headers_keep_their_place() {
        let headers =
            [("a/b.h", "#pragma once\n#include \"c.h\"\nint b;"), ("a/c.h", "int c;"), ("c.h", "int no;")];
        let mut whole = Whole { headers: &headers, taken: vec![false; 3], text: String::new() };
        whole.add("m", "", "#include \"a/b.h\"\n#include \"a/c.h\"\n#include <x.h>\nint m;");
        let text = "# 1 \"m\"\n# 1 \"a/b.h\" 1\n\n# 1 \"a/c.h\" 1\nint c;\n# 3 \"a/b.h\" 2\nint b;\n\
            # 2 \"m\" 2\n\n#include <x.h>\nint m;\n";
        assert_eq!(whole.text, text);
        if find().is_some() {
            let error =
                compile("#include \"a/b.h\"\n", &[("a/b.h", "static int unused = 1;\nint f;\nint f(void);")])
                    .unwrap_err();
            assert!(error.to_string().contains("a/b.h:3:5: error"), "{error}");
            assert!(!error.to_string().contains("unused"), "a header may have more than is used: {error}");
        }
    }
}
