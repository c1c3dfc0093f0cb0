//! The language of SWX pipelines, `.spec`, as plain data.
//!
//! ```text
//! struct eth_t {
//!     bit<48> dst
//!     bit<48> src
//!     bit<16> type
//! }
//! header eth instanceof eth_t
//! struct meta_t { ... }
//! metadata instanceof meta_t
//! regarray drops size 4 initval 0
//! action out args instanceof out_t {
//!     mov m.port t.port
//!     return
//! }
//! table macs {
//!     key {
//!         h.eth.dst exact
//!     }
//!     actions {
//!         out
//!         lost @defaultonly
//!     }
//!     default_action lost args none const
//!     size 1024
//! }
//! apply {
//!     rx m.port
//!     extract h.eth
//!     table macs
//!     emit h.eth
//!     tx m.port
//! }
//! ```
//!
//! What DPDK 22.11 reads but our programs don't have is refused by name: extern objects, selectors, meters. Instructions
//! are DPDK's own matter: they are kept as they are written, with their lines.

mod block;
mod line;

pub use block::parse;

use thiserror::Error;

/// A pipeline as its file says it, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Spec {
    pub structs: Vec<Struct>,
    pub headers: Vec<Header>,
    pub metadata: Option<Metadata>,
    pub registers: Vec<Registers>,
    pub actions: Vec<Action>,
    pub tables: Vec<Table>,
    pub learners: Vec<Learner>,
    pub apply: Vec<Instruction>,
}

/// A struct: of a header, of the metadata, or of an action's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Struct {
    pub line: u32,
    pub name: String,
    pub fields: Vec<Field>,
}

/// A field of a struct: a multiple of 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Field {
    pub line: u32,
    pub name: String,
    pub bits: u32,
}

/// A header that packets may have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Header {
    pub line: u32,
    pub name: String,
    pub of: String,
}

/// The metadata's struct.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Metadata {
    pub line: u32,
    pub of: String,
}

/// An array of registers of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Registers {
    pub line: u32,
    pub name: String,
    pub size: u32,
    pub initial: u64,
}

/// An action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Action {
    pub line: u32,
    pub name: String,
    /// The struct of its arguments; none where it takes none.
    pub args: Option<String>,
    pub body: Vec<Instruction>,
}

/// An instruction: its words, a blank between any two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Instruction {
    pub line: u32,
    pub text: String,
}

/// How a field of a key matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Match {
    Exact,
    Wildcard,
    Lpm,
}

/// A field of a table's key, such as `h.eth.dst`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Key {
    pub line: u32,
    pub field: String,
    pub kind: Match,
}

/// An action that a table may use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Use {
    pub line: u32,
    pub action: String,
    pub by_entries: bool,
    pub by_default: bool,
}

/// What happens to a packet that no entry is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Default {
    pub line: u32,
    pub action: String,
    /// `NAME VALUE ...`; none where the action takes none.
    pub args: Option<String>,
    pub is_const: bool,
}

/// A table that the control plane writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Table {
    pub line: u32,
    pub name: String,
    pub keys: Vec<Key>,
    pub actions: Vec<Use>,
    pub default: Default,
    pub hash: Option<String>,
    pub size: u32,
}

/// A table that packets write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Learner {
    pub line: u32,
    pub name: String,
    /// All match exactly.
    pub keys: Vec<String>,
    pub actions: Vec<Use>,
    pub default: Default,
    pub hash: Option<String>,
    pub size: u32,
    /// Seconds.
    pub timeouts: Vec<u32>,
}

/// Why a text is no `.spec` of ours.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct SpecError {
    /// From 1.
    pub line: u32,
    /// What is wrong there.
    pub what: String,
}

impl SpecError {
    pub(crate) fn at(line: u32, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

impl Spec {
    /// A struct by its name.
    #[must_use]
    pub fn structure(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|s| s.name == name)
    }

    /// The struct of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Struct> {
        self.structure(&self.headers.iter().find(|h| h.name == name)?.of)
    }

    /// The struct of the metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<&Struct> {
        self.structure(&self.metadata.as_ref()?.of)
    }

    /// The struct in which a field such as `h.eth.dst` or `m.port` stands, the field's offset in it in bytes, and the field.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<(&Struct, u32, &Field)> {
        let (of, name) = match path.strip_prefix("m.") {
            Some(name) => (self.metadata()?, name),
            None => {
                let (header, name) = path.strip_prefix("h.")?.split_once('.')?;
                (self.header(header)?, name)
            }
        };
        let at = of.fields.iter().position(|f| f.name == name)?;
        Some((of, of.offset(at), of.fields.get(at)?))
    }
}

impl Struct {
    /// Bytes before its field with this number.
    #[must_use]
    pub fn offset(&self, field: usize) -> u32 {
        self.fields.iter().take(field).map(|f| f.bits / 8).sum()
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.offset(self.fields.len())
    }
}
