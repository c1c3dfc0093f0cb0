//! What was gathered for a read, as the messages that are sent.

use crate::decode::Note;
use crate::encode;
use crate::flows::Walk;
use crate::map::Map;
use p4runtime_proto::p4::v1;
use pipeline_ir::entry::CheckedEntry;
use prost::Message as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use sw_fallback::plane::Count;
use tokio_stream::Stream;
use tonic::Status;
use v1::entity::Entity as E;

/// Bytes of a message at most, but for a single larger entity.
const MESSAGE: usize = (1 << 20) - 64;

/// Something that was asked for.
#[derive(Debug)]
pub(crate) enum Item {
    Entry {
        table: u32,
        entry: CheckedEntry,
        count: Option<Count>,
        note: Option<Note>,
        since_hit: Option<Duration>,
    },
    Default(u32),
    Direct {
        table: u32,
        entry: CheckedEntry,
        count: Count,
    },
    Cell {
        counter: u32,
        index: u64,
        count: Count,
    },
    Flows(Box<Walk>),
}

/// The messages of a read, made one after the other; then its error, if any.
#[derive(Debug)]
pub(crate) struct Messages {
    map: Arc<Map>,
    items: std::vec::IntoIter<Item>,
    /// The flow table that is being read.
    walk: Option<Box<Walk>>,
    /// The message that is being filled, and its bytes.
    next: (v1::ReadResponse, usize),
    error: Option<Status>,
}

impl Messages {
    pub(crate) fn new(map: Arc<Map>, items: Vec<Item>, error: Option<Status>) -> Self {
        Self { map, items: items.into_iter(), walk: None, next: Default::default(), error }
    }

    /// The next entity; pending where others should have their turn first.
    fn entity(&mut self) -> Poll<Option<v1::Entity>> {
        loop {
            if let Some(walk) = &mut self.walk {
                match walk.next() {
                    Poll::Ready(None) => self.walk = None,
                    other => return other,
                }
            }
            match self.items.next() {
                Some(Item::Flows(walk)) => self.walk = Some(walk),
                item => return Poll::Ready(item.map(|item| item.entity(&self.map))),
            }
        }
    }

    /// Puts an entity into a message; gives the one before, which has no room for it.
    fn put(&mut self, entity: v1::Entity) -> Option<v1::ReadResponse> {
        let size = entity.encoded_len() + 6;
        let full = self.next.1 > 0 && self.next.1 + size > MESSAGE;
        let before = full.then(|| std::mem::take(&mut self.next).0);
        self.next.1 += size;
        self.next.0.entities.push(entity);
        before
    }
}

impl Stream for Messages {
    type Item = Result<v1::ReadResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.entity() {
                Poll::Pending => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(entity)) => {
                    if let Some(message) = self.put(entity) {
                        return Poll::Ready(Some(Ok(message)));
                    }
                }
                Poll::Ready(None) => {
                    let (last, bytes) = std::mem::take(&mut self.next);
                    let last = (bytes > 0).then_some(Ok(last));
                    return Poll::Ready(last.or_else(|| self.error.take().map(Err)));
                }
            }
        }
    }
}

impl Item {
    fn entity(self, map: &Map) -> v1::Entity {
        let entity = match self {
            Self::Entry { table, entry, count, note, since_hit } => {
                let mut entry = encode::entry(map, table, &entry, note.as_ref());
                entry.counter_data = count.map(encode::data);
                entry.time_since_last_hit = since_hit.map(encode::since_hit);
                Some(E::TableEntry(entry))
            }
            Self::Default(table) => Some(E::TableEntry(encode::default_entry(map, table))),
            Self::Direct { table, entry, count } => {
                let mut table_entry = encode::entry(map, table, &entry, None);
                (table_entry.action, table_entry.is_const) = (None, false);
                Some(E::DirectCounterEntry(v1::DirectCounterEntry {
                    table_entry: Some(table_entry),
                    data: Some(encode::data(count)),
                }))
            }
            Self::Cell { counter, index, count } => Some(E::CounterEntry(v1::CounterEntry {
                counter_id: counter,
                index: Some(v1::Index { index: i64::try_from(index).unwrap_or(i64::MAX) }),
                data: Some(encode::data(count)),
            })),
            // Is walked, not made.
            Self::Flows(_) => None,
        };
        v1::Entity { entity }
    }
}
