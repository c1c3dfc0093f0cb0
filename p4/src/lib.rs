//! P4_16 as a language: syntax tree, printer, parser, architecture skeletons and P4Info.
//!
//! [`ast`] is plain data, [`print()`] turns it into canonical text and [`parse()`] reads it back:
//! `parse(&print(&program)) == Ok(program)` for every tree made of valid names.

pub mod arch;
pub mod ast;
pub mod info;
pub mod parse;
pub mod print;

pub use parse::parse;
pub use print::print;
