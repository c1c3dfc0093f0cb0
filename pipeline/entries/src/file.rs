//! From a file's values to checked entries.

use crate::node::{self, Kind, Node};
use crate::{Fault, Faults, value};
use pipeline_ir::entry::{CheckedEntry, Entry, Tables};
use pipeline_ir::suggest::hint;
use pipeline_ir::{KeyValue, Pipeline, RingId};
use std::collections::BTreeSet;
use std::path::Path;

/// What a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// In the file's order.
    pub entries: Vec<CheckedEntry>,
    /// In the file's order.
    pub rings: Vec<RingSpec>,
}

/// A pool's ring by its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingSpec {
    /// The ring.
    pub ring: RingId,
    /// Pool number, below the ring's `pools`.
    pub pool: u32,
    /// Generation: 8 bits.
    pub generation: u8,
    /// Ids and weights.
    pub members: Vec<(u32, u32)>,
}

/// Reads a file and checks every entry.
///
/// # Errors
/// All that is wrong in it.
pub fn read(path: &Path, p: &Pipeline) -> Result<Wanted, Faults> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&name, &text, p),
        Err(e) => {
            let message = format!("can't read the entries: {e}");
            Err(Faults { file: name, found: vec![Fault { line: 0, message }], legal: Vec::new() })
        }
    }
}

/// Reads a file's text and checks every entry.
///
/// # Errors
/// All that is wrong in it.
pub fn parse(name: &str, text: &str, p: &Pipeline) -> Result<Wanted, Faults> {
    let mut reader = Reader {
        p,
        tables: Tables::new(p),
        wanted: Wanted::default(),
        found: Vec::new(),
        legal: BTreeSet::new(),
    };
    match node::read(text) {
        Ok(file) => reader.file(&file),
        Err(fault) => reader.found.push(fault),
    }
    if reader.found.is_empty() {
        return Ok(reader.wanted);
    }
    reader.found.sort_by_key(|f| f.line);
    let legal = reader.legal.iter().filter_map(|table| reader.tables.form(table)).collect();
    Err(Faults { file: name.to_owned(), found: reader.found, legal })
}

struct Reader<'a> {
    p: &'a Pipeline,
    tables: Tables,
    wanted: Wanted,
    found: Vec<Fault>,
    /// Tables whose entries were not legal.
    legal: BTreeSet<String>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Node) {
        let Kind::Table(sections) = &file.kind else { return };
        for (name, section) in sections {
            let all: &[Node] = match &section.kind {
                Kind::List(all) => all,
                _ => std::slice::from_ref(section),
            };
            match name.as_str() {
                "entry" => self.entries(all),
                "ring" => self.rings(all),
                unknown => {
                    let message = format!("there is no section `{unknown}`; there are `entry` and `ring`");
                    self.found.push(Fault { line: section.line, message });
                }
            }
        }
    }

    fn entries(&mut self, all: &[Node]) {
        let mut names = BTreeSet::new();
        for (i, node) in (1..).zip(all) {
            match entry(node).and_then(|e| self.check(node, &e)) {
                Ok(e) if !names.insert(name(&e)) => {
                    self.fault(&Fault { line: node.line, message: "it is given twice".into() }, "entry", i);
                }
                Ok(e) => self.wanted.entries.push(e),
                Err(fault) => self.fault(&fault, "entry", i),
            }
        }
    }

    fn check(&mut self, node: &Node, entry: &Entry) -> Read<CheckedEntry> {
        self.tables.check(entry).map_err(|e| {
            self.legal.insert(entry.table.clone());
            Fault { line: line_of(node, e.concerns()), message: e.to_string() }
        })
    }

    fn rings(&mut self, all: &[Node]) {
        for (i, node) in (1..).zip(all) {
            match ring(node, self.p) {
                Ok(r) if self.wanted.rings.iter().any(|o| (o.ring, o.pool) == (r.ring, r.pool)) => {
                    let message = format!("pool {} is given twice", r.pool);
                    self.fault(&Fault { line: node.line, message }, "ring", i);
                }
                Ok(r) => self.wanted.rings.push(r),
                Err(fault) => self.fault(&fault, "ring", i),
            }
        }
    }

    fn fault(&mut self, fault: &Fault, what: &str, number: usize) {
        self.found.push(Fault { message: format!("{what} {number}: {}", fault.message), line: fault.line });
    }
}

/// The line of the field, parameter or part of an entry that has a name, else of the entry.
fn line_of(entry: &Node, name: Option<&str>) -> u32 {
    let field = |node: &Node, name: &str| match &node.kind {
        Kind::Table(fields) => fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
        _ => None,
    };
    let inner = |part: &str, name: &str| field(entry, part).and_then(|part| field(&part, name));
    let found = name.and_then(|n| inner("key", n).or_else(|| inner("params", n)).or_else(|| field(entry, n)));
    found.map_or(entry.line, |node| node.line)
}

/// What must differ between two entries.
fn name(entry: &CheckedEntry) -> (u8, u32, Vec<KeyValue>, i64) {
    match entry {
        CheckedEntry::Table(e) => (0, e.table().0, e.key().to_vec(), e.priority().into()),
        CheckedEntry::Pool(e) => (1, e.ring().0, Vec::new(), e.pool().into()),
        CheckedEntry::Slot(e) => {
            let place = [e.pool().pool(), e.pool().generation().into()].map(|v| KeyValue::Exact(v.into()));
            (2, e.pool().ring().0, place.to_vec(), e.slot().into())
        }
    }
}

type Read<T> = Result<T, Fault>;

