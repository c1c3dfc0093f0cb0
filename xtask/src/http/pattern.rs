//! The bodies: a pattern in which a lost, doubled or moved piece is seen.

/// A prime, so that no packet size is a multiple of the period.
const PERIOD: usize = 251;
/// Many periods in one piece, so that filling and comparing are copies and not arithmetic.
const BLOCK: [u8; PERIOD * 64] = block();

const fn block() -> [u8; PERIOD * 64] {
    let mut block = [0; PERIOD * 64];
    let mut at = 0;
    while at < block.len() {
        block[at] = (at % PERIOD) as u8;
        at += 1;
    }
    block
}

/// What stands at `position` of the pattern: at most `len` bytes, at least one.
fn at(position: u64, len: usize) -> &'static [u8] {
    let from = (position % PERIOD as u64) as usize;
    &BLOCK[from..BLOCK.len().min(from + len)]
}

/// Fills `piece` with what stands at `position`.
pub(super) fn fill(mut piece: &mut [u8], mut position: u64) {
    while !piece.is_empty() {
        let from = at(position, piece.len());
        let (now, rest) = piece.split_at_mut(from.len());
        now.copy_from_slice(from);
        (piece, position) = (rest, position + from.len() as u64);
    }
}

/// True when `piece` is what stands at `position`.
pub(super) fn matches(mut piece: &[u8], mut position: u64) -> bool {
    while !piece.is_empty() {
        let from = at(position, piece.len());
        let (now, rest) = piece.split_at(from.len());
        if now != from {
            return false;
        }
        (piece, position) = (rest, position + from.len() as u64);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_its_position_in_the_period() {
        let mut piece = vec![0; 40_000];
        fill(&mut piece, 1_000_003);
        assert!(piece.iter().zip(1_000_003u64..).all(|(byte, at)| u64::from(*byte) == at % 251));
    }

    #[test]
    fn a_moved_piece_is_seen() {
        let mut piece = [0; 1000];
        fill(&mut piece, 123_456);
        assert!(matches(&piece, 123_456) && matches(&piece[10..], 123_466));
        assert!(!matches(&piece, 123_457) && !matches(&piece, 123_456 + 1440));
        piece[999] ^= 1;
        assert!(!matches(&piece, 123_456));
    }
}
