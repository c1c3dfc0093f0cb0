//! The attribute macro around the compiler: parse, verify, fit, expand.

use codegen::Fitted;
use codegen::bindings::bindings;
use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::verify::{Verified, verify};
use pipeline_syntax::Spans;
use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use quote::quote;
use syn::{ItemMod, parse_macro_input};

/// Compiles the pipeline in this module, and fits it to each of its `targets`.
///
/// The module becomes the pipeline's bindings: for each table a module with `Key`, `Action` and `Entry`, which
/// convert to and from `guideway::ir::entry::Entry`. If a target is of Rust (`native`), the module also holds the
/// program, as the type `Pipeline`. What is wrong is shown where it stands.
#[proc_macro_attribute]
pub fn pipeline(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let module = parse_macro_input!(item as ItemMod);
    let arguments = TokenStream2::from(arguments);
    let (pipeline, spans, mut found) = pipeline_syntax::parse(arguments.clone(), &module, &file(), &[]);
    if found.is_empty() {
        match verify(pipeline) {
            Ok(verified) => match fit_all(&verified) {
                Ok(fitted) => return expand(&arguments, &module, &verified, &fitted).into(),
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
fn fit_all(verified: &Verified) -> Result<Vec<Fitted>, Diagnostics> {
    let (mut all, mut faults) = (Vec::new(), Diagnostics::default());
    for name in &verified.pipeline().targets {
        match hw_targets::target(name) {
            Ok(target) => match codegen::fit(verified, &target) {
                Ok(fitted) => all.push(fitted),
                Err(more) => faults.0.extend(more.0),
            },
            Err(e) => faults.push(Code::TargetUnknown, pipeline_ir::Loc::default(), e.to_string(), ""),
        }
    }
    faults.sort();
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

fn errors(spans: &Spans, found: &Diagnostics) -> TokenStream {
    spans.errors(found).map(|e| e.to_compile_error()).unwrap_or_default().into()
}

fn expand(
    arguments: &TokenStream2,
    module: &ItemMod,
    verified: &Verified,
    fitted: &[Fitted],
) -> TokenStream2 {
    let (visibility, name) = (&module.vis, &module.ident);
    let doc = format!("The pipeline `{name}`: its tables' bindings, and what else it was expanded to.");
    let docs = module.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let bindings = bindings(verified);
    let program = fitted.iter().find(|f| f.target().arch == "rust").map(|f| program(arguments, module, f));
    quote! {
        #[doc = #doc]
        #(#docs)*
        #visibility mod #name {
            #bindings
            #program
        }
    }
}

/// The native program. It keeps its source, from which the entries that it takes are known when it runs.
fn program(arguments: &TokenStream2, module: &ItemMod, fitted: &Fitted) -> TokenStream2 {
    let items = codegen::rust::items(fitted, &quote!(::guideway::rt));
    let (name, file) = (codegen::rust::program_name(fitted), &fitted.pipeline().file);
    let source = quote!(#[guideway::pipeline(#arguments)] #module).to_string();
    quote! {
        /// The pipeline in Rust.
        #[allow(unused, unused_comparisons, missing_docs, unreachable_pub, clippy::all)]
        pub mod #name { #items }
        pub use #name::Pipeline;
        impl ::guideway::Native for Pipeline {
            const FILE: &'static str = #file;
            const SOURCE: &'static str = #source;
        }
    }
}
