//! What a deployment has room for.

/// Longest idle time-out of a flow in `l4lb` (the second time-out class of its flow tables, `tcp = 3600.s`): a number that
/// flow entries hold is not given again before.
pub const LONGEST_TIMEOUT_MS: u64 = 3_600_000;

/// Room, and defaults. [`Settings::default`] is what the `l4lb` pipeline has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `pools` of the pipeline's ring, above all pool numbers; 0 stays unused, so that there is one pool less.
    pub pools: u32,
    /// VIPs with a port, per family: size of `vip4` and of `vip6`.
    pub vips: u32,
    /// VIPs for any port and addresses of VIPs together, per family: size of `vip4_any` and of `vip6_any`, which hold an entry
    /// for each address too (echo, and packets without ports).
    pub any: u32,
    /// Backends: size of `backend`.
    pub backends: u32,
    /// Low bits of a backend's id that no two backends share: `slot_bits` of `backend`.
    pub slot_bits: u32,
    /// Time-out classes of the flow tables.
    pub timeout_classes: u32,
    /// Slots of a ring for which nothing was said.
    pub ring_slots: u32,
    /// How long a drain lasts for which nothing was said. Milliseconds.
    pub drain_ms: u64,
    /// How long a number is not given again. Milliseconds.
    pub reuse_after_ms: u64,
    /// Events kept.
    pub events: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pools: 64,
            vips: 512,
            any: 512,
            backends: 4096,
            slot_bits: 14,
            timeout_classes: 3,
            ring_slots: 65_537,
            drain_ms: 60_000,
            reuse_after_ms: LONGEST_TIMEOUT_MS,
            events: 10_000,
        }
    }
}
