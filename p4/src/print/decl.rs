//! Declarations.

use std::mem::discriminant;

use crate::ast::{
    ControlDecl, Decl, DeclKind, Direction, EnumDecl, Include, Instance, Param, ParserDecl, Record, State,
    TransitionKind,
};

use super::expr::{self, Place};
use super::stmt::{assignment, block};
use super::table::table;
use super::writer::{List, Writer, inline_annotations};

/// Declarations in order, with a blank line between them unless both are one-liners of a kind.
pub(super) fn decls(writer: &mut Writer, decls: &[Decl]) {
    let mut previous: Option<&Decl> = None;
    for decl in decls {
        if previous.is_some_and(|p| !close_to(p, decl)) {
            writer.blank();
        }
        self::decl(writer, decl);
        previous = Some(decl);
    }
}

/// Whether two declarations stand without a blank line between them.
fn close_to(a: &Decl, b: &Decl) -> bool {
    let one_line = match &b.kind {
        DeclKind::Include(_)
        | DeclKind::Const(..)
        | DeclKind::Typedef(..)
        | DeclKind::NewType(..)
        | DeclKind::Variable(..) => true,
        DeclKind::Instance(instance) => instance.methods.is_empty(),
        _ => false,
    };
    one_line && discriminant(&a.kind) == discriminant(&b.kind)
}

fn decl(writer: &mut Writer, decl: &Decl) {
    writer.notes(&decl.notes);
    writer.annotations(&decl.annotations);
    match &decl.kind {
        DeclKind::Include(include) => self::include(writer, include),
        DeclKind::Const(ty, name, value) => {
            assignment(writer, &format!("const {} {name} = ", expr::ty(ty)), value);
        }
        DeclKind::Typedef(ty, name) => writer.line(&format!("typedef {} {name};", expr::ty(ty))),
        DeclKind::NewType(ty, name) => writer.line(&format!("type {} {name};", expr::ty(ty))),
        DeclKind::Enum(decl) => enumeration(writer, decl),
        DeclKind::Error(members) => writer.braces("error ", "}", |w| names(w, members)),
        DeclKind::Header(record) => self::record(writer, "header", record),
        DeclKind::HeaderUnion(record) => self::record(writer, "header_union", record),
        DeclKind::Struct(record) => self::record(writer, "struct", record),
        DeclKind::Parser(parser) => self::parser(writer, parser),
        DeclKind::Control(control) => self::control(writer, control),
        DeclKind::Action(action) => {
            let head = signature(writer, &format!("action {}", action.name), &action.params);
            writer.braces(&head, "}", |w| block(w, &action.body));
        }
        DeclKind::Table(decl) => table(writer, decl),
        DeclKind::Variable(ty, name, None) => writer.line(&format!("{} {name};", expr::ty(ty))),
        DeclKind::Variable(ty, name, Some(init)) => {
            assignment(writer, &format!("{} {name} = ", expr::ty(ty)), init);
        }
        DeclKind::Instance(instance) => self::instance(writer, instance),
        DeclKind::Function(function) => {
            let head = format!("{} {}", expr::ty(&function.ret), function.name);
            let head = signature(writer, &head, &function.params);
            writer.braces(&head, "}", |w| block(w, &function.body));
        }
        DeclKind::Extern(ty, name, params) => {
            let head = signature(writer, &format!("extern {} {name}", expr::ty(ty)), params);
            writer.line(&format!("{};", head.trim_end()));
        }
    }
}

fn include(writer: &mut Writer, include: &Include) {
    let (open, close) = if include.system { ('<', '>') } else { ('"', '"') };
    writer.line(&format!("#include {open}{}{close}", include.path));
}

fn enumeration(writer: &mut Writer, decl: &EnumDecl) {
    let repr = decl.repr.as_ref().map(|ty| format!("{} ", expr::ty(ty))).unwrap_or_default();
    writer.braces(&format!("enum {repr}{} ", decl.name), "}", |w| {
        for (i, member) in decl.members.iter().enumerate() {
            w.notes(&member.notes);
            let value = member.value.as_ref().map(|v| format!(" = {}", expr::flat(v))).unwrap_or_default();
            let comma = if i + 1 < decl.members.len() { "," } else { "" };
            w.line(&format!("{}{value}{comma}", member.name));
        }
    });
}

