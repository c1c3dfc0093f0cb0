//! etcd fails.

use crate::cluster::{Cluster, none_here};
use crate::lab::{Lab, Operator, page, story, until};

/// A registry's name, and two controllers over it.
async fn two(lab: &Lab, cluster: &Cluster) -> [crate::lab::Controller; 2] {
    let registry = format!("etcd://{}/fleet", cluster.addresses().join(","));
    let one = async |name| lab.controller(name, &registry, &["--lease", "2"]).await;
    [one("left").await, one("right").await]
}

/// Waits until each member takes connections.
async fn all_up(cluster: &Cluster) {
    for address in cluster.addresses() {
        until("a member is up", async || {
            tokio::net::TcpStream::connect(&address).await.map(drop).map_err(|e| e.to_string())
        })
        .await;
    }
}

/// Its leader is killed in the middle of many changes: every one that was acknowledged is there, and reaches the node.
#[test]
fn etcds_leader_is_killed_and_changes_go_on() {
    if none_here() {
        return;
    }
    story("etcds_leader_is_killed", async |lab| {
        let mut cluster = Cluster::of(3).await;
        let [left, right] = two(&lab, &cluster).await;
        let mut fleet = lab.fleet(&[&left.grpc, &right.grpc], 4).await;
        let operator = Operator::start(&fleet.client).await;
        operator.goes_on(12).await;
        all_up(&cluster).await;
        let member = cluster.leading();
        cluster.kill(member);
        operator.goes_on(12).await;
        cluster.start(member);
        operator.goes_on(12).await;
        fleet.steady(operator, 1..=4).await;
    });
}

/// All members are killed: the node forwards as before, changes are refused in time, and all goes on when etcd is back.
#[test]
fn all_of_etcd_is_gone_for_a_while() {
    if none_here() {
        return;
    }
    story("all_of_etcd_is_gone", async |lab| {
        let mut cluster = Cluster::of(3).await;
        let [left, right] = two(&lab, &cluster).await;
        let controllers: [&str; 2] = [&left.grpc, &right.grpc];
        let mut fleet = lab.fleet(&controllers, 4).await;
        let operator = Operator::start(&fleet.client).await;
        operator.goes_on(12).await;
        (0..3).for_each(|member| cluster.kill(member));
        for _ in 0..3 {
            let change = ["backend", "update", "web", "b1", "--weight", "100", "--patience", "1"];
            let refused = lab.ctl(&controllers, &change);
            let text = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(1), "{text}");
            let codes = ["error: UNAVAILABLE", "error: DEADLINE_EXCEEDED"];
            assert!(codes.iter().any(|code| text.starts_with(code)), "{text}");
            assert_eq!(page(&fleet.agent.http, "/readyz").0, 200);
            fleet.plane.held(1).await.unwrap();
        }
        (0..3).for_each(|member| cluster.start(member));
        operator.goes_on(12).await;
        fleet.steady(operator, 1..=4).await;
    });
}
