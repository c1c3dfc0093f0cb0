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

/// Compiles C to an object. Headers are the files that the source includes, by their paths.
///
/// # Errors
/// There is no clang, or it refuses; see [`ClangError`].
pub fn compile(source: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>, ClangError> {
    let clang = find().ok_or(ClangError::Missing)?;
    let folder = Folder::new()?;
    for (name, text) in headers {
        let file = folder.0.join(name);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, text)?;
    }
    run(&clang, source, &folder.0)
}

fn run(clang: &Path, source: &str, folder: &Path) -> Result<Vec<u8>, ClangError> {
    let object = folder.join("out.bpf.o");
    let mut command = Command::new(clang);
    command.args(FLAGS).args(["-x", "c", "-c", "-", "-I", ".", "-o"]).arg(&object).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(source.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(ClangError::Refused(start_of(&String::from_utf8_lossy(&output.stderr))));
    }
    Ok(std::fs::read(object)?)
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

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        for number in 0..1000u32 {
            let path = std::env::temp_dir().join(format!("guideway-clang-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(std::io::Error::other("no free name for a temporary folder"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning of temporary files.
        let _left = std::fs::remove_dir_all(&self.0);
    }
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
}
