//! One deployment from an empty registry on.

use crate::lab::Controller;
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::{Health, HealthReport, HealthReports};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio_stream::StreamExt as _;

/// Two checkers find these backends healthy.
fn healthy(it: &Controller, backends: &[(&str, &str)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", it.grpc)).unwrap();
        let mut client = LbControlPlaneClient::new(channel.connect().await.unwrap());
        for checker in ["c1", "c2"] {
            let report = |(pool, backend): &(&str, &str)| HealthReport {
                pool: (*pool).into(),
                backend: (*backend).into(),
                state: Health::Healthy.into(),
                checked_at_ms: 1,
                consecutive_passes: 3,
                ..Default::default()
            };
            let reports = backends.iter().map(report).collect();
            let message = HealthReports { checker: checker.into(), reports };
            let stream = tokio_stream::iter([message]).chain(tokio_stream::pending());
            let mut replies = client.report_health(stream).await.unwrap().into_inner();
            assert_eq!(replies.message().await.unwrap().unwrap().taken, backends.len() as u64);
        }
    });
}

/// What is kept, without what only the process knows.
fn kept(it: &Controller) -> Value {
    json!([
        it.json(&["pool", "list"]),
        it.json(&["pool", "show", "web"]),
        it.json(&["vip", "list"]),
        it.json(&["events"])
    ])
}

#[test]
fn apply_drain_kill_restart() {
    let dir = tempfile::tempdir().unwrap();
    let registry = dir.path().join("r.redb");
    let token = dir.path().join("token");
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").unwrap();
    let token = token.to_str().unwrap();
    let it = Controller::start(&registry, &["--token-file", token]);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/control/lb.yaml");
    let apply = ["apply", example.to_str().unwrap(), "--token-file", token];

    let refused = it.ctl(&["apply", example.to_str().unwrap()]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("UNAUTHENTICATED"));
    let plan = it.text(&[&apply[..], &["--dry-run"]].concat());
    assert!(
        plan.contains("+ backend web/web-1 at 10.1.0.11") && plan.ends_with("9 changes would be made\n"),
        "{plan}"
    );
    assert_eq!(it.json(&["pool", "list"]), json!([]));
    assert!(it.text(&apply).ends_with("9 changes made\n"));
    assert_eq!(it.text(&apply), "0 changes made\n", "the same again");
    let other = dir.path().join("other.yaml");
    let text = std::fs::read_to_string(&example).unwrap().replace("weight: 50", "weight: 60");
    std::fs::write(&other, text).unwrap();
    let changed = it.text(&["apply", other.to_str().unwrap(), "--token-file", token]);
    assert!(changed.starts_with("~ backend web/web-3: weight 50 -> 60\n1 changes"), "{changed}");

    healthy(&it, &[("web", "web-1"), ("web", "web-2"), ("web", "web-3")]);
    // web-3 has a readiness page, and nobody told of it: alive is enough for these checkers.
    let in_ring = || {
        let web = it.json(&["pool", "show", "web"]);
        web["backends"].as_array().unwrap().iter().filter(|b| b["in_ring"] == true).count()
    };
    // Reports are answered before what they change is kept.
    let soon = (0..2_400).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        in_ring() == 3
    });
    assert!(soon, "{:#}", it.json(&["pool", "show", "web"]));
    let drain = |name: &str, more: &[&str]| {
        it.ctl(&[&["drain", "web", name, "--token-file", token, "--window", "1"][..], more].concat())
    };
    assert!(drain("web-2", &["--wait"]).status.success());
    assert_eq!(it.json(&["pool", "show", "web"])["backends"][1]["state"], "EVICTED");

    // HTTP.
    assert_eq!(it.page("GET", "/healthz", ""), (200, "ok\n".into()));
    assert_eq!(it.page("GET", "/readyz", ""), (200, "leads\n".into()));
    let metrics = it.page("GET", "/metrics", "").1;
    assert!(metrics.contains("guideway_pool_backends{pool=\"web\",state=\"HEALTHY\"} 2"), "{metrics}");
    let (status, pool) = it.page("GET", "/admin/pools/web", "");
    assert_eq!(
        (status, &serde_json::from_str::<Value>(&pool).unwrap()["backends"][0]["name"]),
        (200, &json!("web-1"))
    );
    assert_eq!(it.page("GET", "/admin/pools/nobody", "").0, 404);
    assert!(it.page("GET", "/admin/events?limit=3", "").1.contains("pool.created"));
    assert_eq!(it.page("POST", "/admin/pools/web/drain/web-1", "").0, 401);
    let bearer = "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n";
    assert_eq!(it.page("POST", "/admin/pools/web/drain/web-1?window_ms=x", bearer).0, 400);
    let (status, drained) = it.page("POST", "/admin/pools/web/drain/web-1?window_ms=600000", bearer);
    assert_eq!(status, 200, "{drained}");
    let (status, last) = it.page("POST", "/admin/pools/web/drain/web-3", bearer);
    assert!(status == 409 && last.contains("last backend in service"), "{last}");
    let last = drain("web-3", &[]);
    assert!(String::from_utf8(last.stderr).unwrap().starts_with("error: FAILED_PRECONDITION"));

    let before = kept(&it);
    it.kill();
    let it = Controller::start(&registry, &["--token-file", token]);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(kept(&it), before, "nothing is lost");
    let undone = it.json(&["drain", "web", "web-1", "--undo", "--token-file", token]);
    assert_eq!(undone["in_ring"], true, "{undone:#}");
}
