//! CRC-32 (IEEE 802.3) and HalfSipHash-1-3.

use crate::bits::Bits;

/// `TABLES[k][b]`: what byte `b` with `k` more bytes behind it adds.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// CRC-32 of IEEE 802.3, as zlib computes it: reflected, register and result complemented. A last bit that is none of
/// a whole byte has zeros behind it.
#[inline(always)]
#[must_use]
pub fn crc32<const WORDS: usize>(data: Bits<WORDS>) -> u32 {
    let (whole, rest) = ((data.bytes() / 8) as usize, (data.bytes() % 8) as usize);
    let mut crc = u32::MAX;
    for i in 0..whole {
        crc = next(crc, data.word(i), 8);
    }
    if rest > 0 {
        crc = next(crc, data.word(whole), rest);
    }
    !crc
}

/// The register after the first `count` bytes (1 to 8) of a word.
#[inline(always)]
fn next(crc: u32, word: u64, count: usize) -> u32 {
    let bytes = (word ^ u64::from(crc.swap_bytes()) << 32).to_be_bytes();
    let mut next = if count < 4 { crc >> (8 * count) } else { 0 };
    for (i, byte) in bytes.iter().enumerate().take(count) {
        next ^= TABLES[count - 1 - i][usize::from(*byte)];
    }
    next
}

/// HalfSipHash-1-3 with 32 bits of output. `key`: the first key word in its high half, the second in its low half.
#[inline(always)]
#[must_use]
pub fn half_sip_hash<const WORDS: usize>(key: u64, data: Bits<WORDS>) -> u32 {
    let mut state = start(key);
    let word = |i: u32| (data.word((i / 2) as usize) >> (32 - 32 * (i % 2))) as u32;
    let whole = data.bytes() / 4;
    for i in 0..whole {
        take(&mut state, word(i).swap_bytes());
    }
    // What is left lies at the low end, below the count; behind the data there are zeros.
    finish(state, word(whole).swap_bytes() | data.bytes() << 24)
}

/// As [`crc32`], of bytes.
#[must_use]
pub fn crc32_of(data: &[u8]) -> u32 {
    let words = data.chunks_exact(8);
    let rest = words.remainder();
    let crc = words.fold(u32::MAX, |crc, chunk| next(crc, word(chunk), 8));
    if rest.is_empty() { !crc } else { !next(crc, word(rest), rest.len()) }
}

/// As [`half_sip_hash`], of bytes.
#[must_use]
pub fn half_sip_hash_of(key: u64, data: &[u8]) -> u32 {
    let mut state = start(key);
    let words = data.chunks_exact(4);
    let rest = words.remainder().iter().rev().fold(0, |rest, byte| rest << 8 | u32::from(*byte));
    for chunk in words {
        take(&mut state, ((word(chunk) >> 32) as u32).swap_bytes());
    }
    finish(state, rest | (data.len() as u32) << 24)
}

/// At most 8 bytes as the high bytes of a word.
fn word(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    all.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    u64::from_be_bytes(all)
}

type State = (u32, u32, u32, u32);

#[inline(always)]
fn start(key: u64) -> State {
    let (k0, k1) = ((key >> 32) as u32, key as u32);
    (k0, k1, k0 ^ 0x6c79_6765, k1 ^ 0x7465_6462)
}

#[inline(always)]
fn finish(mut state: State, last: u32) -> u32 {
    take(&mut state, last);
    state.2 ^= 0xff;
    round(&mut state);
    round(&mut state);
    round(&mut state);
    state.1 ^ state.3
}

#[inline]
fn take(state: &mut State, word: u32) {
    state.3 ^= word;
    round(state);
    state.0 ^= word;
}

#[inline]
fn round(state: &mut State) {
    let (mut v0, mut v1, mut v2, mut v3) = *state;
    v0 = v0.wrapping_add(v1);
    v1 = v1.rotate_left(5) ^ v0;
    v0 = v0.rotate_left(16);
    v2 = v2.wrapping_add(v3);
    v3 = v3.rotate_left(8) ^ v2;
    v0 = v0.wrapping_add(v3);
    v3 = v3.rotate_left(7) ^ v0;
    v2 = v2.wrapping_add(v1);
    v1 = v1.rotate_left(13) ^ v2;
    v2 = v2.rotate_left(16);
    *state = (v0, v1, v2, v3);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn bits(data: &[u8]) -> Bits<8> {
        data.iter().fold(Bits::new(), |bits, byte| bits.with(8, *byte))
    }

    #[test]
    fn crc32_of_the_check_string_and_every_length() {
        assert_eq!(crc32(bits(b"123456789")), 0xcbf4_3926);
        assert_eq!(crc32(bits(b"")), 0);
        let data: Vec<u8> = (0..64_u8).map(|b| b.wrapping_mul(151)).collect();
        for length in 0..data.len() {
            let mut bitwise = u32::MAX;
            for byte in &data[..length] {
                bitwise ^= u32::from(*byte);
                for _ in 0..8 {
                    bitwise = (bitwise >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(bitwise & 1));
                }
            }
            assert_eq!(crc32(bits(&data[..length])), !bitwise, "{length} bytes");
            assert_eq!(crc32_of(&data[..length]), !bitwise, "{length} bytes");
        }
    }

    /// Vectors of the HalfSipHash-1-3 reference: bytes 0, 1, 2, ... of each length, key 00 01 .. 07.
    #[test]
    fn half_sip_hash_of_every_tail() {
        let data: Vec<u8> = (0..63).collect();
        for (length, want) in [
            (0, 0x5814_c896),
            (1, 0xe7e8_64ca),
            (2, 0xbc4b_0e30),
            (3, 0x0153_9939),
            (4, 0x7e05_9ea6),
            (5, 0x88e3_d89b),
            (7, 0x9d38_d9d6),
            (8, 0x5779_99b1),
            (63, 0x8717_8304),
        ] {
            assert_eq!(half_sip_hash(0x0302_0100_0706_0504, bits(&data[..length])), want, "{length} bytes");
            assert_eq!(half_sip_hash_of(0x0302_0100_0706_0504, &data[..length]), want, "{length} bytes");
        }
    }
}
