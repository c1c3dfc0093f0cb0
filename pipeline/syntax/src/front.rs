//! The two ways in: a file's text, and a macro's tokens.

use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::{Loc, Pipeline};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::{Item, ItemMod, Meta};

use crate::attr::{self, Value};
use crate::control::Mode;
use crate::lower::{Lower, Report, Thing};
use crate::source::{self, Source};
use crate::spans::Spans;
use crate::{guard, names, types};

/// Translates the pipeline of a file. `overrides` replaces constants: name and value, as in `--set NAME=VALUE`.
///
/// # Errors
/// Everything that is wrong, in source order.
pub fn compile_source(
    file_name: &str,
    text: &str,
    overrides: &[(String, String)],
) -> Result<Pipeline, Diagnostics> {
    let (pipeline, _, diagnostics) = parse_file(file_name, text, overrides);
    if diagnostics.is_empty() { Ok(pipeline) } else { Err(diagnostics) }
}

/// Like [`compile_source`], with what could be translated in spite of errors.
#[must_use]
pub fn parse_file(
    file_name: &str,
    text: &str,
    overrides: &[(String, String)],
) -> (Pipeline, Spans, Diagnostics) {
    let mut report = Report::default();
    let none = |report: Report| (Pipeline::default(), report.spans, report.diagnostics);
    let tokens: TokenStream = match text.parse() {
        Ok(tokens) => tokens,
        Err(e) => {
            let span = proc_macro2::LexError::span(&e);
            let at = report.spans.between(span, span);
            let help = "check quotes and brackets";
            report.diagnostics.push(Code::Syntax, at, "these are no tokens of Rust", help);
            return none(report);
        }
    };
    if let Err(span) = guard::check(&tokens) {
        let at = report.spans.between(span, span);
        report.diagnostics.push(Code::Syntax, at, guard::MESSAGE, guard::HELP);
        return none(report);
    }
    let file: syn::File = match syn::parse2(tokens) {
        Ok(file) => file,
        Err(e) => {
            report.parse_error(&e, "the pipeline must be valid Rust syntax");
            return none(report);
        }
    };
    let mut found = None;
    for item in &file.items {
        if let Item::Mod(module) = item
            && let Some(i) = module.attrs.iter().position(is_pipeline)
        {
            if found.is_some() {
                report.error(
                    Code::Duplicate,
                    &module.ident,
                    "a file has one pipeline",
                    "put it into a file of its own",
                );
                continue;
            }
            found = Some((module, i));
        }
    }
    let Some((module, i)) = found else {
        let help = "write `#[guideway::pipeline(targets = [xdp, native, bmv2])] pub mod name { .. }`";
        report.diagnostics.push(Code::Missing, Loc::default(), "this file has no pipeline", help);
        return none(report);
    };
    let arguments = match &module.attrs[i].meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    };
    translate(arguments, module, file_name, overrides, report)
}

/// Translates the module that the attribute macro stands on; `arguments` are the attribute's.
#[must_use]
pub fn parse(
    arguments: TokenStream,
    module: &ItemMod,
    file_name: &str,
    overrides: &[(String, String)],
) -> (Pipeline, Spans, Diagnostics) {
    let mut report = Report::default();
    if let Err(span) = guard::check(&quote::ToTokens::to_token_stream(module)) {
        let at = report.spans.between(span, span);
        report.diagnostics.push(Code::Syntax, at, guard::MESSAGE, guard::HELP);
        return (Pipeline::default(), report.spans, report.diagnostics);
    }
    translate(arguments, module, file_name, overrides, report)
}

fn is_pipeline(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|s| s.ident == "pipeline")
}

/// The tokens as if they stood there: a value from outside is told of where its constant is declared.
fn placed(tokens: TokenStream, at: Span) -> TokenStream {
    let one = |mut token: TokenTree| {
        if let TokenTree::Group(g) = &token {
            token = Group::new(g.delimiter(), placed(g.stream(), at)).into();
        }
        token.set_span(at);
        token
    };
    tokens.into_iter().map(one).collect()
}

