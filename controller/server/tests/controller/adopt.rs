//! A registry that was lost.

use crate::lab::{Client, Running, register, until};
use control_core::node::{Desired, Part, merge};
use control_proto::v1::*;
use control_registry::Redb;
use std::time::Duration;

/// All that can be asked of a controller, but for versions and what others report to it.
async fn told(client: &mut Client) -> (Vec<Pool>, Vec<Vip>, Vec<PoolSnapshot>) {
    let mut pools = client.list_pools(ListPoolsRequest {}).await.unwrap().into_inner().pools;
    let vips = client.list_vips(ListVipsRequest::default()).await.unwrap().into_inner().vips;
    let mut snapshots = Vec::new();
    for pool in &mut pools {
        let request = GetPoolRequest { name: pool.name.clone() };
        let mut snapshot = client.get_pool(request).await.unwrap().into_inner();
        pool.version = 0;
        (snapshot.version, snapshot.pool) = (0, None);
        snapshot.backends.iter_mut().for_each(|b| b.reports.clear());
        snapshots.push(snapshot);
    }
    (pools, vips, snapshots)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_controller_adopts_all_that_the_newest_of_its_nodes_holds() {
    let mut lost = Running::alone().await;
    let mut checkers = lost.web(&["a", "b", "c", "d"]).await;
    let mut stream =
        lost.client.watch_node(WatchNodeRequest { node: "n".into() }).await.unwrap().into_inner();
    let old = stream.message().await.unwrap().unwrap();
    checkers.find("b", Health::Unhealthy).await;
    lost.state("b", BackendState::Unhealthy).await;
    let drain =
        DrainBackendRequest { pool: "web".into(), name: "c".into(), window_ms: 600_000, force: false };
    lost.client.drain_backend(drain).await.unwrap();
    // What no node forwards by reaches it all the same, within a second.
    let mut node = merge(&Desired::default(), Part::Whole, &old).unwrap();
    let labels = [("rack".to_owned(), "r7".to_owned())].into();
    let spec = BackendSpec {
        labels,
        readiness_url: "http:///ready".into(),
        ..register("d", "10.0.0.4").backend.unwrap()
    };
    lost.client.update_backend(UpdateBackendRequest { backend: Some(spec.clone()) }).await.unwrap();
    lost.client.register_backend(register("e", "10.0.0.5")).await.unwrap();
    let labels = (0..32).map(|n| (format!("{n:k>63}"), format!("{n:v>63}"))).collect();
    let spec = BackendSpec { labels, ..spec };
    lost.client.update_backend(UpdateBackendRequest { backend: Some(spec) }).await.unwrap();
    let version = lost.client.get_status(GetStatusRequest {}).await.unwrap().into_inner().version;
    while node.version() < version {
        node = merge(&node, Part::Changes, &stream.message().await.unwrap().unwrap()).unwrap();
    }
    let new = NodeSnapshot { node: "m".into(), ..node.to_snapshot() };
    let was = told(&mut lost.client).await;
    lost.stop().await;

    let mut it = Running::start(Redb::in_memory().unwrap(), |o| o.adopt_within = Duration::from_millis(300));
    it.leads().await;
    let mut watch = it.client.watch_node(WatchNodeRequest { node: "n".into() }).await.unwrap().into_inner();
    let nothing = tokio::time::timeout(Duration::from_millis(200), watch.message()).await;
    assert!(nothing.is_err(), "nobody is told to forget everything");
    let report =
        NodeReport { node: "n".into(), version: old.version, has_tables: true, ..Default::default() };
    assert!(it.client.report_node(report).await.unwrap().into_inner().wants_tables);
    let request = CreatePoolRequest { name: "other".into(), ..Default::default() };
    let early = it.client.create_pool(request).await.unwrap_err();
    assert_eq!(early.code(), tonic::Code::Unavailable, "{early}");
    let (mut first, mut second) = (it.client.clone(), it.client.clone());
    let (first, second) = tokio::join!(first.offer_tables(old), second.offer_tables(new.clone()));
    assert!(!first.unwrap().into_inner().adopted && second.unwrap().into_inner().adopted);
    assert_eq!(told(&mut it.client).await, was);
    let events = it.client.list_events(ListEventsRequest::default()).await.unwrap().into_inner().events;
    let adopted = format!("1 pools and 5 backends, from node m, version {}", new.version);
    assert!(events.iter().any(|e| e.kind == "registry.adopted" && e.text == adopted), "{events:?}");
    let told = watch.message().await.unwrap().unwrap();
    assert!(told.version > new.version, "nodes take it for news");
}

/// As after any start: what it was holds until checkers agree, and is unknown if they don't.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_is_unknown_without_checkers() {
    let mut lost = Running::alone().await;
    lost.web(&["a", "b"]).await;
    let mut stream =
        lost.client.watch_node(WatchNodeRequest { node: "n".into() }).await.unwrap().into_inner();
    let held = stream.message().await.unwrap().unwrap();
    lost.stop().await;
    let mut it = Running::start(Redb::in_memory().unwrap(), |o| {
        (o.adopt_within, o.health.expiry_ms) = (Duration::ZERO, 1_000);
    });
    it.leads().await;
    assert!(it.client.offer_tables(held).await.unwrap().into_inner().adopted);
    until(async || it.backend("a").await.state() == BackendState::Unknown).await;
    let a = it.backend("a").await;
    assert!(a.in_ring && a.in_table, "frozen as it was");
}
