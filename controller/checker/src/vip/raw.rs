//! Raw sockets: one to send and one to hear, per family; and ports at which the host's own stack is silent.

use super::packet::{Segment, parse};
use rustix::net::{
    AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, ipproto, sendto, socket_with,
};
use socket2::{Domain, SockFilter, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Segments that wait for their reader at most; more are lost, and sent again.
const QUEUE: usize = 64;
/// A packet at most, also one that the host has put together from several.
const PACKET: usize = 1 << 16;

/// `BPF_RET | BPF_K` of the kernel's filters.
const RETURN: u16 = 0x06;

/// A segment that came, and its data.
pub(super) type Heard = (Segment, Vec<u8>);

/// Connections by their ports here.
type Connections = Arc<Mutex<HashMap<u16, Connection>>>;

#[derive(Debug)]
struct Connection {
    vip: SocketAddr,
    heard: mpsc::Sender<Heard>,
}

/// The means for probes through VIPs.
#[derive(Debug)]
pub struct Through {
    /// For inner packets of IPv4, and of IPv6.
    outer4_inner4: OwnedFd,
    outer6: Option<Outer6>,
    connections: Connections,
    random: Mutex<u64>,
    ears: Vec<AbortHandle>,
}

#[derive(Debug)]
struct Outer6 {
    inner4: OwnedFd,
    inner6: OwnedFd,
}

impl Through {
    /// Opens the sockets. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// Without `CAP_NET_RAW`; the text says what to do.
    pub fn open() -> Result<Arc<Self>, String> {
        let raw = |family, protocol| {
            raw(family, protocol).map_err(|e| {
                let help = match e {
                    rustix::io::Errno::PERM | rustix::io::Errno::ACCESS => {
                        ": probes through a VIP need CAP_NET_RAW (`setcap cap_net_raw+ep`, AmbientCapabilities= in the unit, or root)"
                    }
                    _ => "",
                };
                format!("can't open a raw socket: {e}{help}")
            })
        };
        let outer4_inner4 = raw(AddressFamily::INET, ipproto::IPIP)?;
        // A host without IPv6 is no fault.
        let outer6 =
            match (raw(AddressFamily::INET6, ipproto::IPIP), raw(AddressFamily::INET6, ipproto::IPV6)) {
                (Ok(inner4), Ok(inner6)) => Some(Outer6 { inner4, inner6 }),
                _ => None,
            };
        let connections = Connections::default();
        let mut ears = vec![listen(raw(AddressFamily::INET, ipproto::TCP)?, true, &connections)?];
        if outer6.is_some() {
            ears.push(listen(raw(AddressFamily::INET6, ipproto::TCP)?, false, &connections)?);
        }
        let random = Mutex::new(u64::from(std::process::id()) << 32 ^ clock());
        Ok(Arc::new(Self { outer4_inner4, outer6, connections, random, ears }))
    }
    /// A port of ours for a connection to a VIP, and what comes to it from there.
    pub(super) fn port(&self, vip: SocketAddr) -> io::Result<(Port, mpsc::Receiver<Heard>)> {
        let (socket, number) = silent(self.outer6.is_some())?;
        let (heard, hears) = mpsc::channel(QUEUE);
        lock(&self.connections).insert(number, Connection { vip, heard });
        Ok((Port { number, connections: Arc::clone(&self.connections), _socket: socket }, hears))
    }
    /// Sends a packet to the VIP, encapsulated to the backend.
    pub(super) fn send(&self, backend: IpAddr, vip: SocketAddr, packet: &[u8]) -> io::Result<()> {
        let socket = match (backend, vip) {
            (IpAddr::V4(_), _) => Some(&self.outer4_inner4),
            (IpAddr::V6(_), SocketAddr::V4(_)) => self.outer6.as_ref().map(|o| &o.inner4),
            (IpAddr::V6(_), SocketAddr::V6(_)) => self.outer6.as_ref().map(|o| &o.inner6),
        };
        let socket = socket.ok_or_else(|| io::Error::other("this host has no IPv6"))?;
        sendto(socket, packet, SendFlags::empty(), &SocketAddr::new(backend, 0))?;
        Ok(())
    }
    /// SplitMix64: a number that nobody outside guesses by counting.
    pub(super) fn sequence(&self) -> u32 {
        let mut state = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 32) as u32
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        self.ears.iter().for_each(AbortHandle::abort);
    }
}

/// A port that nobody else gets as long as this is there.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    connections: Connections,
    _socket: Socket,
}

impl Port {
    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        lock(&self.connections).remove(&self.number);
    }
}

fn lock(connections: &Connections) -> MutexGuard<'_, HashMap<u16, Connection>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64
}

fn raw(family: AddressFamily, protocol: Protocol) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    socket_with(family, SocketType::RAW, flags, Some(protocol))
}

/// A listening socket whose filter lets nothing in: the kernel neither answers what comes to its port nor resets it.
fn silent(v6: bool) -> io::Result<(Socket, u16)> {
    let (domain, any) = if v6 {
        (Domain::IPV6, IpAddr::from(Ipv6Addr::UNSPECIFIED))
    } else {
        (Domain::IPV4, IpAddr::from(Ipv4Addr::UNSPECIFIED))
    };
    let socket = Socket::new(domain, Type::STREAM, None)?;
    if v6 {
        socket.set_only_v6(false)?;
    }
    // A program of one instruction: return the constant 0, so many bytes are let in.
    socket.attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])?;
    socket.bind(&SocketAddr::new(any, 0).into())?;
    socket.listen(1)?;
    let name = socket.local_addr()?.as_socket();
    Ok((socket, name.map_or(0, |name| name.port())))
}

/// The address from which this host speaks to a backend, or, where the families differ, to the VIP.
pub(super) fn own_address(backend: IpAddr, vip: SocketAddr) -> io::Result<IpAddr> {
    let to = if backend.is_ipv4() == vip.is_ipv4() { SocketAddr::new(backend, 9) } else { vip };
    let any = if to.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    Ok(socket.local_addr()?.ip())
}

/// Hears what comes in, and tells those who wait. Reading from a raw socket is the same call as from one for datagrams, so
/// that kind of socket serves.
fn listen(socket: OwnedFd, v4: bool, connections: &Connections) -> Result<AbortHandle, String> {
    let socket = tokio::net::UdpSocket::from_std(UdpSocket::from(socket));
    let socket = socket.map_err(|e| format!("can't wait for a raw socket: {e}"))?;
    let connections = Arc::clone(connections);
    let ear = async move {
        let mut bytes = vec![0; PACKET];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut bytes).await else {
                // A link that went down, say: it passes.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let Some((segment, data)) = parse(&bytes[..length], v4) else { continue };
            let source = segment.source.map_or(from.ip(), IpAddr::from);
            let source = SocketAddr::new(source, segment.ports.0);
            if let Some(to) = lock(&connections).get(&segment.ports.1).filter(|c| c.vip == source) {
                to.heard.try_send((segment, data.to_vec())).ok();
            }
        }
    };
    Ok(tokio::spawn(ear).abort_handle())
}
