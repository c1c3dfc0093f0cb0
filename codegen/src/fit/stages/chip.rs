//! A chip's numbers, from its target file.

use hw_targets::Target;

macro_rules! chip {
    ($($(#[$doc:meta])* $field:ident = $limit:literal,)+) => {
        /// What a chip of match-action stages has, by the names of the target file's limits.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Chip {
            $($(#[$doc])* pub $field: u64,)+
        }

        impl Chip {
            /// Those of a target; none where its file doesn't state them all.
            #[must_use]
            pub fn of(target: &Target) -> Option<Self> {
                Some(Self { $($field: target.limit($limit)?,)+ })
            }
        }
    };
}

chip! {
    /// Stages of a pipe.
    stages = "stages",
    /// Blocks of SRAM in a stage.
    sram = "stage_sram_blocks",
    /// Rows of a block of SRAM.
    sram_rows = "sram_block_rows",
    /// Bits of a row of SRAM.
    row_bits = "sram_row_bits",
    /// Blocks of TCAM in a stage.
    tcam = "stage_tcam_blocks",
    /// Rows of a block of TCAM.
    tcam_rows = "tcam_block_rows",
    /// Map RAMs in a stage: each block that counts or computes needs one.
    maps = "stage_map_rams",
    /// Logical tables in a stage.
    tables = "stage_tables",
    /// Bytes of key by hash in a stage.
    exact_bytes = "stage_exact_bytes",
    /// Bytes of key under masks in a stage.
    masked_bytes = "stage_masked_bytes",
    /// Counters in a stage: tables' or arrays.
    counters = "stage_counters",
    /// Arrays that compute, in a stage.
    registers = "stage_registers",
    /// Blocks behind a counter, its spare one included.
    counter_blocks = "counter_blocks",
    /// Blocks behind an array that computes, its spare one included.
    register_blocks = "register_blocks",
    /// Bits of an entry of an exact table that its place in a block stands for.
    ghost_bits = "entry_ghost_bits",
    /// Bits by which the control plane tells an exact entry's versions apart.
    version_bits = "entry_version_bits",
    /// Bits beside the key in a row of SRAM: action and data.
    overhead_bits = "row_overhead_bits",
    /// Entries of an exact table in a row of SRAM.
    row_entries = "row_entries",
    /// Entries packed together at most, in several rows side by side.
    pack = "pack_entries",
    /// Bits beside the key of an exact table for its entries' counter.
    counter_bits = "entry_counter_bits",
    /// Constant entries of an exact table that a gateway holds in its place.
    gateway_entries = "gateway_entries",
    /// Bits that a gateway compares.
    compare_bits = "compare_bits",
    /// Bits of action data that can stand beside the key.
    immediate_bits = "immediate_bits",
    /// Ways of an exact table, at least.
    ways = "exact_ways",
    /// Actions for which a short number stands beside the key.
    short_actions = "short_actions",
    /// Rows of TCAM that a range can take.
    range_rows = "range_rows",
    /// Entries in a hundred that are taken to be true ranges.
    range_percent = "range_percent",
}
