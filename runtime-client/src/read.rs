//! Reading, as a stream.

use crate::error::failed;
use crate::{ClientError, NameError, Names, Session};
use p4runtime_proto::p4::v1 as proto;
use proto::{CounterData, Entity, ReadRequest, ReadResponse, TableEntry, entity};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Streaming;

/// What a read answers, entity by entity, as it comes.
#[derive(Debug)]
pub struct Reader {
    from: Streaming<ReadResponse>,
    here: VecDeque<Entity>,
    patience: Duration,
}

impl Stream for Reader {
    type Item = Result<entity::Entity, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            while let Some(entity) = self.here.pop_front() {
                if let Some(entity) = entity.entity {
                    return Poll::Ready(Some(Ok(entity)));
                }
            }
            match ready!(Pin::new(&mut self.from).poll_next(context)) {
                Some(Ok(answer)) => self.here.extend(answer.entities),
                Some(Err(status)) => return Poll::Ready(Some(Err(failed("Read", &status)))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Reader {
    /// All that is left.
    ///
    /// # Errors
    /// The read failed, or nothing came within the session's patience.
    pub async fn all(mut self) -> Result<Vec<entity::Entity>, ClientError> {
        let (mut all, after) = (Vec::new(), self.patience);
        loop {
            match tokio::time::timeout(after, self.next()).await {
                Ok(Some(entity)) => all.push(entity?),
                Ok(None) => return Ok(all),
                Err(_) => return Err(ClientError::Timeout { call: "Read", after }),
            }
        }
    }
}

impl Session {
    /// Reads what the entities stand for: a default value in an id or a key stands for all.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use client_lab::count::host::{Action, Entry, Key};
    /// # use runtime_client::{Options, Profile, Session};
    /// use p4runtime_proto::p4::v1::{TableEntry, entity::Entity};
    /// use tokio_stream::StreamExt as _;
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// # let names = session.names().await?;
    /// # session.insert([names.message(Entry { key: Key { src: 1 }, action: Action::Block })?], &names).await?.ok()?;
    /// let mut reader = session.read(vec![Entity::TableEntry(TableEntry::default())]).await?; // of all tables
    /// let mut lines = Vec::new();
    /// while let Some(entity) = reader.next().await {
    ///     if let Entity::TableEntry(entry) = entity? {
    ///         lines.push(names.show(&entry));
    ///     }
    /// }
    /// assert_eq!(lines, ["host { src = 0.0.0.1 } -> block"]);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The server can't be reached, or refuses.
    pub async fn read(&self, entities: Vec<entity::Entity>) -> Result<Reader, ClientError> {
        let options = &self.shared.options;
        let entities = entities.into_iter().map(|e| Entity { entity: Some(e) }).collect();
        let request = ReadRequest { device_id: options.device_id, entities, role: self.role() };
        let mut rpc = self.rpc(false).await?;
        let from = self.timed("Read", rpc.read(request)).await?;
        Ok(Reader { from, here: VecDeque::new(), patience: options.patience })
    }

    /// All entries of a table, with their direct counters if the table has them.
    ///
    /// # Errors
    /// The pipeline has no such table, or the read fails.
    pub async fn entries(&self, table: &str, names: &Names) -> Result<Vec<TableEntry>, ClientError> {
        let table = names.table(table)?;
        let counter_data = table.direct_counter.map(|_| CounterData::default());
        self.table_entries(TableEntry { table_id: table.id, counter_data, ..TableEntry::default() }).await
    }

    /// A table's default entry, where the server shows it.
    ///
    /// # Errors
    /// The pipeline has no such table, or the read fails.
    pub async fn default_entry(&self, table: &str, names: &Names) -> Result<Option<TableEntry>, ClientError> {
        let table_id = names.table(table)?.id;
        let asked = TableEntry { table_id, is_default_action: true, ..TableEntry::default() };
        Ok(self.table_entries(asked).await?.into_iter().find(|e| e.is_default_action))
    }

    /// The entries that one with key and priority stands for.
    ///
    /// # Errors
    /// The read fails.
    pub async fn table_entries(&self, asked: TableEntry) -> Result<Vec<TableEntry>, ClientError> {
        let id = asked.table_id;
        let all = self.read(vec![entity::Entity::TableEntry(asked)]).await?.all().await?;
        let mut entries = Vec::with_capacity(all.len());
        for entity in all {
            match entity {
                entity::Entity::TableEntry(entry) => entries.push(entry),
                _ => return Err(NameError::UnknownId { what: "table", id }.into()),
            }
        }
        Ok(entries)
    }
}
