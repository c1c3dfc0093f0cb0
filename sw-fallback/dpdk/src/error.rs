//! What can go wrong, each with its way out.

use crate::spec::SpecError;
use thiserror::Error;

/// Why a pipeline does not run in DPDK.
#[derive(Debug, Error)]
pub enum DpdkError {
    /// DPDK's environment doesn't start.
    #[error("DPDK's environment can't start {0}")]
    Environment(String),
    /// The program can't be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// SWX does not take the program.
    #[error("line {line}: SWX refuses {what} ({why})")]
    Refused {
        /// In the program, from 1; 0: none in particular.
        line: u32,
        /// The statement.
        what: String,
        /// The system's word for it.
        why: String,
    },
    /// The program is not one of this pipeline.
    #[error("the program has no {0}; it was made from another pipeline, or by another version")]
    Lacks(String),
    /// A port's number is too high.
    #[error("port {0}: DPDK's ports are 0 to 253")]
    PortNumber(u32),
    /// A loop without end, which none of our programs has.
    #[error("the program does not come to an end")]
    Endless,
}
