//! A host: a TCP/IP stack of its own, on a wire in memory.

use smoltcp::iface::{Config, Interface, PollResult, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, IpCidr};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IP packets on their way in and out.
#[derive(Debug)]
pub(crate) struct Wire {
    mtu: usize,
    pub(crate) inward: VecDeque<Vec<u8>>,
    pub(crate) outward: VecDeque<Vec<u8>>,
}

pub(crate) struct In(Vec<u8>);
pub(crate) struct Out<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for In {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = vec![0; length];
        let result = write(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = In;
    type TxToken<'a> = Out<'a>;
    fn receive(&mut self, _: Instant) -> Option<(In, Out<'_>)> {
        let packet = self.inward.pop_front()?;
        Some((In(packet), Out(&mut self.outward)))
    }
    fn transmit(&mut self, _: Instant) -> Option<Out<'_>> {
        Some(Out(&mut self.outward))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut own = DeviceCapabilities::default();
        own.medium = Medium::Ip;
        own.max_transmission_unit = self.mtu;
        own
    }
}

/// A host.
pub(crate) struct Host {
    pub(crate) wire: Wire,
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
}

impl Host {
    /// With an address of each family; longest IP packet `mtu`.
    pub(crate) fn new(v4: Ipv4Addr, v6: Ipv6Addr, mtu: usize, seed: u64) -> Self {
        let mut wire = Wire { mtu, inward: VecDeque::new(), outward: VecDeque::new() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|all| {
            for (address, bits) in [(IpAddr::V4(v4), 32), (IpAddr::V6(v6), 128)] {
                // The list has room for two.
                let _full = all.push(IpCidr::new(address.into(), bits));
            }
        });
        // No neighbours: the wire takes everything.
        let routes = interface.routes_mut();
        let _old = (routes.add_default_ipv4_route(v4), routes.add_default_ipv6_route(v6));
        Self { wire, interface, sockets: SocketSet::new(Vec::new()) }
    }

    /// Lets the stack work. Did anything happen?
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        self.interface.poll(now, &mut self.wire, &mut self.sockets) != PollResult::None
    }

    /// How long it may be left alone.
    pub(crate) fn idle(&mut self, now: Instant) -> Option<Duration> {
        self.interface.poll_delay(now, &self.sockets)
    }
}
