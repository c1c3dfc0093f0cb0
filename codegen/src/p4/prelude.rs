//! Helpers in P4, as text with holes: upper-case words that names and numbers take the place of.

use p4::ast::{Annotation, Decl, DeclKind};

pub(super) const FLOW: &str = include_str!("prelude/flow.p4");
pub(super) const ROOM: &str = include_str!("prelude/room.p4");
pub(super) const HALF_SIP_HASH: &str = include_str!("prelude/halfsiphash.p4");
pub(super) const ADJUST: &str = include_str!("prelude/adjust.p4");
pub(super) const LIMITER: &str = include_str!("prelude/limiter.p4");
pub(super) const LIMITER_BY_VALUE: &str = include_str!("prelude/limiter_by_value.p4");
pub(super) const LIMITER_BY_PAIR: &str = include_str!("prelude/limiter_by_pair.p4");
pub(super) const CHECKSUM: &str = include_str!("prelude/checksum.p4");
pub(super) const ADJUST_BY_MASK: &str = include_str!("prelude/adjust_by_mask.p4");
pub(super) const CHECKSUM_BY_MASK: &str = include_str!("prelude/checksum_by_mask.p4");
pub(super) const STAGED: &str = include_str!("prelude/staged.p4");
pub(super) const STAGED_CLOCK: &str = include_str!("prelude/staged_clock.p4");
pub(super) const STAGED_DIGEST: &str = include_str!("prelude/staged_digest.p4");
pub(super) const STAGED_WAY: &str = include_str!("prelude/staged_way.p4");
pub(super) const CRC32: &str = include_str!("prelude/crc32.p4");

/// A helper's declarations: functions, which stand outside of controls, and what stands in them: objects, actions.
pub(super) fn fill(text: &str, holes: &[(&str, &str)]) -> (Vec<Decl>, Vec<Decl>) {
    let text = holes.iter().fold(text.to_owned(), |text, (hole, with)| text.replace(hole, with));
    let decls = p4::parse(&text).map(|program| program.decls).unwrap_or_default();
    let (functions, others): (Vec<Decl>, Vec<Decl>) =
        decls.into_iter().partition(|d| matches!(d.kind, DeclKind::Function(_)));
    // No table runs these actions, so the control plane is not told of them.
    let hide = |d: Decl| match d.kind {
        DeclKind::Action(_) => d.annotate(Annotation::new("hidden")),
        _ => d,
    };
    (functions, others.into_iter().map(hide).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn helpers_parse_before_and_after_they_are_filled() {
        for (text, functions, actions) in [
            (super::HALF_SIP_HASH, 0, 4),
            (super::ADJUST, 1, 0),
            (super::LIMITER, 0, 1),
            (super::LIMITER_BY_VALUE, 0, 1),
            (super::LIMITER_BY_PAIR, 0, 2),
            (super::CHECKSUM, 1, 0),
            (super::ADJUST_BY_MASK, 1, 0),
            (super::CHECKSUM_BY_MASK, 1, 0),
            (super::CRC32, 0, 2),
            (super::FLOW, 0, 4),
            (super::ROOM, 2, 1),
        ] {
            let text = text.replace("CELL", "128");
            p4::parse(&text).unwrap();
            let (f, a) = super::fill(&text, &[]);
            assert_eq!((f.len(), a.len()), (functions, actions), "{text}");
        }
    }
}
