//! An agent, from its parts.

use crate::hook::Hook;
use crate::hops::{self, Fixed, Known};
use crate::http::Served;
use crate::plane::Plane;
use crate::reconciler::{Goal, Manner, Reconciler};
use crate::signals;
use crate::status::Status;
use crate::store::Store;
use crate::watch::{Controllers, Watcher, report};
use runtime_client::{ClientError, Options, Session};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long the data plane is waited for between tries at the start.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);
/// Of its time, what reading flows may take: one part in so many.
const FLOWS_SHARE: u32 = 20;
const FLOWS_PAUSE: Duration = Duration::from_secs(1);

/// All that an agent needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This node's name.
    pub node: String,
    /// Whom it obeys.
    pub controllers: Controllers,
    /// The data plane.
    pub p4runtime: Options,
    /// Port numbers by interface, for next hops by netlink; empty: configured ones only.
    pub ports: BTreeMap<String, u32>,
    /// Configured next hops.
    pub next_hops: Vec<Fixed>,
    /// How entries are made and generations kept.
    pub manner: Manner,
    /// Where the last snapshot is kept; none: nowhere.
    pub state: Option<PathBuf>,
    /// Where HTTP is served; none: nowhere.
    pub http: Option<SocketAddr>,
    /// Who is told of readiness.
    pub hook: Hook,
}

/// Why an agent does not start.
#[derive(Debug, Error)]
pub enum AgentError {
    /// HTTP's address can't be had.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

/// A running agent: its tasks end with it, and the data plane stays as it is.
#[derive(Debug)]
pub struct Agent {
    status: Status,
    hook: Hook,
    http: Option<SocketAddr>,
    /// Where the last snapshot is kept.
    store: Option<Store>,
    goals: watch::Receiver<Goal>,
    tasks: JoinSet<()>,
}

impl Agent {
    /// Starts an agent. It waits for whatever is not there yet.
    ///
    /// # Errors
    /// [`AgentError`]
    pub async fn start(settings: Settings) -> Result<Self, AgentError> {
        let (status, store) = (Status::default(), settings.state.as_deref().map(Store::new));
        let (goal, goals) = watch::channel(remembered(store.as_ref(), &status));
        let (plane, planes) = watch::channel(None);
        let (channel, channels) = watch::channel(None);
        let (known, knowns) = watch::channel(Arc::new(Known::default()));
        let (mut tasks, mut http) = (JoinSet::new(), None);
        if let Some(address) = settings.http {
            let failed = |error| AgentError::Listen { address, error };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            http = listener.local_addr().ok();
            let router = Served::new(status.clone(), goals.clone(), planes.clone()).router();
            tasks.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!("HTTP: {error}");
                }
            });
        }
        let (node, controllers) = (settings.node, settings.controllers);
        tasks.spawn(report(node.clone(), controllers.clone(), channels, goals.clone(), status.clone()));
        tasks.spawn(hops::run(settings.next_hops, settings.ports, goals.clone(), planes.clone(), known));
        tasks.spawn(count_flows(planes, status.clone()));
        tasks.spawn(signals::run(goals.clone(), status.clone()));
        if let Some(store) = store.clone() {
            tasks.spawn(store.follow(goals.clone(), status.clone()));
        }
        let watcher = Watcher { node, controllers, goal, channel, status: status.clone() };
        tasks.spawn(watcher.run());
        let (options, manner, told) = (settings.p4runtime, settings.manner, status.clone());
        let kept = goals.clone();
        tasks.spawn(async move {
            let session = connect(options, &told).await;
            Reconciler::new(session, goals, knowns, told, manner, plane).run().await;
        });
        let (hook, told) = (settings.hook.clone(), status.clone());
        tasks.spawn(async move { hook.run(&told).await });
        Ok(Self { status, hook: settings.hook, http, store, goals: kept, tasks })
    }

    /// Where HTTP is served.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// What it knows of itself.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Ends it: traffic is asked to go elsewhere, and the data plane goes on as it is.
    pub async fn end(mut self) {
        self.tasks.shutdown().await;
        let desired = Arc::clone(&self.goals.borrow().desired);
        if let Some(store) = self.store.take() {
            // What the controller said last may not have been saved yet.
            let saved = tokio::task::spawn_blocking(move || store.save(&desired)).await;
            if let Ok(Err(error)) = saved {
                tracing::warn!("state file: {error}");
            }
        }
        self.hook.tell(false, &self.status).await;
    }
}

/// What was desired when the last agent of this node ran.
fn remembered(store: Option<&Store>, status: &Status) -> Goal {
    match store.map(Store::load) {
        None | Some(Ok(None)) => Goal::default(),
        Some(Ok(Some(desired))) => {
            tracing::info!("begins with version {} from the disk", desired.version());
            Goal { desired: Arc::new(desired), live: false }
        }
        Some(Err(error)) => {
            status.alarm("state file", Some(format!("{error}; begun without it")));
            Goal::default()
        }
    }
}

async fn connect(options: Options, status: &Status) -> Session {
    loop {
        match Session::connect(options.clone()).await {
            Ok(session) => {
                status.alarm("data plane", None);
                return session;
            }
            Err(error @ (ClientError::Connect { .. } | ClientError::Timeout { .. })) => {
                status.alarm("data plane", Some(error.to_string()));
            }
            Err(error) => status.alarm("data plane", Some(error.to_string())),
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
}

/// Counts flows by backend, as often as that takes little of the time.
async fn count_flows(mut planes: watch::Receiver<Option<Plane>>, status: Status) {
    loop {
        let Ok(plane) = planes.wait_for(Option::is_some).await.map(|p| p.clone()) else { return };
        let Some(plane) = plane.filter(Plane::has_flows) else {
            status.facts().flows = None;
            if planes.changed().await.is_err() {
                return;
            }
            continue;
        };
        let (began, version) = (Instant::now(), status.facts().version);
        match plane.flows().await {
            Ok(flows) => {
                let mut facts = status.facts();
                (facts.flows, facts.flows_version) = (Some(flows), version);
            }
            Err(error) => tracing::debug!("flows: {error}"),
        }
        tokio::time::sleep(FLOWS_PAUSE.max(began.elapsed() * FLOWS_SHARE)).await;
    }
}
