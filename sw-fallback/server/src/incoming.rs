//! Connections as they come in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;

/// How long nothing is accepted after the system has refused it, as when there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// Something that connections come from.
pub(crate) trait Accept: Unpin {
    type Io;
    fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<Self::Io>>;
}

impl Accept for TcpListener {
    type Io = TcpStream;
    fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let (stream, _) = ready!(self.poll_accept(context))?;
        // A connection that has ended already is found out when it is read.
        let _ended = stream.set_nodelay(true);
        Poll::Ready(Ok(stream))
    }
}

impl Accept for UnixListener {
    type Io = UnixStream;
    fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        Poll::Ready(ready!(self.poll_accept(context)).map(|(stream, _)| stream))
    }
}

/// The connections of a listener, without an end: tonic's own server stops at the first one that fails.
#[derive(Debug)]
pub(crate) struct Incoming<L> {
    listener: L,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<L> Incoming<L> {
    pub(crate) fn new(listener: L) -> Self {
        Self { listener, pause: None }
    }
}

impl<L: Accept> Stream for Incoming<L> {
    type Item = io::Result<L::Io>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll(context)) {
                Ok(stream) => return Poll::Ready(Some(Ok(stream))),
                Err(_) => self.pause = Some(Box::pin(sleep(PAUSE))),
            }
        }
    }
}
