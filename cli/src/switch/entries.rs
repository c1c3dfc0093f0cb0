//! Entry files: see [`pipeline_entries`].

use crate::Refused;
pub(crate) use pipeline_entries::Wanted;
use pipeline_ir::Pipeline;
use std::path::Path;

/// Reads a file and checks every entry; the refusal has all that is wrong.
pub(crate) fn read(path: &Path, p: &Pipeline) -> Result<Wanted, Refused> {
    Ok(pipeline_entries::read(path, p)?)
}
