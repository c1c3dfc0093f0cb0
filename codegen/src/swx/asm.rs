//! Instructions under construction: labels, jumps, comments.

use std::collections::BTreeMap;

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

#[derive(Debug)]
enum Line {
    Comment(String),
    Op(String),
    /// A jump: what stands before and behind its label.
    Jump(&'static str, Label, String),
}

/// A list of instructions.
#[derive(Debug, Default)]
pub(super) struct Asm {
    lines: Vec<Line>,
    /// Hint and, once it is placed, the line that it stands before.
    labels: Vec<(String, Option<usize>)>,
}

impl Asm {
    /// A new label; its name begins with the hint.
    pub(super) fn label(&mut self, hint: &str) -> Label {
        self.labels.push((hint.to_uppercase(), None));
        Label(self.labels.len() - 1)
    }

    /// The label stands here.
    pub(super) fn place(&mut self, label: Label) {
        let here = self.lines.len();
        if let Some(slot) = self.labels.get_mut(label.0) {
            slot.1 = Some(here);
        }
    }

    /// No way leads to what would come next.
    pub(super) fn is_ended(&self) -> bool {
        let last = self.lines.iter().rposition(|l| !matches!(l, Line::Comment(_)));
        let Some(last) = last else { return false };
        let ends = match &self.lines[last] {
            Line::Op(op) => op == "drop" || op == "return" || op.starts_with("tx "),
            Line::Jump(op, ..) => *op == "jmp",
            Line::Comment(_) => false,
        };
        ends && !self.labels.iter().any(|(_, at)| at.is_some_and(|at| at > last))
    }

    /// Adds an instruction, unless no way leads to it.
    pub(super) fn op(&mut self, op: impl Into<String>) {
        if !self.is_ended() {
            self.lines.push(Line::Op(op.into()));
        }
    }

    /// Adds a jump.
    pub(super) fn jump(&mut self, op: &'static str, to: Label, rest: impl Into<String>) {
        if !self.is_ended() {
            self.lines.push(Line::Jump(op, to, rest.into()));
        }
    }

    /// Adds a comment above what comes next.
    pub(super) fn comment(&mut self, text: impl Into<String>) {
        if !self.is_ended() {
            self.lines.push(Line::Comment(text.into()));
        }
    }

    /// The text, a line each; jumps to the next instruction are left out.
    pub(super) fn finish(mut self) -> Vec<String> {
        for at in 0..self.lines.len() {
            let idle =
                matches!(self.lines[at], Line::Jump("jmp", to, _) if self.target(to) == self.next(at + 1));
            if idle {
                self.lines[at] = Line::Comment(String::new());
            }
        }
        let names = self.names();
        let named = |at: Option<usize>| at.and_then(|at| names.get(&at)).map_or("END", String::as_str);
        let mut out = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let own = names.get(&at).map_or(String::new(), |name| format!("{name} : "));
            match line {
                Line::Comment(text) if text.is_empty() => {}
                Line::Comment(text) => out.push(format!("// {text}")),
                Line::Op(op) => out.push(format!("{own}{op}")),
                Line::Jump(op, to, rest) => {
                    let line = format!("{own}{op} {} {rest}", named(self.target(*to)));
                    out.push(line.trim_end().to_owned());
                }
            }
        }
        out
    }

    /// The first instruction from here on.
    fn next(&self, at: usize) -> Option<usize> {
        (at..self.lines.len()).find(|i| !matches!(self.lines[*i], Line::Comment(_)))
    }

    /// The instruction that a label stands before.
    fn target(&self, label: Label) -> Option<usize> {
        self.next(self.labels.get(label.0)?.1?)
    }

    /// A name for each instruction that something jumps to.
    fn names(&self) -> BTreeMap<usize, String> {
        let jumps = self.lines.iter().filter_map(|l| match l {
            Line::Jump(_, to, _) => Some((self.target(*to)?, &self.labels.get(to.0)?.0)),
            _ => None,
        });
        let hints: BTreeMap<usize, &String> = jumps.collect();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (at, hint) in hints {
            let number = seen.entry(hint).or_default();
            *number += 1;
            let name = if *number == 1 { hint.clone() } else { format!("{hint}_{number}") };
            names.insert(at, name);
        }
        names
    }
}
