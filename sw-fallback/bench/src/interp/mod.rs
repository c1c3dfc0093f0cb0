//! An interpreter of BPF that counts. It runs a compiled object on a frame, with the content that the kernel's maps
//! have, and says what the frame cost: instructions, branches, memory accesses, helper calls, and which instructions.
//!
//! Machines without hardware counters can compare programs by it, and a number that does not depend on the machine
//! can be a gate. What it says of verdicts and bytes is the kernel's own, which a test holds: see `tests/interpreter.rs`.
//!
//! It knows the instruction set of `-mcpu=v3`, array maps, sections and the helpers that emitted programs call.
//! An instruction is one of the object's; what the verifier removes (branches on constants of `.rodata`) or puts in
//! (array lookups) is not known here.

mod alu;
mod btf;
mod counts;
mod helper;
mod machine;
mod memory;
mod object;

pub use counts::{Counts, HotLine};
pub use machine::{Machine, Outcome};
pub use memory::Maps;
pub use object::{MapFacts, Program};

/// Why a run or a load ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error("the object can't be read: {0}")]
    Object(String),
    #[error("instruction {pc}: {bytes} bytes at {address:#x} are nobody's")]
    Address { pc: usize, address: u64, bytes: usize },
    #[error("instruction {pc}: opcode {opcode:#04x} is not of -mcpu=v3")]
    Opcode { pc: usize, opcode: u8 },
    #[error("instruction {pc}: helper {helper} is not known to the interpreter")]
    Helper { pc: usize, helper: i32 },
    #[error("map `{map}` can't be used: {why}")]
    Map { map: String, why: String },
    #[error("no end after {0} instructions")]
    Endless(u64),
    #[error("instruction {pc} is outside the program")]
    Outside { pc: usize },
}
