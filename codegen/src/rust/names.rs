//! Identifiers and numbers of Rust.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// An identifier: a keyword gets a trailing underscore.
pub(super) fn ident(name: &str) -> Ident {
    if syn::parse_str::<Ident>(name).is_ok() {
        return Ident::new(name, Span::call_site());
    }
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let first_is_digit = plain.starts_with(|c: char| c.is_ascii_digit());
    let text = if first_is_digit || plain.is_empty() { format!("_{plain}_") } else { format!("{plain}_") };
    Ident::new(&text, Span::call_site())
}

/// `set_vip` as `SetVip`.
pub(super) fn pascal(name: &str) -> String {
    let mut text = String::new();
    for part in name.split('_') {
        let mut chars = part.chars();
        text.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        text.extend(chars);
    }
    text
}

/// Names of one name space.
pub(super) struct Namer {
    taken: BTreeSet<String>,
}

impl Namer {
    pub(super) fn new(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|r| (*r).to_owned()).collect() }
    }
    /// The name, or the first of `name_2`, `name_3`, ... that is free.
    pub(super) fn name(&mut self, wanted: &str) -> Ident {
        let mut text = ident(wanted).to_string();
        let mut n = 2;
        while !self.taken.insert(text.clone()) {
            text = format!("{wanted}_{n}");
            n += 1;
        }
        ident(&text)
    }
}

/// Bits of the smallest unsigned type with so many bits.
pub(super) fn native(width: u8) -> u8 {
    match width {
        0..=8 => 8,
        9..=16 => 16,
        17..=32 => 32,
        33..=64 => 64,
        _ => 128,
    }
}

/// That type.
pub(super) fn uint(width: u8) -> Ident {
    Ident::new(&format!("u{}", native(width)), Span::call_site())
}

/// The greatest number of so many bits.
pub(super) fn mask(width: u8) -> u128 {
    u128::MAX >> (128 - u32::from(width.clamp(1, 128)))
}

/// A number; with its type where the context doesn't give it.
pub(super) fn number(value: u128, width: u8, typed: bool) -> TokenStream {
    let digits = if value < 256 { value.to_string() } else { format!("{value:#x}") };
    let text = if typed { digits } else { format!("{digits}_{}", uint(width)) };
    let literal: Literal = text.parse().unwrap_or_else(|_| Literal::u128_unsuffixed(value));
    quote!(#literal)
}

/// A length or an index.
pub(super) fn size(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rust() {
        for (name, want) in [("dst", "dst"), ("type", "type_"), ("4x", "_4x_"), ("self", "self_")] {
            assert_eq!(ident(name).to_string(), want);
        }
        let mut namer = Namer::new(&["Meta"]);
        let names = ["Meta", "Meta", "Ipv4"].map(|n| namer.name(n).to_string());
        assert_eq!(names, ["Meta_2", "Meta_3", "Ipv4"]);
        assert_eq!(pascal("set_vip4"), "SetVip4");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(2048, 16, true).to_string(), "0x800");
        assert_eq!(number(20, 16, false).to_string(), "20_u16");
        assert_eq!((uint(24).to_string(), mask(24)), ("u32".to_owned(), 0xff_ffff));
    }
}
