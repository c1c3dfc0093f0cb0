//! P4Info as plain data: what the control plane may know of a program.
//!
//! [`Builder`] assigns the ids and aliases that p4c gives to the same names, so that a program and
//! its P4Info can be made apart and still fit. [`P4Info::to_text`] prints the text format in p4c's
//! layout, [`P4Info::to_bytes`] the binary one; field numbers and names are those of
//! `p4.config.v1.P4Info`, P4Runtime specification 1.5.

mod build;
mod id;
mod message;
mod text;
mod wire;

pub use build::{Builder, Error, NewAction, NewTable};
pub use id::{Kind, hash};

/// What the control plane may know of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct P4Info {
    /// The architecture, such as `v1model`.
    pub arch: String,
    /// Tables.
    pub tables: Vec<Table>,
    /// Actions.
    pub actions: Vec<Action>,
    /// Counter arrays.
    pub counters: Vec<Counter>,
    /// Counters of table entries.
    pub direct_counters: Vec<DirectCounter>,
    /// Headers of packets from and to the control plane.
    pub headers: Vec<ControllerHeader>,
    /// Register arrays.
    pub registers: Vec<Register>,
}

/// What every object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preamble {
    /// The kind's prefix in the upper 8 bits; never 0.
    pub id: u32,
    /// The name of the declaration with the controls around it: `ingress.vip4`.
    pub name: String,
    /// The shortest suffix of the name that no other object shares: `vip4`.
    pub alias: String,
    /// Annotations as they are written: `@noWarn("unused")`.
    pub annotations: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Id and names.
    pub preamble: Preamble,
    /// The keys, with ids from 1.
    pub match_fields: Vec<MatchField>,
    /// The actions of its list.
    pub action_refs: Vec<ActionRef>,
    /// The id of the default action if the control plane can't change it.
    pub const_default_action_id: Option<u32>,
    /// The default action before the control plane sets one.
    pub initial_default_action: Option<ActionCall>,
    /// Ids of the direct counters.
    pub direct_resource_ids: Vec<u32>,
    /// Entries that fit.
    pub size: u32,
    /// Entries can time out, and the control plane is told.
    pub idle_timeout: bool,
    /// All entries are in the program, and constant.
    pub is_const_table: bool,
    /// The program states entries.
    pub has_initial_entries: bool,
}

/// A key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchField {
    /// From 1, in the order of the keys.
    pub id: u32,
    /// The key's `@name`, else its expression.
    pub name: String,
    /// Bits.
    pub bitwidth: u32,
    /// How it is matched.
    pub match_type: MatchType,
}

/// How a key is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchType {
    /// Equal.
    Exact,
    /// Longest prefix.
    Lpm,
    /// Under a mask.
    Ternary,
    /// Between two values.
    Range,
    /// Equal or not looked at.
    Optional,
}

/// An action in a table's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRef {
    /// The action's id.
    pub id: u32,
    /// Where it may be used.
    pub scope: Scope,
}

/// Where a table may use an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In entries and as the default.
    #[default]
    TableAndDefault,
    /// In entries only: `@tableonly`.
    TableOnly,
    /// As the default only: `@defaultonly`.
    DefaultOnly,
}

/// An action with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionCall {
    /// The action's id.
    pub action_id: u32,
    /// For each parameter in order, the value: big-endian, no leading zero bytes, `00` for zero.
    pub arguments: Vec<Vec<u8>>,
}

/// An action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// Id and names.
    pub preamble: Preamble,
    /// What the control plane gives, with ids from 1.
    pub params: Vec<Param>,
}

/// A parameter that the control plane gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// From 1, in order.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Bits.
    pub bitwidth: u32,
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Packets.
    Packets,
    /// Both.
    Both,
}

/// A counter array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Id and names.
    pub preamble: Preamble,
    /// What it counts.
    pub unit: Unit,
    /// Cells.
    pub size: u32,
}

/// Counters of a table's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectCounter {
    /// Id and names.
    pub preamble: Preamble,
    /// What it counts.
    pub unit: Unit,
    /// The table's id.
    pub direct_table_id: u32,
}

/// What goes with a packet from or to the control plane: `packet_in` or `packet_out`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerHeader {
    /// Id and names.
    pub preamble: Preamble,
    /// Its fields, with ids from 1.
    pub metadata: Vec<Param>,
}

/// A register array of bit strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Id and names.
    pub preamble: Preamble,
    /// Bits of a cell.
    pub bitwidth: u32,
    /// Cells.
    pub size: u32,
}

impl P4Info {
    /// The text format, laid out as p4c does.
    pub fn to_text(&self) -> String {
        text::print(&message::info(self))
    }

    /// The binary format, fields in order of their numbers.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(&message::info(self))
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.preamble.name == name)
    }

    /// The action of this name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|a| a.preamble.name == name)
    }
}
