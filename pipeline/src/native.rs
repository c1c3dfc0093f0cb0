//! Pipelines that run in the crate that has them.

use pipeline_ir::diagnostic::Diagnostics;
use pipeline_ir::verify::{Verified, verify};
use sw_fallback_rt::Program;

/// What the macro makes of a pipeline that names `native` among its targets: `my_pipeline::Pipeline`.
pub trait Native: Program + Default + Send + 'static {
    /// The file that it stands in, without folders.
    const FILE: &'static str;
    /// Its source, as tokens.
    const SOURCE: &'static str;

    /// The pipeline, from which it is known what may be written to its tables.
    ///
    /// # Errors
    /// None for what the macro has made: it has compiled the same text.
    fn verified() -> Result<Verified, Diagnostics> {
        verify(pipeline_syntax::compile_source(Self::FILE, Self::SOURCE, &[])?)
    }
}

/// A pipeline as a data plane in this process, empty: entries are written to it, packets given to it.
///
/// # Errors
/// None for what the macro has made.
#[cfg(feature = "switch")]
pub fn plane<P: Native>() -> Result<sw_fallback::native::NativePlane, Diagnostics> {
    Ok(sw_fallback::native::NativePlane::new(&P::verified()?, P::default()))
}
