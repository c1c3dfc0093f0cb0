//! P4_16 as a language: syntax tree, printer, parser, architecture skeletons and P4Info.
//!
//! [`ast`] is plain data, [`print()`] turns it into canonical text and the parser reads it back:
//! the tree that comes back is the tree that was printed, if it was made of valid names.

pub mod ast;
pub mod print;

pub use print::print;
