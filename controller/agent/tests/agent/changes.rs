//! What the controller desires comes into force, and stays.

use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, id, vip, whole};
use crate::common::switch::{ACK, Goes, SYN, Switch};
use crate::common::{alarm, in_force, settings, until};
use control_agent::Agent;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

const VIP: [u8; 4] = [203, 0, 113, 10];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_follows_every_change() {
    let switch = Switch::start().await;
    let mut pool = Pool::new(1, &[(1, 100), (2, 100), (3, 100)]);
    let other = Pool::new(2, &[(9, 100)]).v6();
    let vips = [vip(1, "203.0.113.10", 80, 1), vip(2, "2001:db8::10", 0, 2)];
    let say = |version, pool: &Pool| whole(version, &vips, &[pool, &other]);
    let controller = Controller::start(say(1, &pool)).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    assert_eq!(switch.goes(2).await, Goes::By(other.slots()));

    // Connections of many clients, and where they went.
    let mut with = BTreeMap::new();
    for client in 0..300 {
        let to = switch.segment(VIP, client, SYN).await;
        assert!(to.starts_with("10.1.0."), "{to}");
        assert_eq!(switch.segment(VIP, client, ACK).await, to);
        with.insert(client, to);
    }
    // Draining: out of the ring, still in `backend`. Its flows stay, new ones go elsewhere.
    pool.set(&[(1, 100), (2, 0), (3, 100)]);
    let mut changed = say(2, &pool);
    changed.pools.truncate(1);
    controller.say(say(2, &pool), changed).await;
    in_force(&agent, 2).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    assert_eq!(switch.goes(2).await, Goes::By(other.slots()), "a pool that was not named stays");
    for (&client, to) in &with {
        assert_eq!(&switch.segment(VIP, client, ACK).await, to);
        assert_ne!(switch.segment(VIP, client + 1000, SYN).await, "10.1.0.2");
    }
    let flows = with.values().filter(|to| *to == "10.1.0.2").count() as u64;
    let reported = |b: u32| controller.last_report().flows.iter().find(|f| f.id == b).map_or(0, |f| f.active);
    until("flows are reported", || reported(id(2)) == flows && flows > 50).await;

    // Evicted: its flows select anew, nobody else's move.
    pool.set(&[(1, 100), (3, 100)]);
    controller.say(say(3, &pool), say(3, &pool)).await;
    in_force(&agent, 3).await;
    assert_eq!(switch.backends().await, BTreeSet::from([id(1), id(3), id(9)]));
    for (&client, to) in &with {
        let now = switch.segment(VIP, client, ACK).await;
        assert!(
            if to == "10.1.0.2" { now != "10.1.0.2" && now.starts_with("10.1.0.") } else { now == *to },
            "{to} {now}"
        );
    }
    let report = controller.last_report();
    assert_eq!((report.node.as_str(), report.has_tables), ("lb1", true));
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    until("the report says what is in force", || {
        let report = controller.last_report();
        let own = report.pools.iter().find(|p| p.number == 1).map(|p| p.generation);
        report.version == 3 && own == Some(pool.generation) && report.push_latency_ms > 0.0
    })
    .await;
    agent.end().await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()), "an agent that ends leaves everything as it is");
}

/// An empty pool is a counted drop, and never the old ring.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_pool_drops_by_name() {
    let switch = Switch::start().await;
    let mut pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    let before = switch.segment(VIP, 1, SYN).await;
    assert_eq!(switch.segment(VIP, 1, ACK).await, before);
    pool.set(&[(1, 0), (2, 0)]);
    let all = whole(2, &vips, &[&pool]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 2).await;
    assert_eq!(switch.goes(1).await, Goes::Nowhere);
    alarm(&agent, "empty pool", "nobody is in service in pool-1").await;
    assert_eq!(switch.segment(VIP, 2, SYN).await, "no_pool");
    assert_eq!(switch.segment(VIP, 1, ACK).await, before, "flows of backends that are still there stay");
    // The pool is back, and then gone for good.
    pool.set(&[(1, 0), (2, 100)]);
    let all = whole(3, &vips, &[&pool]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 3).await;
    assert_eq!(switch.segment(VIP, 3, SYN).await, "10.1.0.2");
    until("the alarm is over", || agent.status().facts().alarms.is_empty()).await;
    let all = whole(4, &[], &[]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 4).await;
    assert_eq!(switch.segment(VIP, 3, SYN).await, "", "nobody's address");
    assert_eq!(switch.backends().await, BTreeSet::new());
}

/// What is written is the difference: to the standby generation, which has the table in force by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_writes_what_differs() {
    let switch = Switch::start().await;
    let members: Vec<(u32, u32)> = (1..=100).map(|n| (n, 100)).collect();
    let mut pool = Pool::new(1, &members);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    for version in 2..6 {
        let before = pool.slots();
        let mut quiet = 0;
        while switch.generations(1).await.iter().any(|g| *g != before) {
            quiet += 1;
            assert!(quiet < 1000, "the standby generation never gets the table in force");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let updates = agent.status().facts().updates;
        pool.set(&members[..100 - version as usize]);
        let differing = before.iter().zip(pool.slots()).filter(|(a, b)| **a != *b).count() as u64;
        let all = whole(version, &vips, &[&pool]);
        controller.say(all.clone(), all).await;
        in_force(&agent, version).await;
        let written = agent.status().facts().updates - updates;
        // The slots, the flip and the backends that left; the standby generation's share may follow at once.
        assert!((differing + 2..=2 * differing + 4).contains(&written), "{written} for {differing} slots");
        assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    }
}

/// Malformed packets and echo ask for the address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_of_a_vip_is_entered_too() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100)]);
    let controller = Controller::start(whole(1, &[vip(1, "203.0.113.10", 80, 1)], &[&pool])).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    let mut echo = vec![0_u8; 60];
    echo[12..14].copy_from_slice(&[8, 0]);
    echo[14] = 0x45;
    echo[16..18].copy_from_slice(&[0, 40]);
    echo[22..24].copy_from_slice(&[64, 1]);
    echo[26..30].copy_from_slice(&[192, 168, 0, 1]);
    echo[30..34].copy_from_slice(&VIP);
    echo[34] = 8;
    let outcome = switch.process(1, &echo).await;
    assert_eq!((outcome.bytes[34], &outcome.bytes[26..30]), (0, &VIP[..]), "an answer");
    echo[14] = 0x46;
    let outcome = switch.process(1, &echo).await;
    assert_eq!(format!("{:?}", outcome.verdict), "Drop(\"options\")");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_follows_the_leader() {
    let switch = Switch::start().await;
    let mut pool = Pool::new(1, &[(1, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let first = Controller::start(whole(1, &vips, &[&pool])).await;
    let agent = Agent::start(settings(&first.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    pool.set(&[(1, 100), (2, 100)]);
    let second = Controller::start(whole(2, &vips, &[&pool])).await;
    first.follow(&second.address);
    in_force(&agent, 2).await;
    assert_eq!(agent.status().facts().controller.as_deref(), Some(second.address.as_str()));
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
    assert!(second.inner.watches.load(Ordering::SeqCst) == 1 && agent.status().ready());
}
