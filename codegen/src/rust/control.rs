//! The control: one method, statement by statement.

use super::names::{size, uint};
use super::objects::Objects;
use super::scope::{Item, Path, Scope, expr_vars, written};
use super::valid::{Implied, Known, popped};
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::stmt::{Arm, HashAlgorithm, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{FlowTableId, ReasonId, RingId, TableId, VarId};
use proc_macro2::TokenStream;
use quote::quote;

/// What statements need to know.
pub(super) struct Control<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) objects: &'a Objects,
    pub(super) implied: &'a Implied,
}

/// A block's text, and what is known behind it; none: every path has ended.
type Emitted = (TokenStream, Option<Known>);

/// Where a statement stands.
struct Here<'a> {
    path: &'a mut Path,
    index: usize,
    known: Known,
    /// Is it the last of the method, so that its value is the verdict?
    tail: bool,
}

impl Control<'_> {
    /// The body of `ingress`.
    pub(super) fn emit(&self) -> TokenStream {
        let (body, open) = self.block(&self.scope.p.control, &mut Vec::new(), Known::new(), true);
        // Every path ends in a verdict (`verify`); an empty control has none.
        let rest = open.map(|_| quote!(rt::Verdict::Pass));
        quote!(#body #rest)
    }

    fn block(&self, block: &[Stmt], path: &mut Path, mut known: Known, tail: bool) -> Emitted {
        let mut text = TokenStream::new();
        for (index, stmt) in block.iter().enumerate() {
            let tail = tail && index + 1 == block.len();
            let declared = self.declarations(path, index, &stmt.kind, &mut text);
            let here = Here { path, index, known, tail };
            let (tokens, after) = self.stmt(&stmt.kind, here, declared);
            text.extend(tokens);
            match after {
                Some(after) => known = after,
                None => return (text, None),
            }
        }
        (text, Some(known))
    }

    /// Declares what is first used in a statement. The variable that the statement can declare itself is returned.
    fn declarations(
        &self,
        path: &Path,
        index: usize,
        kind: &StmtKind,
        text: &mut TokenStream,
    ) -> Option<VarId> {
        let mut own = None;
        for item in self.scope.declared(path, index) {
            match item {
                Item::Var(v) if self.declares(kind, *v) => own = Some(*v),
                Item::Var(v) => {
                    let name = self.scope.var(*v);
                    match self.scope.p.var(*v).ty {
                        Type::Bool => text.extend(quote!(let mut #name = false;)),
                        Type::Bits(w) => {
                            let ty = uint(w);
                            text.extend(quote!(let mut #name: #ty = 0;));
                        }
                    }
                }
                Item::Cursor(cursor) => {
                    let name = &self.scope.cursors[cursor.index()];
                    text.extend(quote!(let mut #name = Flow::Idle;));
                }
            }
        }
        own
    }

    /// Can a statement declare the variable that it writes?
    fn declares(&self, kind: &StmtKind, var: VarId) -> bool {
        let simple = matches!(
            kind,
            StmtKind::Set { .. } | StmtKind::Hash { .. } | StmtKind::Limit { .. } | StmtKind::Select { .. }
        );
        let reads = kind.exprs().into_iter().any(|e| expr_vars(e).contains(&var));
        simple && !reads && written(kind) == Some(var)
    }

    /// `let name = value;` or `name = value;`.
    fn assign(&self, var: VarId, value: &TokenStream, declared: Option<VarId>) -> TokenStream {
        let name = self.scope.var(var);
        match declared {
            Some(own) if own == var && self.scope.writes(var) > 1 => quote!(let mut #name = #value;),
            Some(own) if own == var => quote!(let #name = #value;),
            _ => quote!(#name = #value;),
        }
    }

    fn place(&self, place: Place) -> TokenStream {
        match place {
            Place::Var(v) => self.scope.var(v),
            Place::Field(h, f) => self.scope.field(h, f),
        }
    }

    /// A write to a field is lost while its header is invalid.
    fn guarded(&self, place: Place, known: &Known, text: TokenStream) -> TokenStream {
        match place {
            Place::Field(h, _) if !known.contains(&h) => {
                let header = self.scope.header(h);
                quote!(if #header.valid { #text })
            }
            _ => text,
        }
    }

    fn stmt(&self, kind: &StmtKind, mut here: Here<'_>, declared: Option<VarId>) -> Emitted {
        let text = match kind {
            StmtKind::If { cond, then, otherwise } => return self.branch(cond, then, otherwise, &mut here),
            StmtKind::Apply { table, key, arms } => {
                let key = self.key(*table, key);
                return self.apply(*table, &key, arms, 0, &mut here);
            }
            StmtKind::Stay { .. } => return self.stay(kind, here),
            StmtKind::Verdict(verdict) => return (self.verdict(verdict, here.tail), None),
            StmtKind::Set { place: Place::Var(v), value } => {
                let value = if declared.is_some() { self.scope.own(value) } else { self.scope.value(value) };
                self.assign(*v, &value, declared)
            }
            StmtKind::Set { place, value } => {
                let (to, value) = (self.place(*place), self.scope.value(value));
                self.guarded(*place, &here.known, quote!(#to = #value;))
            }
            StmtKind::Push(h) => {
                here.known.insert(*h);
                let header = self.scope.header(*h);
                let ty = &self.scope.headers.types[self.scope.p.headers[h.index()].ty.index()];
                let fresh = quote!(#header = #ty { valid: true, at: rt::NOWHERE, ..#ty::default() };);
                quote!(if !#header.valid { #fresh })
            }
            StmtKind::Pop(h) => {
                here.known.remove(h);
                let header = self.scope.header(*h);
                let ty = &self.scope.headers.types[self.scope.p.headers[h.index()].ty.index()];
                quote!(#header = #ty::default();)
            }
            StmtKind::Checksum { place, data } => {
                let (to, data) = (self.place(*place), self.sum(data));
                self.guarded(*place, &here.known, quote!(#to = #data.checksum();))
            }
            StmtKind::Adjust { place, old, new } => {
                let (to, width) = (self.place(*place), size(old.ty.width().into()));
                let (old, new) = (self.scope.widened(old, 128), self.scope.widened(new, 128));
                let text = quote!(#to = rt::adjust(#to, #old, #new, #width););
                self.guarded(*place, &here.known, text)
            }
            StmtKind::Count { counter, index } => {
                let (name, index) = (&self.objects.counters[counter.index()], self.scope.own(index));
                quote!(self.#name.count(#index, c.length);)
            }
            StmtKind::Truncate { bytes } => {
                let bytes = size((*bytes).into());
                quote!(c.limit = #bytes;)
            }
            other => self.stateful(other, declared),
        };
        (text, Some(here.known))
    }

    /// Statements whose result goes into a variable, and those of flows.
    fn stateful(&self, kind: &StmtKind, declared: Option<VarId>) -> TokenStream {
        match kind {
            StmtKind::Hash { into, algorithm, key, data } => {
                self.assign(*into, &self.hash(*algorithm, key, data), declared)
            }
            StmtKind::Limit { limiter, into } => {
                let name = &self.objects.limiters[limiter.index()];
                self.assign(*into, &quote!(self.#name.allow(c.now)), declared)
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let value = self.select(*ring, pool, hash, self.scope.p.var(*into).ty);
                self.assign(*into, &value, declared)
            }
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                let name = &self.scope.cursors[cursor.index()];
                let found = self.find(*table, key, [hash, event, class]);
                quote!(#name = #found;)
            }
            StmtKind::Remember { cursor, id } => {
                let (name, id) = (&self.scope.cursors[cursor.index()], self.id(*id));
                quote!(self.remember(&#name, #id, c.now);)
            }
            _ => TokenStream::new(),
        }
    }

    fn branch(&self, cond: &Expr, then: &[Stmt], otherwise: &[Stmt], here: &mut Here<'_>) -> Emitted {
        let inside = |outcome| {
            let mut known = here.known.clone();
            known.extend(self.implied.of(cond, outcome));
            known
        };
        let (yes, no) = (inside(true), inside(false));
        let mut block = |n: usize, stmts: &[Stmt], known: Known| {
            here.path.push((here.index, n));
            let emitted = self.block(stmts, here.path, known, here.tail);
            here.path.pop();
            emitted
        };
        let (then, after_then) = block(0, then, yes);
        let (rest, after_rest) = block(1, otherwise, no);
        let cond = self.scope.value(cond);
        let text = match otherwise {
            [] => quote!(if #cond { #then }),
            // A chain of conditions, unless a declaration has to come first.
            [Stmt { kind: StmtKind::If { .. }, .. }] if starts_with_if(&rest) => {
                quote!(if #cond { #then } else #rest)
            }
            _ => quote!(if #cond { #then } else { #rest }),
        };
        let after = match (after_then, after_rest) {
            (Some(a), Some(b)) => Some(a.intersection(&b).copied().collect()),
            (one, other) => one.or(other),
        };
        (text, after)
    }

    /// A key's struct.
    fn key(&self, table: TableId, key: &[Expr]) -> TokenStream {
        let object = &self.objects.tables[table.index()];
        let name = &object.key;
        let fields = object.fields.iter().zip(key).map(|(field, value)| {
            let value = self.scope.value(value);
            if *field == value.to_string() { quote!(#field) } else { quote!(#field: #value) }
        });
        quote!(#name { #(#fields),* })
    }

    /// `first`: the block number of the first arm.
    fn apply(
        &self,
        table: TableId,
        key: &TokenStream,
        arms: &[Arm],
        first: usize,
        here: &mut Here<'_>,
    ) -> Emitted {
        let object = &self.objects.tables[table.index()];
        let (name, actions) = (&object.name, &object.action);
        let mut after: Option<Known> = None;
        let mut texts = Vec::new();
        for (n, arm) in arms.iter().enumerate() {
            here.path.push((here.index, first + n));
            let (body, open) = self.block(&arm.body, here.path, here.known.clone(), here.tail);
            here.path.pop();
            let (pattern, prologue) = self.pattern(arm);
            texts.push(quote!(#actions::#pattern => { #prologue #body }));
            after = match (after, open) {
                (Some(a), Some(b)) => Some(a.intersection(&b).copied().collect()),
                (one, other) => one.or(other),
            };
        }
        if arms.len() < self.scope.p.tables[table.index()].actions.len() {
            texts.push(quote!(_ => {}));
            after = Some(Known::new());
        }
        (quote!(match *self.#name.apply(&#key, c.length) { #(#texts)* }), after)
    }

    /// An action's pattern, and the assignment of those parameters that live on behind the arm.
    fn pattern(&self, arm: &Arm) -> (TokenStream, TokenStream) {
        let action = &self.objects.actions[arm.action.index()];
        let declared = &self.scope.p.actions[arm.action.index()];
        let mut prologue = TokenStream::new();
        let mut bindings = Vec::new();
        for (field, var) in action.params.iter().zip(&declared.params) {
            if !self.scope.is_mentioned(*var) {
                continue;
            }
            let name = self.scope.var(*var);
            if !self.scope.is_bound(*var) {
                let fresh = quote::format_ident!("new_{}", field);
                bindings.push(quote!(#field: #fresh));
                prologue.extend(quote!(#name = #fresh;));
                continue;
            }
            let mutable = (self.scope.writes(*var) > 0).then(|| quote!(mut));
            let same = *field == name.to_string();
            bindings.push(if same { quote!(#mutable #field) } else { quote!(#field: #mutable #name) });
        }
        let variant = &action.variant;
        let pattern = match (action.params.is_empty(), bindings.len() == action.params.len()) {
            (true, _) => quote!(#variant),
            (_, true) => quote!(#variant { #(#bindings),* }),
            (_, false) => quote!(#variant { #(#bindings,)* .. }),
        };
        (pattern, prologue)
    }

    fn stay(&self, kind: &StmtKind, mut here: Here<'_>) -> Emitted {
        let StmtKind::Stay { cursor, id, select, table, arms } = kind else {
            return (TokenStream::new(), Some(here.known));
        };
        let object = &self.objects.tables[table.index()];
        let (flow, name, key) = (&self.scope.cursors[cursor.index()], &object.name, &object.key);
        let (Some(field), Some(declared)) =
            (object.fields.first(), self.scope.p.tables[table.index()].keys.first())
        else {
            return (TokenStream::new(), Some(here.known));
        };
        let place = self.scope.var(*id);
        let as_key = converted(quote!(*id), 32, declared.width);
        let width = self.scope.p.var(*id).ty.width();
        let as_var = converted(quote!(id), 32, width);
        here.path.push((here.index, 0));
        let (selection, after) = self.block(select, here.path, here.known.clone(), false);
        here.path.pop();
        let choose = quote! {
            let stays = #flow.id().filter(|id| self.#name.knows(&#key { #field: #as_key }));
            #flow.set_stays(stays.is_some());
            match stays {
                Some(id) => #place = #as_var,
                None => { #selection }
            }
        };
        let lost = popped(select);
        here.known = match after {
            Some(_) => here.known.difference(&lost).copied().collect(),
            None => here.known,
        };
        let value = converted(place, width, declared.width);
        let shorthand = *field == value.to_string();
        let key = if shorthand { quote!(#key { #field }) } else { quote!(#key { #field: #value }) };
        let (rest, open) = self.apply(*table, &key, arms, 1, &mut here);
        (quote!(#choose #rest), open)
    }

    fn verdict(&self, verdict: &Verdict, tail: bool) -> TokenStream {
        let value = match verdict {
            Verdict::Forward(port) => {
                let port = self.scope.value(port);
                quote!(rt::Verdict::Forward(#port))
            }
            Verdict::Pass => quote!(rt::Verdict::Pass),
            Verdict::Drop(reason) => self.drop(*reason),
        };
        if tail { value } else { quote!(return #value;) }
    }

    fn drop(&self, reason: ReasonId) -> TokenStream {
        let name = &self.objects.reasons[reason.index()];
        quote!(rt::Verdict::Drop(reason::#name))
    }

    /// Packed without gaps: a number of so many bits, then expressions.
    fn bits(&self, first: Option<(u8, TokenStream)>, data: &[Expr]) -> TokenStream {
        let bits: u32 = data.iter().map(|e| u32::from(e.ty.width())).sum();
        let head = first.as_ref().map_or(0, |f| u32::from(f.0));
        let words = size((bits + head).div_ceil(64) as usize);
        let mut text = quote!(rt::Bits::<#words>::new());
        let values = data.iter().map(|e| (e.ty.width(), self.scope.own(e)));
        for (width, value) in first.into_iter().chain(values) {
            let width = size(width.into());
            text.extend(quote!(.with(#width, #value)));
        }
        text
    }

    /// The sum of their words.
    fn sum(&self, data: &[Expr]) -> TokenStream {
        let mut text = quote!(rt::Sum::new());
        for e in data {
            let (width, value) = (size(e.ty.width().into()), self.scope.own(e));
            text.extend(quote!(.with(#width, #value)));
        }
        text
    }

    fn hash(&self, algorithm: HashAlgorithm, key: &Expr, data: &[Expr]) -> TokenStream {
        match algorithm {
            HashAlgorithm::Crc32 => {
                let data = self.bits(Some((32, self.scope.low(key, 32))), data);
                quote!(rt::crc32(#data))
            }
            HashAlgorithm::HalfSipHash => {
                let key = self.scope.widened(key, 64);
                let data = self.bits(None, data);
                quote!(rt::half_sip_hash(#key, #data))
            }
        }
    }

    fn select(&self, ring: RingId, pool: &Expr, hash: &Expr, ty: Type) -> TokenStream {
        let declared = &self.scope.p.rings[ring.index()];
        let name = &self.objects.rings[ring.index()];
        let (pool, hash) = (self.scope.own(pool), self.scope.value(hash));
        let (no_pool, no_slot) = (self.drop(declared.no_pool), self.drop(declared.no_slot));
        let id = converted(quote!(id), 32, ty.width());
        quote! {
            match self.#name.select(#pool, #hash) {
                rt::Selected::Id(id) => #id,
                rt::Selected::NoPool => return #no_pool,
                rt::Selected::NoSlot => return #no_slot,
            }
        }
    }

    fn find(&self, table: FlowTableId, key: &[Expr], [hash, event, class]: [&Expr; 3]) -> TokenStream {
        let object = &self.objects.flows[table.index()];
        let (name, variant) = (&object.name, &object.variant);
        let words = size(object.key_words);
        let mut text = quote!(rt::Bits::<#words>::new());
        for e in key {
            let (width, value) = (size(e.ty.width().into()), self.scope.own(e));
            text.extend(quote!(.with(#width, #value)));
        }
        let [hash, event, class] = [hash, event, class].map(|e| self.scope.value(e));
        quote!(Flow::#variant(self.#name.find(#text, #hash, #event, #class, c.now)))
    }

    /// A variable as an id of 32 bits.
    fn id(&self, var: VarId) -> TokenStream {
        converted(self.scope.var(var), self.scope.p.var(var).ty.width(), 32)
    }
}

/// Does the text start with `if`, so that it can follow `else`?
fn starts_with_if(text: &TokenStream) -> bool {
    matches!(text.clone().into_iter().next(), Some(proc_macro2::TokenTree::Ident(i)) if i == "if")
}

/// A number of `from` bits with the type for `to` bits.
fn converted(value: TokenStream, from: u8, to: u8) -> TokenStream {
    let (a, b) = (super::names::native(from), super::names::native(to));
    let ty = uint(to);
    match a.cmp(&b) {
        std::cmp::Ordering::Equal => value,
        std::cmp::Ordering::Less => quote!(#ty::from(#value)),
        std::cmp::Ordering::Greater => quote!(#value as #ty),
    }
}
