//! Canonical byte strings (P4Runtime specification §8.4): a value in network order, without leading zero bytes, at
//! least one byte.

use bytes::Bytes;
use thiserror::Error;

/// Why a byte string is no value of a width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BytesError {
    /// There is not one byte.
    #[error("an empty byte string is no value; zero is one byte, 00")]
    Empty,
    /// More bits are set than the width has.
    #[error("a value of {given} bits does not fit {bits} bits")]
    TooWide {
        /// Bits from the highest one that is set.
        given: usize,
        /// The width.
        bits: u32,
    },
    /// The width is more than this crate reads as a number.
    #[error("fields of {bits} bits are wider than 128, which no number here holds")]
    TooBig {
        /// The width.
        bits: u32,
    },
}

/// The shortest big-endian bytes of a value; zero is one byte.
#[must_use]
pub fn encode(value: u128) -> Bytes {
    /// Values of one byte need no memory of their own.
    static ONE: [u8; 256] = {
        let mut all = [0; 256];
        let mut i = 0;
        while i < 256 {
            all[i] = i as u8;
            i += 1;
        }
        all
    };
    if value < 256 {
        let at = value as usize;
        return Bytes::from_static(&ONE[at..=at]);
    }
    let skip = (value.leading_zeros() / 8) as usize;
    Bytes::copy_from_slice(&value.to_be_bytes()[skip..])
}

/// The value of a byte string with any number of leading zero bytes.
///
/// # Errors
/// There is no byte, or the value has more than `bits` bits (at most 128).
pub fn decode(bytes: &[u8], bits: u32) -> Result<u128, BytesError> {
    if bits > 128 {
        return Err(BytesError::TooBig { bits });
    }
    if bytes.is_empty() {
        return Err(BytesError::Empty);
    }
    let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    let rest = &bytes[first..];
    let given = rest.first().map_or(0, |b| rest.len() * 8 - b.leading_zeros() as usize);
    if given > bits as usize {
        return Err(BytesError::TooWide { given, bits });
    }
    Ok(rest.iter().fold(0, |value, byte| value << 8 | u128::from(*byte)))
}

/// Whether a byte string is the shortest one of its value.
#[must_use]
pub fn is_canonical(bytes: &[u8]) -> bool {
    matches!(bytes, [_] | [1..=u8::MAX, _, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_shortest_form() {
        let cases: [(u128, &[u8]); 6] = [
            (0, &[0]),
            (255, &[255]),
            (256, &[1, 0]),
            (0x0a00_0001, &[10, 0, 0, 1]),
            (65_536, &[1, 0, 0]),
            (u128::MAX, &[255; 16]),
        ];
        for (value, bytes) in cases {
            assert_eq!(encode(value), bytes, "{value}");
            assert!(is_canonical(bytes), "{value}");
            assert_eq!(decode(bytes, 128), Ok(value));
            let padded = [&[0, 0], bytes].concat();
            assert!(!is_canonical(&padded), "{value}");
            assert_eq!(decode(&padded, 128), Ok(value), "any padding");
        }
        assert!(!is_canonical(&[]));
    }

    #[test]
    fn widths_are_kept() {
        let cases = [
            (&[][..], 8, Err(BytesError::Empty)),
            (&[1, 255], 9, Ok(511)),
            (&[2, 0], 9, Err(BytesError::TooWide { given: 10, bits: 9 })),
            (&[0, 0, 1, 0], 9, Ok(256)),
            (&[1; 17], 128, Err(BytesError::TooWide { given: 129, bits: 128 })),
            (&[0], 129, Err(BytesError::TooBig { bits: 129 })),
        ];
        for (bytes, bits, expected) in cases {
            assert_eq!(decode(bytes, bits), expected, "{bytes:?} as {bits} bits");
        }
    }
}
