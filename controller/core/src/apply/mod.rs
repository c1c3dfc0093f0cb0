//! Commands: what changes the state.

mod adopt;
mod backends;
mod begin;
mod health;
mod pools;
mod vips;

use crate::backend::{Backend, Life};
use crate::pool::Pool;
use crate::records::{self, Change};
use crate::state::State;
use crate::{Refusal, names};
use control_proto::v1;
pub use health::Observation;
use std::sync::Arc;
pub(crate) use vips::key as apply_key;

/// Something that is to change.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the contract's request of that name says it")]
pub enum Command {
    CreatePool(v1::CreatePoolRequest),
    DeletePool(v1::DeletePoolRequest),
    BindVip(v1::BindVipToPoolRequest),
    UnbindVip(v1::UnbindVipRequest),
    Register(v1::RegisterBackendRequest),
    Update(v1::UpdateBackendRequest),
    Deregister(v1::DeregisterBackendRequest),
    Drain(v1::DrainBackendRequest),
    Undrain(v1::UndrainBackendRequest),
    /// What the checkers agree on now.
    Observe(Vec<Observation>),
    /// No node has a flow of these backends any more, and all have the table without them: the end of their drain.
    FlowsGone(Vec<u32>),
    /// Deadlines have come.
    Tick,
    /// A controller begins to lead, with a clock of its own.
    Begin,
    /// What a node has in force, for a registry that is empty.
    Adopt(v1::NodeSnapshot),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The pool as it is now.
    Pool(Box<v1::Pool>),
    /// The VIP as it is now.
    Vip(v1::Vip),
    /// The backend as it is now.
    Backend(Box<v1::Backend>),
    /// It is so.
    Done,
}

/// A command's effect, to be kept by the registry before it is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The state after it.
    pub state: State,
    /// The records that differ. None: nothing changed.
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: Reply,
}

impl State {
    /// What `command` does at `now` (milliseconds), or why it does nothing. `random` is where a new VIP's key comes from.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn apply(&self, command: &Command, now: u64, random: u64) -> Result<Step, Refusal> {
        let mut work = Work { old: self, new: self.clone(), now, random };
        let reply = work.run(command)?;
        work.settle()?;
        let reply = work.reply(reply);
        let changes = if work.new == *self { Vec::new() } else { records::difference(self, &work.new) };
        Ok(Step { state: work.new, changes, reply })
    }
}

/// Whose present state is the answer.
enum Told {
    Pool(String),
    Vip(crate::VipKey),
    Backend(String, String),
    Nothing,
}

/// A command at work.
struct Work<'a> {
    old: &'a State,
    new: State,
    now: u64,
    random: u64,
}

