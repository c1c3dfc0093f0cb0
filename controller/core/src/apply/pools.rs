//! Pools come and go.

use super::{Told, Work};
use crate::pool::Pool;
use crate::{Refusal, check};
use control_proto::v1;
use std::sync::Arc;

impl Work<'_> {
    pub(super) fn create_pool(&mut self, request: &v1::CreatePoolRequest) -> Result<Told, Refusal> {
        let name = &request.name;
        check::pool_name(name)?;
        let mut settings = check::pool_settings(request.settings.as_ref(), &self.new.settings)?;
        let told = Told::Pool(name.clone());
        if let Some(pool) = self.new.pools.get(name) {
            let there = pool.settings();
            if request.replace && request.settings.as_ref().is_none_or(|s| s.ring_slots == 0) {
                settings.ring_slots = there.ring_slots;
            }
            if there == settings {
                return Ok(told);
            }
            if !request.replace {
                return Err(Refusal::exists(format!("pool `{name}` is there, with other settings")));
            }
            if there.ring_slots != settings.ring_slots {
                return Err(Refusal::failed(format!(
                    "pool `{name}` has a ring of {} slots, and keeps it: {} slots need another pool",
                    there.ring_slots, settings.ring_slots
                )));
            }
            self.pool_mut(name)?.about.settings = Some(settings);
            self.event("pool.changed", name, "", "other settings");
            return Ok(told);
        }
        let number = self.pool_number()?;
        let about = v1::Pool { name: name.clone(), number, settings: Some(settings), version: 0 };
        let mut pool = Pool::new(about);
        // No generation is above the version: those of a pool that had this number before are lower.
        pool.generation = self.new.marks.version;
        self.new.pools.insert(name.clone(), Arc::new(pool));
        self.event("pool.created", name, "", format!("number {number}"));
        Ok(told)
    }

    fn pool_number(&mut self) -> Result<u32, Refusal> {
        // Number 0 stays unused.
        let room = self.new.settings.pools - 1;
        if self.new.pools.len() >= room as usize {
            return Err(Refusal::failed(format!(
                "there are {room} pools, as many as a node's rings have room for"
            )));
        }
        let pools = self.new.pools.clone();
        let has = |n| pools.values().any(|p| p.about.number == n);
        let number = self.new.pool_numbers.take(&(1..room + 1), self.now, has);
        number.ok_or_else(|| {
            let minutes = self.new.settings.reuse_after_ms / 60_000;
            Refusal::failed(format!("all {room} pool numbers were in use within the last {minutes} minutes"))
        })
    }

    pub(super) fn delete_pool(&mut self, name: &str) -> Result<Told, Refusal> {
        check::pool_name(name)?;
        if let Some((key, _)) = self.new.vips.iter().find(|(_, vip)| vip.pool == name) {
            return Err(Refusal::failed(format!("VIP {key} leads to pool `{name}`: unbind it first")));
        }
        let Some(pool) = self.new.pools.remove(name) else {
            return Ok(Told::Nothing);
        };
        for backend in pool.backends.values() {
            self.retire(backend);
        }
        let until = self.now + self.new.settings.reuse_after_ms;
        self.new.pool_numbers.give_back(pool.about.number, self.now, until);
        self.event("pool.deleted", name, "", format!("with {} backends", pool.backends.len()));
        Ok(Told::Nothing)
    }
}
