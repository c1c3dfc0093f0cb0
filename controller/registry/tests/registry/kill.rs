//! Its process is killed at any moment: what is read then is the state after some commit, and none that was acknowledged
//! is missing.

use crate::child::{Controller, Model};
use crate::cluster::{Cluster, none_here};
use control_registry::{EtcdOptions, Location, Term};
use std::time::Duration;
use tempfile::TempDir;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// Kills controllers of the registry at `location`, one after the other; `between` them.
async fn check(location: &str, kills: u64, within: u64, between: impl Fn()) {
    let seed = number("GUIDEWAY_SEED", 1);
    let place: Location = location.parse().unwrap();
    let (mut model, mut random, mut last) = (Model::default(), seed, Term(0));
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut controller = Controller::start(location);
        controller.hear(|controller| controller.kept.is_some());
        tokio::time::sleep(Duration::from_micros((random >> 33) % within)).await;
        controller.kill();
        between();
        let (term, kept) = (controller.term.unwrap(), controller.kept.unwrap());
        let records = place.open(&EtcdOptions::default()).await.unwrap().load().await.unwrap();
        let at = records.revision.0;
        assert!((kept..=kept + 1).contains(&at), "kill {kill}: {kept} were acknowledged, it is at {at}");
        assert!(kept > model.at && term > last, "kill {kill}: {term:?} after {last:?}");
        model.check(&records, &format!("seed {seed}, kill {kill}"));
        last = term;
    }
    println!("{location}: {kills} kills, seed {seed}: {} commits, {} terms", model.at, last.0);
}

#[tokio::test]
async fn a_killed_controller_loses_no_commit_in_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    check(path.to_str().unwrap(), number("GUIDEWAY_KILLS", 60), 60_000, || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_controller_loses_no_commit_in_etcd() {
    if none_here() {
        return;
    }
    let cluster = Cluster::of(1).await;
    let location = format!("etcd://{}/k", cluster.addresses().join(","));
    // Its successor need not wait for the lease.
    let revoke = || cluster.leases().iter().for_each(|lease| drop(cluster.ctl(&["lease", "revoke", lease])));
    check(&location, number("GUIDEWAY_KILLS", 60) / 4, 400_000, revoke).await;
}
