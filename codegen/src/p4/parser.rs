//! The parser: state by state. A header that the frame has no room for ends it, as in the pipeline.

use p4::ast::{
    Expr as P4, Keyset, ParserDecl, SelectCase, State, Stmt as P4Stmt, Transition as P4Transition,
    Type as P4Type,
};
use pipeline_ir::expr::{Builtin, Expr, ExprKind};
use pipeline_ir::{Case, ParserOp, Pattern, StateId, Transition};

use super::control::note;
use super::expr::{Scope, header, meta, number};
use super::worlds::Worlds;

/// The parser of a pipeline; `entry` are the worlds at the entry of each state, `begins` is what it does before all else.
pub(super) fn parser(s: Scope<'_>, entry: &[Worlds], begins: &[P4Stmt]) -> ParserDecl {
    let mut decl = ParserDecl::new("parse", s.style.arch.parser_params());
    let mut states: Vec<State> =
        s.p.parser
            .states
            .iter()
            .zip(entry)
            .enumerate()
            .filter(|(_, (_, w))| !w.is_none())
            .flat_map(|(i, (_, w))| state(s, StateId(i as u32), w, begins))
            .collect();
    if let Some(start) = states.iter().position(|x| x.name == "start") {
        let start = states.remove(start);
        states.insert(0, start);
    } else {
        states.insert(0, State::new("start", [], P4Transition::accept()));
    }
    decl.states = states;
    decl
}

fn state(s: Scope<'_>, id: StateId, entry: &Worlds, begins: &[P4Stmt]) -> Vec<State> {
    let from = &s.p.parser.states[id.index()];
    let mut w = entry.clone();
    let mut body = Vec::new();
    let mut parts = Parts { s, id, done: Vec::new() };
    if id == s.p.parser.start {
        body.extend(begins.iter().cloned());
    }
    if id == s.p.parser.start && s.plan.keeps_port && s.plan.parser_reads_port {
        // A second pass has it from the first, and no other.
        let port = meta("ingress_port");
        body.push(P4Stmt::assign(port.clone(), port.bit_or(s.style.arch.ingress_port())));
    }
    for op in &from.ops {
        match op {
            ParserOp::Extract { header: h, .. } => {
                parts.guard(&mut body, s.p.header_type(*h).bits() / 8);
                body.push(P4Stmt::call(P4::name("packet").method("extract", [header(s.names, *h)])));
                w = w.set(*h, true);
            }
            ParserOp::Lookahead { into, offset, .. } => {
                let var = s.p.var(*into);
                let width = u32::from(var.ty.width());
                // SWX looks ahead by bytes.
                let bits = offset + width;
                let ahead = if s.style.means.preamble { bits.next_multiple_of(8) } else { bits };
                let ty = P4Type::bit(ahead);
                let looked = P4::name("packet").member("lookahead").invoke_typed([ty], Vec::<P4>::new());
                let (high, low) = (ahead - offset - 1, ahead - bits);
                let looked = if width == ahead { looked } else { looked.slice(high, low) };
                let looked = match var.ty {
                    pipeline_ir::expr::Type::Bool => looked.equals(1u32),
                    pipeline_ir::expr::Type::Bits(_) => looked,
                };
                body.push(P4Stmt::assign(s.var(*into), looked));
            }
            ParserOp::Set { var, value, .. } => {
                body.push(P4Stmt::assign(s.var(*var), s.value(value, &w)));
            }
        }
    }
    let next = transition(s, &from.next, &w);
    let mut states = parts.end(body, next);
    if let Some(first) = states.first_mut() {
        *first = first.clone().note(note(&s.p.file, from.at, &from.name));
    }
    states
}

/// A state in parts: each but the last asks whether the frame goes on.
struct Parts<'a> {
    s: Scope<'a>,
    id: StateId,
    done: Vec<State>,
}

impl Parts<'_> {
    fn name(&self, part: usize) -> String {
        let states = &self.s.names.states;
        let mut name = states[self.id.index()].clone();
        if part > 0 {
            name = format!("{name}_{}", part + 1);
            while states.contains(&name) {
                name.push('_');
            }
        }
        name
    }

    /// Ends a part where only the ports know how long the frame is: the next one has `bytes` to read.
    fn guard(&mut self, body: &mut Vec<P4Stmt>, bytes: u32) {
        if !self.s.style.means.preamble {
            return;
        }
        // Below 0, the highest bit is set: no frame is that long.
        body.push(P4Stmt::assign(meta("room"), meta("room").minus(bytes)));
        let part = self.done.len();
        let enough = Keyset::mask(number(0), number(0x8000_0000));
        let cases = [SelectCase::new([enough], self.name(part + 1)), SelectCase::default("accept")];
        let next = P4Transition::select([meta("room")], cases);
        self.done.push(State::new(self.name(part), std::mem::take(body), next));
    }

    fn end(mut self, body: Vec<P4Stmt>, next: P4Transition) -> Vec<State> {
        self.done.push(State::new(self.name(self.done.len()), body, next));
        self.done
    }
}

fn transition(s: Scope<'_>, next: &Transition, w: &Worlds) -> P4Transition {
    let name = |to: Option<StateId>| match to {
        Some(id) => s.names.states[id.index()].clone(),
        None => "accept".to_owned(),
    };
    match next {
        Transition::Accept => P4Transition::accept(),
        Transition::To(to) => P4Transition::to(name(Some(*to))),
        Transition::Select { on, cases, .. } => {
            let all = |c: &Case| c.patterns.iter().all(|p| *p == Pattern::Any);
            let default = cases.iter().position(all);
            let before = &cases[..default.unwrap_or(cases.len())];
            let last = default.and_then(|d| cases[d].to);
            if before.is_empty() {
                return P4Transition::to(name(last));
            }
            let list = before.iter().map(|c| {
                let keys = c.patterns.iter().map(|p| keyset(*p));
                SelectCase::new(keys, name(c.to))
            });
            let list: Vec<_> = list.chain([SelectCase::default(name(last))]).collect();
            P4Transition::select(on.iter().map(|e| subject(s, e, w)), list)
        }
    }
}

fn subject(s: Scope<'_>, e: &Expr, w: &Worlds) -> P4 {
    match e.ty {
        // In the port's own width: what the cases say is a port.
        _ if e.kind == ExprKind::Builtin(Builtin::IngressPort) => s.ingress_port(),
        pipeline_ir::expr::Type::Bool => s.sized(e, w).cast(P4Type::bit(1)),
        pipeline_ir::expr::Type::Bits(_) => s.sized(e, w),
    }
}

fn keyset(p: Pattern) -> Keyset {
    match p {
        Pattern::Any => Keyset::DontCare,
        Pattern::Value(v) => Keyset::value(number(v)),
        Pattern::Range { low, high } => Keyset::range(number(low), number(high)),
        Pattern::Mask { value, mask } => Keyset::mask(number(value), number(mask)),
    }
}
