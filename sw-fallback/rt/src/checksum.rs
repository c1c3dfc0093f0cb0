//! The Internet checksum: RFC 1071, adjusted by RFC 1624.

/// The complement of the one's complement sum of 16-bit words in network order. A last odd byte is a high half.
#[inline]
#[must_use]
pub fn internet_checksum(data: &[u8]) -> u16 {
    let (words, rest) = data.as_chunks::<2>();
    let mut sum: u64 = words.iter().map(|w| u64::from(u16::from_be_bytes(*w))).sum();
    if let [last] = rest {
        sum += u64::from(*last) << 8;
    }
    !fold(sum)
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

    #[test]
    fn rfc_1071_section_3() {
        assert_eq!(internet_checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(internet_checksum(&[]), 0xffff);
        assert_eq!(internet_checksum(&[0xff, 0xff]), 0);
        assert_eq!(internet_checksum(&[0x12, 0x34, 0x56]), !(0x1234 + 0x5600));
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
