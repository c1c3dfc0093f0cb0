//! Entries by name, to and from P4Runtime's messages.

use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1 as proto;
use p4runtime_proto::schema::{Action, BytesError, Field, Kind, Schema, SchemaError, Table, decode, encode};
use pipeline_entries::value;
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use pipeline_ir::suggest::hint;
use proto::field_match::{self, FieldMatchType as Match};
use proto::{FieldMatch, TableAction, TableEntry, table_action};
use thiserror::Error;

/// What an entry has that the pipeline doesn't know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum NameError {
    #[error("the pipeline has no {what} `{name}`{hint}")]
    Unknown { what: &'static str, name: String, hint: String },
    #[error("the pipeline has no {what} with id {id:#010x}")]
    UnknownId { what: &'static str, id: u32 },
    #[error("table `{table}` has no field `{name}`{hint}")]
    Field { table: String, name: String, hint: String },
    #[error("table `{table}`: field `{name}` must be given")]
    Missing { table: String, name: String },
    #[error("table `{table}` has no action `{name}`{hint}")]
    NoAction { table: String, name: String, hint: String },
    #[error("action `{action}`: it has the parameters {known}; given: {given}")]
    Params { action: String, known: String, given: String },
    #[error("`{of}.{name}` has {bits} bits: {value} does not fit")]
    Width { of: String, name: String, bits: u32, value: String },
    #[error("`{of}.{name}`: {reason}")]
    Bytes { of: String, name: String, reason: BytesError },
    #[error("`{table}.{name}` is matched {kind}, not by {given}")]
    Kind { table: String, name: String, kind: &'static str, given: String },
    #[error("not the entry that was asked for: {reason}")]
    NotTyped { reason: String },
    #[error("table `{table}` needs a priority above 0")]
    Priority { table: String },
}

/// The names of a pipeline, from its P4Info.
///
/// ```
/// # use p4runtime_proto::text::from_text;
/// use pipeline_ir::{KeyValue, entry::Entry};
/// use runtime_client::Names;
/// # let info = from_text(r#"
/// #   tables { preamble { id: 34774135 name: "host" alias: "host" } size: 1024
/// #     match_fields { id: 1 name: "src" bitwidth: 32 match_type: EXACT }
/// #     action_refs { id: 17202832 } }
/// #   actions { preamble { id: 17202832 name: "out" alias: "out" } params { id: 1 name: "port" bitwidth: 32 } }"#)?;
/// let names = Names::new(&info)?;
/// let entry = Entry {
///     table: "host".into(),
///     key: vec![("src".into(), KeyValue::Exact(0x0a00_0001))],
///     action: "out".into(),
///     params: vec![("port".into(), 7)],
///     ..Entry::default()
/// };
/// let message = names.entry(&entry)?;
/// assert_eq!(names.named(&message)?, entry);
/// assert_eq!(names.show(&message), "host { src = 10.0.0.1 } -> out { port = 7 }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Names {
    schema: Schema,
}

/// An exact table and one of its actions with all ids looked up: what many entries of one form are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    table: u32,
    fields: Vec<u32>,
    action: u32,
    params: Vec<u32>,
}

