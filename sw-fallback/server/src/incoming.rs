//! Connections as they come in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_stream::Stream;
use tonic::transport::server::Connected;

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
    limits: Limits,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<L> Incoming<L> {
    pub(crate) fn new(listener: L, limits: Limits) -> Self {
        Self { listener, limits, pause: None }
    }
}

impl<L: Accept> Stream for Incoming<L> {
    type Item = io::Result<Heard<L::Io>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll(context)) {
                Ok(stream) => return Poll::Ready(Some(Ok(Heard::new(stream, self.limits)))),
                Err(_) => self.pause = Some(Box::pin(sleep(PAUSE))),
            }
        }
    }
}

/// Bytes with which a client of HTTP/2 begins.
const PREFACE: usize = 24;

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until it has said as much as HTTP/2 or TLS begins with.
    pub(crate) handshake: Duration,
    /// After that. A client of HTTP/2 answers pings.
    pub(crate) silence: Duration,
}

/// A connection that ends when nothing is heard for too long: who never speaks HTTP/2 gets no pings, and would keep it.
#[derive(Debug)]
pub(crate) struct Heard<Io> {
    io: Io,
    limits: Limits,
    bytes: usize,
    last: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<Io> Heard<Io> {
    fn new(io: Io, limits: Limits) -> Self {
        let last = Instant::now();
        Self { io, limits, bytes: 0, last, alarm: Box::pin(sleep_until(last + limits.handshake)) }
    }

    /// When it will have been silent for too long.
    fn end(&self) -> Instant {
        // Until it has begun, a byte now and then is no excuse.
        let limit = if self.bytes < PREFACE { self.limits.handshake } else { self.limits.silence };
        self.last + limit
    }

    fn heard(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= PREFACE {
            self.last = Instant::now();
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Heard<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(context, into) {
            self.heard(into.filled().len() - before);
            return Poll::Ready(read);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let end = self.end();
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Heard<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

impl<Io: Connected> Connected for Heard<Io> {
    type ConnectInfo = Io::ConnectInfo;
    fn connect_info(&self) -> Io::ConnectInfo {
        self.io.connect_info()
    }
}
