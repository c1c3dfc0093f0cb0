//! A state with short ways to change it. Every step is checked against its records.

use bytes::Bytes;
use control_core::node::{Desired, Part, decode, encode, merge};
use control_core::{Command, Health, NodeView, Observation, Refusal, Reply, Settings, State};
use control_proto::v1::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Slots of the rings in tests, a prime.
pub(crate) const SLOTS: u32 = 251;

pub(crate) struct Lab {
    pub(crate) state: State,
    pub(crate) now: u64,
    pub(crate) settings: Settings,
    records: BTreeMap<String, Bytes>,
    view: NodeView,
    /// What a node that checks everything makes of it.
    node: Desired,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(Settings { ring_slots: SLOTS, ..Settings::default() })
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let state = State::new(settings.clone());
        let (records, view, node) = (BTreeMap::new(), NodeView::default(), Desired::default());
        Self { state, now: 1_000, settings, records, view, node }
    }

    /// One pool `web` with these backends, all healthy, and a VIP.
    pub(crate) fn web(names: &[&str]) -> Self {
        let mut lab = Self::new();
        lab.pool("web");
        lab.run(&bind("web", "203.0.113.10", 80)).unwrap();
        for (at, name) in names.iter().enumerate() {
            lab.run(&register("web", name, &format!("10.0.0.{}", at + 1))).unwrap();
            lab.see("web", name, Some(Health::Healthy));
        }
        lab
    }

    pub(crate) fn pool(&mut self, name: &str) {
        self.run(&Command::CreatePool(CreatePoolRequest { name: name.into(), ..Default::default() }))
            .unwrap();
    }

    pub(crate) fn run(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let step = self.state.apply(command, self.now, 99)?;
        assert_eq!(step.changes.is_empty(), step.state == self.state, "{command:?}");
        for change in step.changes {
            match change.value {
                Some(value) => self.records.insert(change.key, value),
                None => self.records.remove(&change.key),
            };
        }
        self.state = step.state;
        let loaded = State::load(self.settings.clone(), &self.records).unwrap();
        assert!(loaded == self.state, "the records are not the state after {command:?}");
        self.tell_node();
        Ok(step.reply)
    }

    /// A node takes each snapshot, all at once or what is new.
    fn tell_node(&mut self) {
        let view = NodeView::of(&self.state, &self.view);
        if view.version == self.view.version {
            return;
        }
        let (first, news) = (view.since(None), view.since(Some(&self.view)));
        let whole = merge(&self.node, Part::Whole, &first).unwrap();
        self.node = merge(&self.node, Part::Changes, &news).unwrap();
        assert!(self.node == whole, "what is new makes the whole");
        self.view = view;
    }

    pub(crate) fn snapshot(&self) -> NodeSnapshot {
        NodeView::of(&self.state, &NodeView::default()).since(None)
    }

    /// What the node gives back after it was started again with what it had on its disk.
    pub(crate) fn offered(&self) -> NodeSnapshot {
        let disk = decode(&encode(&self.node.to_snapshot())).unwrap();
        merge(&Desired::default(), Part::Whole, &disk).unwrap().to_snapshot()
    }

    /// A registry that lost everything and adopts this.
    pub(crate) fn adopting(&self, offered: NodeSnapshot) -> Self {
        let mut lab = Self::with(self.settings.clone());
        lab.now = self.now;
        lab.run(&Command::Adopt(offered)).unwrap();
        lab
    }

    /// All that it knows, but for events, versions and counters.
    pub(crate) fn known(&self) -> Vec<(PoolSnapshot, u64, Vec<control_core::Backend>)> {
        let told = |(name, pool): (&String, &Arc<control_core::Pool>)| {
            let mut told = self.state.pool_snapshot(name).unwrap();
            (told.version, told.pool.as_mut().unwrap().version) = (0, 0);
            (told, pool.generation, pool.backends.values().map(|b| (**b).clone()).collect())
        };
        self.state.pools().iter().map(told).collect()
    }

    pub(crate) fn see(&mut self, pool: &str, name: &str, health: Option<Health>) {
        let Some(id) = self.id(pool, name) else { return };
        let (pool, backend) = (pool.to_owned(), name.to_owned());
        let seen = Observation { pool, backend, id, health, reason: "the test says so".into() };
        self.run(&Command::Observe(vec![seen])).unwrap();
    }

    pub(crate) fn id(&self, pool: &str, name: &str) -> Option<u32> {
        Some(self.state.pools().get(pool)?.backends.get(name)?.id)
    }

    pub(crate) fn backend(&self, pool: &str, name: &str) -> Backend {
        let pool = &self.state.pools()[pool];
        pool.tell(&pool.backends[name])
    }

    /// Slots per name.
    pub(crate) fn shares(&self, pool: &str) -> Vec<(String, u32)> {
        let pool = &self.state.pools()[pool];
        let shares = pool.ring().map(|r| r.shares()).unwrap_or_default();
        let name = |id| pool.backends.values().find(|b| b.id == id).unwrap().spec.name.clone();
        shares.into_iter().map(|(id, slots)| (name(id), slots)).collect()
    }

    pub(crate) fn slots(&self, pool: &str) -> Vec<u32> {
        self.state.pools()[pool].ring().map(|r| r.slots().to_vec()).unwrap_or_default()
    }
}

pub(crate) fn spec(pool: &str, name: &str, address: &str) -> BackendSpec {
    let (pool, name, address) = (pool.into(), name.into(), address.into());
    BackendSpec { pool, name, address, port: 80, ..Default::default() }
}

pub(crate) fn register(pool: &str, name: &str, address: &str) -> Command {
    Command::Register(RegisterBackendRequest { backend: Some(spec(pool, name, address)) })
}

pub(crate) fn deregister(pool: &str, name: &str, force: bool) -> Command {
    Command::Deregister(DeregisterBackendRequest { pool: pool.into(), name: name.into(), force })
}

pub(crate) fn drain(pool: &str, name: &str, window_ms: u64, force: bool) -> Command {
    Command::Drain(DrainBackendRequest { pool: pool.into(), name: name.into(), window_ms, force })
}

pub(crate) fn undrain(pool: &str, name: &str) -> Command {
    Command::Undrain(UndrainBackendRequest { pool: pool.into(), name: name.into() })
}

pub(crate) fn vip(pool: &str, address: &str, port: u32) -> BindVipToPoolRequest {
    let (pool, address, protocol) = (pool.into(), address.into(), Protocol::Tcp.into());
    BindVipToPoolRequest { pool, address, protocol, port, ..Default::default() }
}

pub(crate) fn bind(pool: &str, address: &str, port: u32) -> Command {
    Command::BindVip(vip(pool, address, port))
}
