//! All that the control plane knows and keeps.

use crate::Settings;
use crate::backend::Life;
use crate::numbers::Numbers;
use crate::pool::Pool;
use control_proto::v1;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// What makes two VIPs the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VipKey {
    /// The address.
    pub address: IpAddr,
    /// IP protocol number: 6 or 17.
    pub protocol: u8,
    /// 0: any. An exact port goes before any.
    pub port: u16,
}

impl std::fmt::Display for VipKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocol = if self.protocol == 6 { "tcp" } else { "udp" };
        match (self.address, self.port) {
            (IpAddr::V4(a), 0) => write!(f, "{a}:any/{protocol}"),
            (IpAddr::V6(a), 0) => write!(f, "[{a}]:any/{protocol}"),
            (IpAddr::V4(a), port) => write!(f, "{a}:{port}/{protocol}"),
            (IpAddr::V6(a), port) => write!(f, "[{a}]:{port}/{protocol}"),
        }
    }
}

/// Counters that rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of the last change.
    pub(crate) version: u64,
    /// Of the last change that any node must see.
    pub(crate) node_version: u64,
    /// When that was accepted, milliseconds.
    pub(crate) accepted_ms: u64,
    /// Number of the last event.
    pub(crate) event: u64,
}

/// All that the control plane knows and keeps. A clone is cheap: it shares what is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(crate) settings: Arc<Settings>,
    pub(crate) marks: Marks,
    pub(crate) backend_ids: Numbers,
    pub(crate) vip_numbers: Numbers,
    pub(crate) pool_numbers: Numbers,
    pub(crate) pools: BTreeMap<String, Arc<Pool>>,
    pub(crate) vips: Arc<BTreeMap<VipKey, v1::Vip>>,
    pub(crate) events: Arc<VecDeque<Arc<v1::Event>>>,
}

impl State {
    /// Nothing is known.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            marks: Marks::default(),
            backend_ids: Numbers::default(),
            vip_numbers: Numbers::default(),
            pool_numbers: Numbers::default(),
            pools: BTreeMap::new(),
            vips: Arc::default(),
            events: Arc::default(),
        }
    }

    /// Whether nothing was ever kept: a new deployment, or a registry that was lost.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.marks == Marks::default()
    }

    /// Rises with each change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.marks.version
    }

    /// [`version`](Self::version) at the last change that any node must see.
    #[must_use]
    pub fn node_version(&self) -> u64 {
        self.marks.node_version
    }

    /// Room, and defaults.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The pools, by name.
    #[must_use]
    pub fn pools(&self) -> &BTreeMap<String, Arc<Pool>> {
        &self.pools
    }

    /// The VIPs.
    #[must_use]
    pub fn vips(&self) -> &BTreeMap<VipKey, v1::Vip> {
        &self.vips
    }

    /// The events that are kept, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &v1::Event> {
        self.events.iter().map(|e| &**e)
    }

    /// Those after `after`, at most `limit` of them (0: 1,000), oldest first.
    #[must_use]
    pub fn events_after(&self, after: u64, limit: u32) -> Vec<v1::Event> {
        let limit = if limit == 0 { 1_000 } else { limit as usize };
        let from = self.events.partition_point(|e| e.number <= after);
        self.events.range(from..).take(limit).map(|e| (**e).clone()).collect()
    }

    /// When [`Command::Tick`](crate::Command) has something to do: the next drain ends, or the last that is told of an evicted
    /// backend. Milliseconds.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        let of = |b: &crate::Backend| match b.life {
            Life::InService => None,
            Life::Draining { deadline_ms, .. } => Some(deadline_ms),
            Life::Evicted => Some(b.since_ms.saturating_add(self.settings.reuse_after_ms)),
        };
        self.pools.values().flat_map(|pool| pool.backends.values()).filter_map(|b| of(b)).min()
    }

    /// The pool and the name of the backend with this id, unless it was evicted.
    #[must_use]
    pub fn backend_of(&self, id: u32) -> Option<(&str, &str)> {
        self.pools.values().find_map(|pool| {
            let backend = pool.backends.values().find(|b| b.id == id && b.life != Life::Evicted)?;
            Some((backend.spec.pool.as_str(), backend.spec.name.as_str()))
        })
    }

    /// What an operator has to look after, in words.
    #[must_use]
    pub fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        for (name, pool) in &self.pools {
            if pool.table.slots.is_empty() && self.vips.values().any(|v| v.pool == *name) {
                alarms
                    .push(format!("pool {name}: nobody is in service, all packets of its VIPs are dropped"));
            }
            if pool.panics() {
                alarms.push(format!("pool {name}: so many backends are unhealthy that all are used"));
            }
            let unknown = pool.backends.values().filter(|b| b.state() == v1::BackendState::Unknown).count();
            if unknown > 0 {
                alarms.push(format!(
                    "pool {name}: {unknown} backends are not reported on, they are frozen as they were"
                ));
            }
        }
        alarms
    }
}
