//! Arrays that packets read by index.
//!
//! A small array is one map value, in a section `.data.<name>`: the program knows its address and adds an offset that
//! a mask or a comparison bounds. A larger one is an array map with a value for each element, found by a lookup.

use pipeline_ir::Ring;

/// What a map value may have: what kernels before the limit was lifted could copy at once.
pub const VALUE_BYTES: u64 = 4 << 20;

/// An array of the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ArrayLayout {
    /// Bytes of an element; a multiple of its alignment.
    pub bytes: u32,
    pub elements: u32,
}

impl ArrayLayout {
    /// Is it one map value?
    #[must_use]
    pub fn is_one_value(self) -> bool {
        u64::from(self.bytes) * u64::from(self.elements) <= VALUE_BYTES
    }

    /// Size of the map's values, and how many there are.
    #[must_use]
    pub fn map(self) -> (u32, u32) {
        if self.is_one_value() { (self.bytes * self.elements, 1) } else { (self.bytes, self.elements) }
    }

    /// Bytes from one element to the next; the kernel aligns each value to 8.
    #[must_use]
    pub fn stride(self) -> u32 {
        if self.is_one_value() { self.bytes } else { self.bytes.next_multiple_of(8) }
    }

    /// The generation in force of each pool of a ring.
    #[must_use]
    pub fn of_pools(ring: &Ring) -> Self {
        Self { bytes: 4, elements: ring.pools }
    }

    /// The slots of a ring, twice for each pool.
    #[must_use]
    pub fn of_slots(ring: &Ring) -> Self {
        let elements = u64::from(ring.pools) * 2 * u64::from(ring.slots);
        Self { bytes: 4, elements: u32::try_from(elements).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_a_value_is_elements() {
        let sets = |elements| ArrayLayout { bytes: 128, elements };
        assert_eq!(sets(32_768).map(), (4 << 20, 1));
        assert_eq!(sets(32_769).map(), (128, 32_769));
        let slots = |elements| ArrayLayout { bytes: 4, elements };
        assert_eq!([slots(1 << 20).stride(), slots(1 << 21).stride()], [4, 8]);
    }
}
