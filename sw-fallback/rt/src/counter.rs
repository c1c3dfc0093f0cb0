//! Indirect counters.

use alloc::vec;
use alloc::vec::Vec;

/// Cells of packets and bytes.
#[derive(Clone, Debug)]
pub struct Counter {
    cells: Vec<(u64, u64)>,
}

impl Counter {
    /// With so many cells.
    #[must_use]
    pub fn new(size: u32) -> Self {
        Self { cells: vec![(0, 0); size as usize] }
    }
    /// Counts a packet of `length` bytes; nothing beyond the last cell.
    #[inline]
    pub fn count(&mut self, index: impl Into<u128>, length: u32) {
        let cell = usize::try_from(index.into()).ok().and_then(|i| self.cells.get_mut(i));
        if let Some((packets, bytes)) = cell {
            *packets += 1;
            *bytes += u64::from(length);
        }
    }
    /// Packets and bytes of each cell.
    #[must_use]
    pub fn cells(&self) -> &[(u64, u64)] {
        &self.cells
    }
    /// The same size, nothing counted.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { cells: vec![(0, 0); self.cells.len()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_inside_only() {
        let mut counter = Counter::new(2);
        counter.count(1_u8, 60);
        counter.count(1_u8, 40);
        counter.count(2_u8, 60);
        counter.count(u128::MAX, 60);
        assert_eq!(counter.cells(), [(0, 0), (2, 100)]);
        assert_eq!(counter.fork().cells(), [(0, 0), (0, 0)]);
    }
}
