//! The attribute macro around the compiler: parse, verify, fit, expand.

use codegen::bindings::bindings;
use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::verify::{Verified, verify};
use pipeline_syntax::Spans;
use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemMod, parse_macro_input};

/// Compiles the pipeline in this module, and fits it to each of its `targets`.
///
/// The module becomes the pipeline's bindings: for each table a module with `Key`, `Action` and `Entry`, which
/// convert to and from `guideway::ir::entry::Entry`. What is wrong is shown where it stands.
#[proc_macro_attribute]
pub fn pipeline(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let module = parse_macro_input!(item as ItemMod);
    let (pipeline, spans, mut found) = pipeline_syntax::parse(arguments.into(), &module, &file(), &[]);
    if found.is_empty() {
        match verify(pipeline) {
            Ok(verified) => match fit_all(&verified) {
                Ok(()) => return expand(&module, &verified).into(),
                Err(more) => found = more,
            },
            Err(more) => found = more,
        }
    }
    errors(&spans, &found)
}

/// The file that the pipeline stands in, without folders.
fn file() -> String {
    let path = proc_macro::Span::call_site().file();
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// Every target that the pipeline names must exist and hold it.
fn fit_all(verified: &Verified) -> Result<(), Diagnostics> {
    let mut faults = Diagnostics::default();
    for name in &verified.pipeline().targets {
        match hw_targets::target(name) {
            Ok(target) => {
                if let Err(more) = codegen::fit(verified, &target) {
                    faults.0.extend(more.0);
                }
            }
            Err(e) => faults.push(Code::TargetUnknown, pipeline_ir::Loc::default(), e.to_string(), ""),
        }
    }
    faults.sort();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn errors(spans: &Spans, found: &Diagnostics) -> TokenStream {
    spans.errors(found).map(|e| e.to_compile_error()).unwrap_or_default().into()
}

fn expand(module: &ItemMod, verified: &Verified) -> proc_macro2::TokenStream {
    let (visibility, name) = (&module.vis, &module.ident);
    let docs = module.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let bindings = bindings(verified);
    quote! {
        #(#docs)*
        #visibility mod #name {
            #bindings
        }
    }
}
