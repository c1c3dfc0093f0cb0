//! P4Info as a tree of protobuf fields, which both formats print.

use super::{
    Action, ActionRef, ControllerHeader, Counter, DirectCounter, MatchField, MatchType, P4Info, Param,
    Preamble, Register, Scope, Table, Unit,
};

/// The fields of a message in order of their numbers, without those that have their default value.
pub(super) type Message = Vec<Field>;

/// A field.
pub(super) struct Field {
    /// Its number.
    pub(super) number: u32,
    /// Its name.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: Value,
}

/// The value of a field.
pub(super) enum Value {
    /// An integer.
    Uint(u32),
    /// `true`
    True,
    /// An enum's number and name.
    Enum(u32, &'static str),
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A message.
    Message(Message),
}

/// Collects fields, leaving out default values.
#[derive(Default)]
struct Fields(Message);

impl Fields {
    fn push(mut self, number: u32, name: &'static str, value: Value) -> Self {
        self.0.push(Field { number, name, value });
        self
    }

    fn uint(self, number: u32, name: &'static str, value: u32) -> Self {
        if value == 0 { self } else { self.push(number, name, Value::Uint(value)) }
    }

    fn flag(self, number: u32, name: &'static str, value: bool) -> Self {
        if value { self.push(number, name, Value::True) } else { self }
    }

    fn choice(self, number: u32, name: &'static str, (value, label): (u32, &'static str)) -> Self {
        if value == 0 { self } else { self.push(number, name, Value::Enum(value, label)) }
    }

    fn text(self, number: u32, name: &'static str, value: &str) -> Self {
        if value.is_empty() { self } else { self.push(number, name, Value::Text(value.to_owned())) }
    }

    fn texts(mut self, number: u32, name: &'static str, values: &[String]) -> Self {
        self.0.extend(values.iter().map(|v| Field { number, name, value: Value::Text(v.clone()) }));
        self
    }

    fn message(self, number: u32, name: &'static str, value: Self) -> Self {
        self.push(number, name, Value::Message(value.0))
    }

    fn messages<T>(mut self, number: u32, name: &'static str, items: &[T], of: fn(&T) -> Self) -> Self {
        let fields = items.iter().map(|item| Field { number, name, value: Value::Message(of(item).0) });
        self.0.extend(fields);
        self
    }
}

/// `p4.config.v1.P4Info`
pub(super) fn info(info: &P4Info) -> Message {
    let fields = Fields::default()
        .message(1, "pkg_info", Fields::default().text(5, "arch", &info.arch))
        .messages(2, "tables", &info.tables, table)
        .messages(3, "actions", &info.actions, action)
        .messages(5, "counters", &info.counters, counter)
        .messages(6, "direct_counters", &info.direct_counters, direct_counter)
        .messages(9, "controller_packet_metadata", &info.headers, header)
        .messages(11, "registers", &info.registers, register);
    // p4c writes this message as soon as it has looked at a type, even if there is nothing in it.
    let typed = !info.tables.is_empty()
        || !info.registers.is_empty()
        || !info.counters.is_empty()
        || info.actions.iter().any(|action| !action.params.is_empty());
    if typed { fields.message(200, "type_info", Fields::default()).0 } else { fields.0 }
}

fn preamble(preamble: &Preamble) -> Fields {
    Fields::default()
        .uint(1, "id", preamble.id)
        .text(2, "name", &preamble.name)
        .text(3, "alias", &preamble.alias)
        .texts(4, "annotations", &preamble.annotations)
}

fn table(table: &Table) -> Fields {
    let mut fields = Fields::default()
        .message(1, "preamble", preamble(&table.preamble))
        .messages(2, "match_fields", &table.match_fields, match_field)
        .messages(3, "action_refs", &table.action_refs, action_ref)
        .uint(4, "const_default_action_id", table.const_default_action_id.unwrap_or(0));
    if let Some(call) = &table.initial_default_action {
        let mut action = Fields::default().uint(1, "action_id", call.action_id);
        for (id, value) in (1..).zip(&call.arguments) {
            let value = Value::Bytes(value.clone());
            action = action.message(
                4,
                "arguments",
                Fields::default().uint(2, "param_id", id).push(3, "value", value),
            );
        }
        fields = fields.message(5, "initial_default_action", action);
    }
    for id in &table.direct_resource_ids {
        fields = fields.uint(7, "direct_resource_ids", *id);
    }
    fields
        .uint(8, "size", table.size)
        .choice(9, "idle_timeout_behavior", (u32::from(table.idle_timeout), "NOTIFY_CONTROL"))
        .flag(10, "is_const_table", table.is_const_table)
        .flag(11, "has_initial_entries", table.has_initial_entries)
}

fn match_field(field: &MatchField) -> Fields {
    let kind = match field.match_type {
        MatchType::Exact => (2, "EXACT"),
        MatchType::Lpm => (3, "LPM"),
        MatchType::Ternary => (4, "TERNARY"),
        MatchType::Range => (5, "RANGE"),
        MatchType::Optional => (6, "OPTIONAL"),
    };
    Fields::default()
        .uint(1, "id", field.id)
        .text(2, "name", &field.name)
        .uint(4, "bitwidth", field.bitwidth)
        .choice(5, "match_type", kind)
}

fn action_ref(action: &ActionRef) -> Fields {
    let (annotation, scope) = match action.scope {
        Scope::TableAndDefault => ("", (0, "TABLE_AND_DEFAULT")),
        Scope::TableOnly => ("@tableonly", (1, "TABLE_ONLY")),
        Scope::DefaultOnly => ("@defaultonly", (2, "DEFAULT_ONLY")),
    };
    Fields::default().uint(1, "id", action.id).text(2, "annotations", annotation).choice(3, "scope", scope)
}

fn action(action: &Action) -> Fields {
    let fields = Fields::default().message(1, "preamble", preamble(&action.preamble));
    fields.messages(2, "params", &action.params, param)
}

fn param(param: &Param) -> Fields {
    let fields = Fields::default().uint(1, "id", param.id).text(2, "name", &param.name);
    fields.uint(4, "bitwidth", param.bitwidth)
}

fn header(header: &ControllerHeader) -> Fields {
    let fields = Fields::default().message(1, "preamble", preamble(&header.preamble));
    fields.messages(2, "metadata", &header.metadata, param)
}

fn spec(unit: Unit) -> Fields {
    let unit = match unit {
        Unit::Bytes => (1, "BYTES"),
        Unit::Packets => (2, "PACKETS"),
        Unit::Both => (3, "BOTH"),
    };
    Fields::default().choice(1, "unit", unit)
}

fn counter(counter: &Counter) -> Fields {
    let fields = Fields::default().message(1, "preamble", preamble(&counter.preamble));
    fields.message(2, "spec", spec(counter.unit)).uint(3, "size", counter.size)
}

fn direct_counter(counter: &DirectCounter) -> Fields {
    let fields = Fields::default().message(1, "preamble", preamble(&counter.preamble));
    fields.message(2, "spec", spec(counter.unit)).uint(3, "direct_table_id", counter.direct_table_id)
}

fn register(register: &Register) -> Fields {
    let bit = Fields::default().uint(1, "bitwidth", register.bitwidth);
    let bitstring = Fields::default().message(1, "bit", bit);
    let spec = Fields::default().message(1, "bitstring", bitstring);
    let fields = Fields::default().message(1, "preamble", preamble(&register.preamble));
    fields.message(2, "type_spec", spec).uint(3, "size", register.size)
}
