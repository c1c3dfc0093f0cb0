//! A case: a folder with a pipeline and its stories.

use crate::story::Stories;
use anyhow::{Context, Result, anyhow};
use codegen::Fitted;
use pipeline_ir::verify::{Verified, verify};
use std::path::{Path, PathBuf};

/// A pipeline and where it stands.
#[derive(Clone, Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// The source's file name, as diagnostics and generated text cite it.
    pub file: String,
    /// The source.
    pub source: String,
}

impl Case {
    /// The case of that name, from this crate's folder.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn named(name: &str) -> Result<Self> {
        Self::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
    }

    /// Reads the case in a folder: `pipeline.rs`, or a file `pipeline` with the source's path from there.
    ///
    /// # Errors
    /// If there is no source.
    pub fn load(dir: &Path) -> Result<Self> {
        let mut path = dir.join("pipeline.rs");
        if let Ok(other) = std::fs::read_to_string(dir.join("pipeline")) {
            path = dir.join(other.trim());
        }
        let source = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let last = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name: last(dir), dir: dir.to_owned(), file: last(&path), source })
    }

    /// The case's stories, from `packets.toml`.
    ///
    /// # Errors
    /// If the file is missing or malformed.
    pub fn stories(&self) -> Result<Stories> {
        let path = self.dir.join("packets.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Stories::parse(&text).with_context(|| path.display().to_string())
    }

    /// The pipeline, with constants replaced.
    ///
    /// # Errors
    /// Its diagnostics.
    pub fn compile(&self, overrides: &[(String, String)]) -> Result<Verified> {
        let all = |d| anyhow!("{}:\n{d}", self.name);
        let pipeline = pipeline_syntax::compile_source(&self.file, &self.source, overrides).map_err(all)?;
        verify(pipeline).map_err(all)
    }

    /// The pipeline, with the sizes of its stories.
    ///
    /// # Errors
    /// Its stories can't be read; its diagnostics.
    pub fn sized(&self) -> Result<Verified> {
        self.compile(&self.stories()?.overrides())
    }
}

/// The emitted text with that ending, under the pipeline's name.
///
/// # Errors
/// There is no emitter for the target, or it writes no such file.
pub fn emitted(fitted: &Fitted, ending: &str) -> Result<String> {
    let files = codegen::emit(fitted).context("no emitter")?;
    let name = format!("{}.{ending}", fitted.pipeline().name);
    let bytes = files.get(&name).with_context(|| format!("no {name}"))?;
    Ok(String::from_utf8(bytes.to_vec())?)
}
