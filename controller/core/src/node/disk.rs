//! A snapshot as the bytes of a file.
//!
//! `GWNODE2\n`, the length of what follows the sum (8 bytes, lowest first), the sum (the same), a NodeSnapshot. The sum is
//! 64-bit FNV-1a with a word of eight bytes, lowest first, in the place of each byte; the last word is filled with zeros. Files
//! that begin with `GWNODE1\n` are read too: their sum is FNV-1a itself.

use control_proto::v1::NodeSnapshot;
use prost::Message as _;
use thiserror::Error;

const MAGIC: &[u8; 8] = b"GWNODE2\n";
const BY_BYTES: &[u8; 8] = b"GWNODE1\n";
const HEAD: usize = 24;

/// Why a file is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiskError {
    /// Something else.
    #[error("it is no node's snapshot, or one of another version of this program")]
    Foreign,
    /// It ends too early, or goes on too long.
    #[error("it has {actual} bytes, and should have {stated}")]
    Length {
        /// By its beginning.
        stated: u64,
        /// What is there.
        actual: u64,
    },
    /// A bit is not what it was.
    #[error("it is damaged: its sum is {actual:016x}, not {stated:016x}")]
    Damaged {
        /// By its beginning.
        stated: u64,
        /// What is there.
        actual: u64,
    },
    /// The sum is right, the message is not.
    #[error("it can't be read: {0}")]
    Message(String),
}

/// The bytes of a snapshot.
#[must_use]
pub fn encode(snapshot: &NodeSnapshot) -> Vec<u8> {
    let length = snapshot.encoded_len();
    let mut bytes = Vec::with_capacity(HEAD + length);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    snapshot.encode_raw(&mut bytes);
    let sum = sum(&bytes[HEAD..]).to_le_bytes();
    bytes[16..HEAD].copy_from_slice(&sum);
    bytes
}

/// The snapshot in a file's bytes.
///
/// # Errors
/// [`DiskError`]
pub fn decode(bytes: &[u8]) -> Result<NodeSnapshot, DiskError> {
    let word = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let sum = match bytes.first_chunk::<8>() {
        Some(MAGIC) => sum,
        Some(BY_BYTES) => sum_of_bytes,
        _ => return Err(DiskError::Foreign),
    };
    let actual = bytes.len() as u64;
    let (Some(length), Some(stated)) = (word(8), word(16)) else {
        return Err(DiskError::Length { stated: HEAD as u64, actual });
    };
    let body = &bytes[HEAD..];
    if body.len() as u64 != length {
        return Err(DiskError::Length { stated: length.saturating_add(HEAD as u64), actual });
    }
    let actual = sum(body);
    if actual != stated {
        return Err(DiskError::Damaged { stated, actual });
    }
    NodeSnapshot::decode(body).map_err(|e| DiskError::Message(e.to_string()))
}

fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fnv(words.iter().chain(std::iter::once(&last)).map(|word| u64::from_le_bytes(*word)))
}

fn sum_of_bytes(bytes: &[u8]) -> u64 {
    fnv(bytes.iter().map(|byte| u64::from(*byte)))
}

fn fnv(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |h: u64, word| (h ^ word).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_of_both_beginnings_are_read() {
        for pools in 0..20 {
            let snapshot = NodeSnapshot { pool_numbers: (0..pools).collect(), ..NodeSnapshot::default() };
            let mut bytes = encode(&snapshot);
            assert_eq!(decode(&bytes).unwrap(), snapshot);
            bytes[..8].copy_from_slice(BY_BYTES);
            assert!(matches!(decode(&bytes), Err(DiskError::Damaged { .. })), "the sum is another one");
            let sum = sum_of_bytes(&bytes[HEAD..]);
            bytes[16..HEAD].copy_from_slice(&sum.to_le_bytes());
            assert_eq!(decode(&bytes).unwrap(), snapshot);
        }
        assert_eq!(sum_of_bytes(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
