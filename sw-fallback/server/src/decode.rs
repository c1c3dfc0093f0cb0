//! Updates as checked writes.

use crate::map::{ActionMap, Map, Object, RingMap, TableMap};
use crate::status::Failure;
use bytes::Bytes;
use p4runtime_proto::p4::v1;
use p4runtime_proto::schema::{BytesError, Field, Kind, decode};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, EntryError, WriteKind};
use tonic::Code;
use v1::field_match::FieldMatchType;

/// What an update asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) entry: CheckedEntry,
    pub(crate) what: What,
    /// Nothing, mostly.
    pub(crate) note: Option<Note>,
}

/// What becomes of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Write(WriteKind),
    /// A MODIFY without an action: the entry must be there, and stays as it is.
    Keep,
}

/// What a client wants back with its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) metadata: Bytes,
    pub(crate) controller_metadata: u64,
    /// Nanoseconds; 0: none.
    pub(crate) idle_timeout_ns: i64,
}

type Decoded<T> = Result<T, Failure>;

pub(crate) fn entry_failure(error: &EntryError) -> Failure {
    let code = match error {
        EntryError::Const { .. } | EntryError::DefaultOnly { .. } => Code::PermissionDenied,
        EntryError::TooWide { .. } => Code::OutOfRange,
        _ => Code::InvalidArgument,
    };
    Failure::new(code, error.to_string())
}

/// The value of a byte string.
pub(crate) fn value(field: &Field, bytes: &[u8]) -> Decoded<u128> {
    decode(bytes, field.bits).map_err(|error| {
        let code = match error {
            BytesError::Empty | BytesError::TooWide { .. } => Code::OutOfRange,
            BytesError::TooBig { .. } => Code::InvalidArgument,
        };
        Failure::new(code, format!("`{}`: {error}", field.name))
    })
}

fn type_of(update: &v1::Update) -> Decoded<WriteKind> {
    match update.r#type() {
        v1::update::Type::Insert => Ok(WriteKind::Insert),
        v1::update::Type::Modify => Ok(WriteKind::Modify),
        v1::update::Type::Delete => Ok(WriteKind::Delete),
        v1::update::Type::Unspecified => Err(Failure::invalid("the update's type is not set")),
    }
}

/// Reads and checks an update.
pub(crate) fn change(map: &Map, update: &v1::Update) -> Decoded<Change> {
    use v1::entity::Entity as E;
    let kind = type_of(update)?;
    let entity = update.entity.as_ref().and_then(|e| e.entity.as_ref());
    let unimplemented =
        |what: &str| Err(Failure::new(Code::Unimplemented, format!("{what} are not written here")));
    match entity {
        None => Err(Failure::invalid("the update's entity is not set")),
        Some(E::TableEntry(entry)) => {
            let Some(object) = map.object(entry.table_id) else {
                return Err(Failure::invalid(format!("the P4Info has no table {}", entry.table_id)));
            };
            table_entry(map, object, entry, kind).map_err(|f| f.about(&describe(object, entry)))
        }
        Some(E::CounterEntry(_) | E::DirectCounterEntry(_)) if kind != WriteKind::Modify => {
            Err(Failure::invalid("counters can only be modified"))
        }
        Some(E::CounterEntry(_) | E::DirectCounterEntry(_)) => unimplemented("counters"),
        Some(E::ExternEntry(_)) => unimplemented("externs"),
        Some(E::ActionProfileMember(_)) => unimplemented("action profile members"),
        Some(E::ActionProfileGroup(_)) => unimplemented("action profile groups"),
        Some(E::MeterEntry(_)) => unimplemented("meters"),
        Some(E::DirectMeterEntry(_)) => unimplemented("direct meters"),
        Some(E::PacketReplicationEngineEntry(_)) => unimplemented("multicast groups and clone sessions"),
        Some(E::ValueSetEntry(_)) => unimplemented("value sets"),
        Some(E::RegisterEntry(_)) => unimplemented("registers"),
        Some(E::DigestEntry(_)) => unimplemented("digests"),
    }
}

