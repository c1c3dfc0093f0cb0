//! The syntax tree of P4_16 programs: plain data, with constructors that let an emitter read well.
//!
//! The tree keeps what a reader of the program sees and the printer does not choose by itself:
//! number bases, annotations and the comment lines above a piece of code ([`Note`]). Blank lines,
//! indentation and line breaks are the printer's.
//!
//! Names are plain strings: giving valid P4 identifiers is up to whoever builds the tree.

mod annotation;
mod decl;
mod expr;
mod keyset;
mod literal;
mod ops;
mod parser;
mod stmt;
mod table;
mod ty;

pub use annotation::{Annotation, Note};
pub use decl::{
    ActionDecl, ControlDecl, Decl, DeclKind, Direction, EnumDecl, EnumMember, Field, FunctionDecl, Include,
    Instance, Param, Program, Record,
};
pub use expr::{Arg, Expr};
pub use keyset::Keyset;
pub use literal::{Base, Int, Width};
pub use ops::{BinaryOp, UnaryOp};
pub use parser::{ParserDecl, SelectCase, State, Transition, TransitionKind};
pub use stmt::{Block, Else, If, Label, Stmt, StmtKind, SwitchCase};
pub use table::{ActionRef, Entry, Key, Property, PropertyKind, Table};
pub use ty::Type;
