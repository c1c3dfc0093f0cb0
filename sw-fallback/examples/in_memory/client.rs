//! Clients and servers: who asks for bytes, and who gives them.
//!
//! A client writes `GET <bytes>` and a line's end. The server's first line has its name and the address that it sees
//! the client under; the bytes follow, the n-th of them n modulo 251. The client closes first.

use super::host::Host;
use super::net::vip;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const PORT: u16 = 80;
const PATTERN: u64 = 251;
/// A connection that takes longer has failed, in the lab's own time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that a server has at a time.
const AT_ONCE: usize = 160;

fn socket(receive: usize, send: usize) -> Socket<'static> {
    Socket::new(SocketBuffer::new(vec![0; receive]), SocketBuffer::new(vec![0; send]))
}

/// What a client shall do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) v6: bool,
    /// The client's port.
    pub(crate) port: u16,
    pub(crate) bytes: u64,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The client's number.
    pub(crate) client: usize,
    pub(crate) job: Job,
    /// Who answered.
    pub(crate) backend: Option<String>,
    pub(crate) error: Option<String>,
}

struct Transfer {
    handle: SocketHandle,
    job: Job,
    asked: bool,
    head: Vec<u8>,
    backend: Option<String>,
    got: u64,
    closed: bool,
}

/// A client with its connections.
pub(crate) struct Client {
    number: usize,
    pub(crate) host: Host,
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Ipv6Addr,
    pub(crate) waiting: VecDeque<Job>,
    running: Vec<Transfer>,
    pub(crate) done: Vec<Outcome>,
}

impl Client {
    pub(crate) fn new(number: usize) -> Self {
        let last = 10 + number as u8;
        let v4 = Ipv4Addr::new(198, 51, 100, last);
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, last.into());
        let host = Host::new(v4, v6, 1500, number as u64);
        Self { number, host, v4, v6, waiting: VecDeque::new(), running: Vec::new(), done: Vec::new() }
    }

    /// Nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Bytes that each running connection still lacks, and has got.
    pub(crate) fn progress(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.running.iter().map(|t| (t.job.bytes - t.got, t.got))
    }

    /// Starts what it may, at most so many at a time, and goes on with what has been started.
    pub(crate) fn work(&mut self, most: usize) {
        while self.running.len() < most
            && let Some(job) = self.waiting.pop_front()
        {
            self.start(job);
        }
        let mut running = std::mem::take(&mut self.running);
        running.retain_mut(|t| {
            let own = if t.job.v6 { IpAddr::V6(self.v6) } else { IpAddr::V4(self.v4) };
            let error = match t.go_on(self.host.sockets.get_mut(t.handle), own) {
                None => return true,
                Some(end) => end.err(),
            };
            self.host.sockets.remove(t.handle);
            let (job, backend) = (t.job.clone(), t.backend.take());
            self.done.push(Outcome { client: self.number, job, backend, error });
            false
        });
        running.append(&mut self.running);
        self.running = running;
    }

    fn start(&mut self, job: Job) {
        let mut socket = socket(16 << 10, 64);
        socket.set_timeout(Some(PATIENCE));
        let own = if job.v6 { IpAddr::V6(self.v6) } else { IpAddr::V4(self.v4) };
        let to = (vip(job.v6), PORT);
        if let Err(e) = socket.connect(self.host.interface.context(), to, (own, job.port)) {
            let error = Some(format!("connecting: {e}"));
            self.done.push(Outcome { client: self.number, job, backend: None, error });
            return;
        }
        let handle = self.host.sockets.add(socket);
        let (head, backend) = (Vec::new(), None);
        self.running.push(Transfer { handle, job, asked: false, head, backend, got: 0, closed: false });
    }
}

