//! A file's values with their lines, whether it is TOML or JSON.

use crate::Fault;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// From 1; 0 if it stands in no file.
    pub line: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text(String),
    /// A number from 0.
    Number(u128),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// Names and values.
    Table(Vec<(String, Node)>),
    /// What no entry holds (a fraction, a negative number, a date, null), as text.
    Other(String),
}

/// Deeper than any entry.
const DEPTH: usize = 8;

/// Where each line of a text starts.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn of(&self, at: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }
}

/// Reads a file's text: JSON if it starts with a brace, else TOML.
pub(crate) fn read(text: &str) -> Result<Node, Fault> {
    if text.trim_start().starts_with('{') { json(text) } else { toml(text) }
}

fn toml(text: &str) -> Result<Node, Fault> {
    let lines = Lines::new(text);
    let table = DeTable::parse(text).map_err(|e| Fault {
        line: e.span().map_or(0, |span| lines.of(span.start)),
        message: format!("this is no TOML: {}", e.message()),
    })?;
    Ok(Node { line: 1, kind: of_toml_table(table.get_ref(), &lines) })
}

fn of_toml_table(table: &DeTable<'_>, lines: &Lines) -> Kind {
    let field = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = name.get_ref();
        (name.clone().into_owned(), of_toml(value, lines))
    };
    Kind::Table(table.iter().map(field).collect())
}

fn of_toml(value: &toml::Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.clone().into_owned()),
        DeValue::Integer(n) => match u128::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Kind::Number(n),
            Err(_) => Kind::Other(n.to_string()),
        },
        DeValue::Float(n) => Kind::Other(n.as_str().to_owned()),
        DeValue::Boolean(b) => Kind::Bool(*b),
        DeValue::Datetime(d) => Kind::Other(d.to_string()),
        DeValue::Array(list) => Kind::List(list.iter().map(|v| of_toml(v, lines)).collect()),
        DeValue::Table(table) => of_toml_table(table, lines),
    };
    Node { line: lines.of(value.span().start), kind }
}

fn json(text: &str) -> Result<Node, Fault> {
    let fault = |e: &serde_json::Error, line| Fault { line, message: format!("this is no JSON: {e}") };
    let raw: &RawValue = serde_json::from_str(text).map_err(|e| fault(&e, e.line() as u32))?;
    let lines = Lines::new(text);
    of_json(raw, &|part| lines.of((part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)), 0)
        .map_err(|(e, line)| fault(&e, line))
}

/// A part's value; `line` tells the line of a part of the file's text.
fn of_json(
    raw: &RawValue,
    line: &dyn Fn(&str) -> u32,
    depth: usize,
) -> Result<Node, (serde_json::Error, u32)> {
    let text = raw.get();
    let at = line(text);
    let here = |e| (e, at);
    let inner = |v: &RawValue| of_json(v, line, depth + 1);
    let kind = match text.as_bytes().first() {
        Some(b'[' | b'{') if depth >= DEPTH => Kind::Other("a value nested too deep".into()),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text).map_err(here)?;
            Kind::List(list.into_iter().map(inner).collect::<Result<_, _>>()?)
        }
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(here)?;
            let field = |(name, value)| Ok((name, inner(value)?));
            Kind::Table(fields.into_iter().map(field).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Kind::Text(serde_json::from_str(text).map_err(here)?),
        Some(b't') => Kind::Bool(true),
        Some(b'f') => Kind::Bool(false),
        _ => text.parse().map_or_else(|_| Kind::Other(text.to_owned()), Kind::Number),
    };
    Ok(Node { line: at, kind })
}

impl From<&toml::Value> for Node {
    /// A value that has left its file.
    fn from(value: &toml::Value) -> Self {
        let kind = match value {
            toml::Value::String(text) => Kind::Text(text.clone()),
            toml::Value::Integer(n) => {
                u128::try_from(*n).map_or_else(|_| Kind::Other(n.to_string()), Kind::Number)
            }
            toml::Value::Boolean(b) => Kind::Bool(*b),
            toml::Value::Array(list) => Kind::List(list.iter().map(Self::from).collect()),
            toml::Value::Table(table) => {
                Kind::Table(table.iter().map(|(n, v)| (n.clone(), v.into())).collect())
            }
            other @ (toml::Value::Float(_) | toml::Value::Datetime(_)) => Kind::Other(other.to_string()),
        };
        Self { line: 0, kind }
    }
}

impl std::fmt::Display for Node {
    /// As a file would have it, short.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Text(text) => write!(f, "{text:?}"),
            Kind::Number(n) => write!(f, "{n}"),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::List(_) => f.write_str("a list"),
            Kind::Table(_) => f.write_str("a table"),
            Kind::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The line of each leaf, by its text.
    fn leaves(node: &Node, out: &mut Vec<(String, u32)>) {
        match &node.kind {
            Kind::List(all) => all.iter().for_each(|n| leaves(n, out)),
            Kind::Table(all) => all.iter().for_each(|(_, n)| leaves(n, out)),
            _ => out.push((node.to_string(), node.line)),
        }
    }

    #[test]
    fn values_know_their_lines_in_both_notations() {
        let toml = "[[entry]]\nkey = { a = 1,\n b = 'x' }\n[entry.params]\nc = [true,\n -3]\n";
        let json =
            "{\"entry\":\n {\"key\": {\"a\": 1,\n \"b\": \"x\"}, \"params\":\n\n{\"c\": [true,\n -3]}}}";
        let want = [("1", 2), ("\"x\"", 3), ("true", 5), ("-3", 6)].map(|(t, l)| (t.to_owned(), l));
        for text in [toml, json] {
            let mut found = Vec::new();
            leaves(&read(text).unwrap(), &mut found);
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_told_with_its_line() {
        let check = |text: &str, line: u32, part: &str| {
            let fault = read(text).unwrap_err();
            assert!(fault.line == line && fault.message.contains(part), "{text}: {fault:?}");
        };
        check("a = 1\nb = \n", 2, "no TOML");
        check("a = 1\na = 2\n", 2, "no TOML");
        check("{\"a\": 1,\n 2}", 2, "no JSON");
        check("{", 1, "no JSON");
    }

    #[test]
    fn nesting_ends() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&deep).is_ok_and(|n| format!("{n:?}").contains("nested too deep")));
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&deep).is_err());
    }

    #[test]
    fn numbers_have_all_bits() {
        let big = "340282366920938463463374607431768211455";
        let json = read(&format!("{{\"a\": {big}}}")).unwrap();
        let toml = read(&format!("a = {big}")).unwrap();
        assert_eq!(json, toml);
        assert!(format!("{json:?}").contains(big));
    }
}
