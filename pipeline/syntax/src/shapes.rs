//! Declarations of data: header types, `Headers`, `Meta`, `Reason` and action enums.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::Type;
use pipeline_ir::{
    Action, ActionId, Field, Header, HeaderId, HeaderType, HeaderTypeId, Reason, Var, VarId, VarKind,
};
use syn::{Fields, Ident, ItemStruct};

use crate::lower::{Lower, Slot, Thing};
use crate::source::{self, HeaderDecl};
use crate::{headers, names, types};

/// The most headers in a stack.
const STACK: u128 = 16;

impl Lower<'_> {
    /// `Headers`, `Meta`, `Reason` and the actions of the enums that tables use.
    pub(crate) fn shapes(&mut self, module: &syn::Ident) {
        let source = self.source;
        match source.structure("Headers") {
            Some(s) => self.headers(s),
            None => self.error(
                Code::Missing,
                module,
                "the pipeline has no headers",
                "declare `struct Headers { eth: Ethernet, .. }` in the order in which they leave",
            ),
        }
        if let Some(s) = source.structure("Meta") {
            self.metadata(s);
        }
        if let Some(e) = source.enumeration("Reason") {
            source::only_attributes(&e.attrs, &[], &mut self.report);
            source::unique("reason", e.variants.iter().map(|v| &v.ident), &mut self.report);
            for v in &e.variants {
                if !matches!(v.fields, Fields::Unit) {
                    self.syntax(
                        v,
                        "a drop reason is a name only",
                        "write `Reason { Name, .. }` without fields",
                    );
                }
                source::only_attributes(&v.attrs, &[], &mut self.report);
                let at = self.at(&v.ident);
                let name = self.ir_name(&v.ident);
                self.p.reasons.push(Reason { name, at });
                self.reasons.push(v.ident.to_string());
            }
        }
        self.all_actions();
    }

    /// A name as the IR has it; what other languages can't spell is reported.
    pub(crate) fn ir_name(&mut self, ident: &Ident) -> String {
        let name = ident.to_string();
        if !name.is_ascii() {
            self.syntax(ident, "names are ASCII", "P4 and C know no other letters");
        }
        names::snake_case(&name)
    }

    fn headers(&mut self, s: &ItemStruct) {
        source::only_attributes(&s.attrs, &[], &mut self.report);
        source::unique("header", s.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        for f in &s.fields {
            source::only_attributes(&f.attrs, &[], &mut self.report);
            let Some(ident) = &f.ident else {
                self.syntax(f, "headers have names", "write `struct Headers { eth: Ethernet, .. }`");
                continue;
            };
            let (element, length) = match &f.ty {
                syn::Type::Array(a) => (&*a.elem, Some(&a.len)),
                one => (one, None),
            };
            let what = match (self.header_type(element), length) {
                (Some(ty), None) => {
                    let name = self.ir_name(ident);
                    Thing::Header(self.new_header(name, ty, ident))
                }
                (Some(ty), Some(length)) => {
                    match self.number_within(length, "the length of a stack", 1, STACK) {
                        Some(n) => {
                            let name = self.ir_name(ident);
                            let all =
                                (0..n).map(|i| self.new_header(format!("{name}_{i}"), ty, ident)).collect();
                            self.stacks.push(all);
                            Thing::Stack(self.stacks.len() - 1)
                        }
                        None => Thing::Bad,
                    }
                }
                (None, _) => Thing::Bad,
            };
            self.slots.push(Slot { name: ident.to_string(), what });
        }
        self.distinct_headers(s);
    }

    fn new_header(&mut self, name: String, ty: HeaderTypeId, ident: &Ident) -> HeaderId {
        let at = self.at(ident);
        self.p.headers.push(Header { name, ty, at });
        HeaderId(self.p.headers.len() as u32 - 1)
    }

    /// A stack's headers get numbered names, which may meet a declared one.
    fn distinct_headers(&mut self, s: &ItemStruct) {
        for (i, h) in self.p.headers.clone().iter().enumerate() {
            let first = self.p.headers[..i].iter().any(|g| g.name == h.name);
            let same_source =
                s.fields.iter().filter_map(|f| f.ident.as_ref()).filter(|f| **f == h.name).count() > 1;
            if first && !same_source {
                let message = format!("there are two headers `{}` (a stack numbers its own)", h.name);
                self.report.diagnostics.push(Code::Duplicate, h.at, message, "rename one of them");
            }
        }
    }

    /// The header type with this name, which becomes part of the pipeline.
    fn header_type(&mut self, ty: &syn::Type) -> Option<HeaderTypeId> {
        let name = types::name(ty).map(ToString::to_string).unwrap_or_default();
        let wanted = names::snake_case(&name);
        if let Some(i) = self.p.header_types.iter().position(|t| t.name == wanted) {
            return Some(HeaderTypeId(i as u32));
        }
        let source = self.source;
        let Some(decl) = source.headers.iter().find(|h| h.item.ident == name) else {
            let standard = headers::structs().iter().any(|s| s.ident == name);
            let known: Vec<String> = source.headers.iter().map(|h| h.item.ident.to_string()).collect();
            let help = if standard {
                format!("add `use guideway::headers::{name};`")
            } else {
                let otherwise = "declare it with `#[header] struct`, or import it from `guideway::headers`";
                names::suggest(&name, known.iter().map(String::as_str), otherwise)
            };
            self.error(Code::Unknown, ty, format!("there is no header type `{name}`"), help);
            return None;
        };
        Some(self.new_header_type(decl))
    }

    fn new_header_type(&mut self, decl: &HeaderDecl) -> HeaderTypeId {
        source::only_attributes(&decl.item.attrs, &["header"], &mut self.report);
        let mut fields = Vec::new();
        for f in &decl.item.fields {
            source::only_attributes(&f.attrs, &[], &mut self.report);
            let Some(ident) = &f.ident else {
                self.syntax(f, "fields have names", "write `#[header] struct Name { field: bit<8>, .. }`");
                continue;
            };
            let Some(width) = self.bits_type(&f.ty) else { continue };
            let at = if decl.standard { pipeline_ir::Loc::default() } else { self.at(ident) };
            let name = self.ir_name(ident);
            fields.push(Field { name, width, at });
        }
        source::unique("field", decl.item.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        let at = if decl.standard { pipeline_ir::Loc::default() } else { self.at(&decl.item.ident) };
        let name = self.ir_name(&decl.item.ident);
        self.p.header_types.push(HeaderType { name, fields, at });
        HeaderTypeId(self.p.header_types.len() as u32 - 1)
    }

    fn metadata(&mut self, s: &ItemStruct) {
        source::only_attributes(&s.attrs, &[], &mut self.report);
        source::unique("field", s.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        for f in &s.fields {
            source::only_attributes(&f.attrs, &[], &mut self.report);
            let Some(ident) = &f.ident else {
                self.syntax(f, "fields have names", "write `struct Meta { field: bit<8>, .. }`");
                continue;
            };
            // A field whose type is wrong still has its name: one error is enough.
            let ty = self.value_type(&f.ty).unwrap_or(Type::Bits(1));
            let at = self.at(ident);
            let name = self.ir_name(ident);
            let var = VarId(self.p.vars.len() as u32);
            self.p.vars.push(Var { name, ty, kind: VarKind::Meta, at });
            self.meta.push((ident.to_string(), var));
        }
    }

    /// The actions of every enum that a table names.
    fn all_actions(&mut self) {
        let source = self.source;
        let mut used: Vec<String> = Vec::new();
        for o in &source.objects {
            let Some(segment) = types::segment(&o.ty) else { continue };
            if segment.ident == "Table"
                && let [_, syn::GenericArgument::Type(actions)] = types::arguments(segment).as_slice()
                && let Some(name) = types::name(actions)
            {
                used.push(name.to_string());
            }
        }
        for e in &source.enums {
            if e.ident == "Reason" || !used.iter().any(|u| e.ident == u) {
                continue;
            }
            source::only_attributes(&e.attrs, &[], &mut self.report);
            for v in &e.variants {
                self.action(&e.ident, v);
            }
        }
    }

    fn action(&mut self, of: &Ident, v: &syn::Variant) {
        source::only_attributes(&v.attrs, &["default_only"], &mut self.report);
        let name = self.ir_name(&v.ident);
        if self.p.actions.iter().any(|a| a.name == name) {
            self.error(
                Code::Duplicate,
                &v.ident,
                format!("there is already an action `{}`", v.ident),
                "actions of all tables share one name space: rename one, or share the enum",
            );
        }
        let id = ActionId(self.p.actions.len() as u32);
        let mut params = Vec::new();
        source::unique("parameter", v.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        for f in &v.fields {
            source::only_attributes(&f.attrs, &[], &mut self.report);
            let Some(ident) = &f.ident else {
                self.syntax(
                    f,
                    "an action's parameters have names",
                    "write `Action { parameter: bit<16>, .. }`",
                );
                continue;
            };
            let width = self.bits_type(&f.ty).unwrap_or(1);
            let at = self.at(ident);
            let name = self.ir_name(ident);
            params.push(VarId(self.p.vars.len() as u32));
            self.p.vars.push(Var { name, ty: Type::Bits(width), kind: VarKind::Param(id), at });
        }
        let default_only = v.attrs.iter().any(|a| a.path().is_ident("default_only"));
        let at = self.at(&v.ident);
        self.p.actions.push(Action { name, params, default_only, at });
        self.actions.push((of.to_string(), v.ident.to_string(), id));
    }
}
