//! Functions of the pipeline: each call puts the function's body in its place.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::Type;
use pipeline_ir::stmt::Place;
use syn::{Expr as Syn, ExprCall, ItemFn, Pat};

use crate::control::Mode;
use crate::lower::{Lower, Thing, Val};
use crate::source::Source;
use crate::{consts, names, types};

/// The most calls inside each other.
const DEPTH: usize = 32;

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    Verdict,
    Flow,
    Value(Type),
}

impl<'a> Lower<'a> {
    /// A call of one of the pipeline's functions.
    pub(crate) fn call(&mut self, c: &ExprCall, mode: Mode) -> Val {
        let Some(function) = self.callee(c) else { return Val::Bad };
        let name = function.sig.ident.to_string();
        self.called.insert(name.clone());
        if self.calls.contains(&name) || self.calls.len() >= DEPTH {
            let message = if self.calls.contains(&name) {
                format!("`{name}` calls itself")
            } else {
                format!("more than {DEPTH} calls inside each other")
            };
            self.error(Code::Syntax, c, message, "a data plane has no stack: each call is put in its place");
            return Val::Bad;
        }
        let Some(gives) = self.gives(function) else { return Val::Bad };
        let Some(mode) = self.fitting(c, gives, mode) else { return Val::Bad };
        let Some(bound) = self.arguments(function, c) else { return Val::Bad };
        if self.is_too_long(c) {
            return Val::Bad;
        }
        let outer = std::mem::replace(&mut self.scope, bound);
        self.calls.push(name);
        let value = self.open_block(&function.block, mode);
        self.calls.pop();
        self.scope = outer;
        match (gives, value) {
            (Gives::Value(ty), value @ (Val::Num(_) | Val::Expr(_))) => {
                let node = crate::control::last_of(&function.block);
                let node: &dyn quote::ToTokens = node.map_or(c, |n| n);
                self.coerce(value, ty, node).map_or(Val::Bad, Val::Expr)
            }
            (_, value) => value,
        }
    }

