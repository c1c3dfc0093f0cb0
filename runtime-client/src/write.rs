//! Writing, one update or a hundred thousand.

use crate::batch::{self, Apart, Batch, Pace};
use crate::error::{details, failed, too_large};
use crate::{Atomicity, ClientError, Names, Session, UpdateError};
use bytes::{Buf, BufMut, Bytes};
use p4runtime_proto::p4::v1 as proto;
use prost::Message as _;
use proto::update::Type;
use proto::{TableEntry, Update, WriteRequest, WriteResponse, entity};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// An entry that must be new.
#[must_use]
pub fn insert(entry: TableEntry) -> Update {
    batch::update(Type::Insert, entry)
}

/// An entry that must be there, with another action.
#[must_use]
pub fn modify(entry: TableEntry) -> Update {
    batch::update(Type::Modify, entry)
}

/// An entry that must be there, to be removed.
#[must_use]
pub fn delete(entry: TableEntry) -> Update {
    batch::update(Type::Delete, entry)
}

/// What became of the updates of a write.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Updates that took effect.
    pub applied: usize,
    /// Those that did not, in order.
    pub failed: Vec<UpdateError>,
    /// Calls that it took.
    pub batches: usize,
}

impl Written {
    /// Nothing, if all took effect.
    ///
    /// # Errors
    /// The first update that did not.
    pub fn ok(self) -> Result<(), UpdateError> {
        self.failed.into_iter().next().map_or(Ok(()), Err)
    }
}

/// A batch's answer.
struct Answer {
    batch: Batch,
    took: Duration,
    status: Result<(), Status>,
}

impl Session {
    /// Writes, in batches as the server takes them.
    ///
    /// Updates take effect in their order wherever that can matter: those of one table about different entries may
    /// overtake each other. With [`Atomicity::ContinueOnError`] the list may be of any length; the other ways take
    /// what goes into one message.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use client_lab::count::host::{Action, Entry, Key};
    /// # use runtime_client::{Atomicity, Options, Profile, Session, delete, insert, modify};
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// # let names = session.names().await?;
    /// let entry = |src, port| names.message(Entry { key: Key { src }, action: Action::Out { port } });
    /// let updates = [insert(entry(1, 3)?), insert(entry(1, 4)?), modify(entry(1, 5)?), delete(entry(2, 3)?)];
    /// let written = session.write(&updates, Atomicity::ContinueOnError, Some(&names)).await?;
    /// assert_eq!(written.applied, 2);
    /// assert_eq!((written.failed[0].index, written.failed[1].index), (1, 3));
    /// assert!(written.failed[0].to_string().starts_with("INSERT host { src = 0.0.0.1 } -> out { port = 4 }: ALREADY_EXISTS"));
    /// assert!(written.failed[1].to_string().contains("NOT_FOUND"));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The call failed as a whole; of a long list, an unknown part has taken effect. What single updates met is in
    /// [`Written::failed`], with the names of `names` if given.
    pub async fn write(
        &self,
        updates: &[Update],
        atomicity: Atomicity,
        names: Option<&Names>,
    ) -> Result<Written, ClientError> {
        let profile = &self.shared.options.profile;
        if !profile.allows(atomicity) {
            return Err(self.unsupported(&format!("it has no {}", atomicity.as_str_name())));
        }
        let timed = |u: &Update| match u.entity.as_ref().and_then(|e| e.entity.as_ref()) {
            Some(entity::Entity::TableEntry(entry)) => entry.idle_timeout_ns != 0,
            _ => false,
        };
        if !profile.notes && updates.iter().any(timed) {
            return Err(self.unsupported("it has no idle time-outs"));
        }
        let mut pace = Pace::new(profile);
        if atomicity != Atomicity::ContinueOnError {
            (pace.updates, pace.bytes) = (updates.len(), usize::MAX);
        }
        let head = WriteRequest {
            device_id: self.shared.options.device_id,
            election_id: self.election(),
            atomicity: atomicity.into(),
            role: self.role(),
            ..WriteRequest::default()
        };
        let channel = self.link(true).await?;
        let whole = atomicity != Atomicity::ContinueOnError;
        let run = Run { session: self, channel, head, updates, names, whole, written: Written::default() };
        run.go(pace).await
    }

    /// Writes entries that must be new, one after the other, and stops at nothing.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use client_lab::count::host::{Action, Entry, Key};
    /// # use runtime_client::{Options, Profile, Session};
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// # let names = session.names().await?;
    /// let entry = |src| names.message(Entry { key: Key { src }, action: Action::Block });
    /// let all: Vec<_> = (0..1000).map(entry).collect::<Result<_, _>>()?;
    /// let written = session.insert(all, &names).await?;
    /// assert_eq!((written.applied, written.failed.len()), (1000, 0));
    ///
    /// // The table has room for 1,024.
    /// let more: Vec<_> = (1000..1100).map(entry).collect::<Result<_, _>>()?;
    /// let written = session.insert(more, &names).await?;
    /// assert_eq!((written.applied, written.failed.len()), (24, 76));
    /// assert!(written.failed[0].to_string().contains("RESOURCE_EXHAUSTED"));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn insert(
        &self,
        entries: impl IntoIterator<Item = TableEntry>,
        names: &Names,
    ) -> Result<Written, ClientError> {
        let updates: Vec<Update> = entries.into_iter().map(insert).collect();
        self.write(&updates, Atomicity::ContinueOnError, Some(names)).await
    }
}

