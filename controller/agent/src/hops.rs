//! Next hops: by the agent's configuration, else as this host's kernel would route.

use crate::kept::kept;
use crate::layout::Layout;
use crate::netlink::Kernel;
use crate::reconciler::Goal;
use crate::wanted::Hop;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often all is looked at again, and neighbours are asked whether they are still there.
const REFRESH: Duration = Duration::from_secs(30);
/// How often neighbours that don't answer are asked.
const AGAIN: Duration = Duration::from_millis(500);
/// How long changes in the kernel are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// Next hops as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// By backend's address.
    pub hops: BTreeMap<IpAddr, Hop>,
    /// Why others are not, in words.
    pub why: BTreeMap<IpAddr, String>,
}

/// A network and the next hop of all backends in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The network's address.
    pub network: IpAddr,
    /// Its prefix's length.
    pub prefix: u8,
    /// The way there.
    pub hop: Hop,
}

impl Fixed {
    fn has(&self, address: IpAddr) -> bool {
        let high =
            |bits: u128, width: u32| bits.checked_shr(width.saturating_sub(self.prefix.into())).unwrap_or(0);
        match (self.network, address) {
            (IpAddr::V4(n), IpAddr::V4(a)) => high(n.to_bits().into(), 32) == high(a.to_bits().into(), 32),
            (IpAddr::V6(n), IpAddr::V6(a)) => high(n.to_bits(), 128) == high(a.to_bits(), 128),
            _ => false,
        }
    }
}

/// The configured next hop of an address: that of the longest prefix.
#[must_use]
pub(crate) fn fixed(all: &[Fixed], address: IpAddr) -> Option<Hop> {
    all.iter().filter(|f| f.has(address)).max_by_key(|f| f.prefix).map(|f| f.hop)
}

/// Looks for next hops of whatever is desired and the data plane has tables for, until nobody listens. `planes` tells of the data
/// plane that runs; while there is none, it is thought to be as the last one.
pub(crate) async fn run<P: AsRef<Layout>>(
    all: Vec<Fixed>,
    ports: BTreeMap<String, u32>,
    mut goal: watch::Receiver<Goal>,
    mut planes: watch::Receiver<Option<P>>,
    known: watch::Sender<Arc<Known>>,
) {
    let mut kernel = if ports.is_empty() { None } else { Kernel::open(ports) };
    let (mut layout, mut addresses) = (None::<Layout>, BTreeSet::new());
    loop {
        let desired = goal.borrow_and_update().desired.clone();
        if let Some(plane) = &*planes.borrow_and_update() {
            layout = Some(plane.as_ref().clone());
        }
        // What is refused as a whole changes nothing.
        if let Some(Ok(kept)) = layout.as_ref().map(|layout| kept(layout, &desired)) {
            addresses = kept.pools.values().flat_map(|p| p.backends.values().map(|b| b.address)).collect();
        }
        let (mut next, before) = (Known::default(), Arc::clone(&known.borrow()));
        let mut rest = BTreeSet::new();
        for &address in &addresses {
            match fixed(&all, address) {
                Some(hop) => drop(next.hops.insert(address, hop)),
                None => drop(rest.insert(address)),
            }
        }
        match &mut kernel {
            Some(kernel) => kernel.resolve(&rest, &before, &mut next).await,
            None => next.why.extend(rest.iter().map(|a| (*a, NO_PORTS.to_owned()))),
        }
        let pause = if next.why.is_empty() { REFRESH } else { AGAIN };
        known.send_if_modified(|known| {
            let changed = **known != next;
            if changed {
                *known = Arc::new(next);
            }
            changed
        });
        let changes = async {
            match &mut kernel {
                Some(kernel) => {
                    kernel.changed().await;
                    tokio::time::sleep(GATHER).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = goal.changed() => if changed.is_err() { return },
            changed = planes.changed() => if changed.is_err() { return },
            () = changes => {}
            () = tokio::time::sleep(pause) => {}
            () = known.closed() => return,
        }
    }
}

const NO_PORTS: &str = "it has no [[next_hop]], and no --port says which interface is which port";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_longest_prefix_says_the_way() {
        let hop = |port| Hop { port, dst_mac: [0; 6], src_mac: [0; 6], mtu: 1500, source: None };
        let net = |text: &str, prefix, port| Fixed { network: text.parse().unwrap(), prefix, hop: hop(port) };
        let all =
            [net("0.0.0.0", 0, 1), net("10.1.0.0", 16, 2), net("10.1.2.3", 32, 3), net("2001:db8::", 32, 4)];
        for (address, port) in [
            ("192.0.2.1", Some(1)),
            ("10.1.9.9", Some(2)),
            ("10.1.2.3", Some(3)),
            ("2001:db8::9", Some(4)),
            ("2001:db9::9", None),
        ] {
            assert_eq!(fixed(&all, address.parse().unwrap()).map(|h| h.port), port, "{address}");
        }
    }
}
