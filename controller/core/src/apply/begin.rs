//! A controller that begins to lead has a clock of its own. That of the one before may have been ahead or behind: times that
//! lie where they can't by this clock are moved to where they do the least harm.

use super::{Told, Work};
use crate::Refusal;
use crate::backend::{Backend, Life};
use std::sync::Arc;

impl Work<'_> {
    pub(super) fn begin(&mut self) -> Result<Told, Refusal> {
        let (now, new) = (self.now, &mut self.new);
        let latest = now + new.settings.reuse_after_ms;
        for numbers in [&mut new.backend_ids, &mut new.vip_numbers, &mut new.pool_numbers] {
            numbers.rest_at_most_until(latest);
        }
        for pool in new.pools.values_mut() {
            if pool.backends.values().all(|b| times(b, now) == (b.life, b.since_ms)) {
                continue;
            }
            for backend in Arc::make_mut(pool).backends.values_mut() {
                let (life, since_ms) = times(backend, now);
                if (life, since_ms) != (backend.life, backend.since_ms) {
                    let backend = Arc::make_mut(backend);
                    (backend.life, backend.since_ms) = (life, since_ms);
                }
            }
        }
        Ok(Told::Nothing)
    }
}

/// The times of a backend as they can be at `now`. A drain that should have ended already gets its window again: one that lasts
/// too long harms nobody, one that ends too soon breaks connections.
fn times(backend: &Backend, now: u64) -> (Life, u64) {
    let life = match backend.life {
        Life::Draining { window_ms, deadline_ms } if !(now..=now + window_ms).contains(&deadline_ms) => {
            Life::Draining { window_ms, deadline_ms: now + window_ms }
        }
        life => life,
    };
    (life, backend.since_ms.min(now))
}
