//! What a P4Info says, by id and by name, and the byte strings of its values.
//!
//! ```
//! # use p4runtime_proto::{schema::Schema, text};
//! # let text = r#"
//! #   tables { preamble { id: 34774135 name: "host" alias: "host" } size: 1024
//! #     match_fields { id: 1 name: "src" bitwidth: 32 match_type: EXACT }
//! #     action_refs { id: 17202832 } }
//! #   actions { preamble { id: 17202832 name: "out" alias: "out" } params { id: 1 name: "port" bitwidth: 32 } }"#;
//! let schema = Schema::new(&text::from_text(text)?)?;
//! let host = schema.table_named("host").expect("the P4Info has it");
//! assert_eq!((host.id, host.field_named("src").map(|f| f.bits)), (34774135, Some(32)));
//! let out = schema.action(host.actions[0].id).expect("a table's actions are in the P4Info");
//! assert_eq!(out.name, "out");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bytes;

pub use bytes::{BytesError, decode, encode, is_canonical};

use crate::p4::config::v1 as proto;
use proto::action_ref::Scope;
use proto::counter_spec::Unit;
use proto::match_field::{Match, MatchType};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Why a message is no usable P4Info.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// The object's part of the message is not there.
    #[error("the P4Info has a {what} without a preamble, or with id 0 in it")]
    NoId {
        /// Table, action, counter..
        what: &'static str,
    },
    /// Two objects have it.
    #[error("the P4Info gives id {id} to `{first}` and to `{second}`")]
    SameId {
        /// The id.
        id: u32,
        /// Name of the one.
        first: String,
        /// Name of the other.
        second: String,
    },
    /// Two objects of a kind have it.
    #[error("the P4Info names two of its {what}s `{name}`")]
    SameName {
        /// Table, action, counter..
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something is referred to that is not there.
    #[error("the P4Info's `{of}` refers to {what} {id}, which it does not have")]
    Dangling {
        /// Who refers to it.
        of: String,
        /// Action, direct counter..
        what: &'static str,
        /// Its id.
        id: u32,
    },
    /// A width below 1 bit.
    #[error("the P4Info's `{of}.{name}` has no width in bits")]
    NoWidth {
        /// The table or action.
        of: String,
        /// The field or parameter.
        name: String,
    },
}

/// The annotation of a table of flows that packets fill.
pub const FLOW_TABLE: &str = "@guideway_flow";

/// How a key field is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Exact,
    Lpm,
    Ternary,
    Range,
    Optional,
    /// One that only an architecture knows.
    Other,
}

impl Kind {
    /// As a person calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Lpm => "lpm",
            Self::Ternary => "ternary",
            Self::Range => "range",
            Self::Optional => "optional",
            Self::Other => "other",
        }
    }
}

/// A key field, or a parameter of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Unique in its table or action.
    pub id: u32,
    /// As the program names it.
    pub name: String,
    /// Width in bits, at least 1.
    pub bits: u32,
    /// How it is matched; parameters are [`Kind::Exact`].
    pub kind: Kind,
}

/// An action that a table may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionOf {
    /// The action's id.
    pub id: u32,
    /// In entries, as the default, or both.
    pub scope: Scope,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Unique in the P4Info.
    pub id: u32,
    /// In full.
    pub name: String,
    /// The shortest suffix of the name that is unique.
    pub alias: String,
    /// Key fields, in order.
    pub fields: Vec<Field>,
    /// In order.
    pub actions: Vec<ActionOf>,
    /// Entries that it can hold; 0: not said.
    pub size: u64,
    /// The default action that nobody may change.
    pub const_default: Option<u32>,
    /// The default action with its arguments before anybody has changed it.
    pub initial_default: Option<(u32, Vec<(u32, ::bytes::Bytes)>)>,
    /// Its entries stand in the program, and nobody may change them.
    pub is_const: bool,
    /// Entries may have an idle time-out.
    pub idle_timeout: bool,
    /// As they are written.
    pub annotations: Vec<String>,
    /// Id of its direct counter.
    pub direct_counter: Option<u32>,
    /// Id of its direct meter.
    pub direct_meter: Option<u32>,
    /// Id of the action profile behind it.
    pub profile: Option<u32>,
}

impl Table {
    /// A key field by id.
    #[must_use]
    pub fn field(&self, id: u32) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }
    /// A key field by name.
    #[must_use]
    pub fn field_named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
    /// Whether packets fill it: flows, which are read and never written (`@guideway_flow`).
    #[must_use]
    pub fn is_flow_table(&self) -> bool {
        self.annotations.iter().any(|a| a == FLOW_TABLE)
    }
    /// Whether entries have a priority above 0: one field is ternary, a range or optional.
    #[must_use]
    pub fn needs_priority(&self) -> bool {
        self.fields.iter().any(|f| matches!(f.kind, Kind::Ternary | Kind::Range | Kind::Optional))
    }
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Unique in the P4Info.
    pub id: u32,
    /// In full.
    pub name: String,
    /// The shortest suffix of the name that is unique.
    pub alias: String,
    /// In order.
    pub params: Vec<Field>,
}

