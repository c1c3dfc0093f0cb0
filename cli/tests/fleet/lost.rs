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
        let before = fleet.converged().await;
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
