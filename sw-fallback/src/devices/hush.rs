//! Keeps the host's stack from answering outer packets of tunnels that a pipeline takes off.
//!
//! The stack hears them too. Where no tunnel of its own wants them it tells the sender "protocol unreachable" (RFC 792) or
//! "unrecognized next header" (RFC 4443), unless a raw socket listens to the protocol: then somebody here knows it. Ours lets
//! nothing in.

use super::sys;
use std::io::{ErrorKind, Result};
use std::os::fd::OwnedFd;

/// Of the address family, the protocol.
const TUNNELS: [(libc::c_int, libc::c_int); 3] = [
    (libc::AF_INET, libc::IPPROTO_IPIP),
    (libc::AF_INET6, libc::IPPROTO_IPIP),
    (libc::AF_INET6, libc::IPPROTO_IPV6),
];

/// As long as it lives, the stack of this network says nothing of IPv4 in IPv4, IPv4 in IPv6 and IPv6 in IPv6.
#[derive(Debug)]
pub struct Hush {
    _sockets: Vec<OwnedFd>,
}

impl Hush {
    /// Begins. A host without IPv6 has nothing to say of that.
    ///
    /// # Errors
    /// Without CAP_NET_RAW.
    pub fn new() -> Result<Self> {
        let mut sockets = Vec::new();
        for (family, protocol) in TUNNELS {
            match sys::deaf_socket(family, protocol) {
                Err(error) if is_no_family(&error) => {}
                socket => sockets.push(socket?),
            }
        }
        Ok(Self { _sockets: sockets })
    }
}

fn is_no_family(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == ErrorKind::Unsupported
}