/// The entry's table and key, for a message.
pub(crate) fn describe(object: &Object, entry: &v1::TableEntry) -> String {
    let hex = |bytes: &[u8]| match decode(bytes, 128) {
        Ok(value) => format!("{value:#x}"),
        Err(_) if bytes.len() > 16 => format!("{} bytes", bytes.len()),
        Err(_) => format!("{bytes:02x?}"),
    };
    let field = |m: &v1::FieldMatch| {
        let name = object.fields().iter().find(|f| f.id == m.field_id);
        let name = name.map_or_else(|| format!("field {}", m.field_id), |f| f.name.clone());
        let value = match &m.field_match_type {
            Some(FieldMatchType::Exact(m)) => hex(&m.value),
            Some(FieldMatchType::Optional(m)) => hex(&m.value),
            Some(FieldMatchType::Lpm(m)) => format!("{}/{}", hex(&m.value), m.prefix_len),
            Some(FieldMatchType::Ternary(m)) => format!("{}&{}", hex(&m.value), hex(&m.mask)),
            Some(FieldMatchType::Range(m)) => format!("{}..={}", hex(&m.low), hex(&m.high)),
            Some(FieldMatchType::Other(_)) | None => "?".to_owned(),
        };
        format!("{name}: {value}")
    };
    if entry.is_default_action {
        return format!("table `{}`, default entry", object.name());
    }
    let key = entry.r#match.iter().map(field).collect::<Vec<_>>().join(", ");
    let priority = match entry.priority {
        0 => String::new(),
        priority => format!(", priority {priority}"),
    };
    format!("table `{}`, key {{{key}}}{priority}", object.name())
}

fn table_entry(map: &Map, object: &Object, entry: &v1::TableEntry, kind: WriteKind) -> Decoded<Change> {
    if entry.is_default_action {
        return Err(default_entry(entry, kind));
    }
    if kind != WriteKind::Delete && !matches!(object, Object::Flow(_)) {
        check_extras(object, entry, kind)?;
    }
    let (entry_, what) = match object {
        Object::Table(table) => of_table(map, table, entry, kind)?,
        Object::Pool(ring) => of_pool(map, ring, entry, kind)?,
        Object::Slot(ring) => of_slot(map, ring, entry, kind)?,
        Object::Flow(_) => return Err(flows_are_read_only()),
    };
    let note = Note {
        metadata: entry.metadata.clone(),
        controller_metadata: controller_metadata(entry),
        idle_timeout_ns: entry.idle_timeout_ns,
    };
    let note = (note != Note::default() && kind != WriteKind::Delete).then_some(note);
    Ok(Change { entry: entry_, what, note })
}

fn flows_are_read_only() -> Failure {
    Failure::new(Code::PermissionDenied, "packets write this table: its flows can be read, and nothing else")
}

#[allow(deprecated, reason = "old clients use it")]
pub(crate) fn controller_metadata(entry: &v1::TableEntry) -> u64 {
    entry.controller_metadata
}

/// Default actions are all constant: a pipeline states them.
fn default_entry(entry: &v1::TableEntry, kind: WriteKind) -> Failure {
    if kind != WriteKind::Modify {
        return Failure::invalid("a default entry is always there: it can't be inserted or deleted");
    }
    if !entry.r#match.is_empty() || entry.priority != 0 {
        return Failure::invalid("a default entry has neither key nor priority");
    }
    if entry.idle_timeout_ns != 0 || entry.time_since_last_hit.is_some() {
        return Failure::invalid("a default entry has no idle time-out");
    }
    Failure::new(Code::PermissionDenied, "the default action is constant, as the P4Info says")
}

/// What an entry may have beside key and action.
fn check_extras(object: &Object, entry: &v1::TableEntry, kind: WriteKind) -> Decoded<()> {
    if entry.is_const {
        return Err(Failure::invalid("`is_const` is the server's to set"));
    }
    check_idle(object, entry)?;
    if entry.meter_config.is_some() || entry.meter_counter_data.is_some() {
        return Err(Failure::invalid("the table has no direct meter, as the P4Info says"));
    }
    let Some(data) = &entry.counter_data else { return Ok(()) };
    if !matches!(object, Object::Table(t) if t.counted) {
        return Err(Failure::invalid("the table has no direct counter, as the P4Info says"));
    }
    if kind == WriteKind::Modify || (data.byte_count, data.packet_count) != (0, 0) {
        return Err(Failure::new(Code::Unimplemented, "counters can't be set; they start at 0"));
    }
    Ok(())
}

fn check_idle(object: &Object, entry: &v1::TableEntry) -> Decoded<()> {
    let wanted = entry.idle_timeout_ns != 0 || entry.time_since_last_hit.is_some();
    if wanted && !matches!(object, Object::Table(t) if t.idle) {
        return Err(Failure::invalid("the table has no idle time-out, as the P4Info says"));
    }
    if entry.time_since_last_hit.is_some() {
        return Err(Failure::invalid("`time_since_last_hit` is the server's to set"));
    }
    if entry.idle_timeout_ns < 0 {
        return Err(Failure::invalid("the idle time-out is negative"));
    }
    Ok(())
}

