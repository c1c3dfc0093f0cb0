//! The data plane is the kernel's.

use crate::lab::{Operator, story};
use control_proto::v1::BackendState;

/// A pool changes under traffic: weights all the time, one backend comes, one drains and goes.
#[test]
fn a_pool_changes_on_xdp_and_no_packet_is_lost() {
    if sw_fallback::xdp::clang::find().is_none() {
        let required = std::env::var("GUIDEWAY_REQUIRE").unwrap_or_default();
        assert!(!required.split([',', ' ']).any(|w| w == "bpf"), "bpf is required, but there is no clang");
        println!("skipped: a_pool_changes_on_xdp: no clang");
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
