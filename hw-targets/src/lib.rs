//! Targets as data: what a chip or kernel provides, its limits, its recipes.

/// A target, as its file states it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Target {
    pub name: String,
    /// `v1model`, `xdp`, `rust`, `pna`, `tna`, `psa`.
    pub arch: String,
    /// Nanoseconds of one tick of the flow table's clock.
    pub tick_ns: u64,
    /// The vocabulary of DESIGN §5: `table.exact`, `state.register`, ...
    pub provides: Vec<String>,
    /// Name to number.
    pub limits: Vec<(String, u64)>,
}
