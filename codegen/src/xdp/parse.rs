//! The parser: each state a label, each way on a goto.

use super::Emitter;
use super::deparse::Shape;
use super::expr::number;
use crate::text::Text;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::{ParserOp, Pattern, StateId, Transition};

impl Emitter<'_> {
    pub(super) fn parser(&self, t: &mut Text) {
        let parser = &self.p.parser;
        t.line("// The parser. Where the frame ends too soon, the rest stays invalid.");
        t.line(format!("goto {};", self.state(parser.start)));
        for (i, state) in parser.states.iter().enumerate() {
            t.label(format!("{}: // {}", self.state(StateId(i as u32)), self.at(state.at)));
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
        t.label("accept:");
    }

    fn state(&self, id: StateId) -> String {
        format!("state_{}", self.p.parser.states[id.index()].name)
    }

    fn parser_op(&self, t: &mut Text, op: &ParserOp) {
        match op {
            ParserOp::Extract { header, .. } => {
                let ty = self.p.header_type(*header);
                t.line(format!("if (at + {} > end)", ty.bytes()));
                t.line("    goto accept;");
                let name = &self.p.headers[header.index()].name;
                if self.in_packet(*header) {
                    t.line(format!("h.{name} = (struct place){{(void *)at, 1}};"));
                } else {
                    t.line(format!("load_{}(&h.{name}, at);", ty.name));
                }
                t.line(format!("at += {};", ty.bytes()));
            }
            ParserOp::Lookahead { into, offset, .. } => {
                let width = self.p.var(*into).ty.width();
                t.line(format!("if (at + {} > end)", (offset + u32::from(width)).div_ceil(8)));
                t.line("    goto accept;");
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
            Transition::Accept => t.line("goto accept;"),
            Transition::To(state) => t.line(format!("goto {};", self.state(*state))),
            Transition::Select { on, cases, .. } => {
                for case in cases {
                    let tests: Vec<String> =
                        on.iter().zip(&case.patterns).filter_map(|(e, p)| self.test(e, *p)).collect();
                    let to =
                        case.to.map_or("goto accept;".to_string(), |s| format!("goto {};", self.state(s)));
                    if tests.is_empty() {
                        t.line(to);
                        return;
                    }
                    t.line(format!("if ({})", tests.join(" && ")));
                    t.line(format!("    {to}"));
                }
                t.line("goto accept;");
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
