//! Proof 1: the pipeline means something.
//!
//! Ids come first: when one points nowhere, nothing else can be looked at. All other rules are independent, and
//! everything that is broken is reported at once.
//!
//! | code | rule |
//! | --- | --- |
//! | `Duplicate` | tables, pool tables, rings, flow tables, counters and limiters share one space of names; actions, with those of rings, another; so do header types, headers, fields of Meta, reasons, states, and the fields of each header, key and action |
//! | `Missing` | there are a parser and a control |
//! | `Width`, `Overflow`, `Mismatch` | widths are 1 to 128 bits; numbers fit; types are those of [`expr`](crate::expr) and [`stmt`](crate::stmt); shifts are by constants; a product has at most 64 bits, a counter's index 32 |
//! | `HeaderBytes` | a header is a whole number of bytes, at least one |
//! | `ParserLoop`, `ParserTwice` | states form a DAG; no path extracts a header twice |
//! | `Unreachable` | every state is entered, every case and statement can run, every object is used |
//! | `NoVerdict` | every path of the control ends in a verdict |
//! | `AppliedTwice` | no path applies a table, asks a flow table or a ring, or truncates, twice |
//! | `Arms` | a table's arms are its actions, each once |
//! | `DataLost` | nothing but a table writes an action's data, and none while an arm of that action is open |
//! | `TableShape` | at least one key field and one entry; at most one lpm field, then all others exact; the default is one of the actions; a default-only action is the default; `slot_bits` with a single exact field that has them, 24 at most, and no more entries than slots; counters have cells |
//! | `ConstEntry` | entries of the source are as [`Tables::check`](crate::entry::Tables::check) wants them, differ in their keys, and fit the size |
//! | `FlowShape` | 8 to 2^26 entries, a power of two; a key of 1 to 176 bits, ids of 1 to 24; 1 to 4 classes of time-outs of 1 ms to 2 h |
//! | `FlowUse` | a flow is found on some path before it stays, never twice on one; it stays once, by a table whose default no entry can hold; its closure sets the id or drops; it is remembered once, after it stayed or moved |
//! | `RingShape` | 2 to 2^20 slots, a prime or a power of two; 1 to 4096 pools that their width can number; ids of 1 to 24 bits |
//! | `DataWidth` | data of a hash are whole bytes, data of a checksum whole words of 16 bits, and some |

mod declared;
mod ids;
mod parser;
mod paths;
mod shapes;
mod types;
mod walk;

use crate::Pipeline;
use crate::diagnostic::Diagnostics;

/// A pipeline that keeps every rule of this crate's specification. Only [`verify`] makes one. Its const entries are
/// canonical: each value in its field's own kind and under its mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pipeline: Pipeline,
}

impl Verified {
    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

/// Checks every rule and reports all that is broken.
///
/// # Errors
/// Every broken rule, in source order.
pub fn verify(mut pipeline: Pipeline) -> Result<Verified, Diagnostics> {
    let mut found = Diagnostics::default();
    ids::check(&pipeline, &mut found);
    if found.is_empty() {
        declared::check(&pipeline, &mut found);
        shapes::check(&pipeline, &mut found);
        types::check(&pipeline, &mut found);
        parser::check(&pipeline, &mut found);
        paths::check(&pipeline, &mut found);
    }
    if found.is_empty() {
        shapes::make_canonical(&mut pipeline);
        return Ok(Verified { pipeline });
    }
    found.sort();
    Err(found)
}
