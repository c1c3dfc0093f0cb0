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
        // All jumps go forward: what leads here has been written.
        let leads =
            |l: &Line| matches!(l, Line::Jump(_, to, _) if self.labels[to.0].1.is_some_and(|at| at > last));
        ends && !self.lines.iter().any(leads)
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

    /// The instruction that a label stands before; where that is a jump, the one that it leads to. Jumps go forward.
    fn target(&self, label: Label) -> Option<usize> {
        let mut at = self.next(self.labels.get(label.0)?.1?)?;
        while let Some(Line::Jump("jmp", to, _)) = self.lines.get(at) {
            match self.labels.get(to.0).and_then(|l| self.next(l.1?)) {
                Some(further) if further > at => at = further,
                _ => break,
            }
        }
        Some(at)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_way_leads_to_is_left_out() {
        let mut asm = Asm::default();
        let (a, b, unused) = (asm.label("a"), asm.label("a"), asm.label("unused"));
        asm.jump("jmpeq", a, "m.x 1");
        asm.jump("jmp", b, "");
        asm.op("mov m.x 2");
        asm.place(unused);
        asm.op("mov m.x 3");
        asm.place(a);
        asm.comment("here");
        asm.op("drop");
        asm.op("drop");
        asm.place(b);
        asm.op("tx m.port");
        let text = asm.finish();
        assert_eq!(text, ["jmpeq A m.x 1", "jmp A_2", "// here", "A : drop", "A_2 : tx m.port"]);
    }

    #[test]
    fn a_jump_to_what_comes_next_is_left_out_and_labels_of_one_place_are_one() {
        let mut asm = Asm::default();
        let (a, b) = (asm.label("a"), asm.label("b"));
        asm.jump("jmpeq", a, "m.x 1");
        asm.jump("jmpeq", b, "m.x 2");
        asm.jump("jmp", b, "");
        asm.place(a);
        asm.place(b);
        asm.op("drop");
        let text = asm.finish();
        let name = text.last().and_then(|line| line.strip_suffix(" : drop")).unwrap_or_default();
        assert_eq!(text[..2], [format!("jmpeq {name} m.x 1"), format!("jmpeq {name} m.x 2")]);
        assert_eq!(text.len(), 3);
    }
}
