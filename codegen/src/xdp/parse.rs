//! The parser: each state a label, each way on a goto.

use super::Emitter;
use super::deparse::Shape;
use super::expr::number;
use crate::text::Text;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::{ParserOp, Pattern, State, StateId, Transition};

impl Emitter<'_> {
    /// The way that the first cases make, its states as functions, each before the one that goes to it: a pipeline
    /// names the most frequent case first.
    pub(super) fn parser(&self, t: &mut Text) {
        t.line("// The parser. Where the frame ends too soon, the rest stays invalid.");
        let mut done = vec![false; self.p.parser.states.len()];
        self.state_and_next(t, self.p.parser.start, &mut done);
    }

    /// The parser once more, as labels, for the packets that leave it before a way's end: one copy of the control
    /// serves them all.
    pub(super) fn again(&self, t: &mut Text) {
        t.line("// Packets that end too soon, or that the parser doesn't follow to a way's end, go through once more.");
        t.line("const void *at = packet_start(ctx), *end = packet_end(ctx);");
        t.line("struct headers all = {.shared = 1}, *h = &all;");
        if self.has_meta() {
            t.line("struct meta all_meta = {}, *m = &all_meta;");
        }
        self.labels.set(true);
        t.line(self.go(Some(self.p.parser.start)));
        for (i, state) in self.p.parser.states.iter().enumerate() {
            t.label(format!("{}: // {}", self.state(StateId(i as u32)), self.at(state.at)));
            self.state_body(t, state);
        }
        self.labels.set(false);
        t.label("accept:");
        t.line(format!("return ingress(ctx, h{});", if self.has_meta() { ", m" } else { "" }));
    }

    fn state_body(&self, t: &mut Text, state: &State) {
        let mut here = Shape::parsed(self.p);
        for op in &state.ops {
            self.here.replace(here.clone());
            self.parser_op(t, op);
            if let ParserOp::Extract { header, .. } = op {
                here.know_valid(*header);
            }
        }
        self.here.replace(here);
        self.transition(t, &state.next);
    }

    fn state_and_next(&self, t: &mut Text, id: StateId, done: &mut Vec<bool>) {
        if std::mem::replace(&mut done[id.index()], true) {
            return;
        }
        let state = &self.p.parser.states[id.index()];
        match &state.next {
            Transition::Accept => {}
            Transition::To(next) => self.state_and_next(t, *next, done),
            Transition::Select { cases, .. } => {
                if let Some(next) = cases.first().and_then(|c| c.to) {
                    self.state_and_next(t, next, done);
                }
            }
        }
        t.line(format!("// {}", self.at(state.at)));
        let meta = if self.has_meta() { ", struct meta *m" } else { "" };
        let name = self.state(id);
        t.line(format!(
            "INLINE int {name}(struct xdp_md *ctx, const void *at, const void *end, struct headers *h{meta})"
        ));
        t.open("{");
        self.state_body(t, state);
        t.close("}");
        t.line("");
    }

    fn state(&self, id: StateId) -> String {
        format!("parse_{}", self.p.parser.states[id.index()].name)
    }

    fn go(&self, to: Option<StateId>) -> String {
        let m = if self.has_meta() { ", m" } else { "" };
        match to {
            Some(state) if self.labels.get() => format!("goto {};", self.state(state)),
            None if self.labels.get() => "goto accept;".into(),
            Some(state) => format!("return {}(ctx, at, end, h{m});", self.state(state)),
            None => "return AGAIN;".into(),
        }
    }

    fn parser_op(&self, t: &mut Text, op: &ParserOp) {
        match op {
            ParserOp::Extract { header, .. } => {
                let ty = self.p.header_type(*header);
                t.line(format!("if (at + {} > end)", ty.bytes()));
                t.line(format!("    {}", self.go(None)));
                let name = &self.p.headers[header.index()].name;
                if self.in_packet(*header) {
                    t.line(format!("h->{name} = (struct place){{(void *)at, 1, 1}};"));
                } else {
                    t.line(format!("load_{}(&h->{name}, at);", ty.name));
                }
                t.line(format!("at += {};", ty.bytes()));
            }
            ParserOp::Lookahead { into, offset, .. } => {
                let width = self.p.var(*into).ty.width();
                t.line(format!("if (at + {} > end)", (offset + u32::from(width)).div_ceil(8)));
                t.line(format!("    {}", self.go(None)));
                let text = super::headers::load_bits("at", *offset, width);
                t.line(format!("{} = {text};", self.vars[into.index()]));
            }
            ParserOp::Set { var, value, .. } => {
                t.line(format!("{} = {};", self.vars[var.index()], self.expr(value)));
            }
        }
    }

    fn transition(&self, t: &mut Text, next: &Transition) {
        let m = if self.has_meta() { ", m" } else { "" };
        match next {
            // The way's end: control with all that is known here.
            Transition::Accept if self.labels.get() => t.line("goto accept;"),
            Transition::Accept => t.line(format!("return ingress(ctx, h{m});")),
            Transition::To(state) => t.line(self.go(Some(*state))),
            Transition::Select { on, cases, .. } => {
                let known = if self.labels.get() { cases.len() } else { 1 };
                for case in cases.iter().take(known) {
                    let tests: Vec<String> =
                        on.iter().zip(&case.patterns).filter_map(|(e, p)| self.test(e, *p)).collect();
                    if tests.is_empty() {
                        t.line(self.go(case.to));
                        return;
                    }
                    t.line(format!("if ({})", tests.join(" && ")));
                    t.line(format!("    {}", self.go(case.to)));
                }
                t.line(self.go(None));
            }
        }
    }

    fn test(&self, e: &Expr, pattern: Pattern) -> Option<String> {
        let x = self.operand(e);
        match pattern {
            Pattern::Any => None,
            Pattern::Value(v) if e.ty == Type::Bool => Some(if v == 0 { format!("!{x}") } else { x }),
            Pattern::Value(v) => Some(format!("{x} == {}", number(v))),
            Pattern::Range { low: 0, high } => Some(format!("{x} <= {}", number(high))),
            Pattern::Range { low, high } => {
                Some(format!("{x} >= {} && {x} <= {}", number(low), number(high)))
            }
            Pattern::Mask { value, mask } => Some(format!("({x} & {}) == {}", number(mask), number(value))),
        }
    }
}
