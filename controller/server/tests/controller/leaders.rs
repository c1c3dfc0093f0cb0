//! Two controllers over one registry.

use crate::lab::{Checkers, Running, SOON, register, until};
use control_core::health::Damping;
use control_proto::v1::*;
use control_registry::Redb;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_the_other_names_it_and_takes_over() {
    let registry = Redb::in_memory().unwrap();
    let mut first = Running::start(registry.another(), |_| {});
    first.leads().await;
    let mut checkers = first.web(&["a", "b"]).await;
    let mut second = Running::start(registry.another(), |_| {});
    let pool = GetPoolRequest { name: "web".into() };
    until(async || second.client.clone().get_pool(pool.clone()).await.is_ok()).await;

    let refused = second.client.register_backend(register("c", "10.0.0.3")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let leader = first.address.to_string();
    assert!(refused.message().contains(&leader), "{refused}");
    assert_eq!(refused.metadata().get("guideway-leader").unwrap().to_str().unwrap(), leader);
    let watch = second.client.watch_node(WatchNodeRequest::default()).await.unwrap_err();
    assert_eq!(watch.code(), Code::Unavailable);

    // Reads follow.
    checkers.find("b", Health::Unhealthy).await;
    first.state("b", BackendState::Unhealthy).await;
    second.state("b", BackendState::Unhealthy).await;
    let mut nodes = first.client.watch_node(WatchNodeRequest::default()).await.unwrap().into_inner();
    let version = nodes.message().await.unwrap().unwrap().version;
    let was = first.client.get_pool(pool.clone()).await.unwrap().into_inner();

    first.stop().await;
    let ended = tokio::time::timeout(SOON, nodes.message()).await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    assert_eq!(checkers.ended().await.code(), Code::Unavailable);
    second.leads().await;
    let is = second.client.get_pool(pool).await.unwrap().into_inner();
    assert_eq!((is.table, is.version), (was.table, was.version), "nothing is lost");
    let mut nodes = second.client.watch_node(WatchNodeRequest::default()).await.unwrap().into_inner();
    assert_eq!(nodes.message().await.unwrap().unwrap().version, version);
    second.client.register_backend(register("c", "10.0.0.3")).await.unwrap();
}

/// Who came and went too often for one leader does so for the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_held_down_stays_so_when_another_leads() {
    let registry = Redb::in_memory().unwrap();
    let hold = |o: &mut control_server::Options| {
        let ms = 3_600_000;
        o.health.damping = Damping { window_ms: ms, free: 0, first_ms: ms, longest_ms: ms };
    };
    let mut first = Running::start(registry.another(), hold);
    first.leads().await;
    let mut checkers = first.web(&["a", "b", "c"]).await;
    checkers.find("b", Health::Unhealthy).await;
    first.state("b", BackendState::Unhealthy).await;
    let mut second = Running::start(registry.another(), hold);
    first.stop().await;
    second.leads().await;
    let mut checkers = Checkers::start(&mut second.client, &["c1", "c2"]).await;
    checkers.find("b", Health::Healthy).await;
    // What is said after that is in force: so is what was said before.
    checkers.find("a", Health::Unhealthy).await;
    second.state("a", BackendState::Unhealthy).await;
    assert_eq!(second.backend("b").await.state(), BackendState::Unhealthy);
}
