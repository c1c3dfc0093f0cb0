//! What a server says without being asked.

use crate::{NameError, Names, Standing};
use p4runtime_proto::p4::v1::{DigestList, IdleTimeoutNotification, PacketIn, StreamError, TableEntry};
use pipeline_ir::entry::Entry;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

/// One message of the stream, or a change of the session's standing.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The session's standing has changed.
    Standing(Standing),
    /// A packet for the control plane.
    PacketIn(PacketIn),
    /// Entries that were not hit for their time.
    Idle(Idle),
    /// What a pipeline reports.
    Digest(DigestList),
    /// A message of ours that the server could not handle.
    Error(StreamError),
    /// The reader was too slow: so many events are lost.
    Missed(u64),
}

/// A session's events from now on, as an asynchronous stream. It ends with the session.
#[derive(Debug)]
pub struct Events {
    pub(crate) inner: BroadcastStream<Event>,
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.inner).poll_next(context).map(|next| match next {
            Some(Ok(event)) => Some(event),
            Some(Err(BroadcastStreamRecvError::Lagged(n))) => Some(Event::Missed(n)),
            None => None,
        })
    }
}

/// Entries that nobody has hit for their time.
#[derive(Clone, Debug, PartialEq)]
pub struct Idle {
    /// The entries: table, key and priority; what else, the server decides.
    pub entries: Vec<TableEntry>,
    /// When the server found out, since the epoch of its clock, which is its own affair.
    pub at: Duration,
}

impl Idle {
    /// The entries by name; the action is empty where the server doesn't tell it.
    ///
    /// # Errors
    /// The P4Info is not of what the server runs.
    pub fn named(&self, names: &Names) -> Result<Vec<Entry>, NameError> {
        self.entries.iter().map(|entry| names.named(entry)).collect()
    }

    /// Those that are of the table of `T`, by the bindings of a pipeline's module. The server must tell their actions, as our
    /// own does.
    ///
    /// # Errors
    /// The P4Info is not of what the server runs, or an entry has no action.
    pub fn typed<T>(&self, table: &str, names: &Names) -> Result<Vec<T>, NameError>
    where
        T: for<'a> TryFrom<&'a Entry, Error: Display>,
    {
        let id = names.table(table)?.id;
        self.entries.iter().filter(|e| e.table_id == id).map(|entry| names.typed(entry)).collect()
    }
}

impl From<IdleTimeoutNotification> for Idle {
    fn from(told: IdleTimeoutNotification) -> Self {
        let at = Duration::from_nanos(u64::try_from(told.timestamp).unwrap_or(0));
        Self { entries: told.table_entry, at }
    }
}
