//! Three controllers, each a process of its own, over three members of etcd: who leads is paused, killed, and cut off.
//!
//! Where there is no etcd, it says that it is skipped; with `etcd` in `GUIDEWAY_REQUIRE` it fails.
#![allow(clippy::unwrap_used)]

#[path = "../../../registry/tests/registry/authority.rs"]
#[allow(dead_code, reason = "shared with the registry's tests")]
mod authority;
#[path = "../../../registry/tests/registry/cluster.rs"]
#[allow(dead_code, reason = "shared with the registry's tests")]
mod cluster;
mod site;

use cluster::{Cluster, none_here};
use control_proto::v1::{CreatePoolRequest, GetPoolRequest, ListPoolsRequest};
use rustix::process::Signal;
use site::{Site, names, refuses, until};
use std::time::{Duration, Instant};
use tonic::Code;

/// The lease, an election, and scheduling on a machine with much to do.
const FAILOVER: Duration = Duration::from_secs(90);

fn pool(name: &str) -> CreatePoolRequest {
    CreatePoolRequest { name: name.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_paused_or_killed_is_replaced_and_nothing_accepted_is_lost() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(3).await;
    let mut site = Site::start(&cluster, 3).await;
    let leader = site.leader().await;
    let mut accepted: Vec<String> = Vec::new();
    for i in 0..5 {
        site.create(&mut accepted, &format!("first-{i}")).await;
    }

    // The others answer reads, and refuse writes with the leader's address.
    for follower in (0..3).filter(|i| *i != leader) {
        let mut client = site.client(follower);
        until(async || names(&mut client).await == accepted).await;
        client.get_pool(GetPoolRequest { name: "first-0".into() }).await.unwrap();
        let refused = client.create_pool(pool("no")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(refused.message().contains(&site.address(leader)), "{refused}");
    }

    // Paused; a request waits in its socket until it goes on.
    site.pause(leader).await;
    let late = tokio::spawn({
        let mut client = site.client(leader);
        async move { client.create_pool(pool("late")).await }
    });
    let took = site.create(&mut accepted, "paused").await;
    println!("leader paused: another accepts a change after {took:?}");
    assert!(took < FAILOVER, "{took:?}");
    let next = site.leader().await;
    assert_ne!(next, leader);
    site.signal(leader, Signal::CONT);
    let late = late.await.unwrap().expect_err("a leader that was replaced writes");
    assert!(refuses(&late), "{late}");
    println!("the paused leader, going on, answers: {}", late.message());
    let mut old = site.client(leader);
    until(async || names(&mut old).await == accepted).await;

    // Killed.
    site.kill(next);
    let took = site.create(&mut accepted, "killed").await;
    println!("leader killed: another accepts a change after {took:?}");
    assert!(took < FAILOVER, "{took:?}");
    site.restart(next);

    // etcd's own leader killed: whoever leads goes on, or another does.
    let member = cluster.leading();
    cluster.kill(member);
    let took = site.create(&mut accepted, "etcd-leader-killed").await;
    println!("etcd's leader killed: a change is accepted after {took:?}");
    assert!(took < FAILOVER, "{took:?}");
    cluster.start(member);

    // Ended by SIGTERM it would resign; the next one leads at once. All of them tell the same in the end.
    for i in 0..3 {
        let mut client = site.client(i);
        until(async || names(&mut client).await == accepted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_etcd_changes_are_refused_in_time_reads_go_on_and_changes_do_when_it_is_back() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(3).await;
    let site = Site::start(&cluster, 2).await;
    let mut accepted = Vec::new();
    site.create(&mut accepted, "before").await;
    for i in 0..2 {
        let mut client = site.client(i);
        until(async || names(&mut client).await == accepted).await;
    }
    (0..3).for_each(|member| cluster.kill(member));
    let asked = Instant::now();
    for i in 0..2 {
        let refused = site.client(i).create_pool(pool("during")).await.unwrap_err();
        assert!(refuses(&refused), "{refused}");
    }
    println!("two changes without etcd are refused after {:?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(90), "{:?}", asked.elapsed());
    for i in 0..2 {
        let read = site.client(i).list_pools(ListPoolsRequest {}).await.unwrap().into_inner();
        assert_eq!(read.pools.len(), 1);
    }
    (0..3).for_each(|member| cluster.start(member));
    cluster.wait().await;
    site.create(&mut accepted, "after").await;
    // Whether the one without an answer took effect is open.
    let mut client = site.client(0);
    until(async || {
        let mut names = names(&mut client).await;
        names.retain(|name| name != "during");
        names == accepted
    })
    .await;
}
