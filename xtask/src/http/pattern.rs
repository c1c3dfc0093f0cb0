//! The bodies: a pattern in which a lost, doubled or moved piece is seen.

/// A prime, so that no packet size is a multiple of the period.
const PERIOD: u64 = 251;

/// Fills `piece` with what stands at `position` of the pattern.
pub(super) fn fill(piece: &mut [u8], position: u64) {
    for (byte, at) in piece.iter_mut().zip(position % PERIOD..) {
        *byte = (at % PERIOD) as u8;
    }
}

/// True when `piece` is what stands at `position`.
pub(super) fn matches(piece: &[u8], position: u64) -> bool {
    piece.iter().zip(position % PERIOD..).all(|(byte, at)| u64::from(*byte) == at % PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_piece_is_seen() {
        let mut piece = [0; 1000];
        fill(&mut piece, 123_456);
        assert!(matches(&piece, 123_456) && matches(&piece[10..], 123_466));
        assert!(!matches(&piece, 123_457) && !matches(&piece, 123_456 + 1440));
    }
}
