//! The items of a pipeline module, sorted by kind, before they mean anything.

use pipeline_ir::diagnostic::Code;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Expr, Ident, Item, ItemConst, ItemEnum, ItemFn, ItemMod, ItemStruct, Token, Type, UseTree,
    Visibility,
};

use crate::lower::Report;
use crate::{attr, headers, names};

/// A `static`, with or without a value.
pub(crate) struct Object {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) init: Option<Expr>,
}

impl Parse for Object {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![static]>()?;
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let init = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        input.parse::<Token![;]>()?;
        Ok(Self { attrs, ident, ty, init })
    }
}

/// The items of a module.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) consts: Vec<ItemConst>,
    pub(crate) structs: Vec<ItemStruct>,
    /// `#[header]` structs, the standard ones that are imported included.
    pub(crate) headers: Vec<HeaderDecl>,
    pub(crate) enums: Vec<ItemEnum>,
    pub(crate) objects: Vec<Object>,
    pub(crate) states: Vec<ItemFn>,
    pub(crate) functions: Vec<ItemFn>,
}

/// A header's declaration.
pub(crate) struct HeaderDecl {
    pub(crate) item: ItemStruct,
    /// From this crate's own text: it has no place in the user's.
    pub(crate) standard: bool,
}

impl Source {
    /// Sorts a module's items, reporting what has no meaning here and names that are taken twice.
    pub(crate) fn read(module: &ItemMod, report: &mut Report) -> Self {
        let mut source = Self::default();
        let Some((_, items)) = &module.content else {
            report.error(
                Code::Missing,
                module,
                "the pipeline's module has no body here",
                "write the pipeline between the braces: `mod name { ... }`",
            );
            return source;
        };
        for item in items {
            source.add(item, report);
        }
        source.reject_duplicates(report);
        source
    }

    fn add(&mut self, item: &Item, report: &mut Report) {
        match item {
            Item::Const(c) => self.consts.push(c.clone()),
            Item::Struct(s) if s.attrs.iter().any(|a| a.path().is_ident("header")) => {
                self.headers.push(HeaderDecl { item: s.clone(), standard: false });
            }
            Item::Struct(s) => self.structs.push(s.clone()),
            Item::Enum(e) => self.enums.push(e.clone()),
            Item::Fn(f) if f.attrs.iter().any(|a| a.path().is_ident("state")) => self.states.push(f.clone()),
            Item::Fn(f) => self.functions.push(f.clone()),
            Item::Static(s) => self.objects.push(Object {
                attrs: s.attrs.clone(),
                ident: s.ident.clone(),
                ty: (*s.ty).clone(),
                init: Some((*s.expr).clone()),
            }),
            Item::Verbatim(tokens) => match syn::parse2::<Object>(tokens.clone()) {
                Ok(object) => self.objects.push(object),
                Err(_) => report.syntax(item, "this item is not known", ITEMS),
            },
            Item::Use(u) => self.import(&u.tree, report),
            _ => report.syntax(item, "this item is not known", ITEMS),
        }
    }

    fn import(&mut self, tree: &UseTree, report: &mut Report) {
        let wrong =
            "a pipeline imports from `guideway::headers` only, as `use guideway::headers::{Ethernet, Ipv4};`";
        let UseTree::Path(krate) = tree else {
            return report.syntax(tree, "this import means nothing here", wrong);
        };
        let UseTree::Path(module) = &*krate.tree else {
            return report.syntax(tree, "this import means nothing here", wrong);
        };
        if krate.ident != "guideway" || module.ident != "headers" {
            return report.syntax(tree, "this import means nothing here", wrong);
        }
        self.import_headers(&module.tree, report);
    }

