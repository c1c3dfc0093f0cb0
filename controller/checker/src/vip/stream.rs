//! A connection to a VIP at one backend, as a stream of bytes.

use super::connection::{Connection, Phase};
use super::packet::Out;
use super::raw::{Heard, Port, Through};
use crate::probe::{Found, blame};
use std::future::{Future as _, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

/// What is not acknowledged is sent again after so long, and then after twice as long each time (RFC 6298).
const AGAIN: Duration = Duration::from_secs(1);

/// A connection. It ends by a reset when it is dropped.
pub(crate) struct Stream {
    through: Arc<Through>,
    backend: IpAddr,
    own: SocketAddr,
    vip: SocketAddr,
    connection: Connection,
    heard: mpsc::Receiver<Heard>,
    timer: Pin<Box<Sleep>>,
    pause: Duration,
    /// Whoever waits to write.
    writer: Option<Waker>,
    _port: Port,
}

impl Stream {
    /// Connects to a VIP at one backend. Waits for the answer; the caller sets the limit.
    pub(crate) async fn connect(
        through: &Arc<Through>,
        backend: IpAddr,
        vip: SocketAddr,
    ) -> Result<Self, Found> {
        let trouble = |doing: &str, e: &dyn std::fmt::Display| {
            Found::Trouble(format!("this checker can't {doing}: {e}").into())
        };
        let own = super::raw::own_address(backend, vip);
        let own = own.map_err(|e| trouble("find its own address", &e))?;
        if own.is_ipv4() != vip.is_ipv4() {
            let text = "the VIP and this checker's address are of different families";
            return Err(Found::Trouble(text.into()));
        }
        let (port, heard) = through.port(vip).map_err(|e| trouble("take a port", &e))?;
        let own = SocketAddr::new(own, port.number());
        let connection = Connection::new(through.sequence());
        let (timer, pause) = (Box::pin(sleep(AGAIN)), AGAIN);
        let (through, writer) = (Arc::clone(through), None);
        let mut it =
            Self { through, backend, own, vip, connection, heard, timer, pause, writer, _port: port };
        let first = it.connection.again();
        it.send(&first).map_err(|e| blame("send through the VIP", &e))?;
        let opened = poll_fn(|cx| {
            if let Err(e) = it.work(cx) {
                return Poll::Ready(Err(blame("connect through the VIP", &e)));
            }
            match it.connection.phase() {
                Phase::Opening => Poll::Pending,
                Phase::Refused => {
                    let text = format!("{vip} is there, but nobody listens");
                    Poll::Ready(Err(Found::Fail(text.into())))
                }
                Phase::Open | Phase::Reset => Poll::Ready(Ok(())),
            }
        });
        opened.await?;
        Ok(it)
    }

    fn send(&self, segments: &[Out]) -> io::Result<()> {
        for packet in segments.iter().filter_map(|out| out.packet(self.own, self.vip)) {
            match self.through.send(self.backend, self.vip, &packet) {
                // As if the packet were lost on its way.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                sent => sent?,
            }
        }
        Ok(())
    }

    /// Hears what has come, and sends again what was not acknowledged in time.
    fn work(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let first = self.connection.first();
        while let Poll::Ready(heard) = self.heard.poll_recv(cx) {
            let (segment, data) = heard.ok_or_else(|| io::Error::other("the raw socket is closed"))?;
            let answer = self.connection.hear(&segment, &data);
            self.send(answer.as_slice())?;
        }
        if self.connection.first() != first {
            self.pause = AGAIN;
            self.timer.as_mut().reset(Instant::now() + AGAIN);
            self.writer.take().into_iter().for_each(Waker::wake);
        }
        while self.connection.waits() && self.timer.as_mut().poll(cx).is_ready() {
            let again = self.connection.again();
            self.send(&again)?;
            self.pause *= 2;
            self.timer.as_mut().reset(Instant::now() + self.pause);
        }
        if self.connection.phase() == Phase::Reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Lost or not: the backend gives up by itself.
        self.send(self.connection.reset().as_slice()).ok();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let worked = self.work(cx);
        let (bytes, word) = self.connection.read(into.remaining());
        if bytes.is_empty() {
            worked?;
            return if self.connection.is_over() { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        self.send(word.as_slice())?;
        into.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.work(cx)?;
        let idle = !self.connection.waits();
        let (taken, out) = self.connection.write(bytes);
        if taken == 0 && !bytes.is_empty() {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.send(&out)?;
        if idle {
            let pause = self.pause;
            self.timer.as_mut().reset(Instant::now() + pause);
        }
        Poll::Ready(Ok(taken))
    }

    /// What is written is on its way.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
