//! Numbers in bytes, network order: bit 0 is the highest bit of byte 0.

/// The low `width` bits, 1 to 128 of them.
#[inline(always)]
#[must_use]
pub const fn mask(width: u32) -> u128 {
    if width >= 128 { u128::MAX } else { (1 << width) - 1 }
}

/// The `width` bits (1 to 128) from bit `offset` on. Bytes beyond the end read as 0.
#[inline(always)]
#[must_use]
pub fn get(bytes: &[u8], offset: u32, width: u32) -> u128 {
    let byte = |i: u32| u128::from(bytes.get(i as usize).copied().unwrap_or(0));
    let (first, end) = (offset / 8, offset + width);
    let last = (end - 1) / 8;
    let mut value = 0;
    for i in first..last {
        value = value << 8 | byte(i);
    }
    let rest = end - last * 8;
    (value << rest | byte(last) >> (8 - rest)) & mask(width)
}

/// Writes the low `width` bits (1 to 128) of `value` from bit `offset` on; bits around them stay. What would lie
/// beyond the end is lost.
#[inline(always)]
pub fn put(bytes: &mut [u8], offset: u32, width: u32, value: u128) {
    let end = offset + width;
    let mut value = value & mask(width);
    let mut low = end;
    while low > offset {
        let i = (low - 1) / 8;
        let high = (i * 8).max(offset);
        let (bits, below) = (low - high, i * 8 + 8 - low);
        if let Some(byte) = bytes.get_mut(i as usize) {
            let field = mask(bits) as u8;
            *byte = *byte & !(field << below) | (value as u8 & field) << below;
        }
        value = value.checked_shr(bits).unwrap_or(0);
        low = high;
    }
}

/// `a << b`; 0 from 128 on.
#[inline]
#[must_use]
pub fn shl(a: u128, b: u128) -> u128 {
    if b < 128 { a << b } else { 0 }
}

/// `a >> b`; 0 from 128 on.
#[inline]
#[must_use]
pub fn shr(a: u128, b: u128) -> u128 {
    if b < 128 { a >> b } else { 0 }
}

/// Numbers one after the other, packed without gaps: the data of a hash, or a flow's key. They stand in words, the first
/// number in the highest bits of the first: registers, where the numbers' places are known when it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Bits<const WORDS: usize> {
    words: [u64; WORDS],
    at: u32,
}

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    /// Nothing.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { words: [0; WORDS], at: 0 }
    }
    /// Adds a number of `width` bits (1 to 128), which has none above them.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, width: u32, value: impl Into<u128>) -> Self {
        let value: u128 = value.into();
        let end = self.at + width;
        let (first, last) = ((self.at / 64) as usize, ((end - 1) / 64) as usize);
        // Free bits behind the number in its last word.
        let below = 63 - (end - 1) % 64;
        self.add(last, (value as u64) << below);
        if last > first {
            self.add(last - 1, (value >> (64 - below)) as u64);
        }
        if last > first + 1 {
            self.add(last - 2, shr(value, 128 - u128::from(below)) as u64);
        }
        self.at = end;
        self
    }
    #[inline(always)]
    fn add(&mut self, word: usize, bits: u64) {
        if let Some(word) = self.words.get_mut(word) {
            *word |= bits;
        }
    }
    /// A word; 0 beyond the last.
    #[inline(always)]
    #[must_use]
    pub fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }
    /// Bytes that hold them all.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        self.at.div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_wire_has_them() {
        let bytes = [0x45, 0x00, 0xff, 0x80];
        for (offset, width, value) in
            [(0, 4, 4), (4, 4, 5), (0, 16, 0x4500), (4, 12, 0x500), (15, 10, 0x1ff), (0, 32, 0x4500_ff80)]
        {
            assert_eq!(get(&bytes, offset, width), value, "{offset} {width}");
        }
        assert_eq!(get(&bytes, 24, 16), 0x8000, "beyond the end: zeros");
    }

    #[test]
    fn what_is_put_is_got_and_nothing_else_changes() {
        let pattern = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128;
        for around in [0x00, 0xff] {
            for offset in 0..24 {
                for width in 1..=128 {
                    let mut bytes = [around; 24];
                    put(&mut bytes, offset, width, pattern);
                    assert_eq!(get(&bytes, offset, width), pattern & mask(width), "{offset} {width}");
                    let ones: u32 = bytes.iter().map(|b| b.count_ones()).sum();
                    let inside = (pattern & mask(width)).count_ones();
                    let outside = if around == 0 { 0 } else { 192 - width };
                    assert_eq!(ones, inside + outside, "{offset} {width}");
                }
            }
        }
        let mut short = [0; 2];
        put(&mut short, 8, 16, 0xabcd);
        assert_eq!(short, [0, 0xab]);
    }

    #[test]
    fn packed_without_gaps() {
        let pattern = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128;
        for first in 1..=128 {
            for second in [1, 7, 8, 16, 31, 64, 65, 128] {
                let mut bytes = [0; 32];
                put(&mut bytes, 0, first, pattern);
                put(&mut bytes, first, second, !pattern);
                let bits = Bits::<4>::new().with(first, pattern & mask(first));
                let bits = bits.with(second, !pattern & mask(second));
                for (i, word) in bytes.as_chunks().0.iter().enumerate() {
                    assert_eq!(bits.word(i), u64::from_be_bytes(*word), "{first} {second} word {i}");
                }
                assert_eq!(bits.bytes(), (first + second).div_ceil(8));
            }
        }
        assert_eq!(Bits::<1>::new().with(128, u128::MAX).with(64, 5_u64).word(1), 0, "beyond the end: lost");
    }

    #[test]
    fn shifts_end_in_zero() {
        assert_eq!((shl(1, 127), shl(1, 128), shr(2, 1), shr(u128::MAX, 200)), (1 << 127, 0, 1, 0));
    }
}
