//! Statements.

use crate::ast::{Block, Else, Expr, If, Label, Stmt, StmtKind, SwitchCase};

use super::expr::{self, NO_TERNARY, Place};
use super::writer::Writer;

/// The statements of a block, without its braces. A comment starts a new paragraph.
pub(super) fn block(writer: &mut Writer, block: &Block) {
    for (i, stmt) in block.iter().enumerate() {
        if i > 0 && !stmt.notes.is_empty() {
            writer.blank();
        }
        writer.notes(&stmt.notes);
        statement(writer, stmt);
    }
}

fn statement(writer: &mut Writer, stmt: &Stmt) {
    match &stmt.kind {
        StmtKind::Assign(left, right) => assignment(writer, &format!("{} = ", expr::flat(left)), right),
        StmtKind::Call(call) => assignment(writer, "", call),
        StmtKind::If(first) => branches(writer, first),
        StmtKind::Switch(subject, list) => switch(writer, subject, list),
        StmtKind::Variable(ty, name, None) => writer.line(&format!("{} {name};", expr::ty(ty))),
        StmtKind::Variable(ty, name, Some(init)) => {
            assignment(writer, &format!("{} {name} = ", expr::ty(ty)), init);
        }
        StmtKind::Const(ty, name, value) => {
            assignment(writer, &format!("const {} {name} = ", expr::ty(ty)), value);
        }
        StmtKind::Block(inner) => writer.braces("", "}", |w| block(w, inner)),
        StmtKind::Exit => writer.line("exit;"),
        StmtKind::Return(None) => writer.line("return;"),
        StmtKind::Return(Some(value)) => assignment(writer, "return ", value),
        StmtKind::Empty => writer.line(";"),
    }
}

/// `head value;`
pub(super) fn assignment(writer: &mut Writer, head: &str, value: &Expr) {
    let indent = writer.column();
    let value = expr::layout(value, Place { indent, column: indent + head.len(), tail: 1 });
    writer.line(&format!("{head}{value};"));
}

fn branches(writer: &mut Writer, first: &If) {
    let indent = writer.column();
    let mut branch = first;
    let mut head = String::new();
    loop {
        head.push_str("if (");
        let place = Place { indent, column: indent + head.len(), tail: 3 };
        head.push_str(&expr::layout(&branch.condition, place));
        head.push_str(") ");
        match &branch.otherwise {
            None => return writer.braces(&head, "}", |w| block(w, &branch.then)),
            Some(otherwise) => {
                open_ended(writer, &head, &branch.then);
                match otherwise {
                    Else::Block(last) => return writer.braces("} else ", "}", |w| block(w, last)),
                    Else::If(next) => branch = next,
                }
                head = "} else ".to_owned();
            }
        }
    }
}

/// `head {` and the statements, for a block whose closing brace is on the next head's line.
fn open_ended(writer: &mut Writer, head: &str, then: &Block) {
    writer.line(&format!("{head}{{"));
    writer.nested(|w| block(w, then));
}

fn switch(writer: &mut Writer, subject: &Expr, cases: &[SwitchCase]) {
    writer.braces(&format!("switch ({}) ", expr::flat(subject)), "}", |w| {
        for case in cases {
            w.notes(&case.notes);
            let label = match &case.label {
                Label::Value(value) => self::label(value),
                Label::Default => "default".to_owned(),
            };
            match &case.body {
                Some(body) => w.braces(&format!("{label}: "), "}", |w| block(w, body)),
                None => w.line(&format!("{label}:")),
            }
        }
    });
}

/// A value before a colon. A brace in front would read as the body of the case above.
fn label(value: &Expr) -> String {
    let text = expr::at_least(value, NO_TERNARY);
    if text.starts_with('{') { format!("({text})") } else { text }
}