/// A value for each field of a table, none where it is left out.
pub(crate) fn key(fields: &[Field], given: &[v1::FieldMatch]) -> Decoded<Vec<Option<KeyValue>>> {
    let mut values = vec![None; fields.len()];
    for one in given {
        let Some(at) = fields.iter().position(|f| f.id == one.field_id) else {
            return Err(Failure::invalid(format!("the table has no key field {}", one.field_id)));
        };
        if values[at].is_some() {
            return Err(Failure::invalid(format!("`{}` is given twice", fields[at].name)));
        }
        values[at] = Some(field_value(&fields[at], one)?);
    }
    Ok(values)
}

fn field_value(field: &Field, given: &v1::FieldMatch) -> Decoded<KeyValue> {
    let name = &field.name;
    let all = u128::MAX >> (128 - field.bits.clamp(1, 128));
    let omit = || Failure::invalid(format!("`{name}` matches all: leave it out"));
    let hidden = || Failure::invalid(format!("`{name}` has bits set that its mask or prefix hides"));
    Ok(match (field.kind, &given.field_match_type) {
        (Kind::Exact, Some(FieldMatchType::Exact(m))) => KeyValue::Exact(value(field, &m.value)?),
        (Kind::Optional, Some(FieldMatchType::Optional(m))) => {
            KeyValue::Optional(Some(value(field, &m.value)?))
        }
        (Kind::Lpm, Some(FieldMatchType::Lpm(m))) => {
            let value = value(field, &m.value)?;
            let prefix = u32::try_from(m.prefix_len).ok().filter(|p| *p <= field.bits);
            let Some(prefix) = prefix else {
                let (given, bits) = (m.prefix_len, field.bits);
                return Err(Failure::invalid(format!(
                    "`{name}` has a prefix of {given} bits; it has {bits}"
                )));
            };
            if prefix == 0 {
                return Err(omit());
            }
            if value & (all.checked_shr(prefix).unwrap_or(0)) != 0 {
                return Err(hidden());
            }
            KeyValue::Lpm { value, prefix: prefix as u8 }
        }
        (Kind::Ternary, Some(FieldMatchType::Ternary(m))) => {
            let (value, mask) = (value(field, &m.value)?, value(field, &m.mask)?);
            if mask == 0 {
                return Err(omit());
            }
            if value & !mask != 0 {
                return Err(hidden());
            }
            KeyValue::Ternary { value, mask }
        }
        (Kind::Range, Some(FieldMatchType::Range(m))) => {
            let (low, high) = (value(field, &m.low)?, value(field, &m.high)?);
            if (low, high) == (0, all) {
                return Err(omit());
            }
            KeyValue::Range { low, high }
        }
        (kind, Some(_)) => {
            let kind = kind.name();
            return Err(Failure::invalid(format!("`{name}` is matched by {kind}, but is given otherwise")));
        }
        (_, None) => return Err(Failure::invalid(format!("`{name}` has no value"))),
    })
}

/// An entry's action; none if it is left out, which only a MODIFY may do.
fn action(entry: &v1::TableEntry, kind: WriteKind) -> Decoded<Option<&v1::Action>> {
    use v1::table_action::Type as T;
    match entry.action.as_ref().and_then(|a| a.r#type.as_ref()) {
        Some(T::Action(action)) => Ok(Some(action)),
        Some(_) => {
            Err(Failure::invalid("the table has no action profile, as the P4Info says: give an action"))
        }
        None if kind == WriteKind::Modify => Ok(None),
        None => Err(Failure::invalid("the entry has no action")),
    }
}

fn of_table(
    map: &Map,
    table: &TableMap,
    entry: &v1::TableEntry,
    kind: WriteKind,
) -> Decoded<(CheckedEntry, What)> {
    if table.is_const {
        let text = "the table's entries are written in the pipeline's source";
        return Err(Failure::new(Code::PermissionDenied, text));
    }
    let key = key(&table.fields, &entry.r#match)?;
    let named = || {
        let named = map.tables.check_name(table.table, &key, entry.priority);
        named.map(CheckedEntry::Table).map_err(|e| entry_failure(&e))
    };
    if kind == WriteKind::Delete {
        return Ok((named()?, What::Write(kind)));
    }
    let Some(given) = action(entry, kind)? else { return Ok((named()?, What::Keep)) };
    let (action, args) = arguments(table, given)?;
    let checked = map.tables.check_values(table.table, &key, entry.priority, action.action, &args);
    Ok((CheckedEntry::Table(checked.map_err(|e| entry_failure(&e))?), What::Write(kind)))
}

/// A table's action with its arguments in order.
fn arguments<'a>(table: &'a TableMap, given: &v1::Action) -> Decoded<(&'a ActionMap, Vec<u128>)> {
    let Some(action) = table.actions.iter().find(|a| a.id == given.action_id) else {
        return Err(Failure::invalid(format!("the table has no action {}", given.action_id)));
    };
    let name = &action.name;
    if action.default_only {
        let text = format!("action `{name}` is the default only; delete the entry to have it run");
        return Err(Failure::new(Code::PermissionDenied, text));
    }
    let mut args = vec![None; action.params.len()];
    for param in &given.params {
        let Some(at) = action.params.iter().position(|p| p.id == param.param_id) else {
            return Err(Failure::invalid(format!("action `{name}` has no parameter {}", param.param_id)));
        };
        if args[at].is_some() {
            let param = &action.params[at].name;
            return Err(Failure::invalid(format!("parameter `{param}` of `{name}` is given twice")));
        }
        args[at] = Some(value(&action.params[at], &param.value)?);
    }
    let missing =
        |field: &Field| Failure::invalid(format!("action `{name}` lacks its parameter `{}`", field.name));
    let args = args.into_iter().zip(&action.params).map(|(value, field)| value.ok_or_else(|| missing(field)));
    Ok((action, args.collect::<Decoded<_>>()?))
}