impl Action {
    /// A parameter by id.
    #[must_use]
    pub fn param(&self, id: u32) -> Option<&Field> {
        self.params.iter().find(|p| p.id == id)
    }
    /// A parameter by name.
    #[must_use]
    pub fn param_named(&self, name: &str) -> Option<&Field> {
        self.params.iter().find(|p| p.name == name)
    }
}

/// An array of counters, or the counters of a table's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Unique in the P4Info.
    pub id: u32,
    /// In full.
    pub name: String,
    /// The shortest suffix of the name that is unique.
    pub alias: String,
    /// Packets, bytes or both.
    pub unit: Unit,
    /// Cells; 0 for direct ones.
    pub size: u64,
    /// The table whose entries it counts; none for arrays.
    pub table: Option<u32>,
}

/// A P4Info as an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    tables: BTreeMap<u32, Table>,
    actions: BTreeMap<u32, Action>,
    counters: BTreeMap<u32, Counter>,
    direct_counters: BTreeMap<u32, Counter>,
    /// (kind of object, name or alias) to id.
    names: BTreeMap<(&'static str, String), u32>,
    /// All ids, with names.
    ids: BTreeMap<u32, String>,
}

const TABLE: &str = "table";
const ACTION: &str = "action";
const COUNTER: &str = "counter";
const DIRECT: &str = "direct counter";

