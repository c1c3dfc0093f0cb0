//! A search in a body that comes in pieces.

/// How much of a body is read.
pub(super) const MOST: usize = 64 * 1024;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Search {
    kept: Vec<u8>,
    read: usize,
}

impl Search {
    /// A further piece: are the wanted bytes there now? `None`: not yet, and more may come.
    pub(super) fn hear(&mut self, piece: &[u8], wanted: &[u8]) -> Option<bool> {
        let piece = &piece[..piece.len().min(MOST - self.read)];
        self.read += piece.len();
        self.kept.extend_from_slice(piece);
        if wanted.is_empty() || self.kept.windows(wanted.len()).any(|w| w == wanted) {
            return Some(true);
        }
        // What may be the beginning of a match that the next piece ends.
        let from = self.kept.len().saturating_sub(wanted.len() - 1);
        self.kept.drain(..from);
        (self.read == MOST).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]], wanted: &[u8]) -> bool {
        let mut search = Search::default();
        pieces.iter().find_map(|piece| search.hear(piece, wanted)).unwrap_or(false)
    }

    #[test]
    fn matches_cross_pieces_and_end_at_the_limit() {
        assert!(check(&[b"status: o", b"", b"k\n"], b"ok"));
        assert!(check(&[b"a", b"a", b"a", b"b"], b"aab"));
        assert!(check(&[b"anything"], b""));
        assert!(!check(&[b"status: o", b"h k"], b"ok"));
        let full = vec![b'x'; MOST - 1];
        assert!(check(&[&full, b"k", b"ok"], b"xk"));
        assert!(!check(&[&full, b"ok", b"ok"], b"ok"));
        assert!(!check(&[], b"ok"));
    }
}
