//! The controller: `guideway.v1.LBControlPlane` by gRPC, and HTTP for people, probes and Prometheus.
//!
//! One task ([`Controller::run`]) follows or leads. While it leads, it alone changes the state: it takes commands from a
//! queue, applies as many as are there to a copy, has the registry keep the difference in one commit, and only then puts the
//! copy in force and answers. Everybody else reads what is in force.

mod bearer;
mod calls;
mod checkers;
mod clock;
mod follow;
mod health;
mod http;
mod jobs;
mod lead;
mod listen;
mod metrics;
mod nodes;
mod published;
mod service;
mod status;
mod streams;

pub use bearer::{Token, TokenError};
pub use http::Http;
pub use listen::{ListenError, Server, Tls};

use clock::Clock;
use control_core::{Settings, State};
use control_registry::Registry;
use jobs::Job;
use published::{Published, Role};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How a controller works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where others reach it by gRPC: host:port.
    pub advertise: String,
    /// Room for pools, VIPs and backends.
    pub settings: Settings,
    /// How reports become verdicts.
    pub health: control_core::health::Settings,
    /// How long tables are waited for from other nodes, once one offered its own to an empty registry.
    pub adopt_within: Duration,
    /// How long nodes may take to report what they have now: so long after an election, and after a drain began, no drain is
    /// taken for over because no flows are reported.
    pub nodes_within: Duration,
    /// A checker's stream that says nothing for so long gives its name up, if another one asks for it: it may be dead without
    /// anybody having noticed. Checkers renew their reports every four seconds.
    pub checker_silence: Duration,
    /// What operators' calls have to show.
    pub token: Option<Token>,
}

impl Options {
    /// Of a controller that others reach there.
    #[must_use]
    pub fn at(advertise: impl Into<String>) -> Self {
        Self {
            advertise: advertise.into(),
            settings: Settings::default(),
            health: control_core::health::Settings::default(),
            adopt_within: Duration::from_secs(1),
            nodes_within: Duration::from_secs(10),
            checker_silence: Duration::from_secs(6),
            token: None,
        }
    }
}

/// What the parts of a controller share.
pub(crate) struct Shared {
    registry: Arc<dyn Registry>,
    options: Options,
    clock: Clock,
    published: watch::Sender<Published>,
    jobs: mpsc::Sender<Job>,
    health: Mutex<control_core::health::Health>,
    nodes: Mutex<nodes::Nodes>,
    checkers: Mutex<checkers::Checkers>,
    metrics: metrics::Metrics,
}

/// A controller: what serves it is made from it, and [`run`](Self::run) makes it work.
pub struct Controller {
    shared: Arc<Shared>,
    jobs: mpsc::Receiver<Job>,
}

/// Commands and reports that may wait.
const QUEUE: usize = 1024;

impl Controller {
    /// One over this registry; nothing happens yet.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>, options: Options) -> Self {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let published = Published {
            state: Arc::new(State::new(options.settings.clone())),
            nodes: Arc::default(),
            targets: Arc::default(),
            role: Role::Follows(None),
            loaded: false,
        };
        let health = Mutex::new(control_core::health::Health::new(options.health.clone()));
        let shared = Shared {
            registry,
            options,
            clock: Clock::start(),
            published: watch::Sender::new(published),
            jobs: sender,
            health,
            nodes: Mutex::default(),
            checkers: Mutex::default(),
            metrics: metrics::Metrics::new(),
        };
        Self { shared: Arc::new(shared), jobs }
    }

    /// HTTP about it.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(Arc::clone(&self.shared))
    }

    /// Follows or leads until `end`; a leader resigns then.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let Self { shared, mut jobs } = self;
        let forever = async {
            loop {
                let term = follow::follow(&shared, &mut jobs).await;
                lead::lead(&shared, &mut jobs, term).await;
            }
        };
        tokio::select! {
            () = forever => {}
            () = end => {}
        }
        let term = shared.published.borrow().role.term();
        shared.published.send_modify(|p| p.role = Role::Follows(None));
        if let Some(term) = term {
            shared.registry.resign(term).await;
        }
    }
}