impl Schema {
    /// Reads a P4Info.
    ///
    /// # Errors
    /// Ids or names are missing or not unique, widths are missing, or something refers to nothing.
    pub fn new(info: &proto::P4Info) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        for a in &info.actions {
            let (id, name, alias) = schema.enter(ACTION, a.preamble.as_ref())?;
            let params = a.params.iter().map(|p| field(&name, p.id, &p.name, p.bitwidth, Kind::Exact));
            let params = params.collect::<Result<_, _>>()?;
            schema.actions.insert(id, Action { id, name, alias, params });
        }
        for c in &info.counters {
            let (id, name, alias) = schema.enter(COUNTER, c.preamble.as_ref())?;
            let (unit, size) = (unit(c.spec.as_ref()), u64::try_from(c.size).unwrap_or(0));
            schema.counters.insert(id, Counter { id, name, alias, unit, size, table: None });
        }
        for c in &info.direct_counters {
            let (id, name, alias) = schema.enter(DIRECT, c.preamble.as_ref())?;
            let (unit, table) = (unit(c.spec.as_ref()), Some(c.direct_table_id));
            schema.direct_counters.insert(id, Counter { id, name, alias, unit, size: 0, table });
        }
        for t in &info.tables {
            let (id, name, alias) = schema.enter(TABLE, t.preamble.as_ref())?;
            let table = schema.table_of(t, (id, name, alias), info)?;
            schema.tables.insert(id, table);
        }
        schema.refers()?;
        schema.aliases();
        Ok(schema)
    }

    /// Notes an object's id and name.
    fn enter(
        &mut self,
        what: &'static str,
        preamble: Option<&proto::Preamble>,
    ) -> Result<(u32, String, String), SchemaError> {
        let p = preamble.filter(|p| p.id != 0).ok_or(SchemaError::NoId { what })?;
        if let Some(first) = self.ids.insert(p.id, p.name.clone()) {
            return Err(SchemaError::SameId { id: p.id, first, second: p.name.clone() });
        }
        if self.names.insert((what, p.name.clone()), p.id).is_some() {
            return Err(SchemaError::SameName { what, name: p.name.clone() });
        }
        Ok((p.id, p.name.clone(), p.alias.clone()))
    }

    fn table_of(
        &self,
        t: &proto::Table,
        (id, name, alias): (u32, String, String),
        info: &proto::P4Info,
    ) -> Result<Table, SchemaError> {
        let fields = t.match_fields.iter().map(|f| field(&name, f.id, &f.name, f.bitwidth, kind(f)));
        let fields = fields.collect::<Result<_, _>>()?;
        let meters: BTreeSet<u32> =
            info.direct_meters.iter().filter_map(|m| Some(m.preamble.as_ref()?.id)).collect();
        let direct = |of: &dyn Fn(&u32) -> bool| t.direct_resource_ids.iter().copied().find(of);
        let initial = t.initial_default_action.as_ref().map(|call| {
            let arguments = call.arguments.iter().map(|a| (a.param_id, a.value.clone()));
            (call.action_id, arguments.collect())
        });
        let some = |id: u32| (id != 0).then_some(id);
        Ok(Table {
            id,
            name,
            alias,
            fields,
            actions: t.action_refs.iter().map(|r| ActionOf { id: r.id, scope: r.scope() }).collect(),
            size: u64::try_from(t.size).unwrap_or(0),
            const_default: some(t.const_default_action_id),
            initial_default: initial,
            is_const: t.is_const_table,
            idle_timeout: t.idle_timeout_behavior() == proto::table::IdleTimeoutBehavior::NotifyControl,
            annotations: t.preamble.as_ref().map_or_else(Vec::new, |p| p.annotations.clone()),
            direct_counter: direct(&|id| self.direct_counters.contains_key(id)),
            direct_meter: direct(&|id| meters.contains(id)),
            profile: some(t.implementation_id),
        })
    }

    /// Does everything that is referred to exist?
    fn refers(&self) -> Result<(), SchemaError> {
        let dangling = |of: &str, what, id| SchemaError::Dangling { of: of.to_owned(), what, id };
        for t in self.tables.values() {
            let defaults = t.const_default.into_iter().chain(t.initial_default.as_ref().map(|d| d.0));
            let ids = t.actions.iter().map(|a| a.id).chain(defaults);
            if let Some(id) = ids.into_iter().find(|id| !self.actions.contains_key(id)) {
                return Err(dangling(&t.name, ACTION, id));
            }
        }
        let mut direct = self.direct_counters.values().filter_map(|c| Some((c, c.table?)));
        match direct.find(|(_, table)| !self.tables.contains_key(table)) {
            Some((c, table)) => Err(dangling(&c.name, TABLE, table)),
            None => Ok(()),
        }
    }

    /// Aliases that are no other object's name.
    fn aliases(&mut self) {
        let tables = self.tables.values().map(|t| (TABLE, &t.alias, t.id));
        let actions = self.actions.values().map(|a| (ACTION, &a.alias, a.id));
        let counters = self.counters.values().map(|c| (COUNTER, &c.alias, c.id));
        let direct = self.direct_counters.values().map(|c| (DIRECT, &c.alias, c.id));
        for (what, alias, id) in tables.chain(actions).chain(counters).chain(direct) {
            self.names.entry((what, alias.clone())).or_insert(id);
        }
    }

    fn id(&self, what: &'static str, name: &str) -> Option<u32> {
        self.names.get(&(what, name.to_owned())).copied()
    }

    /// The name of any object that is indexed here.
    #[must_use]
    pub fn name(&self, id: u32) -> Option<&str> {
        self.ids.get(&id).map(String::as_str)
    }
    /// All tables, by id.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }
    /// A table by id.
    #[must_use]
    pub fn table(&self, id: u32) -> Option<&Table> {
        self.tables.get(&id)
    }
    /// A table by name or alias.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<&Table> {
        self.table(self.id(TABLE, name)?)
    }
    /// All actions, by id.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }
    /// An action by id.
    #[must_use]
    pub fn action(&self, id: u32) -> Option<&Action> {
        self.actions.get(&id)
    }
    /// An action by name or alias.
    #[must_use]
    pub fn action_named(&self, name: &str) -> Option<&Action> {
        self.action(self.id(ACTION, name)?)
    }
    /// All arrays of counters, by id.
    pub fn counters(&self) -> impl Iterator<Item = &Counter> {
        self.counters.values()
    }
    /// An array of counters by id.
    #[must_use]
    pub fn counter(&self, id: u32) -> Option<&Counter> {
        self.counters.get(&id)
    }
    /// An array of counters by name or alias.
    #[must_use]
    pub fn counter_named(&self, name: &str) -> Option<&Counter> {
        self.counter(self.id(COUNTER, name)?)
    }
    /// All direct counters, by id.
    pub fn direct_counters(&self) -> impl Iterator<Item = &Counter> {
        self.direct_counters.values()
    }
    /// A direct counter by id.
    #[must_use]
    pub fn direct_counter(&self, id: u32) -> Option<&Counter> {
        self.direct_counters.get(&id)
    }
}

fn field(of: &str, id: u32, name: &str, width: i32, kind: Kind) -> Result<Field, SchemaError> {
    match u32::try_from(width) {
        Ok(bits) if bits > 0 => Ok(Field { id, name: name.to_owned(), bits, kind }),
        _ => Err(SchemaError::NoWidth { of: of.to_owned(), name: name.to_owned() }),
    }
}

fn kind(f: &proto::MatchField) -> Kind {
    let Some(Match::MatchType(given)) = f.r#match else { return Kind::Other };
    match MatchType::try_from(given) {
        Ok(MatchType::Exact) => Kind::Exact,
        Ok(MatchType::Lpm) => Kind::Lpm,
        Ok(MatchType::Ternary) => Kind::Ternary,
        Ok(MatchType::Range) => Kind::Range,
        Ok(MatchType::Optional) => Kind::Optional,
        Ok(MatchType::Unspecified) | Err(_) => Kind::Other,
    }
}

fn unit(spec: Option<&proto::CounterSpec>) -> Unit {
    spec.map_or(Unit::Unspecified, proto::CounterSpec::unit)
}
