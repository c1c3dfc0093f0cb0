//! What two processes share: a file in memory, as words that both read and write atomically. Nothing that the other side does to
//! them can harm this one; what it means is checked by whoever reads it.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicU64;

/// A file's words.
#[derive(Debug)]
pub(super) struct Words {
    base: *const AtomicU64,
    count: usize,
}

// SAFETY: the words are atomic, and the mapping lives as long as this value.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Maps `count` words of a file that has them.
    pub(super) fn of(file: &File, count: usize) -> Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let none = std::ptr::null_mut();
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe { libc::mmap(none, count * 8, protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        Ok(Self { base: base.cast_const().cast(), count })
    }

    pub(super) fn all(&self) -> &[AtomicU64] {
        // SAFETY: the mapping has so many words, is aligned to a page, and is there until `drop`; all who write to it do so word
        // by word.
        unsafe { std::slice::from_raw_parts(self.base, self.count) }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.base.cast_mut().cast(), self.count * 8) };
    }
}

/// Makes a named pipe that only this user may open.
pub(super) fn pipe(path: &Path) -> Result<()> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the name is NUL-terminated and lives for the call.
    match unsafe { libc::mkfifo(name.as_ptr(), 0o600) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}
