//! Hashes and checksums, bit by bit from their definitions.

/// CRC-32 of IEEE 802.3: polynomial 0x04c11db7 reflected, register and result complemented.
#[must_use]
pub fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// `HalfSipHash-1-3` with 32 bits of output: one round for each little-endian word, three at the end. `key` is the
/// first key word in its high half, the second in its low half.
#[must_use]
pub fn half_sip_hash(key: u64, data: &[u8]) -> u32 {
    let (k0, k1) = ((key >> 32) as u32, key as u32);
    let mut v = [k0, k1, k0 ^ 0x6c79_6765, k1 ^ 0x7465_6462];
    let mut words: Vec<u32> = Vec::new();
    for chunk in data.chunks(4) {
        words.push(chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    }
    // The last word has the length in its high byte, above the bytes that fill no word.
    let length = (data.len() as u32) << 24;
    match words.last_mut() {
        Some(last) if !data.len().is_multiple_of(4) => *last |= length,
        _ => words.push(length),
    }
    for word in words {
        v[3] ^= word;
        sip_round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for _ in 0..3 {
        sip_round(&mut v);
    }
    v[1] ^ v[3]
}

fn sip_round(v: &mut [u32; 4]) {
    let mut mix = |to: usize, from: usize, turn: u32| {
        v[to] = v[to].wrapping_add(v[from]);
        v[from] = v[from].rotate_left(turn) ^ v[to];
        if turn == 5 || turn == 13 {
            v[to] = v[to].rotate_left(16);
        }
    };
    mix(0, 1, 5);
    mix(2, 3, 8);
    mix(0, 3, 7);
    mix(2, 1, 13);
}

/// The Internet checksum (RFC 1071): the complement of the one's complement sum.
#[must_use]
pub fn internet_checksum(words: &[u16]) -> u16 {
    !words.iter().fold(0, |sum, word| ones_add(sum, *word))
}

/// RFC 1624, equation 3, for one word: HC' = ~(~HC + ~m + m').
#[must_use]
pub fn adjust(checksum: u16, old: u16, new: u16) -> u16 {
    !ones_add(ones_add(!checksum, !old), new)
}

/// One's complement addition: the carry comes back in at the low end.
fn ones_add(a: u16, b: u16) -> u16 {
    let sum = u32::from(a) + u32::from(b);
    (sum & 0xffff) as u16 + (sum >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::{adjust, crc32, half_sip_hash, internet_checksum};

    #[test]
    fn crc32_of_the_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    /// Vectors of the HalfSipHash-1-3 reference: bytes 0, 1, 2, ... of each length, key 00 01 .. 07.
    #[test]
    fn half_sip_hash_of_every_tail() {
        let want: [u32; 17] = [
            0x5814_c896,
            0xe7e8_64ca,
            0xbc4b_0e30,
            0x0153_9939,
            0x7e05_9ea6,
            0x88e3_d89b,
            0xa008_0b65,
            0x9d38_d9d6,
            0x5779_99b1,
            0xc839_caed,
            0xe4fa_32cf,
            0x9592_46ee,
            0x6b28_096c,
            0x66dd_9cd6,
            0x1665_8a7c,
            0xd025_7b04,
            0x8b31_d501,
        ];
        for (length, want) in want.into_iter().enumerate() {
            let data: Vec<u8> = (0..length as u8).collect();
            assert_eq!(half_sip_hash(0x0302_0100_0706_0504, &data), want, "{length} bytes");
        }
        let data: Vec<u8> = (0..63).collect();
        assert_eq!(half_sip_hash(0x0302_0100_0706_0504, &data), 0x8717_8304);
    }

    /// The example of RFC 1071, section 3, and the corners of one's complement.
    #[test]
    fn checksums() {
        assert_eq!(internet_checksum(&[0x0001, 0xf203, 0xf4f5, 0xf6f7]), !0xddf2);
        assert_eq!(internet_checksum(&[]), 0xffff);
        assert_eq!(internet_checksum(&[0xffff]), 0);
    }

    /// The example of RFC 1624, section 4: equation 3 gives 0x0000 where equation 2 would give 0xffff.
    #[test]
    fn adjusted_checksums() {
        assert_eq!(adjust(0xdd2f, 0x5555, 0x3285), 0x0000);
        for (old, new) in [(0, 0xffff), (0xffff, 0), (1, 2), (0x1234, 0x1234)] {
            let before = internet_checksum(&[0x4500, 0x0054, old]);
            assert_eq!(
                adjust(before, old, new),
                internet_checksum(&[0x4500, 0x0054, new]),
                "{old:x} {new:x}"
            );
        }
    }
}