fn translate(
    arguments: TokenStream,
    module: &ItemMod,
    file_name: &str,
    overrides: &[(String, String)],
    mut report: Report,
) -> (Pipeline, Spans, Diagnostics) {
    let source = Source::read(module, &mut report);
    let mut lower = Lower::new(&source, report);
    lower.p.name = names::snake_case(&module.ident.to_string());
    lower.p.file = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name).to_owned();
    lower.targets(arguments);
    lower.overrides(overrides);
    lower.all_constants();
    lower.shapes(&module.ident);
    lower.all_objects();
    lower.parser(&module.ident);
    lower.ingress(&module.ident);
    lower.uncalled();
    lower.p.control = std::mem::take(&mut lower.control);
    let Lower { p, report: Report { spans, mut diagnostics }, .. } = lower;
    diagnostics.sort();
    (p, spans, diagnostics)
}

impl Lower<'_> {
    fn targets(&mut self, arguments: TokenStream) {
        let help = "write `#[guideway::pipeline(targets = [xdp, native, bmv2])]`";
        let args = match attr::args(arguments) {
            Ok(args) => args,
            Err(e) => return self.report.parse_error(&e, help),
        };
        for a in args {
            match &a.value {
                Value::Is(e) if a.name == "targets" => match &**e {
                    syn::Expr::Array(list) => {
                        for e in &list.elems {
                            match e {
                                syn::Expr::Path(p) if p.path.get_ident().is_some() => {
                                    let name =
                                        p.path.get_ident().map(ToString::to_string).unwrap_or_default();
                                    self.p.targets.push(name);
                                }
                                _ => self.syntax(e, "a target is a name", help),
                            }
                        }
                    }
                    e => self.syntax(e, "targets are a list", help),
                },
                _ => self.error(Code::Unknown, &a.name, format!("there is no argument `{}`", a.name), help),
            }
        }
    }

    fn overrides(&mut self, overrides: &[(String, String)]) {
        for (name, value) in overrides {
            let Some(declared) = self.source.consts.iter().find(|c| c.ident == name) else {
                let known: Vec<String> = self.source.consts.iter().map(|c| c.ident.to_string()).collect();
                let known = known.iter().map(String::as_str);
                let otherwise = match names::list(known.clone()).as_str() {
                    "none" => "it has no constants".to_owned(),
                    list => format!("its constants are {list}"),
                };
                let help = names::suggest(name, known, &otherwise);
                let message = format!("the pipeline has no constant `{name}` to set");
                self.report.diagnostics.push(Code::Unknown, Loc::default(), message, help);
                continue;
            };
            match value.parse().map_err(|_| ()).and_then(|tokens| {
                guard::check(&tokens).map_err(|_| ())?;
                syn::parse2::<syn::Expr>(placed(tokens, declared.ident.span())).map_err(|_| ())
            }) {
                Ok(e) => {
                    self.overrides.insert(name.clone(), e);
                }
                Err(()) => {
                    let message = format!("`{value}` is no value for `{name}`");
                    self.report.diagnostics.push(
                        Code::Syntax,
                        Loc::default(),
                        message,
                        "write a number or a name",
                    );
                }
            }
        }
    }

    fn ingress(&mut self, module: &syn::Ident) {
        let source = self.source;
        let Some(f) = source.function("ingress") else {
            return self.error(
                Code::Missing,
                module,
                "the pipeline has no control",
                "write `fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict { .. }`",
            );
        };
        source::only_attributes(&f.attrs, &[], &mut self.report);
        if self.gives(f) != Some(crate::inline::Gives::Verdict) {
            self.error(Code::Mismatch, &f.sig.ident, "the control gives a verdict", "write `-> Verdict`");
        }
        for input in &f.sig.inputs {
            let Some((name, ty)) = self.parameter(input) else { continue };
            let thing = match types::name(ty).map(ToString::to_string).as_deref() {
                Some("Headers") => Thing::Headers,
                Some("Meta") => Thing::Meta,
                _ => {
                    let help = "`ingress` takes `h: &mut Headers` and `m: &mut Meta`";
                    self.error(Code::Unknown, ty, "the control has no such parameter", help);
                    Thing::Bad
                }
            };
            self.bind(name, thing);
        }
        self.calls.push("ingress".to_owned());
        let (block, _) = self.collect(|l| l.open_block(&f.block, Mode::Verdict));
        self.calls.pop();
        self.scope.clear();
        if block.is_empty() && self.report.diagnostics.is_empty() {
            let help = "end it with `forward(port)`, `pass()` or `drop(Reason)`";
            self.error(Code::NoVerdict, &f.sig.ident, "the control does nothing: it gives no verdict", help);
        }
        self.control = block;
    }
}
