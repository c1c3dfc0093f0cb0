//! Attribute arguments: `name`, `name = expression`, `name(arguments)`, separated by commas.

use proc_macro2::{Ident, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Meta, Token, parenthesized, token};

/// One argument of an attribute.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What an argument says.
pub(crate) enum Value {
    Flag,
    Is(Box<Expr>),
    List(Vec<Arg>),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Is(input.parse()?)
        } else if input.peek(token::Paren) {
            let inner;
            parenthesized!(inner in input);
            Value::List(list(&inner)?)
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

fn list(input: ParseStream<'_>) -> syn::Result<Vec<Arg>> {
    Ok(Punctuated::<Arg, Token![,]>::parse_terminated(input)?.into_iter().collect())
}

/// The arguments in a token stream.
pub(crate) fn args(tokens: TokenStream) -> syn::Result<Vec<Arg>> {
    syn::parse::Parser::parse2(list, tokens)
}

/// The arguments of an attribute; none for `#[name]`.
pub(crate) fn of(attribute: &Attribute) -> syn::Result<Vec<Arg>> {
    match &attribute.meta {
        Meta::Path(_) => Ok(Vec::new()),
        Meta::List(l) => args(l.tokens.clone()),
        Meta::NameValue(_) => Err(syn::Error::new_spanned(attribute, "arguments stand in parentheses")),
    }
}

/// A const entry: `Key { .. } => Action { .. }`.
pub(crate) struct EntryArg {
    pub(crate) key: Expr,
    pub(crate) action: Expr,
}

impl Parse for EntryArg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.parse()?;
        input.parse::<Token![=>]>()?;
        Ok(Self { key, action: input.parse()? })
    }
}

/// The entries of `#[entries(...)]`.
pub(crate) fn entries(attribute: &Attribute) -> syn::Result<Vec<EntryArg>> {
    let list = attribute.meta.require_list()?;
    let parse = |input: ParseStream<'_>| Punctuated::<EntryArg, Token![,]>::parse_terminated(input);
    Ok(syn::parse::Parser::parse2(parse, list.tokens.clone())?.into_iter().collect())
}

/// Attributes that say nothing to the pipeline.
pub(crate) fn is_neutral(attribute: &Attribute) -> bool {
    ["doc", "allow", "expect", "rustfmt"].iter().any(|n| {
        attribute.path().is_ident(n) || attribute.path().segments.first().is_some_and(|s| s.ident == n)
    })
}
