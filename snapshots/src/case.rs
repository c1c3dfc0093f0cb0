//! A case: a folder with a pipeline and its stories.

use crate::source::Source;
use crate::story::Stories;
use anyhow::{Context, Result, anyhow};
use codegen::Fitted;
use pipeline_ir::Pipeline;
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
    /// Constants of the source that are other than in it: what makes another's pipeline one of its own.
    pub constants: Vec<(String, String)>,
}

impl Case {
    /// The case of that name, from this crate's folder.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn named(name: &str) -> Result<Self> {
        Self::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
    }

    /// Reads the case in a folder: `pipeline.rs`, or a file `pipeline` with the source's path from there, and constants in
    /// the lines behind it.
    ///
    /// # Errors
    /// If there is no source.
    pub fn load(dir: &Path) -> Result<Self> {
        let source = Source::find(dir).with_context(|| format!("no pipeline in {}", dir.display()))?;
        let Source { path, constants } = source;
        let source = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let last = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name: last(dir), dir: dir.to_owned(), file: last(&path), source, constants })
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

    /// The pipeline, with the case's constants, and with others replaced.
    ///
    /// # Errors
    /// Its diagnostics.
    pub fn compile(&self, overrides: &[(String, String)]) -> Result<Verified> {
        let all = |d| anyhow!("{}:\n{d}", self.name);
        let own = self.constants.iter().filter(|own| overrides.iter().all(|o| o.0 != own.0));
        let constants: Vec<_> = overrides.iter().chain(own).cloned().collect();
        let (parts, set) = codegen::off::split(&constants);
        let pipeline = pipeline_syntax::compile_source(&self.file, &self.source, &set).map_err(all)?;
        let verified = verify(pipeline).map_err(all)?;
        codegen::off::set(&verified, &parts).map_err(all)
    }

    /// Is the pipeline one of the case's own? Else it is another case's, with other sizes for its stories.
    #[must_use]
    pub fn is_own(&self, pipeline: &Pipeline) -> bool {
        self.name == pipeline.name || !self.constants.is_empty()
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
