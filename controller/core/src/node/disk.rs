//! A snapshot as the bytes of a file.
//!
//! `GWNODE1\n`, the length of what follows the sum (8 bytes, lowest first), its 64-bit FNV-1a (the same), a NodeSnapshot.

use control_proto::v1::NodeSnapshot;
use prost::Message as _;
use thiserror::Error;

const MAGIC: &[u8; 8] = b"GWNODE1\n";
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
    if bytes.get(..8) != Some(MAGIC) {
        return Err(DiskError::Foreign);
    }
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
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