/// One call of [`Session::write`].
struct Run<'a> {
    session: &'a Session,
    channel: Channel,
    head: WriteRequest,
    updates: &'a [Update],
    names: Option<&'a Names>,
    /// All goes in one message.
    whole: bool,
    written: Written,
}

impl Run<'_> {
    async fn go(mut self, mut pace: Pace) -> Result<Written, ClientError> {
        let most = self.session.shared.options.profile.in_flight;
        let (mut flying, mut apart) = (JoinSet::new(), Apart::default());
        let mut todo: VecDeque<_> = std::iter::once(0..self.updates.len()).collect();
        loop {
            let Some(range) = todo.pop_front() else {
                if flying.is_empty() {
                    break;
                }
                todo.extend(self.answered(&mut flying, &mut pace).await?);
                continue;
            };
            if range.is_empty() {
                continue;
            }
            let batch = batch::next(self.updates, range.clone(), &pace);
            let beside = apart.takes(self.updates, &batch);
            let limit = if beside { most - 1 } else { 0 };
            let mut again = None;
            while flying.len() > limit && again.is_none() {
                again = self.answered(&mut flying, &mut pace).await?;
            }
            if let Some(again) = again {
                todo.push_front(range);
                todo.push_front(again);
                continue;
            }
            if !beside {
                apart.restart(self.updates, &batch);
            }
            todo.push_front(batch.range.end..range.end);
            self.send(&mut flying, batch);
        }
        self.written.failed.sort_by_key(|f| f.index);
        Ok(self.written)
    }

    fn send(&mut self, flying: &mut JoinSet<Answer>, batch: Batch) {
        let (channel, bytes) = (self.channel.clone(), batch::request(&self.head, &batch));
        let patience = self.session.shared.options.patience;
        flying.spawn(async move {
            let began = Instant::now();
            let status = match tokio::time::timeout(patience, call(channel, bytes)).await {
                Ok(status) => status,
                Err(_) => Err(Status::deadline_exceeded(format!("no answer within {patience:?}"))),
            };
            Answer { batch, took: began.elapsed(), status }
        });
    }

    /// Takes one answer; where the server found the message too large, what it has not looked at.
    async fn answered(
        &mut self,
        flying: &mut JoinSet<Answer>,
        pace: &mut Pace,
    ) -> Result<Option<Range<usize>>, ClientError> {
        let Some(Ok(Answer { batch, took, status })) = flying.join_next().await else {
            return Err(ClientError::Lost { call: "Write", reason: "the task ended".into() });
        };
        self.written.batches += 1;
        let count = batch.range.len();
        let status = match status {
            Ok(()) => {
                pace.took(count, took);
                self.written.applied += count;
                return Ok(None);
            }
            Err(status) => status,
        };
        if let Some(all) = details(&status, count) {
            pace.took(count, took);
            for (index, error) in batch.range.zip(all) {
                match Code::from_i32(error.canonical_code) {
                    Code::Ok => self.written.applied += 1,
                    code => self.fails(index, code, error.message),
                }
            }
            return Ok(None);
        }
        if too_large(&status) && count > 1 && !self.whole {
            pace.too_large(batch.bytes.len());
            return Ok(Some(batch.range));
        }
        Err(failed("Write", &status))
    }

    fn fails(&mut self, index: usize, code: Code, message: String) {
        let what = words(&self.updates[index], self.names);
        self.written.failed.push(UpdateError { index, what, code, message });
    }
}

/// An update in words.
fn words(update: &Update, names: Option<&Names>) -> String {
    let kind = update.r#type().as_str_name();
    match update.entity.as_ref().and_then(|e| e.entity.as_ref()) {
        Some(entity::Entity::TableEntry(entry)) => match names {
            Some(names) => format!("{kind} {}", names.show(entry)),
            None => format!("{kind} entry of table {:#010x}", entry.table_id),
        },
        Some(_) => format!("{kind} of something that is no table entry"),
        None => format!("{kind} of nothing"),
    }
}

/// One Write, of a message that is encoded already.
async fn call(channel: Channel, bytes: Bytes) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel).max_encoding_message_size(usize::MAX);
    grpc.ready().await.map_err(|e| Status::unavailable(e.to_string()))?;
    let path = PathAndQuery::from_static("/p4.v1.P4Runtime/Write");
    grpc.unary(Request::new(bytes), path, Encoded).await?;
    Ok(())
}

/// Sends bytes as they are.
#[derive(Clone, Copy, Debug)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = WriteResponse;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.reserve(bytes.len());
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = WriteResponse;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<WriteResponse>, Status> {
        let all = from.copy_to_bytes(from.remaining());
        WriteResponse::decode(all).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
