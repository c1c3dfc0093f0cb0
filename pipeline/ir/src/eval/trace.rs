//! What happened to a packet, step by step.

use std::fmt;

/// Something that happened to a packet; `Display` gives one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TraceStep {
    /// The parser entered a state.
    State { name: String },
    /// A header was found.
    Extracted { header: String },
    /// The frame ended before this; the parser stopped.
    Cut { wanted: String },
    /// A table was looked up. Key and data by field name.
    Applied { table: String, key: Vec<(String, u128)>, hit: bool, action: String, data: Vec<(String, u128)> },
    /// A hash was computed.
    Hashed { into: String, value: u32 },
    /// A counter's cell counted.
    Counted { counter: String, index: u128, inside: bool },
    /// A limiter was asked.
    Limited { limiter: String, allowed: bool },
    /// A flow was looked up; `live`: the id of a live hit.
    Found { table: String, key: Vec<(String, u128)>, live: Option<u32> },
    /// A flow stays where it is.
    Stayed { id: u32 },
    /// A flow was written; none: not stored.
    Stored { table: String, place: Option<(u32, u32)>, state: u8 },
    /// A ring was asked; `id`: none where pool or slot has no entry.
    Selected { ring: String, pool: u128, generation: Option<u8>, slot: Option<u32>, id: Option<u32> },
    /// A header was pushed.
    Pushed { header: String },
    /// A header was popped.
    Popped { header: String },
    /// The end: `forward <port>`, `pass` or `drop <reason>`.
    Verdict { text: String },
}

/// `name=0x1f name=0x2`.
struct Fields<'a>(&'a [(String, u128)]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| write!(f, " {name}={value:#x}"))
    }
}

impl fmt::Display for TraceStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { name } => write!(f, "state {name}"),
            Self::Extracted { header } => write!(f, "extract {header}"),
            Self::Cut { wanted } => write!(f, "frame ends in {wanted}: the parser stops"),
            Self::Applied { table, key, hit, action, data } => {
                let how = if *hit { "hit" } else { "miss" };
                write!(f, "table {table}{}: {how}, {action}{}", Fields(key), Fields(data))
            }
            Self::Hashed { into, value } => write!(f, "hash {into} = {value:#010x}"),
            Self::Counted { counter, index, inside: true } => write!(f, "count {counter}[{index}]"),
            Self::Counted { counter, index, inside: false } => {
                write!(f, "count {counter}[{index}]: beyond its size")
            }
            Self::Limited { limiter, allowed } => {
                write!(f, "limiter {limiter}: {}", if *allowed { "allowed" } else { "refused" })
            }
            Self::Found { table, key, live: Some(id) } => {
                write!(f, "flow {table}{}: live, id {id}", Fields(key))
            }
            Self::Found { table, key, live: None } => write!(f, "flow {table}{}: none", Fields(key)),
            Self::Stayed { id } => write!(f, "the flow stays with id {id}"),
            Self::Stored { table, place: Some((bucket, way)), state } => {
                write!(f, "flow {table}: written to bucket {bucket} way {way}, {}", state_name(*state))
            }
            Self::Stored { table, place: None, .. } => write!(f, "flow {table}: no room, not stored"),
            Self::Selected { ring, pool, generation, slot, id } => {
                write!(f, "ring {ring} pool {pool}")?;
                match (generation, slot, id) {
                    (Some(g), Some(s), Some(id)) => write!(f, " generation {g} slot {s}: id {id}"),
                    (Some(g), Some(s), None) => write!(f, " generation {g} slot {s}: empty"),
                    _ => write!(f, ": no generation"),
                }
            }
            Self::Pushed { header } => write!(f, "push {header}"),
            Self::Popped { header } => write!(f, "pop {header}"),
            Self::Verdict { text } => f.write_str(text),
        }
    }
}

fn state_name(state: u8) -> &'static str {
    use crate::flow::state;
    match state {
        state::NEW => "new",
        state::TCP => "tcp",
        state::UDP => "udp",
        state::CLOSING => "closing",
        _ => "free",
    }
}
