//! Calls: the language's own functions and methods.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{HashAlgorithm, Place, StmtKind};
use pipeline_ir::{HeaderId, VarId};
use syn::{Expr as Syn, ExprCall, ExprMethodCall};

use crate::control::Mode;
use crate::lower::{Lower, ObjectId, Thing, Val};
use crate::names;

const SIZED: &str = "state the width: `bit::<16>({n})`";

impl Lower<'_> {
    /// A call that gives a value.
    pub(crate) fn call_value(&mut self, c: &ExprCall, want: Option<Type>, dest: Option<VarId>) -> Val {
        let Syn::Path(p) = &*c.func else {
            self.syntax(&c.func, "only functions are called", "name a function");
            return Val::Bad;
        };
        let Some(segment) = p.path.segments.last() else { return Val::Bad };
        match segment.ident.to_string().as_str() {
            "bit" => self.sized_number(segment, c),
            "concat" => self.concat(c),
            "internet_checksum" => {
                let at = self.at(c);
                let into = match dest {
                    Some(d) if self.p.var(d).ty == Type::Bits(16) => d,
                    _ => self.local("checksum", Type::Bits(16), at),
                };
                self.checksum(c, Place::Var(into));
                Val::Expr(self.read(into, at))
            }
            "forward" | "pass" | "drop" => {
                self.error(
                    Code::Mismatch,
                    c,
                    "a value is needed here, not a verdict",
                    "end the packet with `return`",
                );
                Val::Bad
            }
            _ => self.call(c, Mode::Value(want, dest)),
        }
    }

    /// A call as a statement.
    pub(crate) fn call_statement(&mut self, c: &ExprCall) {
        let name = match &*c.func {
            Syn::Path(p) => p.path.get_ident().map(ToString::to_string).unwrap_or_default(),
            _ => String::new(),
        };
        match name.as_str() {
            "adjust" => self.adjust(c),
            "truncate" => self.truncate(c),
            "forward" | "pass" | "drop" => {
                let message = format!("`{name}` alone does nothing");
                self.syntax(c, &message, &format!("write `return {name}(..)`"));
            }
            "bit" | "concat" | "internet_checksum" => {
                self.syntax(c, "this value is not used", "assign it, or bind it with `let`");
            }
            _ => {
                self.call(c, Mode::Unit);
            }
        }
    }

    /// `place = internet_checksum(data...)`; a header means all of its fields.
    pub(crate) fn checksum(&mut self, c: &ExprCall, place: Place) {
        let Some(data) = self.data(c.args.iter()) else { return };
        let at = self.at(c);
        self.emit(StmtKind::Checksum { place, data }, at);
    }

    /// Data for a hash or checksum: values, and headers as all of their fields.
    fn data<'e>(&mut self, parts: impl Iterator<Item = &'e Syn>) -> Option<Vec<Expr>> {
        let mut data = Vec::new();
        let mut good = true;
        for part in parts {
            if let Some(header) = self.whole_header(part) {
                let at = self.at(part);
                for i in 0..self.p.header_type(header).fields.len() {
                    let place = Place::Field(header, pipeline_ir::FieldId(i as u32));
                    data.push(self.read_place(place, at));
                }
                continue;
            }
            match self.sized(part, SIZED) {
                Some(e) if e.ty != Type::Bool => data.push(e),
                Some(_) => {
                    self.error(Code::Mismatch, part, "a `bool` is no data", "cast it: `as bit<8>`");
                    good = false;
                }
                None => good = false,
            }
        }
        good.then_some(data)
    }

    /// The header that an argument like `h.ip4` names.
    fn whole_header(&mut self, e: &Syn) -> Option<HeaderId> {
        let names_header = match e {
            Syn::Field(f) => match &*f.base {
                Syn::Path(p) => p.path.get_ident().is_some_and(|name| {
                    let name = name.to_string();
                    let bound = self.scope.iter().rev().find(|(n, _)| *n == name);
                    bound.is_some_and(|(_, t)| matches!(t, Thing::Headers))
                }),
                _ => false,
            },
            Syn::Path(_) | Syn::Index(_) => true,
            Syn::Reference(r) => return self.whole_header(&r.expr),
            _ => false,
        };
        if !names_header {
            return None;
        }
        let before = self.report.diagnostics.0.len();
        let thing = self.thing(e);
        self.report.diagnostics.0.truncate(before);
        if let Thing::Header(h) = thing { Some(h) } else { None }
    }

    fn adjust(&mut self, c: &ExprCall) {
        let args: Vec<&Syn> = c.args.iter().collect();
        let [place, old, new] = args.as_slice() else {
            return self.syntax(
                c,
                "`adjust` takes a checksum, the old and the new value",
                "write `adjust(h.ip4.checksum, old, new)`",
            );
        };
        let target = self.assign_place(place);
        let old = self.sized(old, SIZED);
        let new = match &old {
            Some(o) => {
                let ty = o.ty;
                self.operand(new, ty)
            }
            None => self.sized(new, SIZED),
        };
        let (Some(target), Some(old), Some(new)) = (target, old, new) else { return };
        if self.place_type(target) != Type::Bits(16) {
            return self.error(
                Code::Mismatch,
                place,
                "a checksum has 16 bits",
                "name a `bit<16>` field or variable",
            );
        }
        if self.operand > 0 {
            return self.syntax(
                c,
                "nothing is assigned inside an operand",
                "adjust before, in its own statement",
            );
        }
        let at = self.at(c);
        self.emit(StmtKind::Adjust { place: target, old, new }, at);
    }

    fn truncate(&mut self, c: &ExprCall) {
        let args: Vec<&Syn> = c.args.iter().collect();
        let [bytes] = args.as_slice() else {
            return self.syntax(c, "`truncate` takes a number of bytes", "write `truncate(128)`");
        };
        let Some(bytes) = self.number_within(bytes, "a length in bytes", 1, u128::from(u16::MAX)) else {
            return;
        };
        let at = self.at(c);
        self.emit(StmtKind::Truncate { bytes: bytes as u16 }, at);
    }

    /// A method that gives a value.
    pub(crate) fn method_value(&mut self, m: &ExprMethodCall, dest: Option<VarId>) -> Val {
        match m.method.to_string().as_str() {
            "is_valid" => {
                if !m.args.is_empty() {
                    self.syntax(m, "`is_valid` takes nothing", "write `h.ip4.is_valid()`");
                }
                let Some(header) = self.header(&m.receiver) else { return Val::Bad };
                let at = self.at(m);
                Val::Expr(Expr { kind: ExprKind::Valid(header), ty: Type::Bool, at })
            }
            "bits" => self.slice(m),
            "of" => self.hash(m, dest),
            "allow" => self.allow(m, dest),
            "select" => self.select(m, dest),
            "apply" | "stay_or" => {
                self.syntax(
                    m,
                    "a table gives an action, not a value",
                    "write `match TABLE.apply(..) { .. }`",
                );
                Val::Bad
            }
            "find" | "lookahead" => {
                self.syntax(m, "this stands alone in a `let`", "write `let name = ...;`");
                Val::Bad
            }
            _ => {
                self.unknown_method(m);
                Val::Bad
            }
        }
    }

    /// A method as a statement.
    pub(crate) fn method_statement(&mut self, m: &ExprMethodCall) {
        let effect = matches!(m.method.to_string().as_str(), "push" | "pop" | "remember");
        if effect && self.operand > 0 {
            return self.syntax(
                m,
                "nothing is changed inside an operand",
                "do it before, in its own statement",
            );
        }
        match m.method.to_string().as_str() {
            "push" => self.push(m),
            "pop" => {
                let Some(header) = self.header(&m.receiver) else { return };
                let at = self.at(m);
                self.emit(StmtKind::Pop(header), at);
            }
            "count" => self.count(m),
            "remember" => self.remember(m),
            "apply" => self.apply_alone(m),
            "is_valid" | "bits" | "of" | "allow" | "select" | "find" => {
                self.syntax(m, "this value is not used", "bind it with `let`");
            }
            "stay_or" => self.syntax(m, "the action is not used", "write `match TABLE.stay_or(..) { .. }`"),
            _ => self.unknown_method(m),
        }
    }

    fn unknown_method(&mut self, m: &ExprMethodCall) {
        const METHODS: &[&str] = &[
            "is_valid", "bits", "of", "allow", "select", "push", "pop", "count", "remember", "apply",
            "stay_or", "find",
        ];
        let name = m.method.to_string();
        let otherwise = format!("methods are {}", names::list(METHODS.iter().copied()));
        let help = names::suggest(&name, METHODS.iter().copied(), &otherwise);
        self.error(Code::Unknown, &m.method, format!("there is no method `{name}`"), help);
    }

    /// The object that a method is called on.
    pub(crate) fn receiver(&mut self, e: &Syn, what: &str) -> Option<ObjectId> {
        let name = match e {
            Syn::Path(p) => p.path.get_ident().map(ToString::to_string).unwrap_or_default(),
            _ => String::new(),
        };
        let found = self.object(&name);
        if found.is_none() && !self.is_refused(&name) {
            let known: Vec<String> = self.objects.iter().map(|(n, _)| n.clone()).collect();
            let help =
                names::suggest(&name, known.iter().map(String::as_str), "objects are declared with `static`");
            self.error(Code::Unknown, e, format!("there is no {what} of this name"), help);
        }
        found
    }

    fn wrong_kind(&mut self, m: &ExprMethodCall, what: &str) {
        let message = format!("`{}` is a method of a {what}", m.method);
        self.error(Code::Mismatch, &m.receiver, message, format!("name a {what}"));
    }

    fn hash(&mut self, m: &ExprMethodCall, dest: Option<VarId>) -> Val {
        let algorithm = self.hash_name(&m.receiver);
        let args: Vec<&Syn> = m.args.iter().collect();
        let [key, data] = args.as_slice() else {
            self.syntax(m, "`of` takes a key and the data", "write `HASH.of(key, (a, b, c))`");
            return Val::Bad;
        };
        let key_value = self.as_operand(|l| l.value(key, Some(Type::Bits(64)), None));
        let key_value = match key_value {
            Val::Expr(e) if e.ty == Type::Bits(32) && algorithm == Some(HashAlgorithm::Crc32) => Some(e),
            other => self.coerce(other, Type::Bits(64), key),
        };
        let data = match data {
            Syn::Tuple(t) => self.data(t.elems.iter()),
            one => self.data(std::iter::once(*one)),
        };
        let (Some(algorithm), Some(key), Some(data)) = (algorithm, key_value, data) else { return Val::Bad };
        let at = self.at(m);
        let key = match algorithm {
            HashAlgorithm::Crc32 if key.ty != Type::Bits(32) => {
                let at = key.at;
                crate::fold::cast(key, Type::Bits(32), at)
            }
            _ => key,
        };
        let into = self.result("hash", Type::Bits(32), dest, at);
        self.emit(StmtKind::Hash { into, algorithm, key, data }, at);
        Val::Expr(self.read(into, at))
    }

    /// Where a call leaves its result.
    fn result(&mut self, name: &str, ty: Type, dest: Option<VarId>, at: pipeline_ir::Loc) -> VarId {
        match dest {
            Some(d) if self.p.var(d).ty == ty => d,
            _ => self.local(name, ty, at),
        }
    }

    fn allow(&mut self, m: &ExprMethodCall, dest: Option<VarId>) -> Val {
        match self.receiver(&m.receiver, "limiter") {
            Some(ObjectId::Limiter(limiter)) => {
                if !m.args.is_empty() {
                    self.syntax(m, "`allow` takes nothing", "write `LIMITER.allow()`");
                }
                let at = self.at(m);
                let into = self.result("allowed", Type::Bool, dest, at);
                self.emit(StmtKind::Limit { limiter, into }, at);
                Val::Expr(self.read(into, at))
            }
            Some(_) => {
                self.wrong_kind(m, "limiter");
                Val::Bad
            }
            None => Val::Bad,
        }
    }

    fn select(&mut self, m: &ExprMethodCall, dest: Option<VarId>) -> Val {
        let ring = match self.receiver(&m.receiver, "ring") {
            Some(ObjectId::Ring(ring)) => ring,
            Some(_) => {
                self.wrong_kind(m, "ring");
                return Val::Bad;
            }
            None => return Val::Bad,
        };
        let args: Vec<&Syn> = m.args.iter().collect();
        let [pool, hash] = args.as_slice() else {
            self.syntax(m, "`select` takes a pool and a hash", "write `RING.select(m.pool, hash)`");
            return Val::Bad;
        };
        let (pool_width, id_width) =
            (self.p.rings[ring.index()].pool_width, self.p.rings[ring.index()].id_width);
        let pool = self.operand(pool, Type::Bits(pool_width));
        let hash = self.operand(hash, Type::Bits(32));
        let (Some(pool), Some(hash)) = (pool, hash) else { return Val::Bad };
        let at = self.at(m);
        let into = self.result("selected", Type::Bits(id_width), dest, at);
        self.emit(StmtKind::Select { ring, pool, hash, into }, at);
        Val::Expr(self.read(into, at))
    }

    fn count(&mut self, m: &ExprMethodCall) {
        let counter = match self.receiver(&m.receiver, "counter") {
            Some(ObjectId::Counter(counter)) => counter,
            Some(_) => return self.wrong_kind(m, "counter"),
            None => return,
        };
        let args: Vec<&Syn> = m.args.iter().collect();
        let [index] = args.as_slice() else {
            return self.syntax(m, "`count` takes a cell's number", "write `COUNTER.count(index)`");
        };
        let index = match self.as_operand(|l| l.value(index, None, None)) {
            Val::Expr(e) if e.ty != Type::Bool => Some(e),
            other => self.coerce(other, Type::Bits(32), index),
        };
        let Some(index) = index else { return };
        let at = self.at(m);
        self.emit(StmtKind::Count { counter, index }, at);
    }

    /// `h.x.push(T { all fields })`: values are read before the header becomes valid.
    fn push(&mut self, m: &ExprMethodCall) {
        let Some(header) = self.header(&m.receiver) else { return };
        let args: Vec<&Syn> = m.args.iter().collect();
        let ty = self.p.header_type(header).clone();
        let [Syn::Struct(literal)] = args.as_slice() else {
            return self.syntax(
                m,
                "`push` takes the header's fields",
                "write `h.x.push(Type { field: value, .. })`",
            );
        };
        let name = literal.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        if names::snake_case(&name) != ty.name {
            let message = format!("this header is not of type `{name}`");
            return self.error(
                Code::Mismatch,
                &literal.path,
                message,
                "name the type that `Headers` gives it",
            );
        }
        let fields: Vec<(String, u8)> = ty.fields.iter().map(|f| (f.name.clone(), f.width)).collect();
        let Some(values) = self.literal_fields(literal, &fields) else { return };
        let values: Vec<Expr> = values.into_iter().map(|v| self.apart_from(v, header)).collect();
        let at = self.at(m);
        self.emit(StmtKind::Push(header), at);
        for (i, value) in values.into_iter().enumerate() {
            let at = value.at;
            self.emit(
                StmtKind::Set { place: Place::Field(header, pipeline_ir::FieldId(i as u32)), value },
                at,
            );
        }
    }

    /// A value that reads the header itself is kept before the header changes.
    fn apart_from(&mut self, value: Expr, header: HeaderId) -> Expr {
        let reads = |e: &Expr| matches!(e.kind, ExprKind::Field(h, _) | ExprKind::Valid(h) if h == header);
        if value.any(reads) { self.kept(value, "before") } else { value }
    }

    /// The values of a literal's fields, in the declared order; each field once, none missing.
    pub(crate) fn literal_fields(
        &mut self,
        literal: &syn::ExprStruct,
        fields: &[(String, u8)],
    ) -> Option<Vec<Expr>> {
        let mut values: Vec<Option<Expr>> = vec![None; fields.len()];
        let mut given = vec![false; fields.len()];
        let mut good = true;
        for f in &literal.fields {
            let syn::Member::Named(member) = &f.member else { continue };
            let name = member.to_string();
            let Some(i) = fields.iter().position(|(n, _)| *n == names::snake_case(&name)) else {
                let known = fields.iter().map(|(n, _)| n.as_str());
                let otherwise = format!("its fields: {}", names::list(known.clone()));
                let help = names::suggest(&name, known, &otherwise);
                self.error(Code::Unknown, member, format!("there is no field `{name}`"), help);
                good = false;
                continue;
            };
            if given[i] {
                self.error(
                    Code::Duplicate,
                    member,
                    format!("`{name}` has a value already"),
                    "remove one of them",
                );
            }
            given[i] = true;
            values[i] = self.operand(&f.expr, Type::Bits(fields[i].1));
        }
        if let Some(rest) = &literal.dot2_token {
            self.syntax(rest, "every field is named here", "there are no default values");
        }
        let absent: Vec<&str> =
            fields.iter().zip(&given).filter(|(_, given)| !**given).map(|((n, _), _)| n.as_str()).collect();
        if !absent.is_empty() {
            let message = format!("no value for {}", names::list(absent.iter().copied()));
            self.error(Code::Missing, &literal.path, message, "name every field");
            good = false;
        }
        let values: Option<Vec<Expr>> = values.into_iter().collect();
        values.filter(|_| good)
    }
}
