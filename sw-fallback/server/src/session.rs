//! Open streams: who listens, and what is waiting for them.

use crate::arbitration::{Arbitration, Client, Note};
use crate::status::Failure;
use p4runtime_proto::p4::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tonic::{Code, Status};
use v1::stream_message_response::Update;

/// What a stream sends next.
pub(crate) type Outgoing = Result<v1::StreamMessageResponse, Status>;

/// Messages that wait for a client at most: one that reads none is dropped.
const WAITING: usize = 128;

/// Why no stream goes on.
const ENDS: &str = "the switch ends";

/// The open streams with their arbitration.
#[derive(Debug)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
    most: usize,
}

#[derive(Debug)]
struct Inner {
    arbitration: Arbitration,
    streams: BTreeMap<Client, Sender<Outgoing>>,
    /// Did not read what was sent to them.
    deaf: BTreeSet<Client>,
    /// The server ends.
    ended: bool,
    next: Client,
}

impl Sessions {
    pub(crate) fn new(device: u64, most: usize) -> Self {
        let arbitration = Arbitration::new(device);
        Self {
            inner: Mutex::new(Inner {
                arbitration,
                streams: BTreeMap::new(),
                deaf: BTreeSet::new(),
                ended: false,
                next: 0,
            }),
            most,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream has been opened.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn open(&self) -> Result<(Client, Receiver<Outgoing>), Failure> {
        let mut inner = self.inner();
        if inner.ended {
            return Err(Failure::new(Code::Unavailable, ENDS));
        }
        if inner.streams.len() >= self.most {
            let text = format!("{} streams are open, which is the limit", self.most);
            return Err(Failure::new(Code::ResourceExhausted, text));
        }
        let (sender, receiver) = channel(WAITING);
        let client = inner.next;
        inner.next += 1;
        inner.streams.insert(client, sender);
        Ok((client, receiver))
    }

    /// A stream has ended, or ends with this.
    pub(crate) fn close(&self, client: Client, why: Option<Failure>) {
        let mut inner = self.inner();
        if why.is_none() {
            inner.deaf.remove(&client);
        }
        if let (Some(stream), Some(why)) = (inner.streams.remove(&client), why) {
            let _full = stream.try_send(Err(why.into()));
        }
        let notes = inner.arbitration.leave(client);
        inner.tell(notes);
    }

    /// Ends all streams, and opens none from now on.
    pub(crate) fn end(&self) {
        let mut inner = self.inner();
        inner.ended = true;
        inner.streams.clear();
    }

    /// What ends a stream from which everything has been read, once.
    pub(crate) fn last_word(&self, client: Client) -> Option<Status> {
        let mut inner = self.inner();
        let was_deaf = inner.deaf.remove(&client);
        if inner.ended {
            return Some(Status::unavailable(ENDS));
        }
        was_deaf.then(|| {
            Status::resource_exhausted(format!("{WAITING} messages waited for this stream to be read"))
        })
    }

    /// True until the stream is closed from either side.
    pub(crate) fn is_open(&self, client: Client) -> bool {
        self.inner().streams.contains_key(&client)
    }

    /// Handles an arbitration message.
    ///
    /// # Errors
    /// What the stream has to end with.
    pub(crate) fn arbitrate(
        &self,
        client: Client,
        asked: &v1::MasterArbitrationUpdate,
    ) -> Result<(), Failure> {
        let mut inner = self.inner();
        let notes = inner.arbitration.update(client, asked)?;
        inner.tell(notes);
        Ok(())
    }

    /// May a request with this role and election id write?
    pub(crate) fn may_write(&self, role: &str, election: Option<&v1::Uint128>) -> Result<(), Failure> {
        let inner = self.inner();
        if inner.ended {
            return Err(Failure::new(Code::Unavailable, ENDS));
        }
        inner.arbitration.may_write(role, election)
    }

    pub(crate) fn is_primary(&self, client: Client) -> bool {
        self.inner().arbitration.is_primary(client)
    }

    /// Tells every primary something that may be lost: who has much waiting already doesn't hear it. How many did not.
    pub(crate) fn tell_primaries(&self, update: &Update) -> u64 {
        let inner = self.inner();
        let mut lost = 0;
        for client in inner.arbitration.primaries() {
            let Some(stream) = inner.streams.get(&client) else { continue };
            let message = v1::StreamMessageResponse { update: Some(update.clone()) };
            // The other half is kept for what must not be lost.
            if stream.capacity() <= WAITING / 2 || stream.try_send(Ok(message)).is_err() {
                lost += 1;
            }
        }
        lost
    }

    /// Tells one client something; if it hears nothing any more, it is dropped.
    pub(crate) fn tell(&self, client: Client, update: Update) {
        self.inner().send(vec![(client, update)]);
    }
}

impl Inner {
    fn tell(&mut self, notes: Vec<Note>) {
        self.send(notes.into_iter().map(|(client, note)| (client, Update::Arbitration(note))).collect());
    }

    /// Sends in order. Who doesn't take it is dropped, which others may have to be told.
    fn send(&mut self, mut messages: Vec<(Client, Update)>) {
        while !messages.is_empty() {
            let mut deaf = Vec::new();
            for (client, update) in messages.drain(..) {
                let message = v1::StreamMessageResponse { update: Some(update) };
                let full = self.streams.get(&client).is_some_and(|s| s.try_send(Ok(message)).is_err());
                if full {
                    deaf.push(client);
                }
            }
            for client in deaf {
                self.streams.remove(&client);
                self.deaf.insert(client);
                let notes = self.arbitration.leave(client);
                messages.extend(notes.into_iter().map(|(client, note)| (client, Update::Arbitration(note))));
            }
        }
    }
}
