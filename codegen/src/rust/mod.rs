//! Rust, in process: the pipeline as a module that stands on `sw-fallback-rt`.
//!
//! ```text
//! /// l4lb.rs:123: key of table vip4
//! struct Vip4Key { dst: u32, protocol: u8, dst_port: u16 }
//!
//! pub struct Pipeline { vip4: rt::Exact<Vip4Key, Vip4Action>, flows4: rt::Flows<2>, ring: rt::Ring<65537>, .. }
//!
//! impl Pipeline {
//!     fn ingress(&mut self, h: &mut Headers, m: &mut Meta, c: &mut rt::Context) -> rt::Verdict {
//!         if !h.eth.valid {
//!             return rt::Verdict::Drop(reason::ETHERNET_CUT);
//!         }
//!         ..
//! ```
//!
//! `process` parses into structs of typed fields, runs `ingress`, and writes back what has changed: nothing is
//! allocated per packet. The module is data for any crate that has `sw-fallback-rt`: the macro expands to it, a build
//! script includes it, `compile` writes it.

mod control;
mod deparse;
mod expr;
mod headers;
mod names;
mod objects;
mod parser;
mod program;
mod scope;
mod tables;
mod valid;

use crate::{Artifacts, Fitted};
use control::Control;
use headers::HeaderNames;
use names::{Namer, ident, uint};
use objects::Objects;
use pipeline_ir::expr::Type;
use proc_macro2::{Ident, TokenStream};
use program::Program;
use quote::quote;
use scope::Scope;
use valid::Implied;

/// Items of the module beside those named after the source.
const RESERVED: &[&str] =
    &["Headers", "Meta", "Pipeline", "Flow", "Option", "Some", "None", "Self", "Default"];

/// The module, under the pipeline's name. `rt` is the path of `sw-fallback-rt` where it is compiled.
#[must_use]
pub fn module(fitted: &Fitted, rt: &TokenStream) -> TokenStream {
    let name = ident(&fitted.pipeline().name);
    let (doc, items) = (format!(" From {}.", fitted.pipeline().file), items(fitted, rt));
    quote! {
        #[doc = #doc]
        #[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
        pub mod #name { #items }
    }
}

/// The name of a module that holds [`items`] beside the modules of the tables' bindings: `native`, if it is free.
#[must_use]
pub fn program_name(fitted: &Fitted) -> Ident {
    let p = fitted.pipeline();
    let tables = p.tables.iter().map(|t| &t.name);
    let rings = p.rings.iter().flat_map(|r| [&r.name, &r.pool_table]);
    let taken: Vec<&str> = tables.chain(rings).map(String::as_str).collect();
    Namer::new(&taken).name("native")
}

/// What stands in the module.
#[must_use]
pub fn items(fitted: &Fitted, rt: &TokenStream) -> TokenStream {
    let p = fitted.pipeline();
    // What the standard headers declare stands in no line of the source.
    let cite = |line: u32, what: &str| match line {
        0 => format!(" {what}"),
        _ => format!(" {}:{line}: {what}", p.file),
    };
    let mut names = Namer::new(RESERVED);
    let headers = HeaderNames::new(p, &mut names);
    let objects = Objects::new(p, &mut names);
    let scope = Scope::new(p, &headers);
    let implied = Implied::new(p);
    let ingress = Control { scope: &scope, objects: &objects, implied: &implied }.emit();
    let header_items = headers::emit(p, &headers, &cite);
    let meta = meta(&scope);
    let tables = p.tables.iter().zip(&objects.tables).map(|(t, o)| tables::types(p, &objects, t, o, &cite));
    let (states, start) = parser::emit(&scope, &cite);
    let deparse = deparse::emit(&scope);
    let program =
        Program { fitted, objects: &objects, ingress: &ingress, start: &start, deparse: &deparse }.emit();
    quote! {
        use #rt as rt;
        use rt::Table as _;
        #header_items
        #meta
        #states
        #(#tables)*
        #program
    }
}

/// The variables that live in no block.
fn meta(scope: &Scope<'_>) -> TokenStream {
    let fields = scope.meta().map(|v| {
        let name = &scope.names[v.index()];
        match scope.p.var(v).ty {
            Type::Bool => quote!(#name: bool),
            Type::Bits(w) => {
                let ty = uint(w);
                quote!(#name: #ty)
            }
        }
    });
    quote! {
        /// What is known of a packet beside its headers.
        #[derive(Clone, Copy, Debug, Default)]
        struct Meta { #(#fields),* }
    }
}

/// The module as text, to be included or read.
#[must_use]
pub fn emit_text(fitted: &Fitted) -> String {
    let tokens = module(fitted, &quote!(::sw_fallback_rt));
    let head = format!("// Made by Guideway from {}.\n\n", fitted.pipeline().file);
    match syn::parse2(tokens.clone()) {
        Ok(file) => head + &spaced(&prettyplease::unparse(&file)),
        // Not reached: tests parse what is emitted for every case.
        Err(_) => head + &tokens.to_string(),
    }
}

/// An empty line before each item that follows another one.
fn spaced(text: &str) -> String {
    let mut out = String::new();
    let mut last = "";
    for line in text.lines() {
        let body = line.trim_start();
        let depth = line.len() - body.len();
        let starts = body.starts_with("///") || body.starts_with("#[") || body.starts_with("impl ");
        let goes_on = last.trim_start().starts_with("///") || last.trim_start().starts_with("#[");
        if depth <= 8 && starts && !goes_on && last.trim() == "}" {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        last = line;
    }
    out
}

/// `<pipeline>.rs`.
#[must_use]
pub fn emit(fitted: &Fitted) -> Artifacts {
    let mut files = Artifacts::default();
    files.add(format!("{}.rs", fitted.pipeline().name), emit_text(fitted));
    files
}
