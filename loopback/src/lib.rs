//! Loopback addresses that no other test uses.
//!
//! A port of 127.0.0.1 that a server gave back may go to whoever connects to anything next: the kernel takes a client's own
//! port from the same range and the same address, and a client that asks for such a port again and again may be connected
//! to itself. So who starts a server at a place chosen before, or starts it again where it was, has an address of its
//! own from 127.0.0.0/8, on which all ports are free.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Who listens on this port of an address has it.
const TAKEN: u16 = 19_999;

/// An address of 127.0.0.0/8 that nobody else is given until this process ends.
///
/// # Panics
/// None of many can be had.
#[must_use]
pub fn address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static HELD: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    for _ in 0..10_000 {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let at = nth(std::process::id().wrapping_mul(127).wrapping_add(n));
        if let Ok(held) = TcpListener::bind((at, TAKEN)) {
            HELD.lock().unwrap_or_else(PoisonError::into_inner).push(held);
            return at;
        }
    }
    panic!("no address of 127.0.0.0/8 can be had")
}

/// [`address`] with a port that the system chooses: `127.1.2.3:0`.
#[must_use]
pub fn any_port() -> String {
    format!("{}:0", address())
}

/// No address of 127.0.0.0/16, which people use, and none that ends in 0 or 255.
fn nth(n: u32) -> Ipv4Addr {
    let part = |n: u32| (n % 254) as u8 + 1;
    Ipv4Addr::new(127, part(n / 254 / 254), part(n / 254), part(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_is_given_once() {
        let all: BTreeSet<Ipv4Addr> = (0..300).map(|_| address()).collect();
        assert_eq!(all.len(), 300);
        assert!(all.iter().all(|at| TcpListener::bind((*at, TAKEN)).is_err()), "held until the process ends");
        let free = all.iter().all(|at| TcpListener::bind((*at, 20_000)).is_ok());
        assert!(free, "all other ports are free");
    }
}
