//! Raw sockets: one to send and one to hear, per family.

use super::packet::{Answer, parse, reset, syn};
use crate::probe::Found;
use rustix::net::{
    AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, bind, getsockname, ipproto, sendto,
    socket_with,
};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Probes under way, by what the answer must acknowledge.
type Waiting = Arc<Mutex<HashMap<u32, Waits>>>;

#[derive(Debug)]
struct Waits {
    vip: SocketAddr,
    done: oneshot::Sender<Answer>,
}

/// The means for probes through VIPs.
#[derive(Debug)]
pub struct Through {
    /// For inner packets of IPv4, and of IPv6.
    outer4_inner4: OwnedFd,
    outer6: Option<Outer6>,
    /// A port that is ours: bound, never listening.
    port: u16,
    _bound: OwnedFd,
    waiting: Waiting,
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
        let (bound, port) = own_port(outer6.is_some()).map_err(|e| format!("can't bind a port: {e}"))?;
        let waiting = Waiting::default();
        let mut ears = vec![listen(raw(AddressFamily::INET, ipproto::TCP)?, true, port, &waiting)?];
        if outer6.is_some() {
            ears.push(listen(raw(AddressFamily::INET6, ipproto::TCP)?, false, port, &waiting)?);
        }
        let random = Mutex::new(u64::from(std::process::id()) << 32 ^ clock());
        Ok(Arc::new(Self { outer4_inner4, outer6, port, _bound: bound, waiting, random, ears }))
    }
    /// A handshake with a VIP at one backend. Waits for the answer; the caller sets the limit.
    pub(crate) async fn handshake(&self, backend: IpAddr, vip: SocketAddr) -> Result<(), Found> {
        let trouble = |doing: &str, e: &dyn std::fmt::Display| {
            Found::Trouble(format!("this checker can't {doing}: {e}").into())
        };
        let own = own_address(backend, vip).map_err(|e| trouble("find its own address", &e))?;
        let own = SocketAddr::new(own, self.port);
        let sequence = self.sequence();
        let families =
            || Found::Trouble("the VIP and this checker's address are of different families".into());
        let packet = syn(own, vip, sequence).ok_or_else(families)?;
        let (done, answer) = oneshot::channel();
        let ack = sequence.wrapping_add(1);
        lock(&self.waiting).insert(ack, Waits { vip, done });
        let _place = Place { waiting: &self.waiting, ack };
        self.send(backend, vip, &packet).map_err(|e| crate::probe::blame("send through the VIP", &e))?;
        match answer.await {
            Ok(Answer::SynAck) => {
                if let Some(packet) = reset(own, vip, sequence) {
                    // Lost or not: the backend gives up by itself.
                    self.send(backend, vip, &packet).ok();
                }
                Ok(())
            }
            Ok(Answer::Reset) => Err(Found::Fail(format!("{vip} is there, but nobody listens").into())),
            Err(_) => Err(Found::Trouble("the raw socket is closed".into())),
        }
    }
    fn send(&self, backend: IpAddr, vip: SocketAddr, packet: &[u8]) -> io::Result<()> {
        let socket = match (backend, vip) {
            (IpAddr::V4(_), _) => Some(&self.outer4_inner4),
            (IpAddr::V6(_), SocketAddr::V4(_)) => self.outer6.as_ref().map(|o| &o.inner4),
            (IpAddr::V6(_), SocketAddr::V6(_)) => self.outer6.as_ref().map(|o| &o.inner6),
        };
        let socket = socket.ok_or_else(|| io::Error::other("this host has no IPv6"))?;
        sendto(socket, packet, SendFlags::empty(), &SocketAddr::new(backend, 0))?;
        Ok(())
    }
    /// SplitMix64: a number that no other probe under way has, and that nobody outside guesses by counting.
    fn sequence(&self) -> u32 {
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

/// Takes a probe off the list when it is over, whichever way.
struct Place<'a> {
    waiting: &'a Waiting,
    ack: u32,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(&self.ack);
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u32, Waits>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64
}

fn raw(family: AddressFamily, protocol: Protocol) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    socket_with(family, SocketType::RAW, flags, Some(protocol))
}

/// A TCP port that nobody else gets as long as the socket is there.
fn own_port(v6: bool) -> rustix::io::Result<(OwnedFd, u16)> {
    let (family, any) = if v6 {
        (AddressFamily::INET6, IpAddr::from(Ipv6Addr::UNSPECIFIED))
    } else {
        (AddressFamily::INET, IpAddr::from(Ipv4Addr::UNSPECIFIED))
    };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddr::new(any, 0))?;
    let name = SocketAddr::try_from(getsockname(&socket)?)?;
    Ok((socket, name.port()))
}

/// The address from which this host speaks to a backend, or, where the families differ, to the VIP.
fn own_address(backend: IpAddr, vip: SocketAddr) -> io::Result<IpAddr> {
    let to = if backend.is_ipv4() == vip.is_ipv4() { SocketAddr::new(backend, 9) } else { vip };
    let any = if to.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    Ok(socket.local_addr()?.ip())
}

/// Hears what comes in, and tells those who wait. Reading from a raw socket is the same call as from one for datagrams, so
/// that kind of socket serves.
fn listen(socket: OwnedFd, v4: bool, port: u16, waiting: &Waiting) -> Result<AbortHandle, String> {
    let socket = tokio::net::UdpSocket::from_std(UdpSocket::from(socket));
    let socket = socket.map_err(|e| format!("can't wait for a raw socket: {e}"))?;
    let waiting = Arc::clone(waiting);
    let ear = async move {
        let mut bytes = [0; 256];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut bytes).await else {
                // A link that went down, say: it passes.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let Some(reply) = parse(&bytes[..length], v4).filter(|r| r.ports.1 == port) else { continue };
            let source = reply.source.map_or(from.ip(), IpAddr::from);
            let mut waiting = lock(&waiting);
            let ours = |w: &Waits| w.vip.ip() == source && w.vip.port() == reply.ports.0;
            if waiting.get(&reply.ack).is_some_and(ours)
                && let Some(waits) = waiting.remove(&reply.ack)
            {
                waits.done.send(reply.answer).ok();
            }
        }
    };
    Ok(tokio::spawn(ear).abort_handle())
}
