//! Parser states. A repeated state becomes that many states, one after another.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::stmt::Place;
use pipeline_ir::{Case, HeaderId, ParserOp, Pattern, State, StateId, Transition};
use syn::{Expr as Syn, ItemFn, Pat};

use crate::attr::{self, Value};
use crate::lower::{Lower, Thing};
use crate::{names, source, types};

/// The most repetitions of a state.
const REPEAT: u128 = 16;

/// Where the copies of a state function begin, and how many there are.
struct Copies {
    name: String,
    first: u32,
    count: u32,
    repeated: bool,
}

impl Lower<'_> {
    /// Every state, and where parsing starts.
    pub(crate) fn parser(&mut self, module: &syn::Ident) {
        let source = self.source;
        let mut copies: Vec<Copies> = Vec::new();
        let mut first = 0;
        for f in &source.states {
            let repeat = self.repeat(f);
            let count = repeat.unwrap_or(1);
            copies.push(Copies { name: f.sig.ident.to_string(), first, count, repeated: repeat.is_some() });
            first += count;
        }
        for (f, own) in source.states.iter().zip(&copies) {
            for i in 0..own.count {
                let state = self.state(f, own, i, &copies);
                self.p.parser.states.push(state);
            }
        }
        match copies.iter().find(|c| c.name == "start") {
            Some(c) => self.p.parser.start = StateId(c.first),
            None => self.error(
                Code::Missing,
                module,
                "the parser has no state `start`",
                "write `#[state] fn start(p: &mut Packet, h: &mut Headers) -> State { .. }`",
            ),
        }
    }

    fn repeat(&mut self, f: &ItemFn) -> Option<u32> {
        source::only_attributes(&f.attrs, &["state"], &mut self.report);
        let attribute = f.attrs.iter().find(|a| a.path().is_ident("state"))?;
        let args = match attr::of(attribute) {
            Ok(args) => args,
            Err(e) => {
                self.report.parse_error(&e, "write `#[state]` or `#[state(repeat = 3)]`");
                return None;
            }
        };
        let mut repeat = None;
        for a in args {
            match &a.value {
                Value::Is(e) if a.name == "repeat" => repeat = self.number_within(e, "`repeat`", 1, REPEAT),
                _ => {
                    let message = format!("there is no argument `{}`", a.name);
                    self.error(Code::Unknown, &a.name, message, "write `#[state(repeat = 3)]`");
                }
            }
        }
        repeat.map(|n| n as u32)
    }

    fn state(&mut self, f: &ItemFn, own: &Copies, index: u32, all: &[Copies]) -> State {
        let depth = self.scope.len();
        for input in &f.sig.inputs {
            let Some((name, ty)) = self.parameter(input) else { continue };
            let thing = match types::name(ty).map(ToString::to_string).as_deref() {
                Some("Packet") => Thing::Packet,
                Some("Headers") => Thing::Headers,
                Some("Meta") => Thing::Meta,
                _ => {
                    let help = "a state takes `p: &mut Packet`, `h: &mut Headers` and `m: &mut Meta`";
                    self.error(Code::Unknown, ty, "a state has no such parameter", help);
                    Thing::Bad
                }
            };
            self.bind(name, thing);
        }
        self.repetition = own.repeated.then_some(index);
        let mut ops = Vec::new();
        let mut next = None;
        for (i, stmt) in f.block.stmts.iter().enumerate() {
            match stmt {
                syn::Stmt::Expr(e, None) if i + 1 == f.block.stmts.len() => {
                    next = Some(self.transition(e, own, index, all));
                }
                _ => self.state_statement(stmt, &mut ops),
            }
        }
        if next.is_none() {
            self.error(
                Code::Missing,
                &f.sig.ident,
                format!("state `{}` does not say where it goes", own.name),
                "end it with a state's name, `accept`, or a `match` of such",
            );
        }
        self.repetition = None;
        self.scope.truncate(depth);
        let name = self.ir_name(&f.sig.ident);
        let name = if own.repeated { format!("{name}_{index}") } else { name };
        let at = self.at(&f.sig.ident);
        State { name, ops, next: next.unwrap_or(Transition::Accept), at }
    }

    fn state_statement(&mut self, stmt: &syn::Stmt, ops: &mut Vec<ParserOp>) {
        match stmt {
            syn::Stmt::Expr(Syn::MethodCall(m), _) if m.method == "extract" => {
                self.packet(&m.receiver);
                let args: Vec<&Syn> = m.args.iter().collect();
                let [header] = args.as_slice() else {
                    return self.syntax(m, "`extract` takes a header", "write `p.extract(h.eth);`");
                };
                let Some(header): Option<HeaderId> = self.header(header) else { return };
                let at = self.at(m);
                ops.push(ParserOp::Extract { header, at });
            }
            syn::Stmt::Expr(Syn::Assign(a), _) => {
                let Some(place) = self.assign_place(&a.left) else { return };
                let Place::Var(var) = place else {
                    return self.syntax(
                        &a.left,
                        "the parser writes only to `Meta` and to its own variables",
                        "change headers in `ingress`",
                    );
                };
                let ty = self.p.var(var).ty;
                let Some(value) = self.parser_value(&a.right, Some(ty)) else { return };
                let at = self.at(&a.left);
                ops.push(ParserOp::Set { var, value, at });
            }
            syn::Stmt::Local(local) => self.state_local(local, ops),
            other => self.syntax(
                other,
                "a parser state does not do this",
                "it extracts headers, looks ahead and sets `Meta`: `p.extract(h.eth);`, `let x = p.lookahead::<bit<8>>();`",
            ),
        }
    }

    fn packet(&mut self, e: &Syn) {
        if !matches!(self.thing(e), Thing::Packet | Thing::Bad) {
            self.error(Code::Mismatch, e, "this is a method of the packet", "write `p.extract(h.eth);`");
        }
    }

    fn state_local(&mut self, local: &syn::Local, ops: &mut Vec<ParserOp>) {
        let (pat, annotation) = match &local.pat {
            Pat::Type(t) => (&*t.pat, Some(&*t.ty)),
            other => (other, None),
        };
        let (Pat::Ident(ident), Some(init)) = (pat, &local.init) else {
            return self.syntax(local, "`let` binds one name to a value", "write `let name = value;`");
        };
        let name = ident.ident.to_string();
        let at = self.at(&ident.ident);
        let mutable = ident.mutability.is_some();
        let var = if let Syn::MethodCall(m) = &*init.expr
            && m.method == "lookahead"
        {
            self.packet(&m.receiver);
            let Some((width, offset)) = self.lookahead(m) else { return self.bind(name, Thing::Bad) };
            let into = self.local(&name, Type::Bits(width), at);
            let at = self.at(m);
            ops.push(ParserOp::Lookahead { into, offset, at });
            into
        } else {
            let ty = annotation.and_then(|t| self.value_type(t));
            let Some(value) = self.parser_value(&init.expr, ty) else { return self.bind(name, Thing::Bad) };
            let var = self.local(&name, value.ty, at);
            ops.push(ParserOp::Set { var, value, at });
            var
        };
        self.bind(name, Thing::Place { place: Place::Var(var), mutable });
    }

    /// `p.lookahead::<bit<8>>()`, or with the number of bits to skip: width and offset.
    fn lookahead(&mut self, m: &syn::ExprMethodCall) -> Option<(u8, u32)> {
        let width = match m.turbofish.as_ref().and_then(|t| t.args.first()) {
            Some(syn::GenericArgument::Type(ty)) => self.bits_type(ty)?,
            _ => {
                self.syntax(m, "`lookahead` needs a type", "write `p.lookahead::<bit<8>>()`");
                return None;
            }
        };
        let offset = match m.args.first() {
            Some(e) => self.number_within(e, "an offset in bits", 0, 12_000)?,
            None => 0,
        };
        Some((width, offset as u32))
    }

    /// A value without effects.
    fn parser_value(&mut self, e: &Syn, ty: Option<Type>) -> Option<Expr> {
        let (made, value) = self.collect(|l| match ty {
            Some(ty) => l.operand(e, ty),
            None => l.sized(e, "annotate the variable: `let x: bit<8> = ...`"),
        });
        if !made.is_empty() {
            self.syntax(e, "this has an effect, which a parser can't have", "do it in `ingress`");
            return None;
        }
        value
    }

    fn transition(&mut self, e: &Syn, own: &Copies, index: u32, all: &[Copies]) -> Transition {
        match e {
            Syn::Match(m) => self.transition_match(m, own, index, all),
            Syn::Path(_) => match self.target(e, own, index, all) {
                Some(Some(state)) => Transition::To(state),
                _ => Transition::Accept,
            },
            Syn::Paren(p) => self.transition(&p.expr, own, index, all),
            _ => {
                self.syntax(e, "this is no way on", "write a state's name, `accept`, or a `match` of such");
                Transition::Accept
            }
        }
    }

    fn transition_match(
        &mut self,
        m: &syn::ExprMatch,
        own: &Copies,
        index: u32,
        all: &[Copies],
    ) -> Transition {
        let subjects: Vec<&Syn> = match &*m.expr {
            Syn::Tuple(t) => t.elems.iter().collect(),
            one => vec![one],
        };
        let mut on = Vec::new();
        for s in subjects {
            let Some(e) = self.parser_value(s, None) else { return Transition::Accept };
            if e.ty == Type::Bool {
                self.error(Code::Mismatch, s, "a parser selects by integers", "cast it: `as bit<1>`");
                return Transition::Accept;
            }
            on.push(e);
        }
        let types: Vec<Type> = on.iter().map(|e| e.ty).collect();
        let mut cases = Vec::new();
        for arm in &m.arms {
            if let Some((_, guard)) = &arm.guard {
                self.syntax(guard, "arms have no conditions", "select by more values: `match (a, b) { .. }`");
            }
            let rows = self.rows(&arm.pat, &types);
            let Some(to) = self.target(&arm.body, own, index, all) else { continue };
            let at = self.at(&arm.pat);
            for patterns in rows.unwrap_or_default() {
                cases.push(Case { patterns, to, at });
            }
        }
        let rest = cases.last().is_some_and(|c: &Case| c.patterns.iter().all(|p| *p == Pattern::Any));
        if !rest {
            self.error(
                Code::Missing,
                &m.match_token,
                "this `match` has no arm for the other values",
                "add `_ => accept` as the last arm",
            );
        }
        let at = self.at(&m.match_token);
        Transition::Select { on, cases, at }
    }

    /// A state by its name; the inner `None`: accept.
    fn target(&mut self, e: &Syn, own: &Copies, index: u32, all: &[Copies]) -> Option<Option<StateId>> {
        let name = match e {
            Syn::Path(p) => p.path.get_ident().map(ToString::to_string).unwrap_or_default(),
            Syn::Block(b) if b.block.stmts.len() == 1 => {
                let last = crate::control::last_of(&b.block)?;
                return self.target(last, own, index, all);
            }
            _ => String::new(),
        };
        if name == "accept" {
            return Some(None);
        }
        if own.repeated && name == own.name {
            // Once more than `repeat`: the parser stops there.
            return Some((index + 1 < own.count).then_some(StateId(own.first + index + 1)));
        }
        if let Some(c) = all.iter().find(|c| c.name == name) {
            return Some(Some(StateId(c.first)));
        }
        let known = all.iter().map(|c| c.name.as_str()).chain(["accept"]);
        let otherwise = format!("states are {}", names::list(known.clone()));
        let help = names::suggest(&name, known, &otherwise);
        self.error(Code::Unknown, e, "there is no such state", help);
        None
    }
}
