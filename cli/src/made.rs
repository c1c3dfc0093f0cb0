//! What `guideway compile` has written to a folder, and for which target: a folder holds one program, whatever it held before.

use crate::Refused;
use codegen::Artifacts;
use hw_targets::Target;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Component, Path};

/// Where in the folder this stands.
const PLACE: &str = "source/made.toml";

/// The target, and the files by their paths in the folder.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Made {
    pub(crate) target: String,
    pub(crate) files: Vec<String>,
}

impl Made {
    /// What a folder says of itself; none where `compile` has not written it.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, Refused> {
        let path = folder.join(PLACE);
        if !path.exists() {
            return Ok(None);
        }
        let refused = |why: &str| {
            let path = path.display();
            Refused(format!("error: {path}: {why}; write the folder again with `guideway compile`"))
        };
        let text = fs::read_to_string(&path).map_err(|e| refused(&e.to_string()))?;
        toml::from_str(&text).map(Some).map_err(|e| refused(e.message()))
    }
}

/// Writes a program to a folder, which is made if need be. What an earlier one left there goes.
pub(crate) fn write(folder: &Path, target: &Target, files: &Artifacts) -> Result<Made, Refused> {
    let mut made = Made { target: target.name.clone(), files: Vec::new() };
    made.files.extend(files.iter().map(|(path, _)| path.to_owned()).chain([PLACE.to_owned()]));
    made.files.sort();
    // A list that can't be read is written anew, as everything is.
    let before = Made::read(folder).ok().flatten().map(|made| made.files).unwrap_or_default();
    let inside = |path: &&String| Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    for path in before.iter().filter(inside).filter(|path| !made.files.contains(path)) {
        let _gone_already = fs::remove_file(folder.join(path));
    }
    let text = toml::to_string(&made).map_err(|e| Refused(format!("error: {PLACE}: {e}")))?;
    for (path, bytes) in files.iter().chain([(PLACE, text.as_bytes())]) {
        let path = folder.join(path);
        let failed = |e| Refused(format!("error: can't write {}: {e}", path.display()));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
    }
    Ok(made)
}
