//! The control for each way through the parser, evaluated in part.
//!
//! A way is a sequence of parser states from start to accept. It settles which headers are valid, where in the frame
//! they start, and what the selects have proved of fields; [`specialise`] leaves of the control what then remains to
//! be done:
//!
//! ```text
//! if ip4.valid                                          (start-ipv4-tcp)
//!   fragment = (ip4.more_fragments == 1) || ..
//!   by_address = (ip4.version != 4) || fragment         by_address = tcp.data_offset < 5
//!     || (tcp.valid && tcp.data_offset < 5)             m.port = tcp.src_port
//!   if tcp.valid                                        if by_address
//!     m.port = tcp.src_port                               drop data_offset
//!   if by_address
//!     ..
//! ```
//!
//! The law is that of [`pipeline_ir`]: fields of invalid headers read as 0 and are not written, variables start at 0,
//! a default action that no entry can have has parameters of 0. A fact about a field holds until the field is written
//! or its header pushed or popped. Facts are kept apart by the path taken, up to eight paths, so that a condition
//! tested twice is settled the second time. Conditions that are settled go with their other branch, constants are
//! folded, and what nobody reads is not written. Whatever counts, looks up, limits or remembers stays where it runs.

mod control;
mod dead;
mod facts;
mod route;
pub(crate) mod simplify;
#[cfg(test)]
mod tests;
mod values;

pub use control::Flow;
pub use facts::{Facts, Known};
pub use route::{MOST_WAYS, Step, Way, ways};
pub use values::Values;

use pipeline_ir::stmt::{Block, Stmt, StmtKind};
use pipeline_ir::{Loc, Pipeline};

/// What one round leaves may settle more: so many rounds at most. Two do for all cases here.
const ROUNDS: usize = 8;

/// The control of one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Special {
    /// It takes the place of the pipeline's control for packets of this way, and for no others. Like that it ends every
    /// path in a verdict, and applies nothing twice.
    pub control: Block,
    /// By cursor: which `find` may have filled it, and for which events.
    pub flows: Vec<Flow>,
    /// For each hash statement of `control`, in the order of [`walk`](pipeline_ir::stmt::walk): which one of the
    /// pipeline's own it is.
    pub hashes: Vec<usize>,
}

/// The pipeline's control for packets of this way, and for no others.
#[must_use]
pub fn specialise(p: &Pipeline, way: &Way) -> Special {
    let mut control = p.control.clone();
    // A hash has no name. While its statement is under way, its number stands in the place of its place.
    let mut places = Vec::new();
    hashes(&mut control, &mut |stmt| {
        places.push(stmt.at);
        stmt.at = Loc { line: places.len() as u32 - 1, ..Loc::default() };
    });
    let mut flows = Vec::new();
    for _ in 0..ROUNDS {
        let mut pass = control::Pass::new(p, std::slice::from_ref(&way.facts));
        let next = dead::remove(p, pass.block(&control));
        flows = pass.flows;
        if std::mem::replace(&mut control, next) == control {
            break;
        }
    }
    let mut numbers = Vec::new();
    hashes(&mut control, &mut |stmt| {
        let number = stmt.at.line as usize;
        stmt.at = places.get(number).copied().unwrap_or_default();
        numbers.push(number);
    });
    Special { control, flows, hashes: numbers }
}

/// The pipeline's control without what no packet can come to.
#[must_use]
pub(crate) fn settle(p: &Pipeline) -> Block {
    let worlds = route::ends(p).unwrap_or_else(|| vec![Facts::any(p)]);
    let mut control = p.control.clone();
    for _ in 0..ROUNDS {
        let mut pass = control::Pass::new(p, &worlds);
        pass.sums_fields = true;
        let next = pass.block(&control);
        if std::mem::replace(&mut control, next) == control {
            break;
        }
    }
    control
}

/// Calls `visit` on each hash statement, in the order of `walk`.
fn hashes(block: &mut Block, visit: &mut impl FnMut(&mut Stmt)) {
    for stmt in block {
        if matches!(stmt.kind, StmtKind::Hash { .. }) {
            visit(stmt);
        }
        match &mut stmt.kind {
            StmtKind::If { then, otherwise, .. } => {
                hashes(then, visit);
                hashes(otherwise, visit);
            }
            StmtKind::Apply { arms, .. } => arms.iter_mut().for_each(|a| hashes(&mut a.body, visit)),
            StmtKind::Stay { select, arms, .. } => {
                hashes(select, visit);
                arms.iter_mut().for_each(|a| hashes(&mut a.body, visit));
            }
            _ => {}
        }
    }
}
