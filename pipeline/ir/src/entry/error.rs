//! Why an entry may not be written: each names table, field, value and limit, and what to do.

/// Why an entry may not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum EntryError {
    #[error("no table is named `{table}`{hint}")]
    UnknownTable { table: String, hint: String },
    #[error("no ring is named `{ring}`{hint}")]
    UnknownRing { ring: String, hint: String },
    #[error("table `{table}` has no key field `{field}`{hint}")]
    UnknownField { table: String, field: String, hint: String },
    #[error("table `{table}` has no action `{action}`{hint}")]
    UnknownAction { table: String, action: String, hint: String },
    #[error("table `{table}`: action `{action}` has no parameter `{param}`{hint}")]
    UnknownParam { table: String, action: String, param: String, hint: String },
    #[error("table `{table}`: `{name}` is given {times} times; give it once")]
    Repeated { table: String, name: String, times: usize },
    #[error("table `{table}`: key field `{field}` is missing; it is matched exactly, so give its value")]
    MissingField { table: String, field: String },
    #[error("table `{table}`: action `{action}` lacks its parameter `{param}`; give its value")]
    MissingParam { table: String, action: String, param: String },
    #[error(
        "table `{table}`: key field `{field}` is given as {given}, but is matched by {kind}; give {instead}"
    )]
    Kind { table: String, field: String, kind: &'static str, given: &'static str, instead: &'static str },
    #[error("table `{table}`: `{name}` is {value:#x}, more than its {bits} bits hold; at most {limit:#x}")]
    TooWide { table: String, name: String, value: u128, bits: u8, limit: u128 },
    #[error("table `{table}`: `{name}` is {value}, but must be below {limit}; {help}")]
    Limit { table: String, name: String, value: u128, limit: u128, help: &'static str },
    #[error("table `{table}`: key field `{field}` has a prefix of {prefix} bits; it is {bits} bits wide")]
    Prefix { table: String, field: String, prefix: u8, bits: u8 },
    #[error(
        "table `{table}`: key field `{field}` is the range {low}..={high}, which is empty; put the lower first"
    )]
    EmptyRange { table: String, field: String, low: u128, high: u128 },
    #[error(
        "table `{table}`: priority {priority}; entries with ternary, range or optional fields need one above 0"
    )]
    PriorityMissing { table: String, priority: i32 },
    #[error("table `{table}`: priority {priority}; its entries never overlap, so leave it 0")]
    PriorityUnused { table: String, priority: i32 },
    #[error("table `{table}`: action `{action}` is the default only; delete the entry to have it run")]
    DefaultOnly { table: String, action: String },
    #[error("table `{table}` holds the entries written in the pipeline's source; change them there")]
    Const { table: String },
    #[error("ring `{ring}` has {slots} slots, but {given} were given; fill them all at once")]
    Slots { ring: String, given: usize, slots: u32 },
    #[error("ring `{ring}`: slot {slot} holds id 0, which stands for none; number ids from 1")]
    NoId { ring: String, slot: u32 },
    #[error("table `{table}`: {given} values were given for `{name}`, which has {want}")]
    Count { table: String, name: String, given: usize, want: usize },
}

impl EntryError {
    /// The key field, parameter or other part of the entry that is at fault; none where something is missing.
    #[must_use]
    pub fn concerns(&self) -> Option<&str> {
        match self {
            Self::UnknownTable { .. } | Self::Const { .. } => Some("table"),
            Self::UnknownAction { .. } | Self::DefaultOnly { .. } => Some("action"),
            Self::PriorityMissing { .. } | Self::PriorityUnused { .. } => Some("priority"),
            Self::UnknownField { field: name, .. }
            | Self::UnknownParam { param: name, .. }
            | Self::Repeated { name, .. }
            | Self::Kind { field: name, .. }
            | Self::TooWide { name, .. }
            | Self::Limit { name, .. }
            | Self::Prefix { field: name, .. }
            | Self::EmptyRange { field: name, .. } => Some(name),
            Self::UnknownRing { .. }
            | Self::MissingField { .. }
            | Self::MissingParam { .. }
            | Self::Slots { .. }
            | Self::NoId { .. }
            | Self::Count { .. } => None,
        }
    }
}
