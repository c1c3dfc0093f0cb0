//! How a program does what it needs: by what the target provides, or by the recipes that `fit` has chosen.

use crate::fit::Fitted;

/// What the emitter asks of a target, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Means {
    /// Does a flow that moves come back in a second pass? Else tables are applied where they are asked, again too.
    pub(super) resubmits: bool,
}

impl Means {
    /// Those of a pipeline on its target.
    pub(super) fn of(fitted: &Fitted) -> Self {
        Self { resubmits: !fitted.target().provides("table.places") }
    }
}
