//! What a test needs that a machine need not have.
//!
//! A test that misses something is skipped, and says so in one line; `GUIDEWAY_REQUIRE`, words with commas between, makes
//! that a failure.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// The first file of that name in a folder of PATH.
#[must_use]
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Which of these programs is not on PATH, in words; none if all are.
#[must_use]
pub fn missing(programs: &[&str]) -> Option<String> {
    let program = programs.iter().find(|program| on_path(program).is_none())?;
    Some(format!("{program} is not on PATH"))
}

/// Says so if this process is not root's.
#[must_use]
pub fn root() -> Option<String> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    (!is_root).then(|| "not root".to_owned())
}

/// Why BPF programs can't be made and loaded: not root, or no clang.
#[must_use]
pub fn bpf(clang_is_there: bool) -> Option<String> {
    root().or_else(|| (!clang_is_there).then(|| "no clang".to_owned()))
}

/// Says that something is skipped, if there is a reason.
///
/// # Panics
/// There is a reason, and `GUIDEWAY_REQUIRE` has the word.
#[must_use]
pub fn skip(what: &str, word: &str, reason: Option<String>) -> bool {
    let Some(reason) = reason else { return false };
    let required = std::env::var("GUIDEWAY_REQUIRE").unwrap_or_default();
    assert!(!required.split([',', ' ']).any(|w| w == word), "{what}: {word} is required, but {reason}");
    eprintln!("skipped: {what}: {reason}");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing(&["sh"]), None);
        assert_eq!(missing(&["sh", "no-such-program"]).unwrap_or_default(), "no-such-program is not on PATH");
        assert!(!skip("nothing", "nothing", missing(&["sh"])));
        assert!(skip("something", "no such word", missing(&["no-such-program"])));
    }
}