    fn import_headers(&mut self, tree: &UseTree, report: &mut Report) {
        match tree {
            UseTree::Group(group) => group.items.iter().for_each(|t| self.import_headers(t, report)),
            UseTree::Glob(_) => {
                let all = headers::structs().into_iter().map(|item| HeaderDecl { item, standard: true });
                self.headers.extend(all);
            }
            UseTree::Name(name) => {
                let known = headers::structs();
                let wanted = name.ident.to_string();
                if let Some(item) = known.iter().find(|s| s.ident == wanted) {
                    self.headers.push(HeaderDecl { item: item.clone(), standard: true });
                } else {
                    let all: Vec<String> = known.iter().map(|s| s.ident.to_string()).collect();
                    let all = all.iter().map(String::as_str);
                    let otherwise = format!(
                        "the standard headers are {}; declare others with `#[header] struct`",
                        names::list(all.clone())
                    );
                    let help = names::suggest(&wanted, all, &otherwise);
                    report.error(
                        Code::Unknown,
                        tree,
                        format!("there is no standard header `{wanted}`"),
                        help,
                    );
                }
            }
            UseTree::Path(_) | UseTree::Rename(_) => report.syntax(
                tree,
                "headers are imported by their own names",
                "write `use guideway::headers::{Ethernet, Ipv4};`",
            ),
        }
    }

    fn reject_duplicates(&self, report: &mut Report) {
        let types = self.structs.iter().map(|s| &s.ident).chain(self.enums.iter().map(|e| &e.ident));
        unique("type", types.chain(self.headers.iter().map(|h| &h.item.ident)), report);
        let values = self.consts.iter().map(|c| &c.ident).chain(self.objects.iter().map(|o| &o.ident));
        unique("constant or object", values, report);
        let functions = self.states.iter().chain(&self.functions).map(|f| &f.sig.ident);
        unique("function", functions, report);
        for f in self.states.iter().chain(&self.functions) {
            let name = f.sig.ident.to_string();
            if RESERVED.contains(&name.as_str()) {
                report.error(
                    Code::Duplicate,
                    &f.sig.ident,
                    format!("`{name}` belongs to the language"),
                    "choose another name",
                );
            }
        }
    }

    /// The struct with this name.
    pub(crate) fn structure(&self, name: &str) -> Option<&ItemStruct> {
        self.structs.iter().find(|s| s.ident == name)
    }
    /// The enum with this name.
    pub(crate) fn enumeration(&self, name: &str) -> Option<&ItemEnum> {
        self.enums.iter().find(|e| e.ident == name)
    }
    /// The function with this name.
    pub(crate) fn function(&self, name: &str) -> Option<&ItemFn> {
        self.functions.iter().find(|f| f.sig.ident == name)
    }
}

const ITEMS: &str = "a pipeline has `use`, `const`, `struct`, `enum`, `static` and `fn` items";

/// Names that no function of a pipeline may take.
const RESERVED: &[&str] = &[
    "forward",
    "pass",
    "drop",
    "accept",
    "adjust",
    "truncate",
    "concat",
    "internet_checksum",
    "mask",
    "prefix",
    "bit",
];

/// Reports each name that appears again.
pub(crate) fn unique<'a>(what: &str, names: impl Iterator<Item = &'a Ident>, report: &mut Report) {
    let mut seen: Vec<&Ident> = Vec::new();
    for name in names {
        if let Some(first) = seen.iter().find(|n| **n == name) {
            let line = first.span().start().line;
            report.error(
                Code::Duplicate,
                name,
                format!("there is already a {what} `{name}`, on line {line}"),
                "rename one of them",
            );
        } else {
            seen.push(name);
        }
    }
}

/// Reports attributes that mean nothing at this place.
pub(crate) fn only_attributes(attributes: &[Attribute], allowed: &[&str], report: &mut Report) {
    for a in attributes {
        let known = allowed.iter().any(|n| a.path().is_ident(n));
        if known || attr::is_neutral(a) {
            continue;
        }
        let name = a.path().segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        let help = names::suggest(
            &name,
            allowed.iter().copied(),
            &match allowed {
                [] => "no attribute stands here".to_owned(),
                _ => format!("known here: {}", names::list(allowed.iter().copied())),
            },
        );
        report.error(Code::Unknown, a.path(), format!("there is no attribute `{name}` here"), help);
    }
}
