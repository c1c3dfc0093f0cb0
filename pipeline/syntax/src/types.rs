//! Types: `bit<N>` and `bool`, and the names that stand for handles.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::Type;
use syn::{GenericArgument, Ident, PathArguments, PathSegment};

use crate::lower::{Lower, Val};

/// The last segment of a type's path, references taken off.
pub(crate) fn segment(ty: &syn::Type) -> Option<&PathSegment> {
    match ty {
        syn::Type::Path(p) if p.qself.is_none() => p.path.segments.last(),
        syn::Type::Reference(r) => segment(&r.elem),
        syn::Type::Paren(p) => segment(&p.elem),
        syn::Type::Group(g) => segment(&g.elem),
        _ => None,
    }
}

/// The type arguments of a segment: `bit<16>` and `bit<24>` in `Ring<bit<16>, bit<24>>`.
pub(crate) fn arguments(segment: &PathSegment) -> Vec<&GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(a) => a.args.iter().collect(),
        _ => Vec::new(),
    }
}

/// A type that stands alone as a name.
pub(crate) fn name(ty: &syn::Type) -> Option<&Ident> {
    segment(ty).map(|s| &s.ident)
}

/// Compile-time number types: `u8` to `u128`, with their widths.
pub(crate) fn number_bits(name: &Ident) -> Option<u32> {
    [("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64), ("usize", 64), ("u128", 128)]
        .iter()
        .find(|(n, _)| name == n)
        .map(|(_, w)| *w)
}

impl Lower<'_> {
    /// `bit<N>` or `bool`.
    pub(crate) fn value_type(&mut self, ty: &syn::Type) -> Option<Type> {
        let help = "values are `bit<1>` to `bit<128>` and `bool`";
        let Some(segment) = segment(ty) else {
            self.error(Code::Unknown, ty, "this is not a type of the pipeline language", help);
            return None;
        };
        if segment.ident == "bool" {
            return Some(Type::Bool);
        }
        if segment.ident != "bit" {
            let text = segment.ident.to_string();
            let help = match number_bits(&segment.ident) {
                Some(w) => format!("write `bit<{w}>`"),
                None => help.to_owned(),
            };
            self.error(Code::Unknown, ty, format!("there is no value type `{text}`"), help);
            return None;
        }
        self.width(segment).map(Type::Bits)
    }

    /// `bit<N>` only.
    pub(crate) fn bits_type(&mut self, ty: &syn::Type) -> Option<u8> {
        match self.value_type(ty)? {
            Type::Bits(w) => Some(w),
            Type::Bool => {
                self.error(Code::Mismatch, ty, "a `bool` can't stand here", "write `bit<1>`");
                None
            }
        }
    }

    /// The `N` of `bit<N>` or `bit::<N>`.
    pub(crate) fn width(&mut self, segment: &PathSegment) -> Option<u8> {
        let arguments = arguments(segment);
        let [argument] = arguments.as_slice() else {
            self.error(Code::Width, segment, "`bit` has one width", "write `bit<16>`");
            return None;
        };
        let number = match argument {
            GenericArgument::Const(e) => self.number(e)?,
            GenericArgument::Type(syn::Type::Path(p)) => {
                let path =
                    syn::Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: p.path.clone() });
                self.number(&path)?
            }
            other => {
                self.error(Code::Width, other, "a width is a number", "write `bit<16>`");
                return None;
            }
        };
        match u8::try_from(number) {
            Ok(w @ 1..=128) => Some(w),
            _ => {
                self.error(
                    Code::Width,
                    argument,
                    format!("a value has 1 to 128 bits, not {number}"),
                    "split it into fields of at most 128 bits",
                );
                None
            }
        }
    }

    /// A number known now.
    pub(crate) fn number(&mut self, e: &syn::Expr) -> Option<u128> {
        let scope = std::mem::take(&mut self.scope);
        let (made, value) = self.collect(|l| l.value(e, None, None));
        self.scope = scope;
        match value {
            Val::Num(n) if made.is_empty() => Some(n),
            Val::Expr(pipeline_ir::expr::Expr { kind: pipeline_ir::expr::ExprKind::Const(n), .. })
                if made.is_empty() =>
            {
                Some(n)
            }
            Val::Bad => None,
            _ => {
                self.error(
                    Code::Mismatch,
                    e,
                    "a number is needed that is known at compile time",
                    "write a literal, a `const`, or arithmetic over them",
                );
                None
            }
        }
    }

    /// A number known now, within bounds.
    pub(crate) fn number_within(&mut self, e: &syn::Expr, what: &str, low: u128, high: u128) -> Option<u128> {
        let n = self.number(e)?;
        if (low..=high).contains(&n) {
            return Some(n);
        }
        self.error(
            Code::Overflow,
            e,
            format!("{what} is {low} to {high}, not {n}"),
            "choose a number in this range",
        );
        None
    }
}
