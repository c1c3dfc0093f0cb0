//! The data plane over P4Runtime.

use crate::layout::{BACKEND, Layout, POOL, RING};
use crate::plan::{Held, Step};
use p4runtime_proto::p4::v1::TableEntry;
use runtime_client::{Atomicity, ClientError, Counted, FlowFilter, NameError, Session};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use tokio_stream::StreamExt as _;
use values::{exact, param};

/// Why the data plane is not as it should be.
#[derive(Debug, Error)]
pub(crate) enum PlaneError {
    /// A call failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something else than l4lb runs.
    #[error("the data plane runs something else than l4lb: {0}")]
    Foreign(#[from] NameError),
    /// An update was refused.
    #[error("{count} of {of} updates were refused; the first: {first}")]
    Refused {
        /// How many.
        count: usize,
        /// Of so many.
        of: usize,
        /// The first one.
        first: String,
    },
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What a VIP's entry is, and what it counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceCount {
    /// The table.
    pub table: String,
    /// The address as a number of 32 or 128 bits.
    pub dst: u128,
    /// IP protocol.
    pub protocol: u8,
    /// None in the tables of any port.
    pub port: Option<u16>,
    /// What it counted.
    pub count: Count,
}

/// Everything that the data plane counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// By VIP's entry.
    pub services: Vec<ServiceCount>,
    /// By backend.
    pub backends: BTreeMap<u32, Count>,
    /// Counters by name: drops by reason, and what flow tables did.
    pub counters: Vec<Counted>,
}

/// A session with the data plane that runs l4lb.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    pub(crate) session: Session,
    pub(crate) layout: Layout,
}

impl AsRef<Layout> for Plane {
    fn as_ref(&self) -> &Layout {
        &self.layout
    }
}

impl Plane {
    /// Looks at what runs.
    ///
    /// # Errors
    /// It is not l4lb, or the server can't be reached.
    pub(crate) async fn new(session: Session) -> Result<Self, PlaneError> {
        let layout = Layout::new(session.names().await?)?;
        Ok(Self { session, layout })
    }

    /// Whether an entry can be changed in place.
    #[must_use]
    pub(crate) fn can_modify(&self) -> bool {
        self.session.options().profile.modify
    }

    /// Whether flows can be read.
    #[must_use]
    pub(crate) fn has_flows(&self) -> bool {
        self.session.options().profile.flows && self.layout.names.flow_tables().next().is_some()
    }

    /// Reads all that an agent writes.
    ///
    /// # Errors
    /// [`PlaneError`]
    pub(crate) async fn read(&self) -> Result<Held, PlaneError> {
        let mut held = Held::default();
        for table in self.layout.services() {
            for entry in self.entries(table).await? {
                held.services.push(self.plain(&entry)?);
            }
        }
        for entry in self.entries(BACKEND).await? {
            let id = exact(&self.layout.names, &entry, BACKEND)?;
            held.backends.insert(id as u32, Arc::new(self.plain(&entry)?));
        }
        for entry in self.entries(POOL).await? {
            let pool = exact(&self.layout.names, &entry, "pool")?;
            let generation = param(&self.layout.names, &entry, "generation")?;
            held.pools.insert(pool as u32, generation as u8);
        }
        for entry in self.entries(RING).await? {
            let [pool, generation, slot] =
                ["pool", "generation", "slot"].map(|name| exact(&self.layout.names, &entry, name));
            let (slot, id) = (slot? as usize, param(&self.layout.names, &entry, "id")?);
            let ring = held.rings.entry((pool? as u32, generation? as u8)).or_insert_with(Vec::new);
            if ring.len() <= slot {
                ring.resize(slot + 1, 0);
            }
            ring[slot] = id as u32;
        }
        Ok(held)
    }

    async fn entries(&self, table: &str) -> Result<Vec<TableEntry>, PlaneError> {
        let table_id = self.layout.names.table(table)?.id;
        let all = self.session.table_entries(TableEntry { table_id, ..TableEntry::default() }).await?;
        Ok(all.into_iter().filter(|e| !e.is_default_action).collect())
    }

    /// An entry as this program would write it.
    fn plain(&self, entry: &TableEntry) -> Result<TableEntry, NameError> {
        self.layout.names.entry(&self.layout.names.named(entry)?)
    }

