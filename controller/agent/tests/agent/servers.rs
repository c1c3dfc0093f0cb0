//! Servers that nobody can run here: our own with the refusals and the oblivion of each of `client-lab`'s fakes. Each is driven
//! by the profile of its name through what a node's life has, and refuses nothing of it.

use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, id, vip, whole};
use crate::common::switch::{ACK, Goes, SYN, Switch};
use crate::common::{alarm, in_force, settings, until};
use client_lab::Fake;
use control_agent::{Agent, Settings};
use runtime_client::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const VIP: [u8; 4] = [203, 0, 113, 10];
const SECOND: [u8; 4] = [203, 0, 113, 11];

fn by(profile: &str, controller: &Controller, fake: &Fake) -> Settings {
    let mut settings = settings(&controller.address, &fake.address, None);
    settings.p4runtime.profile = Profile::named(profile).unwrap();
    // Who has no stream is not told when a server starts anew: audits find out.
    let blind = !settings.p4runtime.profile.arbitration;
    settings.manner.audit = blind.then_some(Duration::from_millis(500));
    settings
}

/// Waits until both generations of pool 1 hold its table.
pub(crate) async fn stands_by(switch: &Switch, pool: &Pool) {
    for _ in 0..9_000 {
        if switch.generations(1).await.iter().all(|held| *held == pool.slots()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the standby generation never gets the table in force");
}

/// What the switch is to hold.
async fn holds(name: &str, switch: &Switch, pool: &Pool) {
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()), "{name}");
    let backends: BTreeSet<u32> = pool.members.iter().map(|m| id(m.0)).collect();
    assert_eq!(switch.backends().await, backends, "{name}");
    for vip in [VIP, SECOND] {
        assert!(switch.segment(vip, 7_000, SYN).await.starts_with("10.1.0."), "{name}");
    }
}

async fn check(name: &str) {
    let switch = Switch::start().await;
    let fake = Fake::before(&switch.address, name, true).await.unwrap();
    let mut pool = Pool::new(1, &[(1, 100), (2, 100), (3, 100)]);
    let mut vips = vec![vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let agent = Agent::start(by(name, &controller, &fake)).await.unwrap();
    let say = async |version, vips: &[_], pool: &Pool| {
        let all = whole(version, vips, &[pool]);
        controller.say(all.clone(), all).await;
        in_force(&agent, version).await;
    };
    in_force(&agent, 1).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()), "{name}");

    // A VIP comes, another changes; a weight and a new server move the ring.
    stands_by(&switch, &pool).await;
    vips[0].hash_key = 1;
    vips.push(vip(2, "203.0.113.11", 80, 1));
    pool.set(&[(1, 100), (2, 80), (3, 100), (4, 20)]);
    say(2, &vips, &pool).await;
    holds(name, &switch, &pool).await;

    // A drain: flows stay where they are, new ones go elsewhere; then the server goes.
    let mut with = BTreeMap::new();
    for client in 0..100 {
        let to = switch.segment(VIP, client, SYN).await;
        assert_eq!(switch.segment(VIP, client, ACK).await, to, "{name}");
        with.insert(client, to);
    }
    pool.set(&[(1, 100), (2, 0), (3, 100), (4, 20)]);
    say(3, &vips, &pool).await;
    for (&client, to) in &with {
        assert_eq!(&switch.segment(VIP, client, ACK).await, to, "{name}");
        assert_ne!(switch.segment(VIP, client + 1000, SYN).await, "10.1.0.2", "{name}");
    }
    pool.set(&[(1, 100), (3, 100), (4, 20)]);
    say(4, &vips, &pool).await;
    holds(name, &switch, &pool).await;

    // The server starts anew, and empty, while there is nothing to write.
    stands_by(&switch, &pool).await;
    drop(switch);
    until("it is missed", || !agent.status().facts().synced).await;
    let switch = Switch::start().await;
    fake.restarts(&switch.address).await.unwrap();
    in_force(&agent, 4).await;
    until("the alarm is over", || agent.status().facts().alarms.is_empty()).await;
    holds(name, &switch, &pool).await;
    assert_eq!(fake.refused(), 0, "{name}");
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stratum() {
    check("stratum").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn infrap4d() {
    check("infrap4d").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dpl() {
    check("dpl").await;
}

/// An agent that takes a server for another one says what it met, and is not ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_wrong_profile() {
    for (name, profile, says) in [
        ("dpl", "guideway", "there is no StreamChannel"),
        ("dpl", "stratum", "there is no StreamChannel"),
        ("stratum", "dpl", "Write was refused: PermissionDenied"),
        ("infrap4d", "dpl", "Write was refused: PermissionDenied"),
    ] {
        let switch = Switch::start().await;
        let fake = Fake::before(&switch.address, name, true).await.unwrap();
        let pool = Pool::new(1, &[(1, 100)]);
        let controller = Controller::start(whole(1, &[vip(1, "203.0.113.10", 80, 1)], &[&pool])).await;
        let agent = Agent::start(by(profile, &controller, &fake)).await.unwrap();
        alarm(&agent, "data plane", says).await;
        assert!(!agent.status().ready(), "{name} by {profile}");
        assert_eq!(switch.goes(1).await, Goes::Nowhere, "{name} by {profile}");
    }
}
