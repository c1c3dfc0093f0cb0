//! The hash seeds of exact tables: numbered, so that a pin's name can tell which one is in use.

use super::search::exact_words;
use pipeline_ir::entry::TableEntry;
use xdp_layout::{TableKind, TableLayout, set_of};

/// Seeds that are tried.
const TRIES: u32 = 10_000;

/// Seed number `n`: `SplitMix64`.
pub(super) fn seed(n: u32) -> u64 {
    let mut z = u64::from(n).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// With this seed, does every set of 4 hold its entries?
pub(super) fn fits(number: u32, layout: &TableLayout, entries: &[&TableEntry]) -> bool {
    let TableKind::Exact { sets, words, fields } = &layout.kind else { return true };
    let set = |e: &&TableEntry| set_of(&exact_words(e, fields, *words), seed(number), *sets);
    let mut used: Vec<u32> = entries.iter().map(set).collect();
    used.sort_unstable();
    used.windows(5).all(|w| w[0] != w[4])
}

/// The first seed that fits; none is found only where a table is far too small.
pub(super) fn choose(layout: &TableLayout, entries: &[&TableEntry]) -> Option<u32> {
    (0..TRIES).find(|n| fits(*n, layout, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_those_of_splitmix() {
        // The first outputs of SplitMix64 started at 0.
        assert_eq!([seed(0), seed(1)], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }
}
