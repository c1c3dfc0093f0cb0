//! Proof 1: the pipeline means something.
//!
//! Ids come first: when one points nowhere, nothing else can be looked at. All other rules are independent, and
//! everything that is broken is reported at once.

mod declared;
mod ids;
mod parser;
mod paths;
mod shapes;
mod types;
mod walk;

use crate::Pipeline;
use crate::diagnostic::Diagnostics;

/// A pipeline that keeps every rule of this crate's specification. Only [`verify`] makes one. Its const entries are
/// canonical: each value in its field's own kind and under its mask.
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
pub fn verify(mut pipeline: Pipeline) -> Result<Verified, Diagnostics> {
    let mut found = Diagnostics::default();
    ids::check(&pipeline, &mut found);
    if found.is_empty() {
        declared::check(&pipeline, &mut found);
        shapes::check(&pipeline, &mut found);
        types::check(&pipeline, &mut found);
        parser::check(&pipeline, &mut found);
        paths::check(&pipeline, &mut found);
    }
    if found.is_empty() {
        shapes::make_canonical(&mut pipeline);
        return Ok(Verified { pipeline });
    }
    found.sort();
    Err(found)
}
