//! What holds over etcd only.

use crate::cluster::{Cluster, none_here};
use crate::conformance::{self, Handle};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn etcd_conforms() {
    if none_here() {
        return;
    }
    let cluster = Cluster::of(1).await;
    conformance::check(|| async {
        let prefix = cluster.fresh();
        let handle = || -> Handle { Arc::new(cluster.handle(&prefix)) };
        (handle(), handle())
    })
    .await;
}
