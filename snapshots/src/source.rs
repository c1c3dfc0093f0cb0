//! Where a case's source stands; the build script asks, too.

use std::path::{Path, PathBuf};

/// The source of a case.
pub(crate) struct Source {
    /// The file.
    pub(crate) path: PathBuf,
    /// Constants with which the case makes another's source its own.
    pub(crate) constants: Vec<(String, String)>,
}

impl Source {
    /// The source of the case in a folder: `pipeline.rs`; or a file `pipeline`, which has the path from there, and in the
    /// lines behind it constants: `RING_SLOTS = 256`. None where there is neither.
    pub(crate) fn find(dir: &Path) -> Option<Self> {
        let Ok(other) = std::fs::read_to_string(dir.join("pipeline")) else {
            let path = dir.join("pipeline.rs");
            return path.is_file().then_some(Self { path, constants: Vec::new() });
        };
        let mut lines = other.lines().map(str::trim).filter(|line| !line.is_empty());
        let path = dir.join(lines.next().unwrap_or_default());
        // A line that sets nothing names a constant that there is not: the front end says so.
        let constant = |line: &str| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            (name.trim().to_owned(), value.trim().to_owned())
        };
        Some(Self { path, constants: lines.map(constant).collect() })
    }
}
