//! The end of a drain.

use crate::lab::{Running, until};
use control_proto::v1::*;

fn drain(name: &str, window_ms: u64) -> DrainBackendRequest {
    DrainBackendRequest { pool: "web".into(), name: name.into(), window_ms, force: false }
}

/// What node `n` reports: that version, and these flows.
fn report(node: &str, version: u64, flows: &[(u32, u64)]) -> NodeReport {
    let flows = flows.iter().map(|&(id, active)| BackendFlows { id, active }).collect();
    NodeReport { node: node.into(), version, flows, flows_version: version, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_ends_it() {
    let mut it = Running::alone().await;
    let _checkers = it.web(&["a", "b"]).await;
    it.client.drain_backend(drain("b", 200)).await.unwrap();
    it.state("b", BackendState::Evicted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_flow_left_on_any_node_ends_it() {
    let mut it = Running::alone().await;
    let _checkers = it.web(&["a", "b"]).await;
    let id = it.backend("b").await.id;
    let mut nodes = it.client.watch_node(WatchNodeRequest { node: "n1".into() }).await.unwrap().into_inner();
    let before = nodes.message().await.unwrap().unwrap().version;
    it.client.drain_backend(drain("b", 60_000)).await.unwrap();
    let now = nodes.message().await.unwrap().unwrap().version;
    assert!(now > before);
    // An old table, an old count, flows, and a node that does not say: none of them ends it.
    let old_count = NodeReport { flows_version: before, ..report("n2", now, &[(id, 0)]) };
    for (n1, n2) in [
        (report("n1", now, &[(id, 0)]), old_count),
        (report("n1", before, &[(id, 0)]), report("n2", now, &[(id, 0)])),
        (report("n1", now, &[(id, 0)]), report("n2", now, &[(id, 7)])),
        (report("n1", now, &[(id, 0)]), report("n2", now, &[])),
    ] {
        // Nobody's earlier word is in force.
        it.client.report_node(report("n1", now, &[(id, 1)])).await.unwrap();
        it.client.report_node(n2).await.unwrap();
        it.client.report_node(n1).await.unwrap();
        assert_eq!(it.backend("b").await.state(), BackendState::Draining);
    }
    it.client.report_node(report("n1", now, &[(id, 1)])).await.unwrap();
    it.client.report_node(report("n2", now, &[(id, 7)])).await.unwrap();
    assert_eq!(it.backend("b").await.active_flows, 8);
    it.client.report_node(report("n1", now, &[(id, 0)])).await.unwrap();
    it.client.report_node(report("n2", now, &[(id, 0)])).await.unwrap();
    it.state("b", BackendState::Evicted).await;
    let status = it.client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.nodes.len(), 2);
    until(async || {
        let gone = nodes.message().await.unwrap().unwrap();
        gone.pools.iter().any(|p| p.backends.iter().all(|b| b.id != id))
    })
    .await;
}