    fn callee(&mut self, c: &ExprCall) -> Option<&'a ItemFn> {
        let source: &'a Source = self.source;
        let name = match &*c.func {
            Syn::Path(p) => {
                p.path.segments.iter().map(|s| s.ident.to_string()).collect::<Vec<_>>().join("::")
            }
            _ => String::new(),
        };
        if let Some(f) = source.function(&name).filter(|f| f.sig.ident != "ingress") {
            return Some(f);
        }
        let known: Vec<String> = (source.functions.iter().map(|f| f.sig.ident.to_string()))
            .chain(
                ["internet_checksum", "concat", "adjust", "truncate", "forward", "pass", "drop"]
                    .map(String::from),
            )
            .filter(|n| n != "ingress")
            .collect();
        let help =
            names::suggest(&name, known.iter().map(String::as_str), "functions are declared in this module");
        self.error(Code::Unknown, &c.func, format!("there is no function `{name}`"), help);
        None
    }

    /// What a function says that it gives.
    pub(crate) fn gives(&mut self, f: &ItemFn) -> Option<Gives> {
        let syn::ReturnType::Type(_, ty) = &f.sig.output else { return Some(Gives::Nothing) };
        if matches!(&**ty, syn::Type::Tuple(t) if t.elems.is_empty()) {
            return Some(Gives::Nothing);
        }
        match types::name(ty).map(ToString::to_string).as_deref() {
            Some("Verdict") => Some(Gives::Verdict),
            Some("Flow") => Some(Gives::Flow),
            _ => self.value_type(ty).map(Gives::Value),
        }
    }

    /// Does what the function gives fit what the call is there for?
    fn fitting(&mut self, c: &ExprCall, gives: Gives, mode: Mode) -> Option<Mode> {
        let help = match (gives, mode) {
            (Gives::Nothing, Mode::Unit) => return Some(Mode::Unit),
            (Gives::Verdict, Mode::Verdict) => return Some(Mode::Verdict),
            (Gives::Flow, Mode::Flow(cursor)) => return Some(Mode::Flow(cursor)),
            (Gives::Value(ty), Mode::Value(_, dest)) => {
                return Some(Mode::Value(Some(ty), dest.filter(|d| self.p.var(*d).ty == ty)));
            }
            (Gives::Nothing, _) => "it gives nothing: call it as a statement",
            (Gives::Verdict, _) => "it gives a verdict: write `return` before it",
            (Gives::Flow, _) => "it gives a flow: bind it with `let`",
            (Gives::Value(_), _) => "it gives a value: bind it with `let`",
        };
        self.error(Code::Mismatch, c, "what this function gives does not fit here", help);
        None
    }

    /// The names that a call's arguments get inside the function.
    fn arguments(&mut self, f: &ItemFn, c: &ExprCall) -> Option<Vec<(String, Thing)>> {
        if f.sig.inputs.len() != c.args.len() {
            let message =
                format!("`{}` takes {} arguments, not {}", f.sig.ident, f.sig.inputs.len(), c.args.len());
            self.error(Code::Mismatch, c, message, "give one for each parameter");
            return None;
        }
        let mut bound = Vec::new();
        let mut good = true;
        for (input, arg) in f.sig.inputs.iter().zip(&c.args) {
            match self.parameter(input) {
                Some((name, ty)) => match self.argument(&name, ty, arg) {
                    Some(thing) => bound.push((name, thing)),
                    None => good = false,
                },
                None => good = false,
            }
        }
        good.then_some(bound)
    }

    /// A parameter's name and type.
    pub(crate) fn parameter<'f>(&mut self, input: &'f syn::FnArg) -> Option<(String, &'f syn::Type)> {
        if let syn::FnArg::Typed(t) = input
            && let Pat::Ident(i) = &*t.pat
        {
            return Some((i.ident.to_string(), &t.ty));
        }
        self.syntax(input, "a parameter is a name with a type", "write `name: bit<16>`");
        None
    }

    fn argument(&mut self, name: &str, ty: &syn::Type, arg: &Syn) -> Option<Thing> {
        let kind = types::name(ty).map(ToString::to_string).unwrap_or_default();
        let fits = |t: &Thing| match kind.as_str() {
            "Headers" => matches!(t, Thing::Headers),
            "Meta" => matches!(t, Thing::Meta),
            "Packet" => matches!(t, Thing::Packet),
            "Flow" => matches!(t, Thing::Flow(_)),
            _ => false,
        };
        if matches!(kind.as_str(), "Headers" | "Meta" | "Packet" | "Flow") {
            let thing = self.thing(arg);
            if fits(&thing) {
                return Some(thing);
            }
            if !matches!(thing, Thing::Bad) {
                self.error(
                    Code::Mismatch,
                    arg,
                    format!("a `{kind}` is needed here"),
                    "pass the parameter on",
                );
            }
            return None;
        }
        if let Some(position) = self.source.headers.iter().position(|h| h.item.ident == kind) {
            let header = self.header(arg)?;
            let wanted = names::snake_case(&self.source.headers[position].item.ident.to_string());
            if self.p.header_type(header).name != wanted {
                self.error(
                    Code::Mismatch,
                    arg,
                    format!("a header of type `{kind}` is needed here"),
                    "name another",
                );
                return None;
            }
            return Some(Thing::Header(header));
        }
        if self.table_keys.contains(&kind) || self.flow_keys.contains(&kind) {
            let fields = self.key(arg, &kind)?;
            let fields = fields.into_iter().map(|f| self.kept(f, name)).collect();
            return Some(Thing::Key { ty: kind, fields });
        }
        let ty = self.value_type(ty)?;
        let value = self.operand(arg, ty)?;
        let value = self.kept(value, name);
        if consts::is_constant(&value) {
            return Some(Thing::Value(Val::Expr(value)));
        }
        match value.kind {
            pipeline_ir::expr::ExprKind::Var(v) => {
                Some(Thing::Place { place: Place::Var(v), mutable: false })
            }
            _ => Some(Thing::Value(Val::Expr(value))),
        }
    }

    /// Translates the functions that nothing calls, for their errors only.
    pub(crate) fn uncalled(&mut self) {
        let source = self.source;
        for f in &source.functions {
            let name = f.sig.ident.to_string();
            if name == "ingress" || self.called.contains(&name) {
                continue;
            }
            let (vars, cursors) = (self.p.vars.len(), self.p.cursors.len());
            let scope = self.stand_ins(f);
            let outer = std::mem::replace(&mut self.scope, scope);
            self.calls.push(name);
            let mode = match self.gives(f) {
                Some(Gives::Verdict) => Mode::Verdict,
                Some(Gives::Value(ty)) => Mode::Value(Some(ty), None),
                _ => Mode::Unit,
            };
            if self.gives(f) != Some(Gives::Flow) {
                self.collect(|l| l.open_block(&f.block, mode));
            }
            self.calls.pop();
            self.scope = outer;
            self.p.vars.truncate(vars);
            self.p.cursors.truncate(cursors);
            self.cursor_ids.truncate(cursors);
        }
    }

    /// Things for a function's parameters while nothing calls it.
    fn stand_ins(&mut self, f: &ItemFn) -> Vec<(String, Thing)> {
        let mut scope = Vec::new();
        for input in &f.sig.inputs {
            let Some((name, ty)) = self.parameter(input) else { continue };
            let kind = types::name(ty).map(ToString::to_string).unwrap_or_default();
            let thing = match kind.as_str() {
                "Headers" => Thing::Headers,
                "Meta" => Thing::Meta,
                "Packet" => Thing::Packet,
                "bit" | "bool" => match self.value_type(ty) {
                    Some(ty) => {
                        let at = self.at(input);
                        let var = self.local(&name, ty, at);
                        Thing::Place { place: Place::Var(var), mutable: false }
                    }
                    None => Thing::Bad,
                },
                _ => Thing::Bad,
            };
            scope.push((name, thing));
        }
        scope
    }
}
