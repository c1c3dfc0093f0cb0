//! What of the desired the data plane has tables for: its program may be one half of l4lb, for VIPs of one family.

use crate::layout::{Layout, TUNNELS};
use crate::wanted::Unfit;
use control_core::node::{Backend, Desired, Family, Pool, Service};
use control_proto::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What is left out, as the data plane has no tables for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// VIPs.
    pub vips: usize,
    /// Pools that no other VIP uses.
    pub pools: usize,
    /// One of the VIPs, in words.
    pub example: String,
}

/// What is not left out.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    /// VIPs.
    pub services: Vec<&'a Service>,
    /// Pools by number.
    pub pools: BTreeMap<u32, Arc<Pool>>,
    /// The rest.
    pub left_out: LeftOut,
}

impl LeftOut {
    /// As the controller is told; none: nothing is left out.
    pub(crate) fn message(&self) -> Option<v1::LeftOut> {
        let Self { vips, pools, example } = self;
        let (vips, pools) = (*vips as u32, *pools as u32);
        (vips > 0 || pools > 0).then(|| v1::LeftOut { vips, pools, example: example.clone() })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vips, pools, example } = self;
        match vips {
            0 => f.write_str("no VIP is left out"),
            _ => write!(
                f,
                "VIPs of a family that the data plane has no tables for are left out: {vips} (such as {example}), and \
                 {pools} pools that no other VIP uses"
            ),
        }
    }
}

/// Leaves out VIPs without tables, pools that only they use, and pools that no VIP uses and no tunnel reaches.
///
/// # Errors
/// [`Unfit::Tunnel`]
pub(crate) fn kept<'a>(layout: &Layout, desired: &'a Desired) -> Result<Kept<'a>, Unfit> {
    let (services, left): (Vec<&Service>, Vec<&Service>) =
        desired.services().iter().partition(|s| layout.has_vips(Family::of(s.address)));
    let users: BTreeMap<u32, &Service> = services.iter().rev().map(|s| (s.pool, *s)).collect();
    let theirs: BTreeSet<u32> = left.iter().map(|s| s.pool).collect();
    let mut pools = BTreeMap::new();
    for (&number, pool) in desired.pools() {
        let lost = pool.backends.values().find(|b| !layout.reaches(Family::of(b.address)));
        let user = users.get(&number);
        if let (Some(vip), Some(backend)) = (user, lost) {
            return Err(unreached(vip, pool, backend));
        }
        if user.is_some() || lost.is_none() && !theirs.contains(&number) {
            pools.insert(number, Arc::clone(pool));
        }
    }
    let left_out = LeftOut {
        vips: left.len(),
        pools: desired.pools().len() - pools.len(),
        example: left.first().map(|s| words(s)).unwrap_or_default(),
    };
    Ok(Kept { services, pools, left_out })
}

fn unreached(vip: &Service, pool: &Pool, backend: &Backend) -> Unfit {
    let [v4, v6] = [("4", TUNNELS[0]), ("6", TUNNELS[1])];
    let ((_, action), (other, _)) = if backend.address.is_ipv4() { (v4, v6) } else { (v6, v4) };
    // An IPv6 VIP has IPv6 backends only.
    let instead = match vip.address.is_ipv4() {
        true => format!(", or give the pool IPv{other} backends only"),
        false => String::new(),
    };
    Unfit::Tunnel {
        vip: words(vip).into(),
        pool: pool.name.clone(),
        backend: backend.name.clone(),
        address: backend.address,
        action,
        instead: instead.into(),
    }
}

/// A VIP as people write it.
fn words(s: &Service) -> String {
    let protocol = if s.protocol == 6 { "tcp" } else { "udp" };
    let port = if s.port == 0 { "any".to_owned() } else { s.port.to_string() };
    format!("{} {protocol} {port}", s.address)
}

#[cfg(test)]
mod tests;
