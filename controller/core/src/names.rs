//! Refusals that several commands give, in one wording.

use crate::Refusal;

pub(crate) fn no_pool(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no pool `{}`", name.escape_debug().take(63).collect::<String>()))
}

pub(crate) fn no_backend(pool: &str, name: &str) -> Refusal {
    let name: String = name.escape_debug().take(63).collect();
    Refusal::not_found(format!("pool `{pool}` has no backend `{name}`"))
}

pub(crate) fn ring_too_small(pool: &str, members: usize, slots: u32) -> Refusal {
    Refusal::failed(format!(
        "the ring of pool `{pool}` has {slots} slots, too few for {members} backends; a pool's ring keeps its size, so \
         make another pool with more (65537)"
    ))
}

pub(crate) fn last_one(pool: &str, name: &str, what: &str) -> Refusal {
    Refusal::failed(format!(
        "`{name}` is the last backend in service of pool `{pool}`: {what}, and all packets of the pool's VIPs are dropped; \
         say `force` if that is meant"
    ))
}
