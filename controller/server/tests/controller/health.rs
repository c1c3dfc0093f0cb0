//! From checkers' reports to tables.

use crate::lab::{Running, until};
use control_proto::v1::*;

#[tokio::test(flavor = "multi_thread")]
async fn two_checkers_bring_a_backend_in_and_out() {
    let mut it = Running::alone().await;
    let mut checkers = it.web(&["a", "b", "c"]).await;
    let whole =
        it.client.get_pool(GetPoolRequest { name: "web".into() }).await.unwrap().into_inner().table.unwrap();
    assert_eq!(whole.slots.len(), 4 * 251);
    checkers.find("b", Health::Unhealthy).await;
    it.state("b", BackendState::Unhealthy).await;
    let b = it.backend("b").await;
    assert!(!b.in_ring && !b.in_table && b.reports.len() == 2, "{b:?}");
    checkers.find("b", Health::Healthy).await;
    it.state("b", BackendState::Healthy).await;
    let again =
        it.client.get_pool(GetPoolRequest { name: "web".into() }).await.unwrap().into_inner().table.unwrap();
    assert_eq!(again, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_reports_states_are_frozen_and_there_is_an_alarm() {
    let mut it = Running::start(control_registry::Redb::in_memory().unwrap(), |o| o.health.expiry_ms = 300);
    it.leads().await;
    let checkers = it.web(&["a"]).await;
    drop(checkers);
    it.state("a", BackendState::Unknown).await;
    let a = it.backend("a").await;
    assert!(a.in_ring && a.in_table, "{a:?}");
    let status = it.client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert!(status.alarms.iter().any(|a| a.contains("frozen")), "{:?}", status.alarms);
}

#[tokio::test(flavor = "multi_thread")]
async fn passive_signals_make_a_backend_suspect() {
    let mut it = Running::alone().await;
    let _checkers = it.web(&["a", "b"]).await;
    let mut targets = it.client.watch_targets(WatchTargetsRequest::default()).await.unwrap().into_inner();
    let first = targets.message().await.unwrap().unwrap();
    assert!(first.targets.len() == 2 && first.targets.iter().all(|t| !t.suspect));
    let id = it.backend("b").await.id;
    let signals = vec![PassiveSignal { id, icmp_errors: 1_000, early_resets: 0 }];
    it.client.report_node(NodeReport { node: "n1".into(), signals, ..Default::default() }).await.unwrap();
    let next = targets.message().await.unwrap().unwrap();
    assert!(next.version > first.version);
    let suspects: Vec<&str> = next.targets.iter().filter(|t| t.suspect).map(|t| t.backend.as_str()).collect();
    assert_eq!(suspects, ["b"]);
    until(async || it.backend("b").await.suspect).await;
}
