//! Agents fail.

use crate::lab::{Operator, story};
use std::time::Duration;

/// Killed in the middle of many changes, again and again: the data plane holds a whole table then, and the next one ends what was
/// begun.
#[test]
fn an_agent_killed_during_flips_leaves_a_whole_table() {
    story("an_agent_killed_during_flips", async |lab| {
        let registry = lab.file("registry.redb");
        let controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let controllers: [&str; 1] = [&controller.grpc];
        let mut fleet = lab.fleet(&controllers, 4).await;
        let operator = Operator::start(&fleet.client).await;
        let state = lab.file("agent.state");
        let state = ["--state", state.to_str().unwrap()];
        for kill in 0..3 {
            operator.goes_on(4).await;
            // Somewhere else each time.
            tokio::time::sleep(Duration::from_millis(kill * 71)).await;
            fleet.agent.process.kill();
            let held = fleet.plane.held(1).await.unwrap();
            assert_eq!(held.shares().len(), 4, "{:?}", held.shares());
            fleet.agent = lab.agent(&fleet.switch, &controllers, &state, &[]).await;
            fleet.at_work().await;
        }
        fleet.steady(operator, 1..=4).await;
    });
}
