//! Declarations.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::multi::{many0, separated_list0, separated_list1};
use nom::sequence::{delimited, preceded, terminated};

use super::expr::{annotations, arguments, expr, keysets, ty};
use super::input::{Res, Tokens, deeper, kind, name, notes, sym};
use super::lexer::Kind;
use super::stmt::{block, stmt};
use super::table::table;
use crate::ast::{
    ActionDecl, ControlDecl, Decl, DeclKind, Direction, EnumDecl, EnumMember, Field, FunctionDecl, Include,
    Instance, Param, ParserDecl, Program, Record, SelectCase, State, Transition, TransitionKind,
};

/// A whole program.
pub(super) fn program(i: Tokens<'_>) -> Res<'_, Program> {
    let (i, decls) = many0(alt((include, top_level))).parse(i)?;
    Ok((i, Program { decls }))
}

fn include(i: Tokens<'_>) -> Res<'_, Decl> {
    let (i, notes) = notes(i)?;
    let (i, path) = kind(Kind::Include, "`#include`")(i)?;
    let system = path.starts_with('<');
    let path = path.trim_matches(['<', '>', '"']).to_owned();
    Ok((i, Decl { notes, annotations: Vec::new(), kind: DeclKind::Include(Include { path, system }) }))
}

fn top_level(i: Tokens<'_>) -> Res<'_, Decl> {
    decl(i, |i| match i.first().map_or("", |token| token.text) {
        "parser" => parser(i),
        "control" => control(i),
        "header" => preceded(sym("header"), record).map(DeclKind::Header).parse(i),
        "header_union" => preceded(sym("header_union"), record).map(DeclKind::HeaderUnion).parse(i),
        "struct" => preceded(sym("struct"), record).map(DeclKind::Struct).parse(i),
        "enum" => preceded(sym("enum"), enumeration).parse(i),
        "error" if i.has(1, "{") => error(i),
        "typedef" => alias(i, "typedef", DeclKind::Typedef),
        "type" => alias(i, "type", DeclKind::NewType),
        "extern" => external(i),
        _ => local_kind(i),
    })
}

/// A declaration in a control, a parser or an extern object.
fn local(i: Tokens<'_>) -> Res<'_, Decl> {
    decl(i, local_kind)
}

fn decl<'a>(i: Tokens<'a>, kind: fn(Tokens<'a>) -> Res<'a, DeclKind>) -> Res<'a, Decl> {
    let (i, notes) = notes(i)?;
    let (i, annotations) = annotations(i)?;
    let (i, kind) = kind(i)?;
    Ok((i, Decl { notes, annotations, kind }))
}

fn local_kind(i: Tokens<'_>) -> Res<'_, DeclKind> {
    match i.first().map_or("", |token| token.text) {
        "action" => action(i),
        "table" => table.map(DeclKind::Table).parse(i),
        "const" => constant(i),
        _ => typed(i),
    }
}

fn constant(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, (_, ty, name, _, value, _)) = (sym("const"), ty, name, sym("="), expr, sym(";")).parse(i)?;
    Ok((i, DeclKind::Const(ty, name, value)))
}

fn alias<'a>(
    i: Tokens<'a>,
    keyword: &'static str,
    make: fn(crate::ast::Type, String) -> DeclKind,
) -> Res<'a, DeclKind> {
    let (i, (_, ty, name, _)) = (sym(keyword), ty, name, sym(";")).parse(i)?;
    Ok((i, make(ty, name)))
}

fn external(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, (_, ty, name, params, _)) = (sym("extern"), ty, name, params, sym(";")).parse(i)?;
    Ok((i, DeclKind::Extern(ty, name, params)))
}

/// What starts with a type: a variable, an instance or a function.
fn typed(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, ty) = ty(i)?;
    if i.has(0, "(") {
        let (i, (args, name)) = (arguments, name).parse(i)?;
        let methods = deeper(|i| delimited(sym("{"), many0(local), sym("}")).parse(i));
        let (i, methods) = terminated(opt(preceded(sym("="), methods)), sym(";")).parse(i)?;
        let methods = methods.unwrap_or_default();
        return Ok((i, DeclKind::Instance(Instance { ty, args, name, methods })));
    }
    let (i, name) = alt((name, sym("apply").map(str::to_owned))).parse(i)?;
    if i.has(0, "(") {
        let (i, (params, body)) = (params, block).parse(i)?;
        return Ok((i, DeclKind::Function(FunctionDecl { ret: ty, name, params, body })));
    }
    let (i, init) = terminated(opt(preceded(sym("="), expr)), sym(";")).parse(i)?;
    Ok((i, DeclKind::Variable(ty, name, init)))
}

