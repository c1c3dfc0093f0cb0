//! Addresses that flows are chosen by.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Bits of an address, and the address as a number.
fn number(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(a) => (32, a.to_bits().into()),
        IpAddr::V6(a) => (128, a.to_bits()),
    }
}

/// A client's address, or a network of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    bits: u32,
    address: u128,
    prefix: u32,
}

impl Client {
    /// Is it an address of so many bits in here?
    pub(super) fn has(&self, bits: u32, address: u128) -> bool {
        let rest = self.bits - self.prefix;
        let high = |a: u128| a.checked_shr(rest).unwrap_or(0);
        bits == self.bits && high(address) == high(self.address)
    }
}

impl FromStr for Client {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no ADDR or ADDR/LEN, as in 10.0.0.0/8 or 2001:db8::1");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let (bits, address) = number(address.parse().map_err(|_| wrong())?);
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits {
            return Err(wrong());
        }
        Ok(Self { bits, address, prefix })
    }
}

/// A service's address, and its port if that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vip {
    pub(super) bits: u32,
    pub(super) address: u128,
    pub(super) port: Option<u16>,
}

impl FromStr for Vip {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let of = |address: IpAddr, port| {
            let (bits, address) = number(address);
            Self { bits, address, port }
        };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(of(address, None));
        }
        match text.parse::<SocketAddr>() {
            Ok(both) => Ok(of(both.ip(), Some(both.port()))),
            Err(_) => Err(format!(
                "`{text}` is no ADDR, ADDR:PORT or [ADDR]:PORT, as in 203.0.113.10:80 or [2001:db8::1]:80"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clients_are_addresses_and_networks() {
        let client = |text: &str| text.parse::<Client>();
        assert!(client("10.1.2.3").unwrap().has(32, 0x0a01_0203));
        assert!(!client("10.1.2.3").unwrap().has(32, 0x0a01_0204));
        assert!(client("10.1.0.0/16").unwrap().has(32, 0x0a01_ffff));
        assert!(!client("10.1.0.0/16").unwrap().has(128, 0x0a01_ffff));
        assert!(client("0.0.0.0/0").unwrap().has(32, 7) && client("::/0").unwrap().has(128, u128::MAX));
        assert!(client("2001:db8::/32").unwrap().has(128, 0x2001_0db8 << 96 | 9));
        for wrong in ["", "10.0.0.0/33", "10.0.0", "10.0.0.0/x", "a"] {
            assert!(client(wrong).unwrap_err().contains("ADDR/LEN"), "{wrong}");
        }
    }

    #[test]
    fn services_are_addresses_with_or_without_a_port() {
        let vip = |text: &str| text.parse::<Vip>().map(|v| (v.bits, v.address, v.port));
        assert_eq!(vip("203.0.113.10"), Ok((32, 0xcb00_710a, None)));
        assert_eq!(vip("203.0.113.10:80"), Ok((32, 0xcb00_710a, Some(80))));
        assert_eq!(vip("2001:db8::1"), Ok((128, 0x2001_0db8 << 96 | 1, None)));
        assert_eq!(vip("[2001:db8::1]:443"), Ok((128, 0x2001_0db8 << 96 | 1, Some(443))));
        for wrong in ["", "x", "10.0.0.1:", "10.0.0.1:70000"] {
            assert!(vip(wrong).is_err(), "{wrong}");
        }
    }
}
