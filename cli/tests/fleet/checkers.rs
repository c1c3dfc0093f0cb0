//! Checkers fail.

use crate::lab::{address, story};
use control_proto::v1::BackendState;
use rustix::process::Signal;

/// One that is cut off changes nothing, and the other two decide; with two cut off everything stays as it was.
#[test]
fn checkers_that_are_cut_off_take_nobody_down() {
    story("checkers_cut_off", async |lab| {
        let registry = lab.file("registry.redb");
        let controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let mut fleet = lab.fleet(&[&controller.grpc], 4).await;
        let whole = fleet.converged().await;

        fleet.checkers[0].signal(Signal::STOP);
        fleet.backends.kill(4).await;
        fleet.client.state("web", "b4", BackendState::Unhealthy).await;
        fleet.converged().await;
        fleet.backends.revive(4).await;
        fleet.client.state("web", "b4", BackendState::Healthy).await;
        assert_eq!(fleet.converged().await.table, whole.table, "home again");

        fleet.checkers[1].signal(Signal::STOP);
        fleet.backends.kill(4).await;
        for number in 1..=4 {
            fleet.client.state("web", &format!("b{number}"), BackendState::Unknown).await;
        }
        assert_eq!(fleet.client.pool("web").await.table, whole.table, "frozen");
        fleet.plane.holds(&whole).await;

        fleet.checkers[0].signal(Signal::CONT);
        fleet.checkers[1].signal(Signal::CONT);
        fleet.client.state("web", "b4", BackendState::Unhealthy).await;
        for number in 1..=3 {
            fleet.client.state("web", &format!("b{number}"), BackendState::Healthy).await;
        }
        fleet.backends.revive(4).await;
        fleet.client.state("web", "b4", BackendState::Healthy).await;
        assert_eq!(fleet.converged().await.table, whole.table, "home again");
        let judged = fleet.traffic().await;
        judged.right(1..=4);
        assert!(judged.left.keys().all(|home| *home == address(4)), "{judged:?}");
    });
}
