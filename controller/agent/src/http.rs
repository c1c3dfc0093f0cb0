//! HTTP: health, readiness, metrics, a sample of flows. Nothing here changes anything.

use crate::layout::Layout;
use crate::metrics;
use crate::plane::{Counts, Plane};
use crate::reconciler::Goal;
use crate::status::Status;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use control_core::node::Desired;
use runtime_client::{Flow, FlowFilter};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};
use tokio_stream::StreamExt as _;

/// Counters are read at most so often.
const FRESH: Duration = Duration::from_secs(1);
/// Flows are read at most so often, for so long, and so many.
const FLOWS_PAUSE: Duration = Duration::from_secs(1);
const FLOWS_WITHIN: Duration = Duration::from_secs(2);
const FLOWS_MOST: usize = 1000;

type Counted = Option<(Instant, Arc<(Layout, Counts)>)>;

/// What is served.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) status: Status,
    pub(crate) goal: watch::Receiver<Goal>,
    pub(crate) plane: watch::Receiver<Option<Plane>>,
    counted: Arc<Mutex<Counted>>,
    flows: Arc<Mutex<Option<Instant>>>,
}

impl Served {
    pub(crate) fn new(
        status: Status,
        goal: watch::Receiver<Goal>,
        plane: watch::Receiver<Option<Plane>>,
    ) -> Self {
        Self { status, goal, plane, counted: Arc::default(), flows: Arc::default() }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(text))
            .route("/admin/flows", get(flows))
            .with_state(self)
    }

    async fn counts(&self) -> Option<Arc<(Layout, Counts)>> {
        let mut counted = self.counted.lock().await;
        if let Some((at, counts)) = counted.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            let _ = at;
            return Some(Arc::clone(counts));
        }
        let plane = self.plane.borrow().clone()?;
        match plane.counts().await {
            Ok(counts) => {
                let counts = Arc::new((plane.layout.clone(), counts));
                *counted = Some((Instant::now(), Arc::clone(&counts)));
                Some(counts)
            }
            Err(error) => {
                tracing::debug!("counters: {error}");
                None
            }
        }
    }
}

async fn readyz(State(served): State<Served>) -> Response {
    if served.status.ready() {
        return "ready\n".into_response();
    }
    let facts = served.status.facts().clone();
    let mut why = match facts.version {
        0 => "no snapshot is in force yet\n".to_owned(),
        version => format!("the data plane has version {version}, not the one that is desired\n"),
    };
    for (about, text) in &facts.alarms {
        why += &format!("{about}: {text}\n");
    }
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

async fn text(State(served): State<Served>) -> Response {
    let counts = served.counts().await;
    let desired = Arc::clone(&served.goal.borrow().desired);
    let ready = served.status.ready();
    let facts = served.status.facts().clone();
    let text = metrics::text(&facts, ready, &desired, counts.as_deref());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Which flows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The VIP's address.
    vip: Option<IpAddr>,
    /// The backend's name.
    backend: Option<String>,
    /// Its pool's name, if several have a backend of that name.
    pool: Option<String>,
    limit: Option<usize>,
}

/// A flow as people read it.
#[derive(Debug, Serialize)]
struct Shown {
    client: String,
    vip: String,
    pool: String,
    backend: String,
    state: &'static str,
    idle_ms: Option<u64>,
}

async fn flows(State(served): State<Served>, Query(which): Query<Which>) -> Response {
    {
        let mut last = served.flows.lock().await;
        if last.is_some_and(|at| at.elapsed() < FLOWS_PAUSE) {
            let text = "flows are read once a second\n";
            return (StatusCode::TOO_MANY_REQUESTS, text).into_response();
        }
        *last = Some(Instant::now());
    }
    let Some(plane) = served.plane.borrow().clone() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no data plane\n").into_response();
    };
    if !plane.has_flows() {
        return (StatusCode::NOT_IMPLEMENTED, "this data plane does not show its flows\n").into_response();
    }
    let desired = Arc::clone(&served.goal.borrow().desired);
    let ids = which.backend.as_ref().map(|name| ids(&desired, name, which.pool.as_deref()));
    if ids.as_ref().is_some_and(Vec::is_empty) {
        return (StatusCode::NOT_FOUND, "there is no such backend\n").into_response();
    }
    let most = which.limit.unwrap_or(100).min(FLOWS_MOST);
    let mut shown = Vec::new();
    let filters = ids.map_or_else(|| vec![None], |ids| ids.into_iter().map(Some).collect());
    let sampled = async {
        for id in filters {
            sample(&plane, &desired, id, &which, most, &mut shown).await?;
        }
        Ok::<(), crate::plane::PlaneError>(())
    };
    match tokio::time::timeout(FLOWS_WITHIN, sampled).await {
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response(),
        Ok(Ok(())) | Err(_) => Json(shown).into_response(),
    }
}

fn ids(desired: &Desired, backend: &str, pool: Option<&str>) -> Vec<u32> {
    let pools = desired.pools().values().filter(|p| pool.is_none_or(|name| p.name == name));
    pools.flat_map(|p| p.backends.iter()).filter(|(_, b)| b.name == backend).map(|(id, _)| *id).collect()
}

async fn sample(
    plane: &Plane,
    desired: &Desired,
    id: Option<u32>,
    which: &Which,
    most: usize,
    shown: &mut Vec<Shown>,
) -> Result<(), crate::plane::PlaneError> {
    let tables: Vec<String> = plane.layout.names.flow_tables().map(|t| t.name.clone()).collect();
    for table in tables {
        let filter = FlowFilter { id, state: None };
        let mut flows = plane.session.flows(&table, &filter, &plane.layout.names).await?;
        while shown.len() < most {
            let Some(flow) = flows.next().await else { break };
            shown.extend(show(desired, &flow?, which.vip));
        }
    }
    Ok(())
}

/// A flow in words, if it is of the wanted VIP.
fn show(desired: &Desired, flow: &Flow, vip: Option<IpAddr>) -> Option<Shown> {
    let field = |name: &str| flow.key.iter().find(|(n, _)| n == name).map_or(0, |(_, v)| *v);
    let service = desired.services().iter().find(|s| u128::from(s.number) == field("vip"));
    if vip.is_some() && service.map(|s| s.address) != vip {
        return None;
    }
    let client: IpAddr = if flow.table.ends_with('6') {
        IpAddr::V6(field("src").into())
    } else {
        IpAddr::V4((field("src") as u32).into())
    };
    let client = std::net::SocketAddr::new(client, field("src_port") as u16).to_string();
    let to = service.map(|s| std::net::SocketAddr::new(s.address, field("dst_port") as u16).to_string());
    let mut backends = desired.pools().values();
    let backend = backends.find_map(|p| p.backends.get(&flow.id).map(|b| (p.name.clone(), b.name.clone())));
    let (pool, backend) = backend.unwrap_or_else(|| (String::new(), format!("{:#x}", flow.id)));
    Some(Shown {
        client,
        vip: to.unwrap_or_else(|| field("vip").to_string()),
        pool,
        backend,
        state: flow.state.name(),
        idle_ms: flow.age.map(|age| age.as_millis() as u64),
    })
}
