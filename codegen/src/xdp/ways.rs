//! The frequent ways through the parser: each has a control of its own, of which only what this way needs is left.

use super::Emitter;
use super::deparse::Shape;
use super::expr::c_type;
use super::headers::{Scope, load_bits};
use crate::text::Text;
use crate::ways::{Special, Step, Way, specialise, ways};
use pipeline_ir::stmt::{Block, StmtKind, walk};
use pipeline_ir::{Case, CursorId, FlowTableId, HeaderId, ParserOp, Pattern, Pipeline, StateId, Transition};

/// So many ways have a control of their own.
const MOST: usize = 8;
/// Those that take one of so many first cases in each select: a pipeline names the most frequent case first.
const CASES: usize = 2;

/// The frequent ways.
pub(super) fn frequent(p: &Pipeline) -> Vec<Way> {
    let mut list = ways(p);
    list.retain(|way| way.is_named(p) && way.steps.iter().all(|step| step.cases.start < CASES));
    list.truncate(MOST);
    list
}

impl Emitter<'_> {
    /// The control of a way: variables for what it mentions, then its statements.
    pub(super) fn way(&self, t: &mut Text, way: &Way, name: &str) {
        let special = specialise(self.p, way);
        self.scope.set(Scope::Way);
        self.know_flows_and_hashes(&special);
        let mut body = Text::default();
        body.open("{");
        self.control(&mut body, &special.control, Shape::of_way(self.p, way));
        body.close("}");
        let body = body.finish();
        let states: Vec<&str> = way.steps.iter().map(|s| self.state_name(s.state)).collect();
        t.line(format!("// The control for packets whose way through the parser is {}.", states.join(", ")));
        t.line(format!(
            "INLINE int ingress_{name}(struct xdp_md *ctx, const void *at, const void *end{})",
            self.meta_param()
        ));
        t.open("{");
        self.way_headers(t, way, &body);
        self.locals(t, &body);
        t.line("");
        t.raw(body.split_once('\n').map_or("", |(_, rest)| rest));
        t.close_written();
        t.line("");
        self.scope.set(Scope::Shared);
    }

    fn know_flows_and_hashes(&self, special: &Special) {
        let mut numbers = special.hashes.iter();
        let mut known = Vec::new();
        walk(&special.control, &mut |stmt| {
            if matches!(stmt.kind, StmtKind::Hash { .. })
                && let Some(number) = numbers.next()
            {
                known.push((std::ptr::from_ref(stmt), *number));
            }
        });
        self.hashes.replace(known);
        self.filled.replace(special.flows.iter().map(|f| f.tables.clone()).collect());
    }

    /// What the control for all packets knows of its hashes and flows.
    pub(super) fn know_all(&self, block: &Block) {
        let mut known = Vec::new();
        let mut filled: Vec<Vec<FlowTableId>> = vec![Vec::new(); self.p.cursors.len()];
        walk(block, &mut |stmt| match &stmt.kind {
            StmtKind::Hash { .. } => known.push((std::ptr::from_ref(stmt), known.len())),
            StmtKind::Find { cursor: CursorId(c), table, .. } => {
                if let Some(tables) = filled.get_mut(*c as usize)
                    && !tables.contains(table)
                {
                    tables.push(*table);
                }
            }
            _ => {}
        });
        self.hashes.replace(known);
        self.filled.replace(filled);
    }

    fn way_headers(&self, t: &mut Text, way: &Way, body: &str) {
        for (i, header) in self.p.headers.iter().enumerate() {
            let id = HeaderId(i as u32);
            let (name, ty) = (&header.name, &self.p.header_type(id).name);
            if !mentions(body, name) {
                continue;
            }
            let found = way.headers.iter().find(|(h, _)| *h == id).map(|(_, offset)| place("at", *offset));
            match (found, self.in_packet(id)) {
                (Some(at), true) if self.popped[i] => {
                    t.line(format!("struct place {name} = {{(void *)({at}), 1, 1}};"));
                }
                (Some(at), true) => t.line(format!("void *{name} = (void *)({at});")),
                (Some(at), false) => {
                    t.line(format!("struct {ty} {name};"));
                    t.line(format!("load_{ty}(&{name}, {at});"));
                }
                (None, true) => t.line(format!("struct place {name} = {{}};")),
                (None, false) => t.line(format!("struct {ty} {name} = {{}};")),
            }
        }
    }

    /// Variables that a body mentions.
    pub(super) fn locals(&self, t: &mut Text, body: &str) {
        if mentions(body, "frame_length") {
            t.line("u32 frame_length = end - at;");
        }
        for (var, name) in self.p.vars.iter().zip(&self.vars) {
            if !name.is_empty() && !name.contains("->") && mentions(body, name) {
                t.line(format!("{} {name} = 0;", c_type(var.ty)));
            }
        }
        if mentions(body, "limit") {
            t.line("u32 limit = 0xffff;");
        }
        if mentions(body, "folded") {
            t.line("u32 folded = 0;");
        }
        for cursor in self.p.cursors.iter().filter(|c| mentions(body, &c.name)) {
            t.line(format!("struct flow {} = {{}};", cursor.name));
        }
    }

    /// The parser as far as the frequent ways go, each state a function, before the one that goes to it.
    pub(super) fn way_parser(&self, t: &mut Text, frequent: &[Way]) {
        let all: Vec<&Way> = frequent.iter().collect();
        if !all.is_empty() {
            t.line("// The parser, as far as the frequent ways go.");
            self.scope.set(Scope::Parser);
            self.node(t, frequent, &all, 0);
            self.scope.set(Scope::Shared);
        }
    }

    /// Writes the state at `depth` of these ways, which are one up to there.
    fn node(&self, t: &mut Text, frequent: &[Way], here: &[&Way], depth: usize) {
        let Some(first) = here.first() else { return };
        let groups: Vec<&[&Way]> = here.chunk_by(|a, b| a.steps[..=depth] == b.steps[..=depth]).collect();
        for group in groups.iter().filter(|g| g[0].steps.len() > depth + 1) {
            self.node(t, frequent, group, depth + 1);
        }
        let id = first.steps[depth].state;
        let state = &self.p.parser.states[id.index()];
        let offset = self.bytes_before(&first.steps[..depth]);
        let mut body = Text::default();
        body.open("{");
        let mut shape = Shape::of_way(self.p, first);
        std::mem::swap(&mut *self.here.borrow_mut(), &mut shape);
        self.way_ops(&mut body, &state.ops, offset);
        self.way_next(&mut body, frequent, &groups, depth, &state.next);
        std::mem::swap(&mut *self.here.borrow_mut(), &mut shape);
        body.close("}");
        let body = body.finish();
        t.line(format!("// {}", self.at(state.at)));
        t.line(format!(
            "INLINE int parse_{}(struct xdp_md *ctx, const void *at, const void *end{})",
            self.way_name(frequent, &first.steps[..=depth], depth),
            self.meta_param()
        ));
        t.open("{");
        for (h, at) in first.headers.iter().filter(|(h, _)| mentions(&body, &self.p.headers[h.index()].name))
        {
            t.line(format!("const void *{} = {};", self.p.headers[h.index()].name, place("at", *at)));
        }
        t.raw(body.split_once('\n').map_or("", |(_, rest)| rest));
        t.close_written();
        t.line("");
    }

    fn way_ops(&self, t: &mut Text, ops: &[ParserOp], mut offset: u32) {
        let mut checked = false;
        let start = offset;
        let extracted: u32 = ops
            .iter()
            .map(|op| match op {
                ParserOp::Extract { header, .. } => self.p.header_type(*header).bytes(),
                ParserOp::Lookahead { .. } | ParserOp::Set { .. } => 0,
            })
            .sum();
        for op in ops {
            match op {
                ParserOp::Extract { header, .. } => {
                    if !std::mem::replace(&mut checked, true) {
                        t.line(format!("if (at + {} > end)", start + extracted));
                        t.line("    return AGAIN;");
                    }
                    offset += self.p.header_type(*header).bytes();
                }
                ParserOp::Lookahead { into, offset: bits, .. } => {
                    let width = self.p.var(*into).ty.width();
                    t.line(format!("if (at + {} > end)", offset + (bits + u32::from(width)).div_ceil(8)));
                    t.line("    return AGAIN;");
                    let text = load_bits("at", offset * 8 + bits, width);
                    t.line(format!("{} = {text};", self.vars[into.index()]));
                }
                ParserOp::Set { var, value, .. } => {
                    t.line(format!("{} = {};", self.vars[var.index()], self.expr(value)));
                }
            }
        }
    }

    fn way_next(&self, t: &mut Text, frequent: &[Way], groups: &[&[&Way]], depth: usize, next: &Transition) {
        let go = |group: &[&Way]| {
            let ends = group[0].steps.len() == depth + 1;
            let (what, steps) = if ends {
                ("ingress", &group[0].steps[..=depth])
            } else {
                ("parse", &group[0].steps[..=depth + 1])
            };
            let name = self.way_name(frequent, steps, if ends { steps.len() } else { depth + 1 });
            format!("return {what}_{name}(ctx, at, end{});", self.meta_arg())
        };
        let Transition::Select { on, cases, .. } = next else {
            return t.line(groups.first().map_or("return AGAIN;".into(), |group| go(group)));
        };
        for (i, case) in cases.iter().enumerate() {
            let taken = groups.iter().find(|g| g[0].steps[depth].cases.contains(&i));
            let later = groups.iter().map(|g| g[0].steps[depth].cases.clone()).filter(|r| r.end > i);
            if taken.is_none() && !later.flatten().any(|k| !disjoint(case, &cases[k])) {
                continue;
            }
            let to = taken.map_or("return AGAIN;".into(), |group| go(group));
            let tests: Vec<String> =
                on.iter().zip(&case.patterns).filter_map(|(e, p)| self.test(e, *p)).collect();
            if tests.is_empty() {
                return t.line(to);
            }
            t.line(format!("if ({})", tests.join(" && ")));
            t.line(format!("    {to}"));
        }
        t.line("return AGAIN;");
    }

    /// `ipv4_tcp`; with the cases taken where that alone is not clear. Of the first `settled` steps the case is taken.
    pub(super) fn way_name(&self, frequent: &[Way], steps: &[Step], settled: usize) -> String {
        let states = |steps: &[Step]| steps.iter().map(|s| s.state).collect::<Vec<_>>();
        let clash = frequent.iter().any(|way| {
            way.steps.len() >= steps.len()
                && states(&way.steps[..steps.len()]) == states(steps)
                && way.steps[..settled] != steps[..settled]
        });
        let name = |step: &Step| {
            let name = self.state_name(step.state);
            if clash { format!("{name}{}", step.cases.start) } else { name.to_string() }
        };
        let names = if steps.len() > 1 { &steps[1..] } else { steps };
        names.iter().map(name).collect::<Vec<_>>().join("_")
    }

    fn bytes_before(&self, steps: &[Step]) -> u32 {
        let ops = steps.iter().flat_map(|s| &self.p.parser.states[s.state.index()].ops);
        ops.map(|op| match op {
            ParserOp::Extract { header, .. } => self.p.header_type(*header).bytes(),
            ParserOp::Lookahead { .. } | ParserOp::Set { .. } => 0,
        })
        .sum()
    }

    fn state_name(&self, id: StateId) -> &str {
        &self.p.parser.states[id.index()].name
    }
}

fn place(p: &str, offset: u32) -> String {
    if offset == 0 { p.into() } else { format!("{p} + {offset}") }
}

/// Can no packet match both?
fn disjoint(a: &Case, b: &Case) -> bool {
    a.patterns
        .iter()
        .zip(&b.patterns)
        .any(|pair| matches!(pair, (Pattern::Value(x), Pattern::Value(y)) if x != y))
}

/// Does the text use this variable?
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.lines().any(|line| {
        let code = line.split_once("//").map_or(line, |(code, _)| code);
        code.match_indices(name).any(|(at, _)| {
            let (before, after) = (&code[..at], &code[at + name.len()..]);
            !before.ends_with(is_word)
                && !before.ends_with('.')
                && !before.ends_with("->")
                && !before.ends_with("struct ")
                && !after.starts_with(is_word)
                && !after.starts_with('(')
        })
    })
}
