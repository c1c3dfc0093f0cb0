//! Counters by name.

use crate::{ClientError, Names, Session};
use p4runtime_proto::p4::v1 as proto;
use proto::{CounterEntry, entity};

/// One cell of an array of counters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The counter's name.
    pub counter: String,
    /// The cell.
    pub index: u64,
    /// Packets; 0 where the counter has bytes only.
    pub packets: u64,
    /// Bytes; 0 where the counter has packets only.
    pub bytes: u64,
}

impl Session {
    /// All cells of the counters that have a name or alias in `which`, of all counters if that is empty; by name and
    /// cell.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use runtime_client::{Options, Profile, Session};
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// # let names = session.names().await?;
    /// switch.receives([10, 0, 0, 1]).await; // a TCP packet
    /// let cells = session.counters(&names, &["by_protocol"]).await?;
    /// assert_eq!((cells.len(), cells[6].index, cells[6].packets), (256, 6, 1));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// There is no such counter, or the read fails.
    pub async fn counters(&self, names: &Names, which: &[&str]) -> Result<Vec<Counted>, ClientError> {
        let schema = names.schema();
        let mut asked = Vec::new();
        for name in which {
            asked.push(schema.counter_named(name).ok_or_else(|| crate::NameError::Unknown {
                what: "counter",
                name: (*name).to_owned(),
                hint: pipeline_ir::suggest::hint(
                    name,
                    schema.counters().map(|c| c.name.as_str()).collect::<Vec<_>>(),
                ),
            })?);
        }
        if which.is_empty() {
            asked.extend(schema.counters());
        }
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let ask =
            |id| entity::Entity::CounterEntry(CounterEntry { counter_id: id, ..CounterEntry::default() });
        let all = self.read(asked.iter().map(|c| ask(c.id)).collect()).await?.all().await?;
        let mut counted: Vec<Counted> = all.iter().filter_map(|e| cell(names, e)).collect();
        counted.sort();
        Ok(counted)
    }
}

fn cell(names: &Names, entity: &entity::Entity) -> Option<Counted> {
    use p4runtime_proto::p4::config::v1::counter_spec::Unit;
    let entity::Entity::CounterEntry(entry) = entity else { return None };
    let counter = names.schema().counter(entry.counter_id)?;
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let data = entry.data.unwrap_or_default();
    // A server may fill in what the counter doesn't have.
    let (packets, bytes) = match counter.unit {
        Unit::Packets => (number(data.packet_count), 0),
        Unit::Bytes => (0, number(data.byte_count)),
        Unit::Both | Unit::Unspecified => (number(data.packet_count), number(data.byte_count)),
    };
    let index = entry.index.map_or(0, |i| number(i.index));
    Some(Counted { counter: counter.name.clone(), index, packets, bytes })
}
