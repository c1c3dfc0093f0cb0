//! Flows: what a switch remembers of connections, where it shows that.

use crate::{ClientError, NameError, Names, Reader, Session};
use p4runtime_proto::p4::v1 as proto;
use p4runtime_proto::schema::{Action, Table, decode, encode};
use pipeline_ir::flow::{names, state};
use proto::field_match::FieldMatchType;
use proto::{TableEntry, entity, table_action, table_entry};
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_stream::Stream;

/// How far a flow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowState {
    /// Seen once.
    New,
    /// An established TCP connection.
    Tcp,
    /// An established UDP flow.
    Udp,
    /// FIN or RST seen.
    Closing,
}

impl FlowState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::New, Self::Tcp, Self::Udp, Self::Closing];

    /// As it stands in a flow table.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::New => state::NEW,
            Self::Tcp => state::TCP,
            Self::Udp => state::UDP,
            Self::Closing => state::CLOSING,
        }
    }

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Closing => "closing",
        }
    }

    fn of(number: u128) -> Self {
        Self::ALL.into_iter().find(|s| u128::from(s.number()) == number).unwrap_or(Self::Closing)
    }
}

impl fmt::Display for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FlowState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|s| s.name() == text);
        found.ok_or_else(|| format!("`{text}` is none of new, tcp, udp, closing"))
    }
}

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The flow table's name.
    pub table: String,
    /// Key fields with their names, in order.
    pub key: Vec<(String, u128)>,
    /// What it stays with: at most 24 bits.
    pub id: u32,
    /// How far it has come.
    pub state: FlowState,
    /// Its time-out class: 0 to 3.
    pub class: u8,
    /// Since its last packet, to a tick of 67 ms; none where the server doesn't say.
    pub age: Option<Duration>,
    /// How long it may be idle.
    pub timeout: Duration,
}

/// Which flows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowFilter {
    /// Those that stay with this.
    pub id: Option<u32>,
    /// Those that have come so far.
    pub state: Option<FlowState>,
}

/// The flows of a table as they come.
#[derive(Debug)]
pub struct Flows {
    from: Reader,
    table: Table,
    action: Action,
}

impl Names {
    /// The flow tables that the switch shows.
    pub fn flow_tables(&self) -> impl Iterator<Item = &Table> {
        self.schema().tables().filter(|t| t.is_flow_table())
    }
}

impl Session {
    /// Reads the flows of a table. It is no snapshot: packets go on.
    ///
    /// # Errors
    /// The pipeline has no such table, or not as one that packets fill, or the read fails.
    pub async fn flows(&self, table: &str, filter: &FlowFilter, names: &Names) -> Result<Flows, ClientError> {
        let table = names.table(table)?.clone();
        let mut actions = table.actions.iter().filter_map(|a| names.schema().action(a.id));
        let action = actions.find(|a| a.param_named(names::ID).is_some()).filter(|_| table.is_flow_table());
        let Some(action) = action.cloned() else {
            return Err(self.unsupported(&format!("`{}` is no flow table", table.name)));
        };
        let wanted =
            [(names::ID, filter.id.map(u128::from)), (names::STATE, filter.state.map(|s| s.number().into()))];
        let param = |(name, value): (&str, Option<u128>)| {
            Some(proto::action::Param { param_id: action.param_named(name)?.id, value: encode(value?) })
        };
        let params: Vec<_> = wanted.into_iter().filter_map(param).collect();
        let filter = proto::Action { action_id: action.id, params };
        let filter = proto::TableAction { r#type: Some(table_action::Type::Action(filter)) };
        let asked = TableEntry {
            table_id: table.id,
            action: Some(filter),
            time_since_last_hit: Some(table_entry::IdleTimeout::default()),
            ..TableEntry::default()
        };
        let from = self.read(vec![entity::Entity::TableEntry(asked)]).await?;
        Ok(Flows { from, table, action })
    }
}

impl Stream for Flows {
    type Item = Result<Flow, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match ready!(Pin::new(&mut self.from).poll_next(context)) {
            Some(Ok(entity::Entity::TableEntry(entry))) => self.flow(&entry).map_err(ClientError::from),
            Some(Ok(_)) => Err(NameError::UnknownId { what: "table", id: self.table.id }.into()),
            Some(Err(error)) => Err(error),
            None => return Poll::Ready(None),
        };
        Poll::Ready(Some(next))
    }
}

impl Flows {
    fn flow(&self, entry: &TableEntry) -> Result<Flow, NameError> {
        let of = &self.table.name;
        let number = |name: &str, bits: u32, bytes: &[u8]| {
            let error = |reason| NameError::Bytes { of: of.clone(), name: name.to_owned(), reason };
            decode(bytes, bits).map_err(error)
        };
        let mut key = Vec::with_capacity(self.table.fields.len());
        for field in &self.table.fields {
            let given = entry.r#match.iter().find(|m| m.field_id == field.id);
            let Some(FieldMatchType::Exact(m)) = given.and_then(|m| m.field_match_type.as_ref()) else {
                return Err(NameError::Missing { table: of.clone(), name: field.name.clone() });
            };
            key.push((field.name.clone(), number(&field.name, field.bits, &m.value)?));
        }
        let param = |name: &str| {
            let unknown = || NameError::Missing { table: of.clone(), name: name.to_owned() };
            let field = self.action.param_named(name).ok_or_else(unknown)?;
            let Some(table_action::Type::Action(action)) =
                entry.action.as_ref().and_then(|a| a.r#type.as_ref())
            else {
                return Err(unknown());
            };
            let given = action.params.iter().find(|p| p.param_id == field.id).ok_or_else(unknown)?;
            number(name, field.bits, &given.value)
        };
        let nanos = |n: i64| Duration::from_nanos(u64::try_from(n).unwrap_or(0));
        Ok(Flow {
            table: of.clone(),
            key,
            id: param(names::ID)? as u32,
            state: FlowState::of(param(names::STATE)?),
            class: param(names::CLASS)? as u8,
            age: entry.time_since_last_hit.map(|t| nanos(t.elapsed_ns)),
            timeout: nanos(entry.idle_timeout_ns),
        })
    }
}
