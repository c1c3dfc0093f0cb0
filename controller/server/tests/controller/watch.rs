//! Streams to nodes and to who watches a pool.

use crate::lab::{Running, SOON, register};
use control_core::node::{Desired, Part, merge};
use control_proto::v1::*;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_watcher_gets_the_latest_and_misses_nothing() {
    let mut it = Running::alone().await;
    let mut checkers = it.web(&["a", "b", "c"]).await;
    let mut slow = it.client.watch_node(WatchNodeRequest { node: "slow".into() }).await.unwrap().into_inner();
    let first = slow.message().await.unwrap().unwrap();
    let mut node = merge(&Desired::default(), Part::Whole, &first).unwrap();
    let mut changes = 0;
    for round in 0..30 {
        let state = if round % 2 == 0 { Health::Unhealthy } else { Health::Healthy };
        checkers.find("b", state).await;
        let name = format!("n{round}");
        it.client.register_backend(register(&name, &format!("10.0.1.{round}"))).await.unwrap();
        checkers.find(&name, Health::Healthy).await;
        changes += 2;
    }
    let now = it.client.get_status(GetStatusRequest {}).await.unwrap().into_inner().version;
    let mut messages = 0;
    while node.version() < now && messages < 200 {
        let Ok(message) = tokio::time::timeout(Duration::from_secs(60), slow.message()).await else { break };
        node = merge(&node, Part::Changes, &message.unwrap().unwrap()).unwrap();
        messages += 1;
    }
    let mut fresh =
        it.client.watch_node(WatchNodeRequest { node: "fresh".into() }).await.unwrap().into_inner();
    let whole = merge(&Desired::default(), Part::Whole, &fresh.message().await.unwrap().unwrap()).unwrap();
    assert_eq!(whole.version(), node.version());
    assert!(whole == node, "after {messages} messages for {changes} changes");
}

fn tells_of_drain(message: &NodeSnapshot, backend: &str) -> bool {
    let all = message.pools.iter().flat_map(|p| p.backends.iter().chain(&p.outside));
    all.into_iter().any(|b| b.name == backend && b.drain_deadline_ms > 0)
}

/// 750 backends and 12 watchers: all hear of a change.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_twelve_watchers() {
    let mut it =
        Running::start(control_registry::Redb::in_memory().unwrap(), |o| o.settings.ring_slots = 65_537);
    it.leads().await;
    let mut checkers = it.web(&["first"]).await;
    let register_all = (0..750).map(|n| {
        let mut client = it.client.clone();
        async move {
            client
                .register_backend(register(&format!("b{n}"), &format!("10.1.{}.{}", n / 250, n % 250)))
                .await
        }
    });
    let mut all = tokio::task::JoinSet::new();
    register_all.for_each(|one| drop(all.spawn(one)));
    while let Some(done) = all.join_next().await {
        done.unwrap().unwrap();
    }
    let names: Vec<String> = (0..750).map(|n| format!("b{n}")).collect();
    checkers.find_all(&names, Health::Healthy).await;
    it.state("b749", BackendState::Healthy).await;
    let mut watchers = Vec::new();
    for n in 0..12 {
        let request = WatchNodeRequest { node: format!("n{n}") };
        // A connection of its own, as a node has: on a shared one, what some of them have not read yet would keep the others
        // from being sent anything.
        let mut stream = it.another_client().watch_node(request).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        watchers.push(stream);
    }
    let drain =
        DrainBackendRequest { pool: "web".into(), name: "b7".into(), window_ms: 60_000, force: false };
    it.client.drain_backend(drain).await.unwrap();
    // `cargo xtask bench control` measures how soon.
    for stream in &mut watchers {
        let drained = async { while !tells_of_drain(&stream.message().await.unwrap().unwrap(), "b7") {} };
        tokio::time::timeout(SOON, drained).await.expect("the change comes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_a_pool_sees_it_change_and_go() {
    let mut it = Running::alone().await;
    it.client.create_pool(CreatePoolRequest { name: "web".into(), ..Default::default() }).await.unwrap();
    let mut pool = it.client.watch_pool(WatchPoolRequest { name: "web".into() }).await.unwrap().into_inner();
    assert!(pool.message().await.unwrap().unwrap().backends.is_empty());
    it.client.register_backend(register("a", "10.0.0.1")).await.unwrap();
    assert_eq!(pool.message().await.unwrap().unwrap().backends.len(), 1);
    it.client.delete_pool(DeletePoolRequest { name: "web".into() }).await.unwrap();
    assert_eq!(pool.message().await.unwrap_err().code(), tonic::Code::NotFound);
}
