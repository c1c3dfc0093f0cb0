//! The registry is lost.

use crate::lab::{plane, story, until};
use control_proto::v1::BackendState;

/// Its file is gone when the controller starts again: the node's tables are adopted as they are, and nothing moves.
#[test]
fn a_lost_registry_is_made_again_from_what_nodes_hold() {
    story("a_lost_registry", async |lab| {
        let registry = lab.file("registry.redb");
        let mut controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let address = controller.grpc.clone();
        let mut fleet = lab.fleet(&[&address], 4).await;
        // A table with a history: who left has homes in it.
        fleet.backends.kill(4).await;
        fleet.client.state("web", "b4", BackendState::Unhealthy).await;
        // No node forwards by it, and nodes hear of it all the same.
        let labels = ["backend", "update", "web", "b2", "--label", "rack=r7", "--label", "az=north"];
        assert!(lab.ctl(&[&address], &labels).status.success());
        until("the node has all that the controller told", async || {
            let status = fleet.client.status().await;
            let version = status.nodes[0].report.as_ref().map_or(0, |r| r.version);
            if version == status.version { Ok(()) } else { Err(format!("{version} of {}", status.version)) }
        })
        .await;
        let before = fleet.converged().await;
        let b2 = fleet.client.backend("web", "b2").await;
        assert_eq!(b2.spec.as_ref().unwrap().labels.len(), 2);
        let held = fleet.plane.held(1).await.unwrap();
        controller.process.kill();
        std::fs::remove_file(&registry).unwrap();
        controller = lab.controller_at("controller", registry.to_str().unwrap(), &address, &[], &[]).await;
        until("the tables are adopted", async || {
            let events = fleet.client.events().await;
            events.iter().find(|e| e.kind == "registry.adopted").map(drop).ok_or(format!("{events:?}"))
        })
        .await;
        let after = fleet.converged().await;
        assert_eq!((&after.table, &after.vips), (&before.table, &before.vips));
        assert_eq!(after.weights_digest, before.weights_digest);
        let again = fleet.client.backend("web", "b2").await;
        assert_eq!((again.spec, again.state, again.since_ms), (b2.spec, b2.state, b2.since_ms));
        assert_eq!(fleet.plane.held(1).await.unwrap(), held, "nothing was written");
        for number in 1..=3 {
            fleet.client.state("web", &format!("b{number}"), BackendState::Healthy).await;
        }
        fleet.client.state("web", "b4", BackendState::Unhealthy).await;
        assert_eq!(plane::slots(&fleet.client.pool("web").await), held.slots);
        // Who left comes home, and the new registry takes changes and keeps them.
        fleet.backends.revive(4).await;
        fleet.client.state("web", "b4", BackendState::Healthy).await;
        let home = fleet.converged().await;
        controller.process.kill();
        let _again = lab.controller_at("controller", registry.to_str().unwrap(), &address, &[], &[]).await;
        assert_eq!(fleet.converged().await.table, home.table);
        let judged = fleet.traffic().await;
        judged.right(1..=4);
        assert!(judged.left.keys().all(|home| *home == crate::lab::address(4)), "{judged:?}");
    });
}
