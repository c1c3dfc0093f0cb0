//! The parser: a guard before each extract, since SWX's looks at no length; jumps for transitions.

use pipeline_ir::expr::BinOp;
use pipeline_ir::{Case, ParserOp, Pattern, State, Transition};

use super::Spec;
use super::asm::Label;
use super::layout;
use super::value::{Operand, Value};
use crate::p4::worlds::Worlds;
use Operand::Imm;

impl Spec<'_> {
    /// All states, in an order in which each comes behind those that lead to it; then the control begins.
    pub(super) fn parser(&mut self, entry: &[Worlds]) {
        let control = self.asm.label("control");
        let labels: Vec<Label> = self.p.parser.states.iter().map(|s| self.asm.label(&s.name)).collect();
        let order = order(&self.p.parser.states, self.p.parser.start.index());
        for i in order {
            let (Some(state), Some(w)) = (self.p.parser.states.get(i), entry.get(i)) else { continue };
            let mark = self.regs.mark();
            self.asm.place(labels[i]);
            self.asm.comment(format!("{}:{} {}", self.p.file, state.at.line, state.name));
            self.state(state, w, (&labels, control));
            self.regs.release(mark);
        }
        self.asm.place(control);
    }

    fn state(&mut self, state: &State, w: &Worlds, (labels, control): (&[Label], Label)) {
        let mut w = w.clone();
        for op in &state.ops {
            match op {
                ParserOp::Extract { header, .. } => {
                    let bytes = self.p.header_type(*header).bytes();
                    let name = self.header(*header);
                    self.room(bytes, control);
                    self.asm.op(format!("extract h.{name}"));
                    self.asm.op(format!("sub m.room {bytes}"));
                    w = w.set(*header, true);
                }
                ParserOp::Lookahead { into, offset, .. } => {
                    let width = u32::from(self.p.var(*into).ty.width());
                    let value = self.ahead(*offset, width, control);
                    self.set(pipeline_ir::stmt::Place::Var(*into), &value, &w);
                }
                ParserOp::Set { var, value, .. } => {
                    let value = self.value(value, &w);
                    self.set(pipeline_ir::stmt::Place::Var(*var), &value, &w);
                }
            }
        }
        let to = |id: pipeline_ir::StateId| labels.get(id.index()).copied().unwrap_or(control);
        match &state.next {
            Transition::Accept => self.asm.jump("jmp", control, ""),
            Transition::To(id) => self.asm.jump("jmp", to(*id), ""),
            Transition::Select { on, cases, .. } => {
                let on: Vec<(Value, u32)> =
                    on.iter().map(|e| (self.value(e, &w), u32::from(e.ty.width()))).collect();
                for case in cases {
                    self.case(case, &on, case.to.map_or(control, to));
                }
                self.asm.jump("jmp", control, "");
            }
        }
    }

    /// The parser stops where so many bytes are not there.
    fn room(&mut self, bytes: u32, control: Label) {
        if bytes > 0 {
            self.asm.jump("jmplt", control, format!("m.room {bytes}"));
        }
    }

    /// Bits behind the cursor.
    fn ahead(&mut self, offset: u32, width: u32, control: Label) -> Value {
        let bytes = (offset + width).div_ceil(8);
        self.room(bytes, control);
        let header = format!("ahead__{bytes}");
        let mut cells = Vec::new();
        let mut at = 0;
        while at < bytes * 8 {
            let bits = (bytes * 8 - at).min(64);
            let name = format!("bits_{at}");
            self.scratch(&header, &name, bits);
            cells.push(layout::Cell { name, offset: at, bits });
            at += bits;
        }
        self.asm.op(format!("lookahead h.{header}"));
        let mut value = Value::number(0);
        for part in layout::parts(&cells, offset, width) {
            let cell = self.scratch(&header, &cells[part.cell].name, cells[part.cell].bits);
            let piece = self.slice(&Value::of(cell), part.shift + part.bits - 1, part.shift);
            value = self.concat(&value, &piece, part.bits);
        }
        value
    }

    /// Jumps if all patterns of a case match.
    fn case(&mut self, case: &Case, on: &[(Value, u32)], to: Label) {
        let next = self.asm.label("next");
        let patterns: Vec<_> = case.patterns.iter().zip(on).filter(|(p, _)| **p != Pattern::Any).collect();
        let Some(((last, (value, width)), first)) = patterns.split_last() else {
            return self.asm.jump("jmp", to, "");
        };
        for (pattern, (value, width)) in first {
            self.pattern(pattern, value, *width, false, next);
        }
        self.pattern(last, value, *width, true, to);
        self.asm.place(next);
    }

    /// Jumps if the pattern matches, or if it doesn't.
    fn pattern(&mut self, pattern: &Pattern, value: &Value, width: u32, matches: bool, to: Label) {
        let number = Value::number;
        match pattern {
            Pattern::Any => {
                if matches {
                    self.asm.jump("jmp", to, "");
                }
            }
            Pattern::Value(n) => self.compare(BinOp::Eq, matches, (value, &number(*n)), width, to),
            Pattern::Mask { value: n, mask } => {
                let masked = self.each("and", value, &number(*mask), 128);
                self.compare(BinOp::Eq, matches, (&masked, &number(*n & *mask)), width, to);
            }
            Pattern::Range { low, high } => {
                let past = self.asm.label("past");
                let out = if matches { past } else { to };
                if *low > 0 {
                    self.compare(BinOp::Lt, true, (value, &number(*low)), width, out);
                }
                self.compare(BinOp::Gt, !matches, (value, &number(*high)), width, to);
                self.asm.place(past);
            }
        }
    }

    /// Sets what the packet starts with.
    pub(super) fn preamble(&mut self, unset: &[pipeline_ir::VarId]) {
        self.asm.op("rx m.in_port");
        self.asm.op("extract h.preamble");
        self.asm.op("mov m.frame_length h.preamble.length");
        self.asm.op("mov m.room h.preamble.length");
        for v in unset {
            let width = u32::from(self.p.var(*v).ty.width());
            for limb in self.var(*v).limbs(width) {
                self.mov(&limb, &Imm(0));
            }
        }
        for (name, bits) in std::mem::take(&mut self.idle) {
            let mark = Operand::Place(self.regs.get(&name, bits), bits);
            self.mov(&mark, &Imm(0));
        }
    }
}

/// States behind all that lead to them; those that nothing leads to are left out.
fn order(states: &[State], start: usize) -> Vec<usize> {
    let next = |i: usize| -> Vec<usize> {
        match states.get(i).map(|s| &s.next) {
            Some(Transition::To(to)) => vec![to.index()],
            Some(Transition::Select { cases, .. }) => {
                cases.iter().filter_map(|c| Some(c.to?.index())).collect()
            }
            _ => Vec::new(),
        }
    };
    // States form a DAG: the longest way to each orders them.
    let mut depth: Vec<Option<usize>> = vec![None; states.len()];
    let mut todo = vec![(start, 0)];
    while let Some((i, far)) = todo.pop() {
        let Some(slot) = depth.get_mut(i) else { continue };
        if slot.is_none_or(|d| d < far) && far <= states.len() {
            *slot = Some(far);
            todo.extend(next(i).into_iter().map(|to| (to, far + 1)));
        }
    }
    let mut order: Vec<usize> = (0..states.len()).filter(|i| depth[*i].is_some()).collect();
    order.sort_by_key(|i| (depth[*i], *i));
    order
}