impl Node {
    fn fault<T>(&self, message: String) -> Read<T> {
        Err(Fault { line: self.line, message })
    }
}

/// A table of known names, each of which may be absent.
struct Fields<'a> {
    node: &'a Node,
    fields: &'a [(String, Node)],
}

impl<'a> Fields<'a> {
    fn new(node: &'a Node, known: &[&str]) -> Read<Self> {
        let Kind::Table(fields) = &node.kind else {
            return node.fault(format!("it is {node}, but must be a table of {}", known.join(", ")));
        };
        match fields.iter().find(|(n, _)| !known.contains(&n.as_str())) {
            Some((odd, value)) => {
                value.fault(format!("there is no field `{odd}`{}", hint(odd, known.iter().copied())))
            }
            None => Ok(Self { node, fields }),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Node> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    fn needed(&self, name: &str, what: &str) -> Read<&'a Node> {
        self.get(name).map_or_else(|| self.node.fault(format!("`{name}` must be given: {what}")), Ok)
    }

    fn text(&self, name: &str) -> Read<String> {
        match self.needed(name, "a name, as text")? {
            Node { kind: Kind::Text(text), .. } => Ok(text.clone()),
            other => other.fault(format!("`{name}` = {other} must be text")),
        }
    }

    fn inner<T>(&self, name: &str, read: fn(&str, &Node) -> Read<T>) -> Read<Vec<(String, T)>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Node { kind: Kind::Table(all), .. }) => {
                all.iter().map(|(name, value)| Ok((name.clone(), read(name, value)?))).collect()
            }
            Some(other) => other.fault(format!("`{name}` = {other} must be a table of names and values")),
        }
    }
}

/// An entry as it stands there, unchecked.
///
/// # Errors
/// The first thing that has not the shape of an entry.
pub fn entry(node: &Node) -> Read<Entry> {
    let fields = Fields::new(node, &["table", "key", "priority", "action", "params"])?;
    let priority = match fields.get("priority") {
        None => 0,
        Some(node) => match node.kind {
            Kind::Number(n) if n <= i32::MAX as u128 => n as i32,
            _ => return node.fault(format!("`priority` = {node} must be a number of 31 bits")),
        },
    };
    Ok(Entry {
        table: fields.text("table")?,
        key: fields.inner("key", key_value)?,
        priority,
        action: fields.text("action")?,
        params: fields.inner("params", number)?,
    })
}

fn number(name: &str, node: &Node) -> Read<u128> {
    let number = match &node.kind {
        Kind::Number(n) => Some(*n),
        Kind::Bool(b) => Some((*b).into()),
        Kind::Text(text) => value::number(text),
        Kind::List(_) | Kind::Table(_) | Kind::Other(_) => None,
    };
    let message =
        || format!("`{name}` = {node} is no number (from 0, or 0x..), address, MAC or protocol's name");
    number.map_or_else(|| node.fault(message()), Ok)
}

fn key_value(name: &str, node: &Node) -> Read<KeyValue> {
    match &node.kind {
        Kind::Text(text) => value::key_value(text).map_or_else(
            || {
                node.fault(format!(
                    "`{name}` = {node} is no number, address, MAC, protocol's name, `value/prefix`, \
                     `value & mask`, `low..=high` or `*`"
                ))
            },
            Ok,
        ),
        _ => number(name, node).map(KeyValue::Exact),
    }
}

fn small(name: &str, node: &Node) -> Read<u32> {
    let number = number(name, node)?;
    u32::try_from(number).or_else(|_| node.fault(format!("`{name}` = {node} has more than 32 bits")))
}

fn list(name: &str, node: &Node) -> Read<Vec<u32>> {
    match &node.kind {
        Kind::List(all) => all.iter().map(|v| small(name, v)).collect(),
        _ => node.fault(format!("`{name}` = {node} must be a list of numbers")),
    }
}

fn ring(node: &Node, p: &Pipeline) -> Read<RingSpec> {
    let fields = Fields::new(node, &["ring", "pool", "generation", "backends", "weights"])?;
    let names = p.rings.iter().map(|r| r.name.as_str());
    let at = match fields.get("ring") {
        None if p.rings.len() == 1 => 0,
        None if p.rings.is_empty() => return node.fault("this pipeline has no ring".into()),
        given => {
            let name = fields.text("ring")?;
            let at = p.rings.iter().position(|r| r.name == name);
            let message = || format!("the pipeline has no ring `{name}`{}", hint(&name, names));
            at.map_or_else(|| given.unwrap_or(node).fault(message()), Ok)?
        }
    };
    let pool_node = fields.needed("pool", "the pool's number")?;
    let pool = small("pool", pool_node)?;
    if pool >= p.rings[at].pools {
        let last = p.rings[at].pools - 1;
        return pool_node.fault(format!("`pool` = {pool}, but pools are numbered from 0 to {last}"));
    }
    let generation = match fields.get("generation") {
        None => 1,
        Some(node) => u8::try_from(small("generation", node)?)
            .or_else(|_| node.fault(format!("`generation` = {node} has more than 8 bits: at most 255")))?,
    };
    let backends = list("backends", fields.needed("backends", "a list of ids")?)?;
    let weights = match fields.get("weights") {
        None => vec![1; backends.len()],
        Some(node) => list("weights", node)?,
    };
    if weights.len() != backends.len() {
        let message = format!("there are {} backends, but {} weights", backends.len(), weights.len());
        return fields.get("weights").unwrap_or(node).fault(message);
    }
    let members = backends.into_iter().zip(weights).collect();
    Ok(RingSpec { ring: RingId(at as u32), pool, generation, members })
}
