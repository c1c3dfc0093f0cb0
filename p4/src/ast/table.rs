//! Tables and their properties.

use super::annotation::{annotated, noted};
use super::{Annotation, Arg, Expr, Keyset, Note};

/// `table name { properties }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its properties, in the order in which they are printed.
    pub properties: Vec<Property>,
}

/// A property of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Annotations before it.
    pub annotations: Vec<Annotation>,
    /// `const`: the control plane can't change it.
    pub constant: bool,
    /// What it states.
    pub kind: PropertyKind,
}

/// What a property of a table states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// `key = { ... }`
    Key(Vec<Key>),
    /// `actions = { ... }`
    Actions(Vec<ActionRef>),
    /// `entries = { ... }`
    Entries(Vec<Entry>),
    /// `name = value;`: `default_action`, `size`, `counters` and what else an architecture knows.
    Value(String, Expr),
}

/// A key of a table: `expr: match_kind @annotation;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// What is matched.
    pub expr: Expr,
    /// `exact`, `lpm`, `ternary`, `range`, `optional` or `selector`.
    pub match_kind: String,
    /// Annotations after it.
    pub annotations: Vec<Annotation>,
}

/// An action in a table's list, or the one that an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRef {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Annotations before it.
    pub annotations: Vec<Annotation>,
    /// The action's name.
    pub name: String,
    /// Arguments; none prints without parentheses.
    pub args: Vec<Arg>,
}

/// An entry that the program itself states: `(keysets): action(args);`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// One component for each key, or a single `default` or `_`.
    pub keysets: Vec<Keyset>,
    /// The action's name.
    pub action: String,
    /// Its arguments; none prints without parentheses.
    pub args: Vec<Arg>,
    /// Annotations after it.
    pub annotations: Vec<Annotation>,
}

noted!(Property, Key, ActionRef, Entry);
annotated!(Property, Key, ActionRef, Entry);

impl Table {
    /// A table without properties.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), properties: Vec::new() }
    }

    /// Adds a property.
    #[must_use]
    pub fn property(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Adds `key = { ... }`.
    #[must_use]
    pub fn keys(self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.property(PropertyKind::Key(keys.into_iter().collect()).into())
    }

    /// Adds `actions = { ... }`.
    #[must_use]
    pub fn actions<A: Into<ActionRef>>(self, actions: impl IntoIterator<Item = A>) -> Self {
        let actions = actions.into_iter().map(Into::into).collect();
        self.property(PropertyKind::Actions(actions).into())
    }

    /// Adds `default_action = action;`, where `action` is a name or a call.
    #[must_use]
    pub fn default_action(self, action: impl Into<Expr>) -> Self {
        self.value("default_action", action)
    }

    /// Adds `const default_action = action;`, where `action` is a name or a call.
    #[must_use]
    pub fn const_default_action(self, action: impl Into<Expr>) -> Self {
        self.property(Property::value("default_action", action).constant())
    }

    /// Adds `const entries = { ... }`.
    #[must_use]
    pub fn const_entries(self, entries: impl IntoIterator<Item = Entry>) -> Self {
        self.property(Property::from(PropertyKind::Entries(entries.into_iter().collect())).constant())
    }

    /// Adds `size = entries;`.
    #[must_use]
    pub fn size(self, entries: impl Into<Expr>) -> Self {
        self.value("size", entries)
    }

    /// Adds `name = value;`.
    #[must_use]
    pub fn value(self, name: impl Into<String>, value: impl Into<Expr>) -> Self {
        self.property(Property::value(name, value))
    }
}

impl From<PropertyKind> for Property {
    fn from(kind: PropertyKind) -> Self {
        Self { notes: Vec::new(), annotations: Vec::new(), constant: false, kind }
    }
}

impl Property {
    /// `name = value;`
    pub fn value(name: impl Into<String>, value: impl Into<Expr>) -> Self {
        PropertyKind::Value(name.into(), value.into()).into()
    }

    /// The same with `const`.
    #[must_use]
    pub fn constant(mut self) -> Self {
        self.constant = true;
        self
    }
}

impl Key {
    /// A key with any match kind.
    pub fn new(expr: impl Into<Expr>, match_kind: impl Into<String>) -> Self {
        Self { notes: Vec::new(), expr: expr.into(), match_kind: match_kind.into(), annotations: Vec::new() }
    }

    /// `expr: exact;`
    pub fn exact(expr: impl Into<Expr>) -> Self {
        Self::new(expr, "exact")
    }

    /// Adds `@name("name")`: what the control plane calls it.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        self.annotate(Annotation::name(name))
    }
}

impl ActionRef {
    /// An action of a table's list.
    pub fn new(name: impl Into<String>) -> Self {
        Self { notes: Vec::new(), annotations: Vec::new(), name: name.into(), args: Vec::new() }
    }

    /// With `@defaultonly`.
    #[must_use]
    pub fn default_only(self) -> Self {
        self.annotate(Annotation::default_only())
    }

    /// With `@tableonly`.
    #[must_use]
    pub fn table_only(self) -> Self {
        self.annotate(Annotation::table_only())
    }
}

impl From<&str> for ActionRef {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl Entry {
    /// `(keysets): action(args);`
    pub fn new<K: Into<Keyset>, A: Into<Arg>>(
        keysets: impl IntoIterator<Item = K>,
        action: impl Into<String>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            notes: Vec::new(),
            keysets: keysets.into_iter().map(Into::into).collect(),
            action: action.into(),
            args: args.into_iter().map(Into::into).collect(),
            annotations: Vec::new(),
        }
    }
}
