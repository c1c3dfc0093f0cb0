//! The data plane is the kernel's.

use crate::lab::{Operator, Plane, Switch, story, until};
use control_proto::v1::BackendState;

/// Is there what XDP is compiled with? If not, says so; panics if it must.
fn clang(test: &str) -> bool {
    !needed::skip(test, "bpf", needed::bpf(sw_fallback::xdp::clang::find().is_some()))
}

/// A pool changes under traffic: weights all the time, one backend comes, one drains and goes.
#[test]
fn a_pool_changes_on_xdp_and_no_packet_is_lost() {
    if !clang("a_pool_changes_on_xdp") {
        return;
    }
    story("a_pool_changes_on_xdp", async |lab| {
        let registry = lab.file("registry.redb");
        let controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let controllers: [&str; 1] = [&controller.grpc];
        let mut fleet = lab.fleet_with(&controllers, 3, |_| Vec::new(), "xdp").await;
        let operator = Operator::start(&fleet.client).await;
        operator.goes_on(12).await;
        fleet.backends.come(4).await;
        let ctl = |args: &[&str]| {
            let done = lab.ctl(&controllers, args);
            assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        ctl(&["backend", "register", "web", "b4", "10.1.0.4", "--port", "80"]);
        fleet.client.state("web", "b4", BackendState::Healthy).await;
        operator.goes_on(12).await;
        // Long enough for the traffic that there is: its flows stay.
        ctl(&["drain", "web", "b1", "--window", "3600"]);
        operator.goes_on(12).await;
        operator.end().await;
        let pool = fleet.converged().await;
        let held = fleet.plane.holds(&pool).await;
        assert_eq!(held.shares().len(), 3, "{:?}", held.shares());
        assert_eq!(fleet.client.backend("web", "b1").await.state(), BackendState::Draining);
        let judged = fleet.traffic().await;
        judged.steady(1..=4);
        assert!(judged.to.contains(&crate::lab::address(4)), "{judged:?}");
    });
}

/// Entries in the kernel's maps change behind the agent's back, of the ring in force, of the one that stands by, and of `backend`:
/// its audit finds each, tells of them, and writes what should be there.
#[test]
fn what_somebody_else_writes_to_xdp_is_found_and_repaired() {
    if !clang("what_somebody_else_writes_to_xdp") {
        return;
    }
    story("what_somebody_else_writes_to_xdp", async |lab| {
        let registry = lab.file("registry.redb");
        let controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let controllers: [&str; 1] = [&controller.grpc];
        let mut fleet = lab.fleet_with(&controllers, 3, |_| Vec::new(), "xdp").await;
        fleet.agent.process.kill();
        fleet.agent = lab.agent(&fleet.switch, &controllers, &["--audit", "1"], &[]).await;
        fleet.at_work().await;
        fleet.converged().await;
        fleet.plane.stands_by(1).await;
        let before = fleet.plane.held(1).await.unwrap();
        assert_eq!(fleet.metric("guideway_agent_foreign_changes_total").unwrap(), 0);
        let stranger = Plane::stranger(&fleet.switch.address()).await;
        let spoiled = stranger.spoil(1, 40).await;
        assert_eq!(spoiled, 81);
        until("all is found", async || match fleet.metric("guideway_agent_foreign_changes_total") {
            Some(found) if found == spoiled => Ok(()),
            found => Err(format!("{found:?} of {spoiled}")),
        })
        .await;
        until("it is repaired", async || match fleet.plane.held(1).await {
            Ok(held) if (&held.slots, &held.backends) == (&before.slots, &before.backends) => Ok(()),
            other => Err(format!("{:?}", other.map(|held| held.shares()))),
        })
        .await;
        fleet.plane.stands_by(1).await;
        // Its own repairs are nobody else's, and the alarm ends.
        let pool = fleet.converged().await;
        fleet.plane.holds(&pool).await;
        assert_eq!(fleet.metric("guideway_agent_foreign_changes_total"), Some(spoiled));
    });
}

/// A program that knows IPv4 only is served what is of IPv4, and `ctl status` says what the node leaves out.
#[test]
fn what_half_a_data_plane_leaves_out_is_told() {
    if !clang("what_half_a_data_plane_leaves_out") {
        return;
    }
    story("what_half_a_data_plane_leaves_out", async |lab| {
        let registry = lab.file("registry.redb");
        let controller = lab.controller("controller", registry.to_str().unwrap(), &[]).await;
        let controllers: [&str; 1] = [&controller.grpc];
        let file = lab.write("both.yaml", BOTH_FAMILIES);
        let said = |args: &[&str]| {
            let done = lab.ctl(&controllers, args);
            assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap()
        };
        said(&["apply", &file]);
        let half = ["--set", "ipv6=off", "--set", "Ipip6=off"];
        let switch = Switch::start_with(&lab, "xdp", &half);
        let _agent = lab.agent(&switch, &controllers, &[], &[]).await;
        until("the node is current, and says what it leaves out", async || {
            let status: serde_json::Value = serde_json::from_str(&said(&["status", "--json"])).unwrap();
            let node = &status["nodes"][0];
            let left_out = serde_json::json!({"vips": 2, "pools": 1, "example": "2001:db8::10 tcp 80"});
            match node["current"] == true && node["left_out"] == left_out {
                true => Ok(()),
                false => Err(status.to_string()),
            }
        })
        .await;
        let text = said(&["status"]);
        let line = "node lb1 leaves out 2 VIPs (such as 2001:db8::10 tcp 80) and 1 pool: its data plane has no tables for them";
        assert!(text.lines().any(|l| l == line), "{text}");
        assert_eq!(said(&["vip", "list"]).lines().count(), 4, "the controller has them all");
    });
}

const BOTH_FAMILIES: &str = r#"
pools:
  four:
    vips: ["198.18.128.1:80/tcp"]
    backends:
      b1: {address: 10.1.0.1, port: 80}
  six:
    vips: ["[2001:db8::10]:80/tcp", "[2001:db8::11]:443/tcp"]
    backends:
      b1: {address: "2001:db8:1::1", port: 80}
"#;
