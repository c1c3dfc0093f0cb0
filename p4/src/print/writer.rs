//! Lines, indentation, and lists that break when they do not fit.

use crate::ast::{Annotation, Note};

use super::expr;

/// The column that a line does not pass if it can be broken.
pub const WIDTH: usize = 110;

/// Blanks a level of indentation has.
pub(super) const STEP: usize = 4;

/// Text under construction, line by line.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    indent: usize,
}

impl Writer {
    /// The finished text.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// The column at which a line starts.
    pub(super) fn column(&self) -> usize {
        self.indent
    }

    /// Writes a line; breaks inside `text` bring their own indentation.
    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(&pad(self.indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Writes an empty line, unless the text starts here.
    pub(super) fn blank(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// Writes comment lines.
    pub(super) fn notes(&mut self, notes: &[Note]) {
        for note in notes {
            self.line(format!("// {}", note.text()).trim_end());
        }
    }

    /// Writes annotations on a line of their own, if there are any.
    pub(super) fn annotations(&mut self, annotations: &[Annotation]) {
        if !annotations.is_empty() {
            self.line(inline_annotations(annotations).trim_end());
        }
    }

    /// Writes `head {`, what `body` writes one level deeper, and `}`; `head { }` if it writes nothing.
    pub(super) fn braces(&mut self, head: &str, close: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head}{{"));
        let start = self.out.len();
        self.nested(body);
        if self.out.len() == start {
            self.out.truncate(start - 1);
            self.out.push_str(&format!(" {close}\n"));
        } else {
            self.line(close);
        }
    }

    /// Lets `body` write one level deeper.
    pub(super) fn nested(&mut self, body: impl FnOnce(&mut Self)) {
        self.indent += STEP;
        body(self);
        self.indent -= STEP;
    }
}

/// `count` blanks.
pub(super) fn pad(count: usize) -> String {
    " ".repeat(count)
}

/// `@a @b(1) `, with a blank at the end unless empty.
pub(super) fn inline_annotations(annotations: &[Annotation]) -> String {
    let mut text = String::new();
    for annotation in annotations {
        text.push('@');
        text.push_str(&annotation.name);
        if !annotation.args.is_empty() {
            let args: Vec<String> = annotation.args.iter().map(expr::flat).collect();
            text.push_str(&format!("({})", args.join(", ")));
        }
        text.push(' ');
    }
    text
}

/// `open` items `close` on one line if that fits between `column` and [`WIDTH`] with `tail` more
/// columns after it, else one item a line.
///
/// `item(i, indent)` gives the text of item `i` for a line that starts at column `indent`; without
/// an indentation, on one line.
pub(super) struct List<'a> {
    /// What stands before the first item, and after the last one.
    pub(super) delimiters: (&'a str, &'a str),
    /// Where the list starts.
    pub(super) column: usize,
    /// Where the line starts that the list is on.
    pub(super) indent: usize,
    /// Columns that something else takes after the list.
    pub(super) tail: usize,
}

impl List<'_> {
    /// The text of the list.
    pub(super) fn layout<T>(&self, items: &[T], item: impl Fn(&T, Option<usize>) -> String) -> String {
        let (open, close) = self.delimiters;
        let flat: Vec<String> = items.iter().map(|x| item(x, None)).collect();
        let flat = format!("{open}{}{close}", flat.join(", "));
        if items.is_empty() || self.column + flat.len() + self.tail <= WIDTH {
            return flat;
        }
        let inner = self.indent + STEP;
        let lines: Vec<String> =
            items.iter().map(|x| format!("{}{}", pad(inner), item(x, Some(inner)))).collect();
        format!("{}\n{}\n{}{}", open.trim_end(), lines.join(",\n"), pad(self.indent), close.trim_start())
    }
}
