//! From backend id to position in the list of live members, in constant time.

/// An open-addressed hash table; never iterated, so its inner order shows nowhere.
pub(crate) struct IdIndex {
    /// Pairs of id and position; `FREE` as position marks an empty cell. The length is a power of two.
    cells: Vec<(u32, u32)>,
    shift: u32,
}

const FREE: u32 = u32::MAX;

impl IdIndex {
    /// Indexes distinct ids by their position (at most 2^20 of them).
    pub(crate) fn new(ids: impl ExactSizeIterator<Item = u32>) -> Self {
        let size = (ids.len() * 2).next_power_of_two().max(2);
        let mut index = Self { cells: vec![(0, FREE); size], shift: 32 - size.trailing_zeros() };
        for (position, id) in (0..).zip(ids) {
            let cell = index.probe(id);
            index.cells[cell] = (id, position);
        }
        index
    }

    /// Where the id is listed.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<u32> {
        let (_, position) = self.cells[self.probe(id)];
        (position != FREE).then_some(position)
    }

    /// The cell that holds the id, or the free cell where it belongs. At least half of the cells are
    /// free, so the loop ends.
    #[inline]
    fn probe(&self, id: u32) -> usize {
        let mask = self.cells.len() - 1;
        let mut cell = (id.wrapping_mul(0x9e37_79b1) >> self.shift) as usize;
        while self.cells[cell].1 != FREE && self.cells[cell].0 != id {
            cell = (cell + 1) & mask;
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        for count in [0_u32, 1, 2, 3, 1_000] {
            // Ids that share a slot number but differ in incarnation, as backend ids do.
            let id = |n: u32| n << 14 | 5;
            let index = IdIndex::new((0..count as usize).map(|n| id(n as u32)));
            for n in 0..count {
                assert_eq!(index.get(id(n)), Some(n));
            }
            for absent in [0, 1, id(count), u32::MAX] {
                assert_eq!(index.get(absent), None, "{absent} among {count}");
            }
        }
    }
}
