//! Tables: key structs, action enums, and what fills the entries of the source.

use super::names::{mask, number, size, uint};
use super::objects::{ActionObject, Objects, TableKind, TableObject};
use pipeline_ir::entry::needs_priority;
use pipeline_ir::expr::Type;
use pipeline_ir::{ActionId, ConstEntry, Key, KeyValue, Pipeline, Table};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Key and, if no table before has it, the enum of actions.
pub(super) fn types(
    p: &Pipeline,
    objects: &Objects,
    table: &Table,
    object: &TableObject,
    cite: &dyn Fn(u32, &str) -> String,
) -> TokenStream {
    let key = key(table, object, cite);
    let action = object.first.then(|| action(p, objects, table, object));
    quote!(#key #action)
}

/// The type of the table's field in the pipeline.
pub(super) fn field_type(object: &TableObject) -> TokenStream {
    let (key, action) = (&object.key, &object.action);
    match object.kind {
        TableKind::Slots(_) => quote!(rt::Slots<#key, #action>),
        TableKind::Exact => quote!(rt::Exact<#key, #action>),
        TableKind::Lpm(_) => quote!(rt::Lpm<#key, #action>),
        TableKind::Linear => quote!(rt::Linear<#key, #action>),
    }
}

/// The empty table.
pub(super) fn create(p: &Pipeline, objects: &Objects, table: &Table, object: &TableObject) -> TokenStream {
    let (entries, default) = (Literal::u32_unsuffixed(table.size), default(p, objects, table, object));
    match object.kind {
        TableKind::Slots(bits) => {
            let bits = Literal::u8_unsuffixed(bits);
            quote!(rt::Slots::new(#entries, #bits, #default))
        }
        TableKind::Exact => quote!(rt::Exact::new(#entries, #default)),
        TableKind::Lpm(_) => quote!(rt::Lpm::new(#entries, #default)),
        TableKind::Linear => quote!(rt::Linear::new(#entries, #default)),
    }
}

/// The default action; its parameters are 0.
fn default(p: &Pipeline, objects: &Objects, table: &Table, object: &TableObject) -> TokenStream {
    let enumeration = &object.action;
    let (action, params) =
        (&objects.actions[table.default.index()], &p.actions[table.default.index()].params);
    let variant = &action.variant;
    let zeros = action.params.iter().zip(params).map(|(name, var)| match p.var(*var).ty {
        Type::Bool => quote!(#name: false),
        Type::Bits(_) => quote!(#name: 0),
    });
    if params.is_empty() {
        quote!(#enumeration::#variant)
    } else {
        quote!(#enumeration::#variant { #(#zeros),* })
    }
}

fn key(table: &Table, object: &TableObject, cite: &dyn Fn(u32, &str) -> String) -> TokenStream {
    let (name, fields) = (&object.key, &object.fields);
    let doc = cite(table.at.line, &format!("key of table {}", table.name));
    let types: Vec<_> = table.keys.iter().map(|k| uint(k.width)).collect();
    let index = (0..table.keys.len()).map(size);
    let numbers = index.clone();
    let words = words(table, object);
    let cut = match object.kind {
        TableKind::Lpm(field) => cut(table, object, field),
        _ => TokenStream::new(),
    };
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        struct #name { #(#fields: #types),* }
        impl rt::table::Key for #name {
            fn from_values(values: &[u128]) -> Self {
                Self { #(#fields: rt::table::at(values, #index) as #types),* }
            }
            #[inline]
            fn value(&self, field: usize) -> u128 {
                match field {
                    #(#numbers => self.#fields.into(),)*
                    _ => 0,
                }
            }
            #[inline(always)]
            fn spread(&self) -> u64 {
                #words
            }
        }
        #cut
    }
}

/// The key's hash: its fields packed into words of 64 bits, each mixed in.
fn words(table: &Table, object: &TableObject) -> TokenStream {
    let mut words: Vec<(u32, TokenStream)> = Vec::new();
    for (k, name) in table.keys.iter().zip(&object.fields) {
        let width = u32::from(k.width);
        if width > 64 {
            words.push((64, quote!((self.#name >> 64) as u64)));
            words.push((64, quote!(self.#name as u64)));
            continue;
        }
        let value = if width > 32 { quote!(self.#name) } else { quote!(u64::from(self.#name)) };
        match words.last_mut() {
            Some((used, text)) if *used + width <= 64 => {
                let shift = size(*used as usize);
                *text = quote!(#text | #value << #shift);
                *used += width;
            }
            _ => words.push((width, value)),
        }
    }
    let mix = |hash: TokenStream, (_, word): (u32, TokenStream)| quote!(rt::table::mix(#hash, #word));
    words.into_iter().fold(quote!(0), mix)
}

fn cut(table: &Table, object: &TableObject, field: usize) -> TokenStream {
    let (key, name, index) = (&object.key, &object.fields[field], size(field));
    let width = table.keys[field].width;
    let (ty, all) = (uint(width), Literal::u8_unsuffixed(width));
    quote! {
        impl rt::table::LpmKey for #key {
            const FIELD: usize = #index;
            #[inline]
            fn cut(&self, length: u8) -> Self {
                Self { #name: rt::table::prefix(self.#name.into(), #all, length) as #ty, ..*self }
            }
        }
    }
}

fn action(p: &Pipeline, objects: &Objects, table: &Table, object: &TableObject) -> TokenStream {
    let name = &object.action;
    let doc = format!(" What an entry of `{}` does.", table.name);
    let variants = table.actions.iter().map(|id| variant(p, *id, &objects.actions[id.index()]));
    let reads = table.actions.iter().map(|id| read(p, *id, &objects.actions[id.index()]));
    let default = &objects.actions[table.default.index()].variant;
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        enum #name { #(#variants),* }
        impl rt::Action for #name {
            fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
                Some(match action {
                    #(#reads,)*
                    _ => return None,
                })
            }
            #[inline(always)]
            fn is_default(&self) -> bool {
                matches!(self, Self::#default { .. })
            }
        }
    }
}

fn variant(p: &Pipeline, id: ActionId, action: &ActionObject) -> TokenStream {
    let name = &action.variant;
    if action.params.is_empty() {
        return quote!(#name);
    }
    let params = action.params.iter().zip(&p.actions[id.index()].params).map(|(name, var)| {
        let ty = match p.var(*var).ty {
            Type::Bool => quote!(bool),
            Type::Bits(w) => {
                let ty = uint(w);
                quote!(#ty)
            }
        };
        quote!(#name: #ty)
    });
    quote!(#name { #(#params),* })
}

fn read(p: &Pipeline, id: ActionId, action: &ActionObject) -> TokenStream {
    let (number, name) = (Literal::u32_unsuffixed(id.0), &action.variant);
    if action.params.is_empty() {
        return quote!(#number => Self::#name);
    }
    let params = action.params.iter().zip(&p.actions[id.index()].params).enumerate();
    let params = params.map(|(i, (name, var))| {
        let i = size(i);
        match p.var(*var).ty {
            Type::Bool => quote!(#name: rt::table::at(data, #i) != 0),
            Type::Bits(w) => {
                let ty = uint(w);
                quote!(#name: rt::table::at(data, #i) as #ty)
            }
        }
    });
    quote!(#number => Self::#name { #(#params),* })
}

/// Statements that write the entries of the source.
pub(super) fn source_entries(table: &Table, object: &TableObject) -> TokenStream {
    let name = &object.name;
    let all = table.const_entries.iter().enumerate().map(|(i, entry)| {
        let fields = entry.keys.iter().zip(&table.keys).map(|(value, key)| field(*value, key));
        let rank = i32::try_from(table.const_entries.len() - i).map_or(i32::MAX, |r| r);
        let priority = Literal::i32_unsuffixed(if needs_priority(table) { rank } else { 0 });
        let (action, args) = data(entry);
        quote!(let _ = rt::table::AnyTable::insert(&mut all.#name, &[#(#fields),*], #priority, #action, &#args);)
    });
    quote!(#(#all)*)
}

fn data(entry: &ConstEntry) -> (Literal, TokenStream) {
    let args = entry.args.iter().map(|v| number(*v, 128, true));
    (Literal::u32_unsuffixed(entry.action.0), quote!([#(#args),*]))
}

fn field(value: KeyValue, key: &Key) -> TokenStream {
    let n = |v: u128| number(v, 128, true);
    match value {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => {
            let v = n(v);
            quote!(rt::table::Match::Exact(#v))
        }
        KeyValue::Optional(None) => quote!(rt::table::Match::Any),
        KeyValue::Lpm { value, prefix } => {
            let open = key.width.saturating_sub(prefix);
            let bits = n(if open == 0 { mask(key.width) } else { mask(key.width) & !mask(open) });
            let (value, length) = (n(value), Literal::u8_unsuffixed(prefix));
            quote!(rt::table::Match::Prefix { value: #value, mask: #bits, length: #length })
        }
        KeyValue::Ternary { value, mask } => {
            let (value, mask) = (n(value), n(mask));
            quote!(rt::table::Match::Masked { value: #value, mask: #mask })
        }
        KeyValue::Range { low, high } => {
            let (low, high) = (n(low), n(high));
            quote!(rt::table::Match::Range { low: #low, high: #high })
        }
    }
}
