//! The parser: each state a label, each way on a goto.

use super::Emitter;
use super::deparse::Shape;
use super::expr::number;
use crate::text::Text;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::{ParserOp, Pattern, State, StateId, Transition};

impl Emitter<'_> {
    /// The parser as labels, for the packets that the frequent ways leave: one copy of the control serves them all.
    pub(super) fn all_ways(&self, t: &mut Text) {
        t.line("// All other packets, also those that end too soon for their way.");
        t.line("const void *at = packet_start(ctx), *end = packet_end(ctx);");
        t.line("struct headers headers = {}, *h = &headers;");
        if self.has_meta() {
            t.line("struct meta meta = {}, *m = &meta;");
        }
        t.line(self.go(Some(self.p.parser.start)));
        for (i, state) in self.p.parser.states.iter().enumerate() {
            t.label(format!("{}: // {}", self.state(StateId(i as u32)), self.at(state.at)));
            self.state_body(t, state);
        }
        t.label("accept:");
        t.line(format!("return ingress(ctx, packet_start(ctx), packet_end(ctx), h{});", self.meta_arg()));
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

    fn state(&self, id: StateId) -> String {
        format!("parse_{}", self.p.parser.states[id.index()].name)
    }

    fn go(&self, to: Option<StateId>) -> String {
        to.map_or("goto accept;".into(), |state| format!("goto {};", self.state(state)))
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
        match next {
            Transition::Accept => t.line(self.go(None)),
            Transition::To(state) => t.line(self.go(Some(*state))),
            Transition::Select { on, cases, .. } => {
                for case in cases {
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

    pub(super) fn test(&self, e: &Expr, pattern: Pattern) -> Option<String> {
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
