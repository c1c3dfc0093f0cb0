//! HTTP: `/healthz`, `/readyz`, `/metrics`, `/admin/...`. What changes something has to show the bearer token.

use crate::{Shared, Token};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use control_core::{Command, Reply};
use control_proto::v1::{Backend, DrainBackendRequest, Event};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The HTTP side of a controller.
pub struct Http(Arc<Shared>);

impl Http {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Serves on this listener until `end`.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(
        self,
        listener: TcpListener,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .route("/admin/events", get(events))
            .route("/admin/pools/{id}", get(pool))
            .route("/admin/pools/{id}/drain/{backend}", post(drain))
            .with_state(self.0);
        axum::serve(listener, router).with_graceful_shutdown(end).await
    }
}

type At = State<Arc<Shared>>;
type Queries = Query<BTreeMap<String, String>>;

/// Ready is who has read the registry and knows who leads.
async fn ready(State(shared): At) -> Response {
    let published = shared.published.borrow().clone();
    let (status, text) = match (&published.role, published.loaded) {
        (crate::Role::Leads(_), true) => (StatusCode::OK, "leads\n".to_owned()),
        (crate::Role::Follows(Some(leader)), true) => (StatusCode::OK, format!("follows {leader}\n")),
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "nobody leads\n".to_owned()),
        (_, false) => (StatusCode::SERVICE_UNAVAILABLE, "the registry has not been read\n".to_owned()),
    };
    (status, text).into_response()
}

async fn metrics(State(shared): At) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shared.metrics.text(&shared)).into_response()
}

async fn events(State(shared): At, Query(query): Queries) -> Response {
    let number = |name: &str| query.get(name).map_or(Ok(0), |text| text.parse::<u64>());
    let (Ok(after), Ok(limit)) = (number("after"), number("limit")) else {
        return error(StatusCode::BAD_REQUEST, "`after` and `limit` are numbers");
    };
    let state = match shared.read() {
        Ok(state) => state,
        Err(status) => return failed(&status),
    };
    let events = state.events_after(after, u32::try_from(limit).unwrap_or(u32::MAX));
    Json(events.iter().map(event).collect::<Vec<_>>()).into_response()
}

fn event(e: &Event) -> Value {
    json!({"number": e.number, "at_ms": e.at_ms, "kind": e.kind, "pool": e.pool, "backend": e.backend, "text": e.text})
}

fn backend(b: &Backend) -> Value {
    let spec = b.spec.clone().unwrap_or_default();
    json!({
        "name": spec.name, "id": b.id, "address": spec.address, "port": spec.port,
        "weight": spec.weight.unwrap_or_default(), "labels": spec.labels, "readiness_url": spec.readiness_url,
        "state": b.state().as_str_name(), "since_ms": b.since_ms, "reason": b.reason,
        "drain_deadline_ms": b.drain_deadline_ms, "suspect": b.suspect, "in_ring": b.in_ring, "in_table": b.in_table,
        "active_flows": b.active_flows,
        "reports": b.reports.iter().map(|r| json!({
            "checker": r.checker, "state": r.state().as_str_name(), "ready": r.ready().as_str_name(),
            "checked_at_ms": r.checked_at_ms, "consecutive_passes": r.consecutive_passes,
            "consecutive_failures": r.consecutive_failures, "latency_us": r.latency_us, "detail": r.detail,
        })).collect::<Vec<_>>(),
    })
}

async fn pool(State(shared): At, Path(id): Path<String>) -> Response {
    let snapshot = match shared.snapshot(&id) {
        Ok(snapshot) => snapshot,
        Err(status) => return failed(&status),
    };
    let pool = snapshot.pool.clone().unwrap_or_default();
    let table = snapshot.table.clone().unwrap_or_default();
    Json(json!({
        "name": pool.name, "number": pool.number, "version": snapshot.version,
        "ring_slots": pool.settings.as_ref().map_or(0, |s| s.ring_slots),
        "serves": !table.slots.is_empty(), "digest": format!("{:016x}", table.digest),
        "vips": snapshot.vips.iter().map(|v| json!({
            "address": v.address, "protocol": v.protocol().as_str_name(), "port": v.port, "number": v.number,
        })).collect::<Vec<_>>(),
        "backends": snapshot.backends.iter().map(backend).collect::<Vec<_>>(),
    }))
    .into_response()
}

async fn drain(
    State(shared): At,
    Path((pool, name)): Path<(String, String)>,
    Query(query): Queries,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = allowed(shared.options.token.as_ref(), &headers) {
        return refused;
    }
    let window_ms = match query.get("window_ms").map(|text| text.parse::<u64>()) {
        None => 0,
        Some(Ok(window_ms)) => window_ms,
        Some(Err(_)) => return error(StatusCode::BAD_REQUEST, "`window_ms` is a number of milliseconds"),
    };
    let force = match query.get("force").map(String::as_str) {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => return error(StatusCode::BAD_REQUEST, "`force` is true or false"),
    };
    let command = Command::Drain(DrainBackendRequest { pool, name, window_ms, force });
    match shared.command(command).await {
        Ok(Reply::Backend(drained)) => Json(backend(&drained)).into_response(),
        Ok(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "answered by something else"),
        Err(status) => failed(&status),
    }
}

#[expect(clippy::result_large_err, reason = "it is the response")]
fn allowed(token: Option<&Token>, headers: &HeaderMap) -> Result<(), Response> {
    let Some(token) = token else {
        let text = "changes by HTTP need a token: start the controller with --token-file";
        return Err(error(StatusCode::FORBIDDEN, text));
    };
    if token.shown(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())) {
        return Ok(());
    }
    let mut response = error(StatusCode::UNAUTHORIZED, "show the token: Authorization: Bearer ...");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    Err(response)
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}

fn failed(status: &tonic::Status) -> Response {
    use tonic::Code;
    let code = match status.code() {
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    error(code, status.message())
}
