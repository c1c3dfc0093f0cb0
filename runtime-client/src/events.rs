//! What a server says without being asked.

use crate::Standing;
use p4runtime_proto::p4::v1::{DigestList, IdleTimeoutNotification, PacketIn, StreamError};
use std::pin::Pin;
use std::task::{Context, Poll};
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
    Idle(IdleTimeoutNotification),
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
