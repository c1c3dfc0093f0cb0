//! Next hops as this host's kernel knows them.
//!
//! XDP and native send past the kernel, which therefore forgets neighbours that only they speak to. So each next hop is
//! spoken to twice a minute (a datagram to the port `discard`), and one that the kernel has forgotten stays as it was.

use crate::hops::Known;
use crate::wanted::Hop;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::link::LinkAttribute;
use rtnetlink::packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourState};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteType, RouteVia,
};
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder, new_multicast_connection};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_stream::{Stream, StreamExt as _};

/// The port `discard`.
const DISCARD: u16 = 9;
/// How often a neighbour that is known is spoken to.
const SPEAK: Duration = Duration::from_secs(30);
/// What a link says of itself if nothing: the least that IPv6 asks for would be 1280.
const MTU: u32 = 1500;

/// A connection to the kernel's tables of links, routes and neighbours.
pub(crate) struct Kernel {
    handle: Handle,
    task: JoinHandle<()>,
    changes: Pin<Box<dyn Stream<Item = ()> + Send + Sync>>,
    /// Port numbers by interface.
    ports: BTreeMap<String, u32>,
    spoken: Option<Instant>,
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An interface.
struct Link {
    name: String,
    mac: Option<[u8; 6]>,
    mtu: u32,
}

/// The tables at one time.
struct Tables {
    links: BTreeMap<u32, Link>,
    neighbours: BTreeMap<(u32, IpAddr), [u8; 6]>,
}

impl Kernel {
    /// Opens it; without it, only configured next hops are known.
    pub(crate) fn open(ports: BTreeMap<String, u32>) -> Option<Self> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Neigh,
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
        ];
        match new_multicast_connection(&groups) {
            Ok((connection, handle, messages)) => {
                let task = tokio::spawn(connection);
                let changes = Box::pin(messages.map(|_| ()));
                Some(Self { handle, task, changes, ports, spoken: None })
            }
            Err(error) => {
                tracing::warn!("no netlink, so only configured next hops: {error}");
                None
            }
        }
    }

    /// Waits for a change.
    pub(crate) async fn changed(&mut self) {
        if self.changes.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Looks for the next hops of addresses. What was known before stays if the neighbour is forgotten now.
    pub(crate) async fn resolve(&mut self, all: &BTreeSet<IpAddr>, before: &Known, known: &mut Known) {
        if all.is_empty() {
            return;
        }
        let tables = match self.tables().await {
            Ok(tables) => tables,
            Err(error) => {
                known.why.extend(all.iter().map(|a| (*a, format!("the kernel's tables: {error}"))));
                return;
            }
        };
        let mut speak = BTreeSet::new();
        for &address in all {
            match self.way(address, &tables, before, &mut speak).await {
                Ok(hop) => drop(known.hops.insert(address, hop)),
                Err(why) => drop(known.why.insert(address, why)),
            }
        }
        let due = self.spoken.is_none_or(|at| at.elapsed() > SPEAK);
        if due {
            self.spoken = Some(Instant::now());
        }
        for (neighbour, is_known) in speak {
            if due || !is_known {
                self::speak(neighbour).await;
            }
        }
    }

    async fn tables(&self) -> Result<Tables, rtnetlink::Error> {
        let (mut links, mut neighbours) = (BTreeMap::new(), BTreeMap::new());
        let mut all = Box::pin(self.handle.link().get().execute());
        while let Some(message) = all.next().await {
            let message = message?;
            let mut link = Link { name: String::new(), mac: None, mtu: MTU };
            for attribute in message.attributes {
                match attribute {
                    LinkAttribute::IfName(name) => link.name = name,
                    LinkAttribute::Address(mac) => link.mac = mac.try_into().ok(),
                    LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                    _ => {}
                }
            }
            links.insert(message.header.index, link);
        }
        let mut all = Box::pin(self.handle.neighbours().get().execute());
        while let Some(message) = all.next().await {
            let message = message?;
            let usable = [
                NeighbourState::Reachable,
                NeighbourState::Stale,
                NeighbourState::Delay,
                NeighbourState::Probe,
                NeighbourState::Permanent,
            ];
            if !usable.contains(&message.header.state) {
                continue;
            }
            let (mut address, mut mac) = (None, None);
            for attribute in message.attributes {
                match attribute {
                    NeighbourAttribute::Destination(NeighbourAddress::Inet(a)) => {
                        address = Some(IpAddr::V4(a));
                    }
                    NeighbourAttribute::Destination(NeighbourAddress::Inet6(a)) => {
                        address = Some(IpAddr::V6(a));
                    }
                    NeighbourAttribute::LinkLayerAddress(bytes) => mac = bytes.try_into().ok(),
                    _ => {}
                }
            }
            if let (Some(address), Some(mac)) = (address, mac) {
                neighbours.insert((message.header.ifindex, address), mac);
            }
        }
        Ok(Tables { links, neighbours })
    }

    /// The way to an address, or why there is none; and whom to speak to.
    async fn way(
        &self,
        address: IpAddr,
        tables: &Tables,
        before: &Known,
        speak: &mut BTreeSet<(SocketAddr, bool)>,
    ) -> Result<Hop, String> {
        let route = self.route(address).await?;
        if route.header.kind == RouteType::Local {
            return Err("it is an address of this host".into());
        }
        let (mut gateway, mut out, mut source, mut limit) = (None, None, None, u32::MAX);
        for attribute in route.attributes {
            match attribute {
                RouteAttribute::Gateway(RouteAddress::Inet(a)) => gateway = Some(IpAddr::V4(a)),
                RouteAttribute::Gateway(RouteAddress::Inet6(a)) => gateway = Some(IpAddr::V6(a)),
                // An IPv4 route by a router that has IPv6 only.
                RouteAttribute::Via(RouteVia::Inet6(a)) => gateway = Some(IpAddr::V6(a)),
                RouteAttribute::PrefSource(RouteAddress::Inet(a)) => source = Some(IpAddr::V4(a)),
                RouteAttribute::PrefSource(RouteAddress::Inet6(a)) => source = Some(IpAddr::V6(a)),
                RouteAttribute::Oif(index) => out = Some(index),
                RouteAttribute::Metrics(all) => {
                    let mtu = |m: &RouteMetric| if let RouteMetric::Mtu(mtu) = m { Some(*mtu) } else { None };
                    limit = all.iter().find_map(mtu).filter(|m| *m > 0).unwrap_or(u32::MAX);
                }
                _ => {}
            }
        }
        let (index, link) = out
            .and_then(|index| Some((index, tables.links.get(&index)?)))
            .ok_or("its route names no interface")?;
        let Some(&port) = self.ports.get(&link.name) else {
            return Err(format!("its route leaves by {}, which is no port", link.name));
        };
        let src_mac = link.mac.ok_or_else(|| format!("{} has no Ethernet address", link.name))?;
        let next = gateway.unwrap_or(address);
        let there = tables.neighbours.get(&(index, next)).copied();
        let scope = match next {
            IpAddr::V6(a) => SocketAddr::V6(std::net::SocketAddrV6::new(a, DISCARD, 0, index)),
            IpAddr::V4(_) => SocketAddr::new(next, DISCARD),
        };
        speak.insert((scope, there.is_some()));
        // A neighbour that is silent for a moment is still the way.
        let same = |h: &&Hop| h.port == port && h.src_mac == src_mac;
        let remembered = || before.hops.get(&address).filter(same).map(|h| h.dst_mac);
        let dst_mac = there.or_else(remembered).ok_or_else(|| match gateway {
            Some(gateway) => format!("its gateway {gateway} does not answer on {}", link.name),
            None => format!("it does not answer on {}", link.name),
        })?;
        let mtu = link.mtu.min(limit).min(u16::MAX.into()) as u16;
        Ok(Hop { port, dst_mac, src_mac, mtu, source })
    }

    async fn route(&self, address: IpAddr) -> Result<RouteMessage, String> {
        let mut request = match address {
            IpAddr::V4(a) => RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(a, 32).build(),
            IpAddr::V6(a) => RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(a, 128).build(),
        };
        // A question about one address, not an entry of a table.
        request.header.address_family =
            if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        request.header.table = 0;
        request.header.protocol = Default::default();
        request.header.scope = Default::default();
        request.header.kind = RouteType::Unspec;
        let mut answer = Box::pin(self.handle.route().get(request).execute());
        match answer.next().await {
            Some(Ok(route)) => Ok(route),
            Some(Err(error)) => Err(format!("no route: {error}")),
            None => Err("no route".into()),
        }
    }
}

/// Makes the kernel look for a neighbour.
async fn speak(to: SocketAddr) {
    let any: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let said = async {
        let socket = tokio::net::UdpSocket::bind(any).await?;
        socket.send_to(&[], to).await
    };
    if let Err(error) = said.await {
        tracing::debug!("{to}: {error}");
    }
}

#[cfg(test)]
mod tests;
