//! Tables.

use nom::Parser;
use nom::combinator::opt;
use nom::multi::many0;
use nom::sequence::{delimited, preceded, terminated};

use super::expr::{annotations, arguments, expr, keysets};
use super::input::{Res, Tokens, deeper, name, notes, sym};
use crate::ast::{ActionRef, Entry, Key, Property, PropertyKind, Table};

/// `table name { properties }`
pub(super) fn table(i: Tokens<'_>) -> Res<'_, Table> {
    let (i, name) = preceded(sym("table"), name).parse(i)?;
    let (i, properties) = braces(i, property)?;
    Ok((i, Table { name, properties }))
}

/// `{ items }`
fn braces<'a, T>(i: Tokens<'a>, item: fn(Tokens<'a>) -> Res<'a, T>) -> Res<'a, Vec<T>> {
    deeper(|i| delimited(sym("{"), many0(item), sym("}")).parse(i))(i)
}

fn property(i: Tokens<'_>) -> Res<'_, Property> {
    let (i, notes) = notes(i)?;
    let (i, annotations) = annotations(i)?;
    let (i, constant) = opt(sym("const")).parse(i)?;
    let (i, name) = terminated(name, sym("=")).parse(i)?;
    let (i, kind) = match name.as_str() {
        "key" => braces(i, key).map(|(i, keys)| (i, PropertyKind::Key(keys)))?,
        "actions" => braces(i, action).map(|(i, actions)| (i, PropertyKind::Actions(actions)))?,
        "entries" => braces(i, entry).map(|(i, entries)| (i, PropertyKind::Entries(entries)))?,
        _ => {
            let (i, value) = terminated(expr, sym(";")).parse(i)?;
            (i, PropertyKind::Value(name, value))
        }
    };
    Ok((i, Property { notes, annotations, constant: constant.is_some(), kind }))
}

fn key(i: Tokens<'_>) -> Res<'_, Key> {
    let (i, notes) = notes(i)?;
    let (i, (expr, _, match_kind, annotations, _)) =
        (expr, sym(":"), name, annotations, sym(";")).parse(i)?;
    Ok((i, Key { notes, expr, match_kind, annotations }))
}

fn action(i: Tokens<'_>) -> Res<'_, ActionRef> {
    let (i, notes) = notes(i)?;
    let (i, (annotations, name, args, _)) = (annotations, name, opt(arguments), sym(";")).parse(i)?;
    Ok((i, ActionRef { notes, annotations, name, args: args.unwrap_or_default() }))
}

fn entry(i: Tokens<'_>) -> Res<'_, Entry> {
    let (i, notes) = notes(i)?;
    let (i, (keysets, _, action)) = (keysets, sym(":"), name).parse(i)?;
    let (i, (args, annotations, _)) = (opt(arguments), annotations, sym(";")).parse(i)?;
    Ok((i, Entry { notes, keysets, action, args: args.unwrap_or_default(), annotations }))
}
