//! The data plane is BMv2, foreign from end to end: p4c's program, `simple_switch_grpc`'s P4Runtime server and forwarding.

use crate::lab::plane::slots;
use crate::lab::{Lab, address, page, story};
use control_proto::v1::BackendState;
use std::collections::BTreeSet;

/// Says that BMv2 is missing, or fails where it must not be.
fn none_here(test: &str) -> bool {
    needed::skip(test, "bmv2", needed::missing(&[snapshots::bmv2::P4C, snapshots::bmv2::SWITCH]))
}

fn ctl(lab: &Lab, controller: &str, args: &[&str]) {
    let done = lab.ctl(&[controller], args);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Drops that the data plane has counted, by reason, where there are any.
fn drops(http: &str) -> Vec<String> {
    let (_, metrics) = page(http, "/metrics");
    let drops: Vec<&str> = metrics.lines().filter(|l| l.starts_with("guideway_drops_total{")).collect();
    assert!(drops.iter().any(|l| l.contains("no_pool")), "{metrics}");
    drops.into_iter().filter(|l| !l.ends_with(" 0")).map(str::to_owned).collect()
}

/// A backend drains, weights change, one comes, all under traffic; the agent is killed and comes back, also alone; and the switch
/// loses everything, program and all.
#[test]
fn a_node_of_bmv2() {
    if none_here("a_node_of_bmv2") {
        return;
    }
    story("a_node_of_bmv2", async |lab| {
        let registry = lab.file("registry.redb");
        let mut controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let at = controller.grpc.clone();
        let mut fleet = lab.fleet_with(&[&at], 3, |_| Vec::new(), "bmv2").await;
        ctl(&lab, &at, &["drain", "web", "b3", "--window", "3600"]);
        let pool = fleet.converged().await;
        let held = fleet.plane.holds(&pool).await;
        assert_eq!((held.shares().len(), held.backends.len()), (2, 3), "its flows stay");
        ctl(&lab, &at, &["backend", "update", "web", "b1", "--weight", "50"]);
        fleet.backends.come(4).await;
        ctl(&lab, &at, &["backend", "register", "web", "b4", "10.1.0.4", "--port", "80"]);
        fleet.client.state("web", "b4", BackendState::Healthy).await;
        let pool = fleet.converged().await;
        let owners: BTreeSet<u32> = slots(&pool).into_iter().collect();
        assert_eq!(owners.len(), 3, "{owners:?}");
        fleet.plane.stands_by(1).await;
        // Killed: the next one finds everything as it must be, and keeps it on disk.
        let state = lab.file("agent.state");
        let state = ["--state", state.to_str().unwrap()];
        fleet.agent.process.kill();
        fleet.agent = lab.agent(&fleet.switch, &[&at], &state, &[]).await;
        assert_eq!(fleet.at_work().await, 0, "updates");
        // Alone: served from there.
        controller.process.kill();
        fleet.agent.process.kill();
        fleet.agent = lab.agent(&fleet.switch, &[&at], &state, &[]).await;
        assert_eq!(fleet.at_work().await, 0, "updates");
        let held = fleet.plane.holds(&pool).await;
        assert_eq!(drops(&fleet.agent.http), [""; 0], "every packet has met a whole table");
        let judged = fleet.traffic().await;
        // BMv2's own queues may be short of room on a machine with much else to do; where frames went is certain.
        assert!(judged.left.is_empty() && judged.strange == 0 && judged.lost < judged.sent / 2, "{judged:?}");
        assert_eq!(judged.to, (1..=4).map(address).collect::<BTreeSet<_>>(), "{judged:?}");
        // Started anew it has nothing: it is loaded, and the agent writes all of it, still alone.
        fleet.switch.lose_program();
        fleet.switch.load().await;
        let again = fleet.plane.holds(&pool).await;
        assert_eq!((again.slots, again.backends), (held.slots, held.backends));
        controller = lab.controller_at("controller", registry.to_str().unwrap(), &at, &[], &[]).await;
        assert_eq!(fleet.converged().await.table, pool.table, "{}", controller.process.errors());
    });
}