impl Shape {
    /// An entry; values in the order of the table's fields and of the action's parameters.
    #[must_use]
    pub fn entry(&self, key: &[u128], args: &[u128]) -> TableEntry {
        let exact =
            |(id, v): (&u32, &u128)| field(*id, Match::Exact(field_match::Exact { value: encode(*v) }));
        let r#match = self.fields.iter().zip(key).map(exact).collect();
        let args = self.params.iter().zip(args);
        let action = action(self.action, args.map(|(id, value)| (*id, *value)));
        TableEntry { table_id: self.table, r#match, action: Some(action), ..TableEntry::default() }
    }
}

fn field(field_id: u32, kind: Match) -> FieldMatch {
    FieldMatch { field_id, field_match_type: Some(kind) }
}

fn action(action_id: u32, args: impl Iterator<Item = (u32, u128)>) -> TableAction {
    let params = args.map(|(param_id, v)| proto::action::Param { param_id, value: encode(v) }).collect();
    TableAction { r#type: Some(table_action::Type::Action(proto::Action { action_id, params })) }
}

type Named<T> = Result<T, NameError>;

impl Names {
    /// The names of a P4Info.
    ///
    /// # Errors
    /// It is not sound in itself.
    pub fn new(info: &P4Info) -> Result<Self, SchemaError> {
        Ok(Self { schema: Schema::new(info)? })
    }

    /// The index behind.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A table by name.
    ///
    /// # Errors
    /// There is none.
    pub fn table(&self, name: &str) -> Named<&Table> {
        self.schema.table_named(name).ok_or_else(|| {
            let known = self.schema.tables().map(|t| t.name.as_str()).collect::<Vec<_>>();
            NameError::Unknown { what: "table", name: name.to_owned(), hint: hint(name, known) }
        })
    }

    /// Exact table and action for many entries.
    ///
    /// # Errors
    /// There is no such table, or it has no such action.
    pub fn shape(&self, table: &str, action: &str) -> Named<Shape> {
        let table = self.table(table)?;
        let action = self.action_of(table, action)?;
        let ids = |fields: &[Field]| fields.iter().map(|f| f.id).collect();
        Ok(Shape {
            table: table.id,
            fields: ids(&table.fields),
            action: action.id,
            params: ids(&action.params),
        })
    }

    fn action_of(&self, table: &Table, name: &str) -> Named<&Action> {
        let own: Vec<&Action> = table.actions.iter().filter_map(|a| self.schema.action(a.id)).collect();
        own.iter().copied().find(|a| a.name == name || a.alias == name).ok_or_else(|| {
            let hint = hint(name, own.iter().map(|a| a.name.as_str()).collect::<Vec<_>>());
            NameError::NoAction { table: table.name.clone(), name: name.to_owned(), hint }
        })
    }

    /// The message of an entry; values that match all are left out, as the specification wants.
    ///
    /// # Errors
    /// A name is unknown, something is missing, or a value does not fit.
    pub fn entry(&self, entry: &Entry) -> Named<TableEntry> {
        let mut message = self.key(entry)?;
        let table = self.table(&entry.table)?;
        message.action = Some(self.action(table, &entry.action, &entry.params)?);
        Ok(message)
    }

    /// The message of an entry's key and priority, without action: what DELETE and reads take.
    ///
    /// # Errors
    /// As [`Self::entry`].
    pub fn key(&self, entry: &Entry) -> Named<TableEntry> {
        let table = self.table(&entry.table)?;
        for (name, _) in &entry.key {
            if table.field_named(name).is_none() {
                let known = table.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>();
                let (table, name, hint) = (table.name.clone(), name.clone(), hint(name, known));
                return Err(NameError::Field { table, name, hint });
            }
        }
        let mut r#match = Vec::with_capacity(table.fields.len());
        for f in &table.fields {
            let given = entry.key.iter().find(|(name, _)| *name == f.name).map(|(_, v)| *v);
            r#match.extend(key_field(table, f, given)?);
        }
        if table.needs_priority() && entry.priority <= 0 {
            return Err(NameError::Priority { table: table.name.clone() });
        }
        let (table_id, priority) = (table.id, entry.priority);
        Ok(TableEntry { table_id, r#match, priority, ..TableEntry::default() })
    }

    /// The message of a default entry.
    ///
    /// # Errors
    /// As [`Self::entry`].
    pub fn default_entry(&self, table: &str, action: &str, params: &[(String, u128)]) -> Named<TableEntry> {
        let table = self.table(table)?;
        let action = Some(self.action(table, action, params)?);
        Ok(TableEntry { table_id: table.id, action, is_default_action: true, ..TableEntry::default() })
    }

    fn action(&self, table: &Table, name: &str, params: &[(String, u128)]) -> Named<TableAction> {
        let found = self.action_of(table, name)?;
        let known = || found.params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        let wrong = || {
            let given = params.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
            NameError::Params { action: found.name.clone(), known: known(), given }
        };
        let mut args = Vec::with_capacity(params.len());
        for p in &found.params {
            let value = params.iter().find(|(n, _)| *n == p.name).ok_or_else(wrong)?.1;
            fits(&found.name, p, value)?;
            args.push((p.id, value));
        }
        if args.len() != params.len() {
            return Err(wrong());
        }
        Ok(action(found.id, args.into_iter()))
    }

    /// An entry of a message, by name. A default entry has an empty key.
    ///
    /// # Errors
    /// The message is not of this pipeline.
    pub fn named(&self, message: &TableEntry) -> Named<Entry> {
        let id = message.table_id;
        let table = self.schema.table(id).ok_or(NameError::UnknownId { what: "table", id })?;
        let mut key = Vec::with_capacity(table.fields.len());
        for f in table.fields.iter().filter(|_| !message.is_default_action) {
            let given = message.r#match.iter().find(|m| m.field_id == f.id);
            let given = given.and_then(|m| m.field_match_type.as_ref());
            key.push((f.name.clone(), key_value(table, f, given)?));
        }
        let (mut action, mut params) = (String::new(), Vec::new());
        if let Some(table_action::Type::Action(a)) = message.action.as_ref().and_then(|a| a.r#type.as_ref()) {
            let what = NameError::UnknownId { what: "action", id: a.action_id };
            let found = self.schema.action(a.action_id).ok_or(what)?;
            action.clone_from(&found.name);
            for p in &a.params {
                let what = NameError::UnknownId { what: "parameter", id: p.param_id };
                let field = found.param(p.param_id).ok_or(what)?;
                params.push((field.name.clone(), number(&found.name, field, &p.value)?));
            }
        }
        Ok(Entry { table: table.name.clone(), key, priority: message.priority, action, params })
    }

    /// An entry in words; what is not of this pipeline shows as ids.
    #[must_use]
    pub fn show(&self, message: &TableEntry) -> String {
        let Ok(entry) = self.named(message) else {
            return format!("entry of table {:#010x}", message.table_id);
        };
        let action = if entry.action.is_empty() {
            String::new()
        } else {
            format!(" -> {}{}", entry.action, braces(&self.shown_params(&entry)))
        };
        let key =
            if message.is_default_action { " default".to_owned() } else { braces(&self.shown_key(&entry)) };
        let priority =
            if entry.priority == 0 { String::new() } else { format!(" priority {}", entry.priority) };
        format!("{}{key}{priority}{action}", entry.table)
    }

    /// An entry's key fields as text, with their names.
    #[must_use]
    pub fn shown_key(&self, entry: &Entry) -> Vec<(String, String)> {
        let table = self.schema.table_named(&entry.table);
        let width = |name: &str| table.and_then(|t| t.field_named(name)).map_or(0, |f| f.bits);
        let shown =
            |(name, v): &(String, KeyValue)| (name.clone(), value::shown_key(name, bits(width(name)), v));
        entry.key.iter().map(shown).collect()
    }

    /// An entry's parameters as text, with their names.
    #[must_use]
    pub fn shown_params(&self, entry: &Entry) -> Vec<(String, String)> {
        let action = self.schema.action_named(&entry.action);
        let width = |name: &str| action.and_then(|a| a.param_named(name)).map_or(0, |f| f.bits);
        let shown = |(name, v): &(String, u128)| (name.clone(), value::shown(name, bits(width(name)), *v));
        entry.params.iter().map(shown).collect()
    }
}

/// Widths above 128 bits are never shown: their values can't be read.
fn bits(width: u32) -> u8 {
    u8::try_from(width).unwrap_or(u8::MAX)
}

fn braces(fields: &[(String, String)]) -> String {
    let all: Vec<String> = fields.iter().map(|(n, v)| format!("{n} = {v}")).collect();
    if all.is_empty() { String::new() } else { format!(" {{ {} }}", all.join(", ")) }
}

fn all_ones(bits: u32) -> u128 {
    u128::MAX.checked_shr(128u32.saturating_sub(bits)).unwrap_or(0)
}

fn fits(of: &str, f: &Field, value: u128) -> Named<()> {
    if f.bits <= 128 && value <= all_ones(f.bits) {
        return Ok(());
    }
    let value = value::shown(&f.name, 0, value);
    Err(NameError::Width { of: of.to_owned(), name: f.name.clone(), bits: f.bits, value })
}

/// A key field's message; none where it matches all.
fn key_field(table: &Table, f: &Field, given: Option<KeyValue>) -> Named<Option<FieldMatch>> {
    let all = all_ones(f.bits);
    let missing = || NameError::Missing { table: table.name.clone(), name: f.name.clone() };
    let Some(given) = given else {
        return if f.kind == Kind::Exact { Err(missing()) } else { Ok(None) };
    };
    let wrong = || {
        let (table, name, kind) = (table.name.clone(), f.name.clone(), f.kind.name());
        NameError::Kind { table, name, kind, given: value::shown_key(&f.name, bits(f.bits), &given) }
    };
    let parts = match given {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) | KeyValue::Lpm { value: v, .. } => [v, 0],
        KeyValue::Ternary { value, mask } => [value, mask],
        KeyValue::Range { low, high } => [low, high],
        KeyValue::Optional(None) => [0, 0],
    };
    parts.iter().try_for_each(|v| fits(&table.name, f, *v))?;
    // The mask of a prefix; none where it is longer than the field.
    let mask = |prefix: u8| f.bits.checked_sub(prefix.into()).map(|rest| all & !all_ones(rest));
    let kind = match (f.kind, given) {
        (Kind::Exact, KeyValue::Optional(None)) => return Err(missing()),
        (Kind::Exact, KeyValue::Exact(v)) => Some(Match::Exact(field_match::Exact { value: encode(v) })),
        (Kind::Other | Kind::Exact, _) => return Err(wrong()),
        (_, KeyValue::Optional(None)) => None,
        (Kind::Lpm, KeyValue::Exact(v)) => lpm(v, f.bits),
        (Kind::Lpm, KeyValue::Lpm { value: v, prefix }) => {
            lpm(v & mask(prefix).ok_or_else(wrong)?, prefix.into())
        }
        (Kind::Ternary, KeyValue::Exact(v)) => ternary(v, all),
        (Kind::Ternary, KeyValue::Ternary { value, mask }) => ternary(value, mask),
        (Kind::Ternary, KeyValue::Lpm { value, prefix }) => ternary(value, mask(prefix).ok_or_else(wrong)?),
        (Kind::Range, KeyValue::Exact(v)) => range(v, v, all),
        (Kind::Range, KeyValue::Range { low, high }) => range(low, high, all),
        (Kind::Optional, KeyValue::Exact(v) | KeyValue::Optional(Some(v))) => {
            Some(Match::Optional(field_match::Optional { value: encode(v) }))
        }
        _ => return Err(wrong()),
    };
    Ok(kind.map(|kind| field(f.id, kind)))
}

fn lpm(value: u128, prefix: u32) -> Option<Match> {
    let prefix_len = prefix as i32;
    (prefix > 0).then(|| Match::Lpm(field_match::Lpm { value: encode(value), prefix_len }))
}

fn ternary(value: u128, mask: u128) -> Option<Match> {
    let ternary = || field_match::Ternary { value: encode(value & mask), mask: encode(mask) };
    (mask != 0).then(|| Match::Ternary(ternary()))
}

fn range(low: u128, high: u128, all: u128) -> Option<Match> {
    let range = || field_match::Range { low: encode(low), high: encode(high) };
    ((low, high) != (0, all)).then(|| Match::Range(range()))
}

fn number(of: &str, f: &Field, bytes: &[u8]) -> Named<u128> {
    let error = |reason| NameError::Bytes { of: of.to_owned(), name: f.name.clone(), reason };
    decode(bytes, f.bits).map_err(error)
}

/// A key field of a message; what is left out matches all.
fn key_value(table: &Table, f: &Field, given: Option<&Match>) -> Named<KeyValue> {
    let number = |bytes: &[u8]| number(&table.name, f, bytes);
    let wrong = |given: &str| {
        let (table, name, kind) = (table.name.clone(), f.name.clone(), f.kind.name());
        Err(NameError::Kind { table, name, kind, given: given.to_owned() })
    };
    Ok(match (given, f.kind) {
        (None, Kind::Exact) => {
            return Err(NameError::Missing { table: table.name.clone(), name: f.name.clone() });
        }
        (None, Kind::Lpm) => KeyValue::Lpm { value: 0, prefix: 0 },
        (None, Kind::Ternary) => KeyValue::Ternary { value: 0, mask: 0 },
        (None, Kind::Range) => KeyValue::Range { low: 0, high: all_ones(f.bits) },
        (None, Kind::Optional | Kind::Other) => KeyValue::Optional(None),
        (Some(Match::Exact(m)), _) => KeyValue::Exact(number(&m.value)?),
        (Some(Match::Lpm(m)), _) => match u8::try_from(m.prefix_len) {
            Ok(prefix) => KeyValue::Lpm { value: number(&m.value)?, prefix },
            Err(_) => return wrong(&format!("a prefix of {} bits", m.prefix_len)),
        },
        (Some(Match::Ternary(m)), _) => {
            KeyValue::Ternary { value: number(&m.value)?, mask: number(&m.mask)? }
        }
        (Some(Match::Range(m)), _) => KeyValue::Range { low: number(&m.low)?, high: number(&m.high)? },
        (Some(Match::Optional(m)), _) => KeyValue::Optional(Some(number(&m.value)?)),
        (Some(Match::Other(_)), _) => return wrong("a kind of its own"),
    })
}