fn action(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, (_, name, params, body)) = (sym("action"), name, params, block).parse(i)?;
    Ok((i, DeclKind::Action(ActionDecl { name, params, body })))
}

/// `name { fields }`
fn record(i: Tokens<'_>) -> Res<'_, Record> {
    let (i, (name, fields)) = (name, delimited(sym("{"), many0(field), sym("}"))).parse(i)?;
    Ok((i, Record { name, fields }))
}

fn field(i: Tokens<'_>) -> Res<'_, Field> {
    let (i, notes) = notes(i)?;
    let (i, (annotations, ty, name, _)) = (annotations, ty, name, sym(";")).parse(i)?;
    Ok((i, Field { notes, annotations, ty, name }))
}

fn enumeration(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, repr) = if i.has(1, "{") { (i, None) } else { ty.map(Some).parse(i)? };
    let members = separated_list0(separator, member);
    let (i, (name, _, members, _, _)) = (name, sym("{"), members, opt(sym(",")), sym("}")).parse(i)?;
    Ok((i, DeclKind::Enum(EnumDecl { repr, name, members })))
}

fn member(i: Tokens<'_>) -> Res<'_, EnumMember> {
    let (i, notes) = notes(i)?;
    let (i, (name, value)) = (name, opt(preceded(sym("="), expr))).parse(i)?;
    Ok((i, EnumMember { notes, name, value }))
}

fn error(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let names = separated_list0(separator, name);
    let (i, names) = delimited((sym("error"), sym("{")), names, (opt(sym(",")), sym("}"))).parse(i)?;
    Ok((i, DeclKind::Error(names)))
}

/// A comma with something after it.
fn separator(i: Tokens<'_>) -> Res<'_, &str> {
    if i.has(1, "}") { i.miss("`}`") } else { sym(",").parse(i) }
}

/// `(params)`
fn params(i: Tokens<'_>) -> Res<'_, Vec<Param>> {
    delimited(sym("("), separated_list0(sym(","), param), sym(")")).parse(i)
}

fn param(i: Tokens<'_>) -> Res<'_, Param> {
    let (i, annotations) = annotations(i)?;
    let direction = match i.first().map_or("", |token| token.text) {
        "in" => Some(Direction::In),
        "out" => Some(Direction::Out),
        "inout" => Some(Direction::InOut),
        _ => None,
    };
    let i = if direction.is_some() { i.skip(1) } else { i };
    let (i, (ty, name)) = (ty, name).parse(i)?;
    Ok((i, Param { annotations, direction, ty, name }))
}

fn control(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, (_, name, params, _)) = (sym("control"), name, params, sym("{")).parse(i)?;
    let (i, (locals, _, apply, _)) = (many0(local), sym("apply"), block, sym("}")).parse(i)?;
    Ok((i, DeclKind::Control(ControlDecl { name, params, locals, apply })))
}

fn parser(i: Tokens<'_>) -> Res<'_, DeclKind> {
    let (i, (_, name, params, _)) = (sym("parser"), name, params, sym("{")).parse(i)?;
    let (i, (locals, states, _)) = (many0(local), many0(state), sym("}")).parse(i)?;
    Ok((i, DeclKind::Parser(ParserDecl { name, params, locals, states })))
}

fn state(i: Tokens<'_>) -> Res<'_, State> {
    let (i, notes) = notes(i)?;
    let (i, (annotations, _, name, _)) = (annotations, sym("state"), name, sym("{")).parse(i)?;
    let (i, (body, transition, _)) = (many0(stmt), transition, sym("}")).parse(i)?;
    Ok((i, State { notes, annotations, name, body, transition }))
}

/// Where a state goes; without a `transition` it rejects.
fn transition(i: Tokens<'_>) -> Res<'_, Transition> {
    if i.has(0, "}") {
        return Ok((i, Transition::reject()));
    }
    let (i, notes) = notes(i)?;
    let (i, _) = sym("transition").parse(i)?;
    if !i.has(0, "select") {
        let (i, target) = terminated(name, sym(";")).parse(i)?;
        return Ok((i, Transition { notes, kind: TransitionKind::To(target) }));
    }
    let subjects = delimited(sym("("), separated_list1(sym(","), expr), sym(")"));
    let cases = delimited(sym("{"), many0(case), sym("}"));
    let (i, (subjects, cases)) = preceded(sym("select"), (subjects, cases)).parse(i)?;
    Ok((i, Transition { notes, kind: TransitionKind::Select(subjects, cases) }))
}

fn case(i: Tokens<'_>) -> Res<'_, SelectCase> {
    let (i, notes) = notes(i)?;
    let (i, (keysets, _, target, _)) = (keysets, sym(":"), name, sym(";")).parse(i)?;
    Ok((i, SelectCase { notes, keysets, target }))
}
