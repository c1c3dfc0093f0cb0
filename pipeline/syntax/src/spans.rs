//! Places: the compiler's spans as the IR's [`Loc`]s, and back again.

use std::collections::BTreeMap;

use pipeline_ir::Loc;
use pipeline_ir::diagnostic::{Diagnostic, Diagnostics};
use proc_macro2::{Ident, Span, TokenTree};
use quote::{ToTokens, quote};

/// The first and the last span behind each [`Loc`] that was handed out.
#[derive(Clone, Debug, Default)]
pub struct Spans(BTreeMap<Loc, (Span, Span)>);

impl Spans {
    /// The place of a piece of syntax, remembered.
    pub(crate) fn note(&mut self, node: &dyn ToTokens) -> Loc {
        let mut first: Option<Span> = None;
        let mut last: Option<Span> = None;
        for tree in node.to_token_stream() {
            let (open, close) = match &tree {
                TokenTree::Group(g) => (g.span_open(), g.span_close()),
                other => (other.span(), other.span()),
            };
            first = first.or(Some(open));
            last = Some(close);
        }
        match (first, last) {
            (Some(first), Some(last)) => self.between(first, last),
            _ => Loc::default(),
        }
    }

    /// The place from one span's start to another's end, remembered.
    pub(crate) fn between(&mut self, first: Span, last: Span) -> Loc {
        let (start, end) = (first.start(), last.end());
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = Loc {
            line: number(start.line),
            column: number(start.column),
            end_line: number(end.line),
            end_column: number(end.column),
        };
        self.0.entry(at).or_insert((first, last));
        at
    }

    /// The first and the last span of a place; the macro's call site for a place that is not of this source.
    #[must_use]
    pub fn get(&self, at: Loc) -> (Span, Span) {
        self.0.get(&at).copied().unwrap_or_else(|| (Span::call_site(), Span::call_site()))
    }

    /// A diagnostic as the compiler's error over the same text.
    #[must_use]
    pub fn error(&self, diagnostic: &Diagnostic) -> syn::Error {
        let (first, last) = self.get(diagnostic.at);
        let (a, b) = (Ident::new("a", first), Ident::new("b", last));
        let code = diagnostic.code;
        let mut text = format!("{} [{}]\n{}", diagnostic.message, code.text(), code.title());
        if !diagnostic.help.is_empty() {
            text.push_str("\nhelp: ");
            text.push_str(&diagnostic.help);
        }
        syn::Error::new_spanned(quote!(#a #b), text)
    }

    /// All of them as one error; `None` where there is nothing wrong.
    #[must_use]
    pub fn errors(&self, diagnostics: &Diagnostics) -> Option<syn::Error> {
        diagnostics.0.iter().map(|d| self.error(d)).reduce(|mut all, next| {
            all.combine(next);
            all
        })
    }
}
