//! How a program does what it needs: by what the target provides, or by the recipes that `fit` has chosen.

use crate::fit::Fitted;

/// What the emitter asks of a target, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Means {
    /// Does a flow that moves come back in a second pass? Else tables are applied where they are asked, again too.
    pub(super) resubmits: bool,
    /// Do the ports put a [`preamble`](super::preamble) in front of each frame?
    pub(super) preamble: bool,
    /// Are flows entries that the data plane adds to a table? Else they lie in registers.
    pub(super) learns: bool,
    /// Do flows lie in registers that a packet meets once each?
    pub(super) staged: bool,
    /// Do limiters lie in cells of two words, compared and written in one go?
    pub(super) limits_in_pairs: bool,
    /// Is there a CRC-32? Else it is computed.
    pub(super) crc32: bool,
    /// Is there an Internet checksum? Else words are added.
    pub(super) checksum: bool,
    /// Is there a remainder? Else multiples are subtracted.
    pub(super) modulo: bool,
    /// Must each statement do one thing, with none behind a verdict? Then the pipeline is written in [`steps`](crate::steps).
    pub(super) steps: bool,
    /// Are optional keys matched by masks?
    pub(super) optional_by_mask: bool,
    /// Does the deparser sum what checksums change by?
    pub(super) sums_last: bool,
    /// Is what comes behind the last table done in egress?
    pub(super) cut: bool,
    /// Is there one counter for all drop reasons, counted at the end?
    pub(super) drops_last: bool,
}

impl Means {
    /// Those of a pipeline on its target.
    pub(super) fn of(fitted: &Fitted) -> Self {
        let has = |word: &str| fitted.target().provides(word);
        let learns = |need: &String| need == "learn.add_on_miss";
        let pairs = |need: &String| need == "state.pair";
        let staged = fitted.recipe("flow.affinity").is_some_and(|r| r.needs.iter().any(pairs));
        Self {
            resubmits: !has("table.places") && !staged,
            staged,
            limits_in_pairs: fitted.recipe("state.limiter").is_some_and(|r| r.needs.iter().any(pairs)),
            preamble: has("packet.preamble"),
            learns: fitted.recipe("flow.affinity").is_some_and(|r| r.needs.iter().any(learns)),
            crc32: has("hash.crc32"),
            checksum: has("checksum.internet"),
            modulo: has("arith.modulo"),
            steps: !has("expr.nested"),
            optional_by_mask: !has("table.optional"),
            sums_last: has("checksum.deparser"),
            cut: fitted.is_cut(),
            drops_last: !has("counter.places"),
        }
    }
}
