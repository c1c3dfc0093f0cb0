//! The parser: a function per state.

use super::names::{Namer, mask, number, size, uint};
use super::scope::Scope;
use pipeline_ir::expr::Type;
use pipeline_ir::{Case, ParserOp, Pattern, State, StateId, Transition};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The states' functions, and the call of the first.
pub(super) fn emit(scope: &Scope<'_>, cite: &dyn Fn(u32, &str) -> String) -> (TokenStream, TokenStream) {
    let p = scope.p;
    let mut namer = Namer::new(&[]);
    let names: Vec<Ident> =
        p.parser.states.iter().map(|s| namer.name(&format!("parse_{}", s.name))).collect();
    let states = p.parser.states.iter().zip(&names).map(|(s, name)| {
        let doc = cite(s.at.line, &format!("state {}", s.name));
        let ops = s.ops.iter().map(|op| operation(scope, op));
        let next = next(scope, s, &names);
        quote! {
            #[doc = #doc]
            #[inline]
            fn #name(p: &mut rt::Parser<'_>, h: &mut Headers, m: &mut Meta, c: &rt::Context) {
                #(#ops)*
                #next
            }
        }
    });
    let start = go(Some(p.parser.start), &names, &quote!(&mut p, &mut h, &mut m, &c));
    (quote!(#(#states)*), quote!(#start;))
}

fn operation(scope: &Scope<'_>, op: &ParserOp) -> TokenStream {
    match op {
        ParserOp::Extract { header, .. } => {
            let place = scope.header(*header);
            let ty = &scope.headers.types[scope.p.headers[header.index()].ty.index()];
            quote! {
                let Some((bytes, at)) = p.take() else { return };
                #place = #ty::read(bytes, at);
            }
        }
        ParserOp::Lookahead { into, offset, .. } => {
            let ty = scope.p.var(*into).ty;
            let (place, offset, width) = (scope.var(*into), size(*offset as usize), size(ty.width().into()));
            let value = match ty {
                Type::Bool => quote!(bits != 0),
                Type::Bits(w) => {
                    let ty = uint(w);
                    quote!(bits as #ty)
                }
            };
            quote! {
                let Some(bits) = p.look(#offset, #width) else { return };
                #place = #value;
            }
        }
        ParserOp::Set { var, value, .. } => {
            let (place, value) = (scope.var(*var), scope.value(value));
            quote!(#place = #value;)
        }
    }
}

fn go(to: Option<StateId>, names: &[Ident], arguments: &TokenStream) -> TokenStream {
    match to.and_then(|to| names.get(to.index())) {
        Some(name) => quote!(#name(#arguments)),
        None => quote!({}),
    }
}

fn next(scope: &Scope<'_>, state: &State, names: &[Ident]) -> TokenStream {
    let arguments = quote!(p, h, m, c);
    match &state.next {
        Transition::Accept => TokenStream::new(),
        Transition::To(to) => {
            let call = go(Some(*to), names, &arguments);
            quote!(#call;)
        }
        Transition::Select { on, cases, .. } => {
            let values: Vec<TokenStream> = on.iter().map(|e| scope.own(e)).collect();
            let types: Vec<Type> = on.iter().map(|e| e.ty).collect();
            let arms = cases.iter().map(|case| {
                let (pattern, guard) = patterns(case, &types);
                let to = go(case.to, names, &arguments);
                quote!(#pattern #guard => #to,)
            });
            let on = if let [one] = values.as_slice() { quote!(#one) } else { quote!((#(#values),*)) };
            let all = |c: &Case| c.patterns.iter().all(|p| *p == Pattern::Any);
            let rest = (!cases.last().is_some_and(all)).then(|| quote!(_ => {}));
            quote!(match #on { #(#arms)* #rest })
        }
    }
}

/// The patterns of a case; what a pattern can't say is a guard.
fn patterns(case: &Case, types: &[Type]) -> (TokenStream, TokenStream) {
    let mut guards: Vec<TokenStream> = Vec::new();
    let mut parts: Vec<TokenStream> = Vec::new();
    for (i, (pattern, ty)) in case.patterns.iter().zip(types).enumerate() {
        parts.push(match (*pattern, *ty) {
            (Pattern::Any, _) => quote!(_),
            (Pattern::Value(v), Type::Bool) => {
                let v = v != 0;
                quote!(#v)
            }
            (Pattern::Value(v), ty) => number(v, ty.width(), true),
            (Pattern::Range { low, high }, ty) if ty != Type::Bool && low <= high => {
                let (low, high) = (number(low, ty.width(), true), number(high, ty.width(), true));
                quote!(#low..=#high)
            }
            (pattern, ty) => {
                let name = Ident::new(&format!("v{i}"), Span::call_site());
                guards.push(guard(pattern, ty, &name));
                quote!(#name)
            }
        });
    }
    let pattern = if let [one] = parts.as_slice() { quote!(#one) } else { quote!((#(#parts),*)) };
    let guard = if guards.is_empty() { TokenStream::new() } else { quote!(if #(#guards)&&*) };
    (pattern, guard)
}

fn guard(pattern: Pattern, ty: Type, name: &Ident) -> TokenStream {
    let value = if ty == Type::Bool { quote!(u8::from(#name)) } else { quote!(#name) };
    let n = |v: u128| number(v & mask(ty.width()), ty.width(), true);
    match pattern {
        Pattern::Any => quote!(true),
        Pattern::Value(v) => {
            let v = n(v);
            quote!(#value == #v)
        }
        Pattern::Range { low, high } => {
            let (low, high) = (n(low), n(high));
            quote!((#low..=#high).contains(&#value))
        }
        Pattern::Mask { value: v, mask: bits } => {
            let (v, bits) = (n(v & bits), n(bits));
            quote!(#value & #bits == #v)
        }
    }
}
