//! Tables.

use crate::ast::{ActionRef, Arg, Entry, Key, Property, PropertyKind, Table};

use super::expr::{self, Place};
use super::stmt::assignment;
use super::writer::{List, Writer, inline_annotations};

/// A table.
pub(super) fn table(writer: &mut Writer, table: &Table) {
    writer.braces(&format!("table {} ", table.name), "}", |w| {
        for property in &table.properties {
            self::property(w, property);
        }
    });
}

fn property(writer: &mut Writer, property: &Property) {
    writer.notes(&property.notes);
    let constant = if property.constant { "const " } else { "" };
    let head = format!("{}{constant}", inline_annotations(&property.annotations));
    match &property.kind {
        PropertyKind::Key(keys) => writer.braces(&format!("{head}key = "), "}", |w| {
            keys.iter().for_each(|k| key(w, k));
        }),
        PropertyKind::Actions(actions) => writer.braces(&format!("{head}actions = "), "}", |w| {
            actions.iter().for_each(|a| action(w, a));
        }),
        PropertyKind::Entries(entries) => writer.braces(&format!("{head}entries = "), "}", |w| {
            entries.iter().for_each(|e| entry(w, e));
        }),
        PropertyKind::Value(name, value) => assignment(writer, &format!("{head}{name} = "), value),
    }
}

fn key(writer: &mut Writer, key: &Key) {
    writer.notes(&key.notes);
    let tail = format!(": {} {}", key.match_kind, inline_annotations(&key.annotations));
    let indent = writer.column();
    let place = Place { indent, column: indent, tail: tail.len() };
    let text = format!("{}{}", expr::layout(&key.expr, place), tail.trim_end());
    writer.line(&format!("{text};"));
}

fn action(writer: &mut Writer, action: &ActionRef) {
    writer.notes(&action.notes);
    let head = format!("{}{}", inline_annotations(&action.annotations), action.name);
    let args = arguments(&action.args, writer.column(), head.len(), 1);
    writer.line(&format!("{head}{args};"));
}

fn entry(writer: &mut Writer, entry: &Entry) {
    writer.notes(&entry.notes);
    let indent = writer.column();
    let annotations = inline_annotations(&entry.annotations);
    let flat = expr::keysets(&entry.keysets, Place { indent: 0, column: 0, tail: 0 });
    let place = Place { indent, column: indent, tail: 2 + entry.action.len() };
    let keysets = if flat.contains('\n') { expr::keysets(&entry.keysets, place) } else { flat };
    let last = keysets.rsplit('\n').next().unwrap_or_default();
    let column = if last.len() == keysets.len() { last.len() } else { last.trim_start().len() };
    let head = format!("{keysets}: {}", entry.action);
    let args = arguments(&entry.args, indent, column + 2 + entry.action.len(), annotations.len() + 2);
    let tail = if annotations.is_empty() { String::new() } else { format!(" {}", annotations.trim_end()) };
    writer.line(&format!("{head}{args}{tail};"));
}

/// `(args)`, or nothing, `offset` columns into the line.
fn arguments(args: &[Arg], indent: usize, offset: usize, tail: usize) -> String {
    if args.is_empty() {
        return String::new();
    }
    List { delimiters: ("(", ")"), column: indent + offset, indent, tail }.layout(args, expr::arg)
}
