//! Names and paths: what `h.ip4.src`, `m.vip`, `IPV4` or `event::OPEN` stands for.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Builtin, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Place, event};
use pipeline_ir::{FieldId, HeaderId};
use syn::Expr as Syn;

use crate::lower::{Constant, Lower, Thing, Val};
use crate::names;

/// The events by the names that the language gives them.
const EVENTS: &[(&str, u128)] = &[
    ("PEEK", event::PEEK),
    ("OPEN", event::OPEN),
    ("DATA", event::DATA),
    ("DATAGRAM", event::DATAGRAM),
    ("CLOSE", event::CLOSE),
];

impl Lower<'_> {
    /// What a path stands for; an error is reported and gives [`Thing::Bad`].
    pub(crate) fn thing(&mut self, e: &Syn) -> Thing {
        match e {
            Syn::Paren(p) => self.thing(&p.expr),
            Syn::Group(g) => self.thing(&g.expr),
            Syn::Reference(r) => self.thing(&r.expr),
            Syn::Path(p) => self.path(p, e),
            Syn::Field(f) => self.field(f),
            Syn::Index(i) => self.element(i),
            _ => {
                self.error(
                    Code::Mismatch,
                    e,
                    "a name is needed here, not a value",
                    "bind the value with `let` first",
                );
                Thing::Bad
            }
        }
    }

    fn path(&mut self, p: &syn::ExprPath, e: &Syn) -> Thing {
        let segments: Vec<String> = p.path.segments.iter().map(|s| s.ident.to_string()).collect();
        match segments.as_slice() {
            [name] => self.name(name, e),
            [module, name] if module == "event" => {
                let Some((_, value)) = EVENTS.iter().find(|(n, _)| n == name) else {
                    let all = EVENTS.iter().map(|x| x.0);
                    let otherwise = format!("events are {}", names::list(all.clone()));
                    self.error(
                        Code::Unknown,
                        e,
                        format!("there is no event `{name}`"),
                        names::suggest(name, all, &otherwise),
                    );
                    return Thing::Bad;
                };
                Thing::Value(Val::Expr(Expr::bits(*value, event::WIDTH)))
            }
            _ => {
                self.error(
                    Code::Unknown,
                    e,
                    format!("nothing is named `{}`", segments.join("::")),
                    "paths are names of this module, and `event::...`",
                );
                Thing::Bad
            }
        }
    }

    fn name(&mut self, name: &str, e: &Syn) -> Thing {
        if let Some((_, thing)) = self.scope.iter().rev().find(|(n, _)| n == name) {
            return thing.clone();
        }
        match self.constant(name, e) {
            Some(Constant::Value(v)) => return Thing::Value(v),
            Some(Constant::Bad) => return Thing::Bad,
            Some(Constant::Hash(_)) => {
                self.error(
                    Code::Mismatch,
                    e,
                    format!("`{name}` is a hash algorithm, not a value"),
                    format!("write `{name}.of(key, (data, ..))`"),
                );
                return Thing::Bad;
            }
            None => {}
        }
        let builtin = match name {
            "FRAME_LENGTH" => Some(Builtin::FrameLength),
            "INGRESS_PORT" => Some(Builtin::IngressPort),
            _ => None,
        };
        if let Some(b) = builtin {
            let at = self.at(e);
            return self.builtin(ExprKind::Builtin(b), Type::Bits(32), at);
        }
        self.unknown_name(name, e);
        Thing::Bad
    }

    fn unknown_name(&mut self, name: &str, e: &Syn) {
        if self.object(name).is_some() {
            let message = format!("`{name}` is an object, not a value");
            return self.error(Code::Mismatch, e, message, "call one of its methods, such as `apply`");
        }
        let known: Vec<String> = (self.scope.iter().map(|(n, _)| n.clone()))
            .chain(self.source.consts.iter().map(|c| c.ident.to_string()))
            .chain(["FRAME_LENGTH".to_owned(), "INGRESS_PORT".to_owned()])
            .collect();
        let help = names::suggest(
            name,
            known.iter().map(String::as_str),
            "names are constants, variables bound by `let`, parameters, `FRAME_LENGTH` and `INGRESS_PORT`",
        );
        self.error(Code::Unknown, e, format!("nothing is named `{name}` here"), help);
    }

    fn field(&mut self, f: &syn::ExprField) -> Thing {
        let base = self.thing(&f.base);
        let syn::Member::Named(member) = &f.member else {
            self.syntax(&f.member, "fields have names here, not numbers", "name the field");
            return Thing::Bad;
        };
        let name = member.to_string();
        match base {
            Thing::Headers => self.header_field(&name, f),
            Thing::Meta => match self.meta.iter().find(|(n, _)| *n == name) {
                Some((_, var)) => Thing::Place { place: Place::Var(*var), mutable: true },
                None => {
                    let known: Vec<String> = self.meta.iter().map(|(n, _)| n.clone()).collect();
                    self.unknown_field("`Meta`", &name, &known, f)
                }
            },
            Thing::Header(h) => {
                let ty = self.p.header_type(h);
                match ty.fields.iter().position(|x| x.name == names::snake_case(&name)) {
                    Some(i) => Thing::Place { place: Place::Field(h, FieldId(i as u32)), mutable: true },
                    None => {
                        let what = format!("header `{}`", self.p.headers[h.index()].name);
                        let known: Vec<String> = ty.fields.iter().map(|x| x.name.clone()).collect();
                        self.unknown_field(&what, &name, &known, f)
                    }
                }
            }
            Thing::Stack(stack) => self.stack_member(stack, &name, f),
            Thing::Bad => Thing::Bad,
            _ => {
                self.error(
                    Code::Unknown,
                    f,
                    format!("this has no field `{name}`"),
                    "headers and `Meta` have fields",
                );
                Thing::Bad
            }
        }
    }

    fn header_field(&mut self, name: &str, f: &syn::ExprField) -> Thing {
        match self.slots.iter().find(|s| s.name == name) {
            Some(slot) => slot.what.clone(),
            None => {
                let known: Vec<String> = self.slots.iter().map(|s| s.name.clone()).collect();
                self.unknown_field("`Headers`", name, &known, f)
            }
        }
    }

    fn unknown_field(&mut self, what: &str, name: &str, known: &[String], f: &syn::ExprField) -> Thing {
        let known = known.iter().map(String::as_str);
        let otherwise = format!("its fields: {}", names::list(known.clone()));
        let help = names::suggest(name, known, &otherwise);
        self.error(Code::Unknown, &f.member, format!("{what} has no field `{name}`"), help);
        Thing::Bad
    }

    fn stack_member(&mut self, stack: usize, name: &str, f: &syn::ExprField) -> Thing {
        let index = match (name, self.repetition) {
            ("next" | "last", Some(i)) => i,
            ("next" | "last", None) => {
                self.syntax(
                    &f.member,
                    "this stands only in a repeated parser state",
                    "write `#[state(repeat = 3)]`, or name one header: `h.vlan[0]`",
                );
                return Thing::Bad;
            }
            _ => {
                self.error(
                    Code::Unknown,
                    &f.member,
                    format!("a header stack has no field `{name}`"),
                    format!("name one header: `[0].{name}`; in a repeated state, `next` and `last`"),
                );
                return Thing::Bad;
            }
        };
        self.stack_element(stack, u128::from(index), f)
    }

    fn element(&mut self, i: &syn::ExprIndex) -> Thing {
        match self.thing(&i.expr) {
            Thing::Stack(stack) => match self.number(&i.index) {
                Some(n) => self.stack_element(stack, n, i),
                None => Thing::Bad,
            },
            Thing::Bad => Thing::Bad,
            _ => {
                self.error(
                    Code::Mismatch,
                    i,
                    "only a header stack has elements",
                    "write `.bits(hi, lo)` for some bits",
                );
                Thing::Bad
            }
        }
    }

    fn stack_element(&mut self, stack: usize, index: u128, node: &dyn quote::ToTokens) -> Thing {
        let headers = &self.stacks[stack];
        match usize::try_from(index).ok().and_then(|i| headers.get(i)) {
            Some(h) => Thing::Header(*h),
            None => {
                let n = headers.len();
                self.error(
                    Code::Overflow,
                    node,
                    format!("the stack has {n} headers: there is no number {index}"),
                    format!("headers of a stack count from 0 to {}", n.saturating_sub(1)),
                );
                Thing::Bad
            }
        }
    }

    /// A header named by an expression.
    pub(crate) fn header(&mut self, e: &Syn) -> Option<HeaderId> {
        match self.thing(e) {
            Thing::Header(h) => Some(h),
            Thing::Bad => None,
            _ => {
                self.error(
                    Code::Mismatch,
                    e,
                    "a header is needed here",
                    "name one of `Headers`, as in `h.ip4`",
                );
                None
            }
        }
    }
}