impl Work<'_> {
    fn run(&mut self, command: &Command) -> Result<Told, Refusal> {
        match command {
            Command::CreatePool(request) => self.create_pool(request),
            Command::DeletePool(request) => self.delete_pool(&request.name),
            Command::BindVip(request) => self.bind(request),
            Command::UnbindVip(request) => self.unbind(request),
            Command::Register(request) => self.register(request.backend.as_ref()),
            Command::Update(request) => self.update(request.backend.as_ref()),
            Command::Deregister(request) => self.deregister(request),
            Command::Drain(request) => self.drain(request),
            Command::Undrain(request) => self.undrain(request),
            Command::Observe(seen) => self.observe(seen),
            Command::FlowsGone(ids) => self.flows_gone(ids),
            Command::Tick => self.tick(),
            Command::Begin => self.begin(),
            Command::Adopt(snapshot) => self.adopt(snapshot),
        }
    }

    fn pool(&self, name: &str) -> Result<&Arc<Pool>, Refusal> {
        self.new.pools.get(name).ok_or_else(|| names::no_pool(name))
    }

    fn pool_mut(&mut self, name: &str) -> Result<&mut Pool, Refusal> {
        self.new.pools.get_mut(name).map(Arc::make_mut).ok_or_else(|| names::no_pool(name))
    }

    fn backend(&self, pool: &str, name: &str) -> Result<&Arc<Backend>, Refusal> {
        self.pool(pool)?.backends.get(name).ok_or_else(|| names::no_backend(pool, name))
    }

    fn backend_mut(&mut self, pool: &str, name: &str) -> Result<&mut Backend, Refusal> {
        let found = self.pool_mut(pool)?.backends.get_mut(name).map(Arc::make_mut);
        found.ok_or_else(|| names::no_backend(pool, name))
    }

    fn event(&mut self, kind: &str, pool: &str, backend: &str, text: impl Into<String>) {
        self.new.marks.event += 1;
        let (kind, pool, backend) = (kind.to_owned(), pool.to_owned(), backend.to_owned());
        let number = self.new.marks.event;
        let event = v1::Event { number, at_ms: self.now, kind, pool, backend, text: text.into() };
        let events = Arc::make_mut(&mut self.new.events);
        events.push_back(Arc::new(event));
        while events.len() > self.new.settings.events {
            events.pop_front();
        }
    }

    /// What follows from a command: states' times and events, rings, versions.
    fn settle(&mut self) -> Result<(), Refusal> {
        let (old, version) = (self.old, self.new.marks.version + 1);
        let differs = |(name, pool): (&String, &Arc<Pool>)| {
            old.pools
                .get(name)
                .is_none_or(|before| !Arc::ptr_eq(before, pool) && before != pool)
                .then(|| name.clone())
        };
        let touched: Vec<String> = self.new.pools.iter().filter_map(differs).collect();
        let gone = old.pools.keys().any(|name| !self.new.pools.contains_key(name));
        let mut for_nodes = gone || old.vips != self.new.vips;
        for name in &touched {
            self.settle_states(name)?;
            let before = old.pools.get(name).map(|pool| &**pool);
            let pool = self.pool_mut(name)?;
            pool.settle(before)?;
            pool.about.version = version;
            if before.is_none_or(|before| !pool.same_for_nodes(before)) {
                pool.node_version = version;
                for_nodes = true;
            }
            self.settle_alarms(name)?;
        }
        if for_nodes || !touched.is_empty() {
            self.new.marks.version = version;
        }
        if for_nodes {
            self.new.marks.node_version = version;
            self.new.marks.accepted_ms = self.now;
        }
        Ok(())
    }

    fn settle_states(&mut self, pool: &str) -> Result<(), Refusal> {
        let old = self.old.pools.get(pool);
        let mut moved = Vec::new();
        for (name, backend) in &self.pool(pool)?.backends {
            let before = old.and_then(|old| old.backends.get(name));
            let was = before.filter(|b| b.id == backend.id).map(|b| b.state());
            if was.is_some_and(|was| was != backend.state()) {
                moved.push((name.to_string(), was.map_or("", |s| s.as_str_name()), Arc::clone(backend)));
            }
        }
        let now = self.now;
        for (name, was, backend) in moved {
            let state = backend.state();
            let text = format!("{was} -> {}: {}", state.as_str_name(), backend.reason);
            self.event("backend.state", pool, &name, text);
            if state == v1::BackendState::Unknown {
                self.event("alarm.unknown", pool, &name, "frozen as it was until checkers agree again");
            }
            self.backend_mut(pool, &name)?.since_ms = now;
        }
        Ok(())
    }

    fn settle_alarms(&mut self, name: &str) -> Result<(), Refusal> {
        let pool = Arc::clone(self.pool(name)?);
        let before = self.old.pools.get(name);
        let (was, is) = (before.is_some_and(|p| p.panics()), pool.panics());
        if was != is {
            let text = if is {
                "too many backends are unhealthy: all are used"
            } else {
                "the unhealthy are out again"
            };
            self.event(if is { "alarm.panic" } else { "alarm.panic.over" }, name, "", text);
        }
        let (was, is) = (before.is_some_and(|p| !p.table.slots.is_empty()), !pool.table.slots.is_empty());
        if was && !is {
            let text = "nobody is in service: packets of its VIPs are dropped";
            self.event("alarm.empty_pool", name, "", text);
        } else if !was && is {
            self.event("pool.serves", name, "", format!("{} backends in the ring", pool.members().len()));
        }
        Ok(())
    }

    fn reply(&self, told: Told) -> Reply {
        match told {
            Told::Nothing => Reply::Done,
            Told::Pool(name) => {
                self.new.pools.get(&name).map_or(Reply::Done, |p| Reply::Pool(Box::new(p.about.clone())))
            }
            Told::Vip(key) => self.new.vips.get(&key).map_or(Reply::Done, |v| Reply::Vip(v.clone())),
            Told::Backend(pool, name) => {
                let pool = self.new.pools.get(&pool);
                let found = pool.and_then(|p| Some((p, p.backends.get(&*name)?)));
                found.map_or(Reply::Done, |(pool, b)| Reply::Backend(Box::new(pool.tell(b))))
            }
        }
    }

    /// Takes a backend's id away from it.
    fn retire(&mut self, backend: &Backend) {
        if backend.life != Life::Evicted {
            self.new.backend_ids.give_back(backend.id, self.now, self.now + self.new.settings.reuse_after_ms);
        }
    }
}