/// The exact fields of a ring's table, without memory of their own.
pub(crate) fn ring_key<const N: usize>(ring: &RingMap, entry: &v1::TableEntry) -> Decoded<[u128; N]> {
    let mut values = [None; N];
    for one in &entry.r#match {
        let at = ring.fields.iter().position(|f| f.id == one.field_id);
        let Some((at, field)) = at.and_then(|at| Some((at, ring.fields.get(at)?))).filter(|(at, _)| *at < N)
        else {
            return Err(Failure::invalid(format!("the table has no key field {}", one.field_id)));
        };
        if values[at].is_some() {
            return Err(Failure::invalid(format!("`{}` is given twice", field.name)));
        }
        let Some(FieldMatchType::Exact(exact)) = &one.field_match_type else {
            return Err(Failure::invalid(format!(
                "`{}` is matched by exact, but is given otherwise",
                field.name
            )));
        };
        values[at] = Some(value(field, &exact.value)?);
    }
    if entry.priority != 0 {
        return Err(Failure::invalid("entries of this table never overlap: leave the priority 0"));
    }
    let mut key = [0; N];
    for ((to, value), field) in key.iter_mut().zip(values).zip(&ring.fields) {
        *to = value
            .ok_or_else(|| Failure::invalid(format!("`{}` is missing; it is matched exactly", field.name)))?;
    }
    Ok(key)
}

/// The one parameter of a ring's action.
fn ring_value(ring: &RingMap, given: &v1::Action) -> Decoded<u128> {
    if given.action_id == ring.default {
        let text = "this action is the default only; delete the entry to have it run";
        return Err(Failure::new(Code::PermissionDenied, text));
    }
    if given.action_id != ring.action {
        return Err(Failure::invalid(format!("the table has no action {}", given.action_id)));
    }
    match given.params.as_slice() {
        [param] if param.param_id == ring.param.id => value(&ring.param, &param.value),
        _ => Err(Failure::invalid(format!(
            "action `{}` has one parameter, `{}`",
            ring.action_name, ring.param.name
        ))),
    }
}

fn of_pool(
    map: &Map,
    ring: &RingMap,
    entry: &v1::TableEntry,
    kind: WriteKind,
) -> Decoded<(CheckedEntry, What)> {
    let [pool] = ring_key(ring, entry)?;
    let given = if kind == WriteKind::Delete { None } else { action(entry, kind)? };
    let generation = given.map(|given| ring_value(ring, given)).transpose()?;
    let what = if kind == WriteKind::Modify && generation.is_none() { What::Keep } else { What::Write(kind) };
    let checked = map.tables.check_pool_values(ring.ring, pool, generation.unwrap_or(0) as u8);
    Ok((CheckedEntry::Pool(checked.map_err(|e| entry_failure(&e))?), what))
}

fn of_slot(
    map: &Map,
    ring: &RingMap,
    entry: &v1::TableEntry,
    kind: WriteKind,
) -> Decoded<(CheckedEntry, What)> {
    let [pool, generation, slot] = ring_key(ring, entry)?;
    let given = if kind == WriteKind::Delete { None } else { action(entry, kind)? };
    let id = given.map(|given| ring_value(ring, given)).transpose()?;
    let what = if kind == WriteKind::Modify && id.is_none() { What::Keep } else { What::Write(kind) };
    // What a slot holds doesn't matter where it is only named; any legal id does.
    let key = (pool, generation as u8, slot);
    let checked = map.tables.check_slot_values(ring.ring, key, id.unwrap_or(1));
    Ok((CheckedEntry::Slot(checked.map_err(|e| entry_failure(&e))?), what))
}
