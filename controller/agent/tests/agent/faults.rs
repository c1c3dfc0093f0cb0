//! Whoever fails, packets meet a whole table.

use crate::common::controller::Controller;
use crate::common::proxy::Proxy;
use crate::common::snapshots::{Pool, vip, whole};
use crate::common::switch::{ACK, Goes, SYN, Switch};
use crate::common::{alarm, in_force, settings, until};
use control_agent::Agent;
use control_proto::v1::{NodeSnapshot, Record};
use std::sync::atomic::Ordering;
use std::time::Duration;

const VIP: [u8; 4] = [203, 0, 113, 10];

/// The agent is killed before each of the writes of a change, in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_killed_between_two_writes_leaves_a_whole_table() {
    let switch = Switch::start().await;
    let proxy = Proxy::start(&switch.address).await;
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let members = |last: u32| (last..last + 400).map(|n| (n, 100)).collect::<Vec<_>>();
    let mut pool = Pool::new(1, &members(1));
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("agent.state");
    let start = async || {
        let mut settings = settings(&controller.address, &proxy.address, Some(&state));
        // Many small writes; the standby generation is written in them too.
        settings.p4runtime.profile.batch_updates = 64;
        settings.p4runtime.profile.in_flight = 1;
        settings.manner.grace = Duration::from_millis(20);
        Agent::start(settings).await.unwrap()
    };
    let mut agent = start().await;
    in_force(&agent, 1).await;
    let (mut version, mut kills) = (1, 0);
    for writes in 0.. {
        let old = pool.slots();
        while switch.generations(1).await.iter().any(|g| *g != old) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // One leaves, one comes.
        version += 1;
        pool.set(&members(version as u32));
        proxy.allow(writes);
        let all = whole(version, &vips, &[&pool]);
        controller.say(all.clone(), all).await;
        until("killed, or done", || proxy.is_stuck() || agent.status().facts().version == version).await;
        let done = !proxy.is_stuck();
        drop(agent);
        proxy.allow(usize::MAX);
        let goes = switch.goes(1).await;
        assert!(goes == Goes::By(old) || goes == Goes::By(pool.slots()), "after {writes} writes");
        // The next one ends what was begun.
        agent = start().await;
        in_force(&agent, version).await;
        assert_eq!(switch.goes(1).await, Goes::By(pool.slots()), "after {writes} writes");
        assert_eq!(switch.backends().await.len(), 400);
        if done {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 5, "{kills}");
}

/// Fail-static: agent and controller are gone, the agent comes back alone, even the switch forgot everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_controller_the_last_snapshot_is_served() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(5, &vips, &[&pool])).await;
    let (folder, nobody) = (tempfile::tempdir().unwrap(), controller.address.clone());
    let state = folder.path().join("agent.state");
    let agent = Agent::start(settings(&controller.address, &switch.address, Some(&state))).await.unwrap();
    in_force(&agent, 5).await;
    until("saved", || state.exists()).await;
    drop(controller);
    alarm(&agent, "controller", &nobody).await;
    assert!(agent.status().ready(), "traffic goes on");
    agent.end().await;
    // A new agent reads back what is there: nothing is written.
    let agent = Agent::start(settings(&nobody, &switch.address, Some(&state))).await.unwrap();
    in_force(&agent, 5).await;
    assert!(agent.status().ready() && agent.status().facts().heard_ms == 0);
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    // The switch is started anew, and empty.
    let address = switch.address.clone();
    drop(switch);
    let switch = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if tokio::net::TcpListener::bind(&address).await.is_ok() {
            break Switch::at(&address).await;
        }
    };
    while switch.segment(VIP, 1, SYN).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    in_force(&agent, 5).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    agent.end().await;
    // A damaged file is told, and begun without.
    let mut bytes = std::fs::read(&state).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&state, bytes).unwrap();
    let agent = Agent::start(settings(&nobody, &switch.address, Some(&state))).await.unwrap();
    alarm(&agent, "state file", "it is damaged").await;
    assert!(!agent.status().ready());
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()), "what the data plane holds is left alone");
}

/// The disk has what was said last when the agent ends, and after a while also what the data plane does not take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_last_is_saved() {
    let pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let all = |version| whole(version, &vips, &[&pool]);
    let controller = Controller::start(all(5)).await;
    let (folder, nobody) = (tempfile::tempdir().unwrap(), controller.address.clone());
    let state = folder.path().join("agent.state");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let agent = Agent::start(settings(&controller.address, &address, Some(&state))).await.unwrap();
    until("saved", || state.exists()).await;
    assert_eq!(agent.status().facts().version, 0, "it is not in force");
    drop(agent);
    let switch = Switch::start().await;
    let agent = Agent::start(settings(&controller.address, &switch.address, Some(&state))).await.unwrap();
    for version in 6..16 {
        controller.say(all(version), all(version)).await;
        in_force(&agent, version).await;
    }
    agent.end().await;
    drop(controller);
    let agent = Agent::start(settings(&nobody, &switch.address, Some(&state))).await.unwrap();
    in_force(&agent, 15).await;
    assert_eq!(agent.status().facts().heard_ms, 0, "it begins with what the disk has");
}

/// A controller that lost its registry gets the tables, and can't take them away before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_that_lost_everything_is_told_what_is_in_force() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    // Records come with the tables, and then by themselves.
    let record =
        |key: &str, value: Option<&'static str>| Record { key: key.into(), value: value.map(Into::into) };
    let records = vec![record("backend/a", Some("rack 1")), record("backend/b", Some("rack 2"))];
    let first = NodeSnapshot { records, ..whole(4, &vips, &[&pool]) };
    let controller = Controller::start(first.clone()).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 4).await;
    let news = vec![record("backend/a", Some("rack 9")), record("backend/b", None)];
    let news = NodeSnapshot { version: 5, pools: vec![], records: news, tables_version: 4, ..first.clone() };
    let all = NodeSnapshot { version: 5, records: vec![record("backend/a", Some("rack 9"))], ..first };
    controller.say(all.clone(), news).await;
    in_force(&agent, 5).await;
    assert_eq!(agent.status().facts().pushes, [0; 13], "nothing that forwards was pushed");
    let address = controller.address.clone();
    drop(controller);
    alarm(&agent, "controller", &address).await;
    let controller = Controller::at(&address, whole(0, &[], &[])).await;
    controller.inner.wants_tables.store(true, Ordering::SeqCst);
    alarm(&agent, "snapshot", "version 0 came after version 5").await;
    until("tables are offered", || !controller.inner.offered.lock().unwrap().is_empty()).await;
    let offered = controller.inner.offered.lock().unwrap()[0].clone();
    assert_eq!((offered.node.as_str(), &offered.records), ("lb1", &all.records));
    assert_eq!(
        (offered.vips.clone(), offered.pools[0].table.as_ref().unwrap().digest),
        (all.vips.clone(), all.pools[0].table.as_ref().unwrap().digest)
    );
    assert_eq!(switch.segment(VIP, 1, SYN).await, switch.segment(VIP, 1, ACK).await);
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    let adopted = NodeSnapshot { version: 6, tables_version: 6, ..offered };
    controller.say(adopted.clone(), adopted).await;
    in_force(&agent, 6).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
}
