//! A registry that was lost.

use crate::lab::{Running, until};
use control_proto::v1::*;
use control_registry::Redb;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_controller_adopts_the_newest_tables_that_nodes_hold() {
    let mut lost = Running::alone().await;
    let mut checkers = lost.web(&["a", "b", "c"]).await;
    let mut stream =
        lost.client.watch_node(WatchNodeRequest { node: "n".into() }).await.unwrap().into_inner();
    let old = stream.message().await.unwrap().unwrap();
    checkers.find("b", Health::Unhealthy).await;
    lost.state("b", BackendState::Unhealthy).await;
    let mut fresh = lost.client.watch_node(WatchNodeRequest { node: "m".into() }).await.unwrap().into_inner();
    let new = fresh.message().await.unwrap().unwrap();
    assert!(new.version > old.version);
    let was = lost.client.get_pool(GetPoolRequest { name: "web".into() }).await.unwrap().into_inner();
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
    let is = it.client.get_pool(GetPoolRequest { name: "web".into() }).await.unwrap().into_inner();
    assert_eq!((is.table, is.vips, is.weights_digest), (was.table, was.vips, was.weights_digest));
    let told = watch.message().await.unwrap().unwrap();
    assert!(told.version > new.version, "nodes take it for news");
    until(async || it.backend("a").await.state() == BackendState::Unknown).await;
}
