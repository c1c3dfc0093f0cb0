//! Controllers fail.

use crate::cluster::{Cluster, none_here};
use crate::lab::{Operator, story, until};
use rustix::process::Signal;

/// Killed in the middle of many changes, again and again: every one that was acknowledged is there, and reaches the node.
#[test]
fn a_controller_killed_during_a_push_loses_nothing_that_it_acknowledged() {
    story("a_controller_killed_during_a_push", async |lab| {
        let registry = lab.file("registry.redb");
        let registry = registry.to_str().unwrap();
        let mut controller = lab.controller("controller", registry, &[]).await;
        let address = controller.grpc.clone();
        let mut fleet = lab.fleet(&[&address], 4).await;
        let operator = Operator::start(&fleet.client).await;
        for _ in 0..3 {
            operator.goes_on(12).await;
            controller.process.kill();
            controller = lab.controller_at("controller", registry, &address, &[], &[]).await;
        }
        operator.goes_on(12).await;
        fleet.steady(operator, 1..=4).await;
    });
}

/// Who leads is killed, then paused, then told to end: another leads, with the same tables, and takes changes.
#[test]
fn controllers_take_over_from_each_other() {
    if none_here() {
        return;
    }
    story("controllers_take_over", async |lab| {
        let cluster = Cluster::of(1).await;
        let registry = format!("etcd://{}/fleet", cluster.addresses()[0]);
        let more = ["--lease", "2"];
        let mut all = [
            lab.controller("first", &registry, &more).await,
            lab.controller("second", &registry, &more).await,
        ];
        let addresses: Vec<String> = all.iter().map(|c| c.grpc.clone()).collect();
        let addresses: [&str; 2] = [&addresses[0], &addresses[1]];
        let mut fleet = lab.fleet(&addresses, 4).await;
        for (weight, fault) in [("80", Signal::KILL), ("90", Signal::STOP), ("70", Signal::TERM)] {
            let before = fleet.converged().await;
            let leader = fleet.client.status().await.controller;
            let at = addresses.iter().position(|a| *a == leader).unwrap();
            all[at].process.signal(fault);
            let next = until("another leads", async || match fleet.client.status().await.controller {
                next if next != leader => Ok(next),
                same => Err(same),
            })
            .await;
            assert!(addresses.contains(&next.as_str()));
            let after = fleet.client.pool("web").await;
            assert_eq!(after.table, before.table, "{fault:?}");
            let change = ["backend", "update", "web", "b1", "--weight", weight, "--patience", "120"];
            let changed = lab.ctl(&addresses, &change);
            assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
            let after = fleet.converged().await;
            assert_ne!(after.table, before.table, "{fault:?}");
            if fault == Signal::STOP {
                all[at].process.signal(Signal::CONT);
            } else {
                all[at].process.kill();
                all[at] = lab.controller_at("again", &registry, &leader, &more, &[]).await;
            }
        }
        let states = fleet.client.events().await.into_iter().filter(|e| e.kind == "backend.state");
        let states: Vec<String> = states.map(|e| e.text).filter(|t| !t.contains("PENDING")).collect();
        assert!(states.is_empty(), "{states:?}");
        fleet.traffic().await.steady(1..=4);
    });
}