/// Names, one a line, with commas between.
fn names(writer: &mut Writer, names: &[String]) {
    for (i, name) in names.iter().enumerate() {
        let comma = if i + 1 < names.len() { "," } else { "" };
        writer.line(&format!("{name}{comma}"));
    }
}

fn record(writer: &mut Writer, keyword: &str, record: &Record) {
    writer.braces(&format!("{keyword} {} ", record.name), "}", |w| {
        for field in &record.fields {
            w.notes(&field.notes);
            let annotations = inline_annotations(&field.annotations);
            w.line(&format!("{annotations}{} {};", expr::ty(&field.ty), field.name));
        }
    });
}

fn parser(writer: &mut Writer, parser: &ParserDecl) {
    let head = signature(writer, &format!("parser {}", parser.name), &parser.params);
    writer.braces(&head, "}", |w| {
        decls(w, &parser.locals);
        for (i, state) in parser.states.iter().enumerate() {
            if i > 0 || !parser.locals.is_empty() {
                w.blank();
            }
            self::state(w, state);
        }
    });
}

fn state(writer: &mut Writer, state: &State) {
    writer.notes(&state.notes);
    writer.annotations(&state.annotations);
    writer.braces(&format!("state {} ", state.name), "}", |w| {
        block(w, &state.body);
        w.notes(&state.transition.notes);
        match &state.transition.kind {
            TransitionKind::To(target) => w.line(&format!("transition {target};")),
            TransitionKind::Select(subjects, cases) => {
                let indent = w.column();
                let head = "transition select";
                let list = List { delimiters: ("(", ")"), column: indent + head.len(), indent, tail: 2 };
                let subjects = list.layout(subjects, |e, _| expr::flat(e));
                w.braces(&format!("{head}{subjects} "), "}", |w| {
                    for case in cases {
                        w.notes(&case.notes);
                        let indent = w.column();
                        let place = Place { indent, column: indent, tail: case.target.len() + 3 };
                        w.line(&format!("{}: {};", expr::keysets(&case.keysets, place), case.target));
                    }
                });
            }
        }
    });
}

fn control(writer: &mut Writer, control: &ControlDecl) {
    let head = signature(writer, &format!("control {}", control.name), &control.params);
    writer.braces(&head, "}", |w| {
        decls(w, &control.locals);
        if !control.locals.is_empty() {
            w.blank();
        }
        w.braces("apply ", "}", |w| block(w, &control.apply));
    });
}

fn instance(writer: &mut Writer, instance: &Instance) {
    let ty = expr::ty(&instance.ty);
    let indent = writer.column();
    let list = List {
        delimiters: ("(", ")"),
        column: indent + ty.len(),
        indent,
        tail: instance.name.len() + if instance.methods.is_empty() { 2 } else { 5 },
    };
    let head = format!("{ty}{} {}", list.layout(&instance.args, expr::arg), instance.name);
    if instance.methods.is_empty() {
        return writer.line(&format!("{head};"));
    }
    writer.braces(&format!("{head} = "), "};", |w| decls(w, &instance.methods));
}

/// `head(params) `, a parameter a line if they do not fit.
fn signature(writer: &Writer, head: &str, params: &[Param]) -> String {
    let indent = writer.column();
    let list = List { delimiters: ("(", ")"), column: indent + head.len(), indent, tail: 2 };
    format!("{head}{} ", list.layout(params, |p, _| param(p)))
}

fn param(param: &Param) -> String {
    let direction = match param.direction {
        None => "",
        Some(Direction::In) => "in ",
        Some(Direction::Out) => "out ",
        Some(Direction::InOut) => "inout ",
    };
    let annotations = inline_annotations(&param.annotations);
    format!("{annotations}{direction}{} {}", expr::ty(&param.ty), param.name)
}
