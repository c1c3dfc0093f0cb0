//! The hash functions of all targets, by the names that programs give them.

use super::ffi::HashFunction;
use libc::c_void;
use std::ffi::CStr;
use sw_fallback_rt::hash;

/// Names and functions; see `codegen::swx`.
pub(super) const FUNCTIONS: [(&CStr, HashFunction); 2] =
    [(c"guideway_crc32", crc32), (c"guideway_halfsiphash", half_sip_hash)];

/// CRC-32 of IEEE 802.3 over all bytes.
///
/// # Safety
/// `data` has `length` bytes.
unsafe extern "C" fn crc32(data: *const c_void, length: u32, _seed: u32) -> u32 {
    // SAFETY: as the function demands.
    hash::crc32_of(unsafe { std::slice::from_raw_parts(data.cast(), length as usize) })
}

/// HalfSipHash-1-3; the first 8 bytes are the key.
///
/// # Safety
/// `data` has `length` bytes.
unsafe extern "C" fn half_sip_hash(data: *const c_void, length: u32, _seed: u32) -> u32 {
    // SAFETY: as the function demands.
    let data: &[u8] = unsafe { std::slice::from_raw_parts(data.cast(), length as usize) };
    match data.split_first_chunk::<8>() {
        Some((key, data)) => hash::half_sip_hash_of(u64::from_be_bytes(*key), data),
        None => 0,
    }
}
