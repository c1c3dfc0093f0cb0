//! What the checkers agree on becomes states.

use super::{Told, Work};
use crate::Refusal;
use crate::backend::{Health, Life};

/// What the checkers agree on about one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub backend: String,
    /// Its id when the reports were made: what was seen of its predecessor is not about it.
    pub id: u32,
    /// What they see; none if they don't agree, or nobody looks: it is frozen then.
    pub health: Option<Health>,
    /// In words.
    pub reason: String,
}

impl Work<'_> {
    pub(super) fn observe(&mut self, seen: &[Observation]) -> Result<Told, Refusal> {
        for it in seen {
            let Some(there) = self.new.pools.get(&it.pool).and_then(|pool| pool.backends.get(&*it.backend))
            else {
                continue;
            };
            if there.id != it.id || there.life == Life::Evicted {
                continue;
            }
            // Who was never ready stays pending, whatever else is seen.
            let health = match it.health {
                Some(Health::Healthy) => Health::Healthy,
                Some(seen) if there.health != Health::Pending => seen,
                _ => there.health,
            };
            let known = it.health.is_some();
            if (there.health, there.known) == (health, known) {
                continue;
            }
            let now = self.now;
            let backend = self.backend_mut(&it.pool, &it.backend)?;
            backend.downs.note(backend.health, health, now);
            (backend.health, backend.known) = (health, known);
            if backend.life == Life::InService {
                backend.reason.clone_from(&it.reason);
            }
        }
        Ok(Told::Nothing)
    }
}
