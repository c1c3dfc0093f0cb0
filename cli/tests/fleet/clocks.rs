//! Clocks jump.

use crate::lab::{Clocks, Controller, HOUR, Lab, address, page, story};
use control_proto::v1::BackendState;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

async fn controller(lab: &Lab, clocks: &Clocks, listen: &str) -> Controller {
    let registry = lab.file("registry.redb");
    let env = clocks.of("controller");
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    lab.controller_at("controller", registry.to_str().unwrap(), listen, &[], &env).await
}

/// Seconds of one of the agent's metrics.
fn metric(http: &str, name: &str) -> f64 {
    let (_, text) = page(http, "/metrics");
    let line = text.lines().find(|l| l.starts_with(name));
    line.and_then(|l| l.rsplit_once(' '))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or_else(|| panic!("{text}"))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Of the controller, of checkers and of the agent, while they run and between two lives: no state changes, no drain ends, no slot
/// moves, and checkers still decide.
#[test]
fn clocks_that_jump_move_nothing() {
    story("clocks_that_jump", async |lab| {
        let clocks = Clocks::new(&lab);
        // One checker is wrong from the start, by hours; another by years.
        clocks.set("c1", 5 * HOUR);
        clocks.set("c2", -10_000 * HOUR);
        let mut it = controller(&lab, &clocks, &loopback::any_port()).await;
        let at = it.grpc.clone();
        let mut fleet = lab.fleet_with(&[&at], 4, |name| clocks.of(name), "native").await;
        let drain = lab.ctl(&[&at], &["drain", "web", "b4", "--window", "3600"]);
        assert!(drain.status.success(), "{}", String::from_utf8_lossy(&drain.stderr));
        let before = fleet.converged().await;
        let states = async |client: &crate::lab::Client| {
            let all = client.events().await.into_iter();
            all.filter(|e| e.kind == "backend.state").map(|e| e.text).collect::<Vec<_>>()
        };
        let told = states(&fleet.client).await;
        for jump in [3 * HOUR, -20_000 * HOUR, 0] {
            for name in ["controller", "c1", "c2", "c3", "agent"] {
                clocks.set(name, jump);
            }
            // Several probes, reports, and looks at deadlines.
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(fleet.client.backend("web", "b4").await.state(), BackendState::Draining);
            assert_eq!(fleet.converged().await.table, before.table, "{jump}");
            let age = metric(&fleet.agent.http, "guideway_table_age_seconds");
            assert!(age < 1_000.0, "{jump}: the table is {age} s old");
        }
        assert_eq!(states(&fleet.client).await, told);

        // Between two lives of the controller.
        for jump in [11 * HOUR, -11 * HOUR] {
            it.process.kill();
            clocks.set("controller", jump);
            it = controller(&lab, &clocks, &at).await;
            let pool = fleet.converged().await;
            assert_eq!(pool.table, before.table, "{jump}");
            let b4 = fleet.client.backend("web", "b4").await;
            assert_eq!(b4.state(), BackendState::Draining, "{jump}");
            let now = now_ms().saturating_add_signed(jump * 1_000);
            let left = b4.drain_deadline_ms.saturating_sub(now);
            assert!((1_000_000..=3_600_000).contains(&left), "{jump}: it drains for {left} ms more");
            for number in 1..=3 {
                fleet.client.state("web", &format!("b{number}"), BackendState::Healthy).await;
            }
        }
        // Checkers decide still.
        fleet.backends.kill(3).await;
        fleet.client.state("web", "b3", BackendState::Unhealthy).await;
        fleet.backends.revive(3).await;
        fleet.client.state("web", "b3", BackendState::Healthy).await;
        assert_eq!(fleet.converged().await.table, before.table, "home again");
        let judged = fleet.traffic().await;
        judged.right(1..=4);
        assert!(judged.left.keys().all(|home| *home == address(3)), "{judged:?}");
    });
}