    /// Writes a step.
    ///
    /// # Errors
    /// What has taken effect then is open.
    pub(crate) async fn write(&self, step: &Step) -> Result<(), PlaneError> {
        if step.updates.is_empty() {
            return Ok(());
        }
        let names = Some(&self.layout.names);
        let written = self.session.write(&step.updates, Atomicity::ContinueOnError, names).await?;
        match written.failed.first() {
            None => Ok(()),
            Some(first) => Err(PlaneError::Refused {
                count: written.failed.len(),
                of: step.updates.len(),
                first: first.to_string(),
            }),
        }
    }

    /// Flows by backend, of all flow tables.
    ///
    /// # Errors
    /// [`PlaneError`]
    pub(crate) async fn flows(&self) -> Result<BTreeMap<u32, u64>, PlaneError> {
        let mut all = BTreeMap::new();
        for table in self.layout.names.flow_tables() {
            let mut flows =
                self.session.flows(&table.name, &FlowFilter::default(), &self.layout.names).await?;
            while let Some(flow) = flows.next().await {
                *all.entry(flow?.id).or_default() += 1;
            }
        }
        Ok(all)
    }

    /// Reads all counters.
    ///
    /// # Errors
    /// [`PlaneError`]
    pub(crate) async fn counts(&self) -> Result<Counts, PlaneError> {
        let names = &self.layout.names;
        let count = |entry: &TableEntry| {
            let data = entry.counter_data.unwrap_or_default();
            let number = |n: i64| u64::try_from(n).unwrap_or(0);
            Count { packets: number(data.packet_count), bytes: number(data.byte_count) }
        };
        let mut counts = Counts { counters: self.session.counters(names, &[]).await?, ..Counts::default() };
        for table in self.layout.services() {
            for entry in self.session.entries(table, names).await?.iter().filter(|e| !e.is_default_action) {
                let port = names.table(table)?.field_named("dst_port").is_some();
                let port = if port { Some(exact(names, entry, "dst_port")? as u16) } else { None };
                counts.services.push(ServiceCount {
                    table: table.to_owned(),
                    dst: exact(names, entry, "dst")?,
                    protocol: exact(names, entry, "protocol")? as u8,
                    port,
                    count: count(entry),
                });
            }
        }
        for entry in self.session.entries(BACKEND, names).await?.iter().filter(|e| !e.is_default_action) {
            counts.backends.insert(exact(names, entry, BACKEND)? as u32, count(entry));
        }
        Ok(counts)
    }
}

/// Values of messages.
mod values {
    use p4runtime_proto::p4::v1::TableEntry;
    use p4runtime_proto::p4::v1::field_match::FieldMatchType;
    use p4runtime_proto::p4::v1::table_action::Type;
    use p4runtime_proto::schema::decode;
    use runtime_client::{NameError, Names};

    /// A key field.
    pub(super) fn exact(names: &Names, entry: &TableEntry, name: &str) -> Result<u128, NameError> {
        let id = entry.table_id;
        let table = names.schema().table(id).ok_or(NameError::UnknownId { what: "table", id })?;
        let missing = || NameError::Missing { table: table.name.clone(), name: name.to_owned() };
        let field = table.field_named(name).ok_or_else(missing)?;
        let given = entry.r#match.iter().find(|m| m.field_id == field.id).ok_or_else(missing)?;
        let Some(FieldMatchType::Exact(value)) = &given.field_match_type else { return Err(missing()) };
        number(&table.name, name, field.bits, &value.value)
    }

    /// A parameter of the action.
    pub(super) fn param(names: &Names, entry: &TableEntry, name: &str) -> Result<u128, NameError> {
        let missing = || NameError::Missing { table: String::new(), name: name.to_owned() };
        let Some(Type::Action(action)) = entry.action.as_ref().and_then(|a| a.r#type.as_ref()) else {
            return Err(missing());
        };
        let id = action.action_id;
        let known = names.schema().action(id).ok_or(NameError::UnknownId { what: "action", id })?;
        let field = known.param_named(name).ok_or_else(missing)?;
        let given = action.params.iter().find(|p| p.param_id == field.id).ok_or_else(missing)?;
        number(&known.name, name, field.bits, &given.value)
    }

    fn number(of: &str, name: &str, bits: u32, bytes: &[u8]) -> Result<u128, NameError> {
        decode(bytes, bits).map_err(|reason| NameError::Bytes {
            of: of.to_owned(),
            name: name.to_owned(),
            reason,
        })
    }
}