impl Transfer {
    /// None: it goes on.
    fn go_on(&mut self, socket: &mut Socket<'_>, own: IpAddr) -> Option<Result<(), String>> {
        if self.closed {
            return match socket.state() {
                State::TimeWait | State::Closed => Some(Ok(())),
                _ => None,
            };
        }
        if socket.state() == State::Closed {
            return Some(Err(format!("reset after {} of {} bytes", self.got, self.job.bytes)));
        }
        if !self.asked && socket.can_send() {
            let request = format!("GET {}\n", self.job.bytes);
            self.asked = socket.send_slice(request.as_bytes()) == Ok(request.len());
        }
        while socket.can_recv() {
            let taken = socket.recv(|bytes| (bytes.len(), self.take(bytes, own)));
            match taken {
                Ok(Ok(())) => {}
                Ok(Err(e)) => return Some(Err(e)),
                Err(e) => return Some(Err(format!("receiving: {e}"))),
            }
        }
        if self.got == self.job.bytes && self.backend.is_some() {
            socket.close();
            self.closed = true;
        }
        None
    }

    fn take(&mut self, bytes: &[u8], own: IpAddr) -> Result<(), String> {
        let mut rest = bytes;
        if self.backend.is_none() {
            let end = bytes.iter().position(|b| *b == b'\n');
            self.head.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let Some(end) = end else { return Ok(()) };
            let line = String::from_utf8_lossy(&self.head).into_owned();
            let (name, seen) = line.split_once(' ').ok_or("an answer without a head")?;
            if seen != own.to_string() {
                return Err(format!("{name} saw {seen}, not {own}"));
            }
            self.backend = Some(name.to_owned());
            rest = &bytes[end + 1..];
        }
        for byte in rest {
            if u64::from(*byte) != self.got % PATTERN {
                return Err(format!("another byte than was sent, at {}", self.got));
            }
            self.got += 1;
        }
        if self.got > self.job.bytes { Err("more bytes than were asked for".into()) } else { Ok(()) }
    }
}

/// What a server does with a connection.
#[derive(Default)]
struct Service {
    asked: Vec<u8>,
    head: Option<Vec<u8>>,
    bytes: u64,
    sent: u64,
}

/// A backend's server.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) host: Host,
    services: Vec<(SocketHandle, Service)>,
}

impl Server {
    /// The VIPs are its addresses; `mtu` leaves room for the outer header, and so does the MSS that it tells.
    pub(crate) fn new(name: &str, mtu: usize, seed: u64) -> Self {
        let (IpAddr::V4(v4), IpAddr::V6(v6)) = (vip(false), vip(true)) else {
            unreachable!("one of each family")
        };
        let mut host = Host::new(v4, v6, mtu, seed);
        let handles = (0..AT_ONCE).map(|_| host.sockets.add(socket(1 << 10, 16 << 10)));
        let services = handles.map(|h| (h, Service::default())).collect();
        Self { name: name.to_owned(), host, services }
    }

    /// Answers.
    pub(crate) fn work(&mut self, _: Instant) {
        for (handle, service) in &mut self.services {
            let socket = self.host.sockets.get_mut::<Socket<'_>>(*handle);
            if !socket.is_open() {
                *service = Service::default();
                // A closed socket can always listen.
                let _open = socket.listen(PORT);
                continue;
            }
            service.go_on(&self.name, socket);
        }
    }
}

impl Service {
    fn go_on(&mut self, name: &str, socket: &mut Socket<'_>) {
        if self.head.is_none() && socket.can_recv() {
            let asked = &mut self.asked;
            let _closed = socket.recv(|bytes| (bytes.len(), asked.extend_from_slice(bytes)));
            if let Some(line) = asked.strip_suffix(b"\n").and_then(|l| l.strip_prefix(b"GET "))
                && let Some(client) = socket.remote_endpoint()
            {
                self.bytes = String::from_utf8_lossy(line).parse().unwrap_or(0);
                self.head = Some(format!("{name} {}\n", client.addr).into_bytes());
            }
        }
        if let Some(head) = &mut self.head {
            while !head.is_empty() && socket.can_send() {
                let n = socket.send_slice(head).unwrap_or(0);
                head.drain(..n);
            }
            while head.is_empty() && self.sent < self.bytes && socket.can_send() {
                let (from, left) = (self.sent, self.bytes - self.sent);
                let fill = |room: &mut [u8]| {
                    let n = room.len().min(left as usize);
                    for (byte, at) in room[..n].iter_mut().zip(from..) {
                        *byte = (at % PATTERN) as u8;
                    }
                    (n, n as u64)
                };
                self.sent += socket.send(fill).unwrap_or(left);
            }
        }
        if socket.state() == State::CloseWait {
            socket.close();
        }
    }
}
