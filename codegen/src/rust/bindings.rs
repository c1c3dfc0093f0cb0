//! Typed table entries, for the crate that writes them: a module per table, with `Key`, `Action` and `Entry`.
//!
//! ```text
//! pub mod vip4 {
//!     pub struct Key { pub dst: u32, pub protocol: u8, pub dst_port: u16 }
//!     pub enum Action { SetVip { vip: u16, pool: u16, .. } }
//!     pub struct Entry { pub key: Key, pub action: Action }
//! }
//! ```
//!
//! Numbers have the smallest unsigned type of Rust that holds them; what does not fit the declared width is found by
//! `Tables::check`. A ring gives two modules: its pool table (`pool` to generation) and its slots.

use pipeline_ir::entry::ring_names;
use pipeline_ir::verify::Verified;
use pipeline_ir::{Action, Key, MatchKind, Pipeline, Ring, Table};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The bindings of every table and ring. They name the facade crate as `::guideway`.
#[must_use]
pub fn bindings(verified: &Verified) -> TokenStream {
    let p = verified.pipeline();
    let tables = p.tables.iter().filter(|t| t.const_entries.is_empty()).map(|t| table(p, t));
    let rings = p.rings.iter().map(ring);
    quote!(#(#tables)* #(#rings)*)
}

fn table(p: &Pipeline, table: &Table) -> TokenStream {
    let name = table.name.as_str();
    let priority = table
        .keys
        .iter()
        .any(|k| matches!(k.kind, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional));
    let actions = table.actions.iter().map(|a| &p.actions[a.index()]).filter(|a| !a.default_only);
    module(p, name, &table.keys, &actions.collect::<Vec<_>>(), priority)
}

/// A module with the types of one table.
fn module(p: &Pipeline, name: &str, keys: &[Key], actions: &[&Action], priority: bool) -> TokenStream {
    let doc = format!("Entries of the table `{name}`.");
    let module = ident(name);
    let key = key_struct(keys);
    let action = action_enum(p, actions);
    let (field, write, read) = if priority {
        (
            quote!(
                /// Higher wins; above 0.
                pub priority: i32,
            ),
            quote!(entry.priority),
            quote!(priority: entry.priority,),
        )
    } else {
        (quote!(), quote!(0), quote!())
    };
    quote! {
        #[doc = #doc]
        pub mod #module {
            #key
            #action
            /// An entry: a key and what it does.
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct Entry {
                /// What it matches.
                pub key: Key,
                #field
                /// What it does.
                pub action: Action,
            }
            impl From<Entry> for ::guideway::ir::entry::Entry {
                fn from(entry: Entry) -> Self {
                    let (action, params) = entry.action.parts();
                    Self {
                        table: #name.to_owned(),
                        key: entry.key.parts(),
                        priority: #write,
                        action: action.to_owned(),
                        params,
                    }
                }
            }
            impl TryFrom<&::guideway::ir::entry::Entry> for Entry {
                type Error = ::guideway::bindings::NotThis;
                fn try_from(entry: &::guideway::ir::entry::Entry) -> Result<Self, Self::Error> {
                    ::guideway::bindings::of_table(entry, #name)?;
                    Ok(Self { key: Key::read(entry)?, #read action: Action::read(entry)? })
                }
            }
        }
    }
}

fn key_struct(keys: &[Key]) -> TokenStream {
    let fields = keys.iter().map(|k| {
        let (name, number) = (ident(&k.name), unsigned(k.width));
        let doc = format!("`{}`: {} bits, {}.", k.name, k.width, kind_text(k.kind));
        let ty = match k.kind {
            MatchKind::Exact => quote!(#number),
            MatchKind::Lpm => quote!(::guideway::bindings::Prefix<#number>),
            MatchKind::Ternary => quote!(::guideway::bindings::Masked<#number>),
            MatchKind::Range => quote!(::std::ops::RangeInclusive<#number>),
            MatchKind::Optional => quote!(Option<#number>),
        };
        quote!(#[doc = #doc] pub #name: #ty,)
    });
    let parts = keys.iter().map(|k| {
        let (name, text) = (ident(&k.name), k.name.as_str());
        quote!((#text.to_owned(), ::guideway::bindings::KeyField::write(self.#name)))
    });
    let reads = keys.iter().map(|k| {
        let (name, text) = (ident(&k.name), k.name.as_str());
        quote!(#name: ::guideway::bindings::key(entry, #text)?,)
    });
    quote! {
        /// What an entry matches.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Key { #(#fields)* }
        impl Key {
            fn parts(self) -> Vec<(String, ::guideway::ir::KeyValue)> {
                vec![#(#parts),*]
            }
            fn read(entry: &::guideway::ir::entry::Entry) -> Result<Self, ::guideway::bindings::NotThis> {
                Ok(Self { #(#reads)* })
            }
        }
    }
}

fn action_enum(p: &Pipeline, actions: &[&Action]) -> TokenStream {
    let params = |a: &Action| -> Vec<(Ident, String, TokenStream, u8)> {
        a.params
            .iter()
            .map(|v| p.var(*v))
            .map(|v| (ident(&v.name), v.name.clone(), unsigned(v.ty.width()), v.ty.width()))
            .collect()
    };
    let variants = actions.iter().map(|a| {
        let variant = ident(&pascal_case(&a.name));
        let doc = format!("The action `{}`.", a.name);
        let fields = params(a).into_iter().map(|(name, text, ty, width)| {
            let doc = format!("`{text}`: {width} bits.");
            quote!(#[doc = #doc] #name: #ty,)
        });
        if a.params.is_empty() {
            quote!(#[doc = #doc] #variant,)
        } else {
            quote!(#[doc = #doc] #variant { #(#fields)* },)
        }
    });
    let writes = actions.iter().map(|a| {
        let (variant, text) = (ident(&pascal_case(&a.name)), a.name.as_str());
        let names: Vec<Ident> = params(a).into_iter().map(|x| x.0).collect();
        let values =
            params(a).into_iter().map(|(name, text, ..)| quote!((#text.to_owned(), u128::from(#name))));
        let pattern = if names.is_empty() { quote!() } else { quote!({ #(#names),* }) };
        quote!(Self::#variant #pattern => (#text, vec![#(#values),*]),)
    });
    let reads = actions.iter().map(|a| {
        let (variant, text) = (ident(&pascal_case(&a.name)), a.name.as_str());
        let fields = params(a)
            .into_iter()
            .map(|(name, text, ..)| quote!(#name: ::guideway::bindings::param(entry, #text)?,));
        let fields = if a.params.is_empty() { quote!() } else { quote!({ #(#fields)* }) };
        quote!(#text => Ok(Self::#variant #fields),)
    });
    quote! {
        /// What an entry does.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Action { #(#variants)* }
        impl Action {
            fn parts(self) -> (&'static str, Vec<(String, u128)>) {
                match self { #(#writes)* }
            }
            fn read(entry: &::guideway::ir::entry::Entry) -> Result<Self, ::guideway::bindings::NotThis> {
                match entry.action.as_str() {
                    #(#reads)*
                    _ => Err(::guideway::bindings::NotThis::action(entry)),
                }
            }
        }
    }
}

/// The two tables of a ring, as a pipeline of their own would declare them.
fn ring(ring: &Ring) -> TokenStream {
    let mut p = Pipeline::default();
    let key = |name: &str, width| Key {
        name: name.to_owned(),
        width,
        kind: MatchKind::Exact,
        at: pipeline_ir::Loc::default(),
    };
    let generation = ring_action(&mut p, ring_names::SET_GENERATION, ring_names::GENERATION, 8);
    let slot = ring_action(&mut p, &ring.set_action(), ring_names::ID, ring.id_width);
    let pool_key = [key(ring_names::POOL, ring.pool_width)];
    let slot_key =
        [key(ring_names::POOL, ring.pool_width), key(ring_names::GENERATION, 8), key(ring_names::SLOT, 32)];
    let pools = module(&p, &ring.pool_table, &pool_key, &[&generation], false);
    let slots = module(&p, &ring.name, &slot_key, &[&slot], false);
    quote!(#pools #slots)
}

fn ring_action(p: &mut Pipeline, name: &str, param: &str, width: u8) -> Action {
    let var = pipeline_ir::VarId(p.vars.len() as u32);
    p.vars.push(pipeline_ir::Var {
        name: param.to_owned(),
        ty: pipeline_ir::expr::Type::Bits(width),
        kind: pipeline_ir::VarKind::Param(pipeline_ir::ActionId(var.0)),
        at: pipeline_ir::Loc::default(),
    });
    Action { name: name.to_owned(), params: vec![var], default_only: false, at: pipeline_ir::Loc::default() }
}

fn kind_text(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Exact => "exact",
        MatchKind::Lpm => "longest prefix",
        MatchKind::Ternary => "ternary",
        MatchKind::Range => "range",
        MatchKind::Optional => "optional",
    }
}

/// The smallest unsigned type that holds this many bits.
fn unsigned(width: u8) -> TokenStream {
    match width {
        0..=8 => quote!(u8),
        9..=16 => quote!(u16),
        17..=32 => quote!(u32),
        33..=64 => quote!(u64),
        _ => quote!(u128),
    }
}

fn pascal_case(name: &str) -> String {
    let mut upper = true;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// A name as an identifier; Rust's own words are written raw.
fn ident(name: &str) -> Ident {
    let span = Span::call_site();
    match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) if matches!(name, "self" | "Self" | "super" | "crate" | "_" | "") => {
            Ident::new(&format!("{name}_"), span)
        }
        Err(_) => Ident::new_raw(name, span),
    }
}
