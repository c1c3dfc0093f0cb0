//! The Internet checksum: RFC 1071, adjusted by RFC 1624.

/// The sum of the 16-bit words of numbers that stand one after the other, packed without gaps. They are added where
/// they are: no bytes are written for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// The words' sum, modulo 65,535.
    sum: u64,
    /// Bits so far.
    at: u32,
}

impl Sum {
    /// Of nothing.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { sum: 0, at: 0 }
    }
    /// Adds a number of `width` bits, which has none above them. 65,536 is 1 modulo 65,535: where its last bit stands
    /// in a word is all that counts.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, width: u32, value: impl Into<u128>) -> Self {
        let value: u128 = value.into();
        self.at += width;
        let below = (16 - self.at % 16) % 16;
        for part in [value >> 96, value >> 64, value >> 32, value] {
            self.sum += u64::from(part as u32) << below;
        }
        self
    }
    /// The complement of the words' one's complement sum. What is missing of the last word is 0.
    #[inline(always)]
    #[must_use]
    pub fn checksum(self) -> u16 {
        !fold(self.sum)
    }
}

/// The checksum after the `width` bits (a multiple of 16) of `old` have become `new`: RFC 1624, equation 3.
#[inline]
#[must_use]
pub fn adjust(checksum: u16, old: u128, new: u128, width: u32) -> u16 {
    let mut sum = u64::from(!checksum);
    let mut shift = 0;
    while shift < width && shift < 128 {
        sum += u64::from(!((old >> shift) as u16)) + u64::from((new >> shift) as u16);
        shift += 16;
    }
    !fold(sum)
}

/// One's complement addition: what overflows comes back in at the low end.
#[inline]
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internet_checksum(data: &[u8]) -> u16 {
        data.iter().fold(Sum::new(), |sum, byte| sum.with(8, *byte)).checksum()
    }

    #[test]
    fn rfc_1071_section_3() {
        assert_eq!(internet_checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(internet_checksum(&[]), 0xffff);
        assert_eq!(internet_checksum(&[0xff, 0xff]), 0);
        assert_eq!(internet_checksum(&[0x12, 0x34, 0x56]), !(0x1234 + 0x5600));
    }

    /// Whatever the fields' widths, the sum is that of the bytes.
    #[test]
    fn numbers_add_up_as_their_bytes_do() {
        let pattern = 0xfedc_ba98_7654_3210_0123_4567_89ab_cdef_u128;
        for first in 1..=128 {
            for second in [1, 3, 4, 8, 13, 16, 32, 48, 64, 127, 128] {
                let mut bytes = [0; 34];
                crate::put(&mut bytes, 0, first, pattern);
                crate::put(&mut bytes, first, second, !pattern);
                let mask = crate::bits::mask;
                let sum = Sum::new().with(first, pattern & mask(first)).with(second, !pattern & mask(second));
                assert_eq!(sum.checksum(), internet_checksum(&bytes), "{first} {second}");
            }
        }
    }

    #[test]
    fn rfc_1624_section_4() {
        assert_eq!(adjust(0xdd2f, 0x5555, 0x3285, 16), 0x0000);
    }

    #[test]
    fn adjusting_equals_computing_anew() {
        let mut header = [0x45, 0, 0, 0x54, 0, 0, 0x40, 0, 0x40, 1, 0, 0, 10, 0, 0, 1, 192, 168, 255, 255];
        let before = internet_checksum(&header);
        let new = 0xc633_6407_u32;
        header[12..16].copy_from_slice(&new.to_be_bytes());
        assert_eq!(adjust(before, 0x0a00_0001, new.into(), 32), internet_checksum(&header));
    }
}
