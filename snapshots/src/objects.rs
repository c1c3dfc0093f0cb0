//! BPF objects, each compiled once: the test binaries compile the same C, and most of it is that of the last run.
//!
//! An object stands in `target/tests/bpf` under the hash of what makes it: the C, its headers, clang's flags and
//! version.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use sw_fallback::xdp::clang::{self, ClangError};

/// The clang on PATH.
#[must_use]
pub fn clang() -> Option<PathBuf> {
    clang::find()
}

/// An object that nobody has made anew for so long is not of this source any more.
const OLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// Compiles C to an object, unless that has been done.
///
/// # Errors
/// As [`clang::compile`]; what is refused is asked again.
pub fn compile(source: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>, ClangError> {
    let (Some(folder), Some(version)) = (folder(), version()) else {
        return clang::compile(source, headers);
    };
    let file = folder.join(format!("{}.o", name(version, source, headers)));
    if let Ok(object) = std::fs::read(&file) {
        return Ok(object);
    }
    let object = clang::compile(source, headers)?;
    keep(folder, &file, &object);
    Ok(object)
}

/// Beside the folder of the test binary that runs: `target/tests/bpf`.
fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let binary = std::env::current_exe().ok()?;
        let target =
            binary.ancestors().find(|a| a.file_name() == Some(OsStr::new("deps")))?.ancestors().nth(2)?;
        let folder = target.join("tests/bpf");
        std::fs::create_dir_all(&folder).ok()?;
        sweep(&folder);
        Some(folder)
    };
    FOLDER.get_or_init(find).as_deref()
}

/// What clang says of itself.
fn version() -> Option<&'static str> {
    static VERSION: OnceLock<Option<String>> = OnceLock::new();
    let ask = || {
        let output = Command::new(clang::find()?).arg("--version").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    VERSION.get_or_init(ask).as_deref()
}

/// 128 bits, other for another toolchain.
fn name(version: &str, source: &str, headers: &[(&str, &str)]) -> String {
    let half = |number: u8| {
        let mut hasher = DefaultHasher::new();
        (number, version, clang::FLAGS, source, headers).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}

/// Puts an object in its place, whole. A disk that is full costs time, no test.
fn keep(folder: &Path, file: &Path, object: &[u8]) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = folder.join(format!("{}-{number}.new", std::process::id()));
    if std::fs::write(&beside, object).and_then(|()| std::fs::rename(&beside, file)).is_err() {
        let _absent = std::fs::remove_file(&beside);
    }
}

/// Removes what is old.
fn sweep(folder: &Path) {
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = file.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
        if age.is_some_and(|age| age > OLD) {
            let _gone = std::fs::remove_file(file.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_tells_everything_apart() {
        let names = [
            name("19", "int a;", &[]),
            name("18", "int a;", &[]),
            name("19", "int b;", &[]),
            name("19", "int a;", &[("a.h", "b")]),
            name("19", "int a;", &[("a.h", "c")]),
            name("19", "int a;", &[("a.hb", "")]),
        ];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn an_object_is_made_once_and_errors_every_time() {
        if clang().is_none() {
            return;
        }
        let source = format!("int a{} = 1;", std::process::id());
        let object = compile(&source, &[]).unwrap();
        let file = folder().unwrap().join(format!("{}.o", name(version().unwrap(), &source, &[])));
        assert_eq!(std::fs::read(&file).unwrap(), object);
        std::fs::write(&file, "seen").unwrap();
        assert_eq!(compile(&source, &[]).unwrap(), b"seen");
        std::fs::remove_file(&file).unwrap();
        for _ in 0..2 {
            assert!(compile("static int f(void) { return 1; }", &[]).is_err());
        }
    }
}
