//! The pipeline as text: every object, every statement, one form for one pipeline. For people and for snapshots;
//! nothing reads it back.
//!
//! ```text
//! table backend size 4096 counters both slot_bits 14
//!   key backend: bit<24> exact
//!   action ipip4
//!   default gone
//! control
//!   if !eth.valid
//!     drop ethernet_cut
//!   m.ttl = (ip4.ttl - 8w0x1)
//! ```
//!
//! `m.x` is a field of Meta, `x#7` the local variable number 7, `to.port` a parameter of action `to`; `16w0x800` is
//! a number of 16 bits. Locations are left out.

mod code;
mod objects;

use std::fmt::Write as _;

use crate::expr::Expr;
use crate::stmt::Stmt;
use crate::{Pipeline, VarId, VarKind};

/// The whole pipeline; ends in a line feed.
///
/// Ids must point at something, as [`verify`](crate::verify::verify) demands.
#[must_use]
pub fn print(pipeline: &Pipeline) -> String {
    let mut text = Text { p: pipeline, out: String::new(), indent: 0 };
    text.objects();
    text.parser();
    text.line("control");
    text.block(&pipeline.control);
    text.out
}

/// A block of statements, as it stands in the text of the pipeline, indented once.
#[must_use]
pub fn block(pipeline: &Pipeline, block: &[Stmt]) -> String {
    let mut text = Text { p: pipeline, out: String::new(), indent: 0 };
    text.block(block);
    text.out
}

/// One expression, as it stands in the text of the pipeline.
#[must_use]
pub fn expr(pipeline: &Pipeline, e: &Expr) -> String {
    code::expr(pipeline, e)
}

struct Text<'a> {
    p: &'a Pipeline,
    out: String,
    indent: usize,
}

impl Text<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.out, "{:1$}{2}", "", self.indent * 2, line.as_ref());
    }

    /// Lines below the one just written.
    fn inside(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }
}

/// A variable's name, told apart from others of the same name.
fn var(p: &Pipeline, id: VarId) -> String {
    let var = p.var(id);
    match var.kind {
        VarKind::Meta => format!("m.{}", var.name),
        VarKind::Local => format!("{}#{}", var.name, id.0),
        VarKind::Param(action) => format!("{}.{}", p.actions[action.index()].name, var.name),
    }
}
