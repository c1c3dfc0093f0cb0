//! Canonical text of a syntax tree.
//!
//! One tree has one text: four blanks of indentation, at most [`WIDTH`] columns where the names
//! allow it, an argument, parameter or field a line where a list does not fit, and a blank line
//! around everything that has a body.
//!
//! ```
//! use p4::ast::{Expr, Program, Decl, Type};
//! let program = Program::new([
//!     Decl::include("core.p4"),
//!     Decl::constant(Type::bit(16), "IPV4", Expr::hex_padded(0x800, 4)).note("EtherType"),
//! ]);
//! assert_eq!(p4::print(&program), "#include <core.p4>\n\n// EtherType\nconst bit<16> IPV4 = 0x0800;\n");
//! ```

mod decl;
mod expr;
mod stmt;
mod table;
mod writer;

use crate::ast::{Expr, Program, Type};
use writer::Writer;

pub use writer::WIDTH;

/// The canonical text of a program.
pub fn print(program: &Program) -> String {
    let mut writer = Writer::default();
    decl::decls(&mut writer, &program.decls);
    writer.finish()
}

/// The text of an expression, on one line.
pub fn expr(expr: &Expr) -> String {
    expr::flat(expr)
}

/// The text of a type.
pub fn ty(ty: &Type) -> String {
    expr::ty(ty)
}
