//! Passive signals: ICMP errors about the tunnels to backends, which routers and backends send to the outer source.
//!
//! The data plane leaves what is not for a VIP to the host, so a raw socket hears them, whichever data plane it is. They are
//! hints: anybody can make one up. A backend that has many is only probed more often.

use crate::reconciler::Goal;
use crate::status::Status;
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, ipproto, socket_with};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes of an error that are looked at: outer headers of both packets, without extensions.
const LOOKED_AT: usize = 128;
/// Errors that are read at once, and how long the socket is left alone then: a flood takes little of the time.
const AT_ONCE: usize = 256;
const PAUSE: Duration = Duration::from_millis(50);

/// Counts errors by backend until its task ends. Without the right to hear them it says so and ends.
pub(crate) async fn run(goal: watch::Receiver<Goal>, status: Status) {
    let count = |address: IpAddr| {
        let goal = goal.borrow();
        let backends = goal.desired.pools().values().flat_map(|pool| &pool.backends);
        for (&id, _) in backends.filter(|(_, backend)| backend.address == address) {
            status.facts().signals.entry(id).or_default().seen += 1;
        }
    };
    let family = async |v4: bool| match open(v4) {
        Ok(socket) => hear(&socket, v4, count).await,
        Err(error) => {
            let family = if v4 { "ICMP" } else { "ICMPv6" };
            tracing::info!("no {family} errors are counted, which needs CAP_NET_RAW: {error}");
        }
    };
    tokio::join!(family(true), family(false));
}

/// A raw socket. Reading from it is the same call as from one for datagrams, so that kind of socket serves.
fn open(v4: bool) -> std::io::Result<tokio::net::UdpSocket> {
    let (family, protocol): (_, Protocol) =
        if v4 { (AddressFamily::INET, ipproto::ICMP) } else { (AddressFamily::INET6, ipproto::ICMPV6) };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::RAW, flags, Some(protocol))?;
    tokio::net::UdpSocket::from_std(UdpSocket::from(socket))
}

async fn hear(socket: &tokio::net::UdpSocket, v4: bool, count: impl Fn(IpAddr)) {
    let mut bytes = [0; LOOKED_AT];
    loop {
        for _ in 0..AT_ONCE {
            let Ok(length) = socket.recv(&mut bytes).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            unreachable(&bytes[..length], v4).into_iter().for_each(&count);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where a tunnel led, if these bytes (IPv4: from the IP header on; IPv6: from the ICMPv6 header on, as raw sockets give
/// them) are an error about it that speaks of its end (RFC 792, RFC 4443). Path MTU is no fault.
fn unreachable(bytes: &[u8], v4: bool) -> Option<IpAddr> {
    let icmp = if v4 {
        let (header, rest) = header4(bytes)?;
        (header[9] == 1).then_some(rest)?
    } else {
        bytes
    };
    let (kind, code) = (*icmp.first()?, *icmp.get(1)?);
    let quote = icmp.get(8..)?;
    if v4 {
        // Unreachable, but for "fragmentation needed"; time exceeded on the way.
        (kind == 3 && code != 4 || kind == 11 && code == 0).then_some(())?;
        let (header, _) = header4(quote)?;
        (header[9] == 4).then_some(())?;
        let to: [u8; 4] = header[16..20].try_into().ok()?;
        return Some(Ipv4Addr::from(to).into());
    }
    // Unreachable; hop limit exceeded; a next header that the backend does not know.
    (kind == 1 || kind == 3 && code == 0 || kind == 4 && code == 1).then_some(())?;
    let header = quote.get(..40)?;
    (header[0] >> 4 == 6 && matches!(header[6], 4 | 41)).then_some(())?;
    let to: [u8; 16] = header[24..40].try_into().ok()?;
    Some(Ipv6Addr::from(to).into())
}

/// An IPv4 header, options included, and what follows.
fn header4(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *bytes.first()?;
    let length = usize::from(first & 15) * 4;
    (first >> 4 == 4 && length >= 20).then_some(())?;
    bytes.split_at_checked(length)
}

#[cfg(test)]
mod tests;
