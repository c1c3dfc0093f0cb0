//! Big tables on big pages.

use std::sync::atomic::AtomicU64;

/// Tables of fewer bytes stay on the pages that they have.
const LEAST: usize = 16 << 20;
/// Pages start at multiples of this.
const PAGE: usize = 4096;

/// Asks the kernel to give the words huge pages where they have none yet: packets of many flows then miss the TLB less.
/// A kernel without them says no, which changes nothing but speed.
pub(super) fn on_huge_pages(words: &[AtomicU64]) {
    let bytes = size_of_val(words);
    let start = words.as_ptr() as usize;
    let first = start.next_multiple_of(PAGE);
    let length = (start + bytes).saturating_sub(first) / PAGE * PAGE;
    if bytes < LEAST || length == 0 {
        return;
    }
    // SAFETY: the pages lie within the slice, which outlives the call; advice changes no content.
    #[allow(unsafe_code)]
    unsafe {
        libc::madvise(first as *mut libc::c_void, length, libc::MADV_HUGEPAGE);
    }
}
