//! What can't be right is refused: the old table stays, and everybody hears of it.

use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, id, vip, whole};
use crate::common::switch::{Goes, Switch};
use crate::common::{alarm, in_force, settings, until};
use control_agent::Agent;
use control_proto::v1::NodeSnapshot;
use std::collections::BTreeSet;

type Spoil = fn(&mut NodeSnapshot);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_snapshot_changes_nothing() {
    let switch = Switch::start().await;
    let mut pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let good = whole(10, &vips, &[&pool]);
    let old = pool.slots();
    let controller = Controller::start(good.clone()).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 10).await;
    pool.set(&[(1, 100), (2, 100), (3, 50)]);
    let next = whole(11, &vips, &[&pool]);
    let cases: [(Spoil, &str); 7] = [
        (|s| s.pools[0].table.as_mut().unwrap().digest ^= 1, "digest"),
        (|s| s.pools[0].table.as_mut().unwrap().slots = vec![1, 0, 0, 0].into(), "1 slots"),
        (|s| s.pools[0].shares[1].slots -= 1, "by its share"),
        (|s| drop(s.pools[0].backends.remove(0)), "which the pool has not"),
        (|s| s.vips[0].pool = "nobody".into(), "there is no pool `nobody`"),
        (|s| s.version = 9, "version 9 came after version 10"),
        (|s| s.pool_numbers.push(7), "pool 7 is listed"),
    ];
    for (refused, (spoil, says)) in (1..).zip(cases) {
        let mut bad = next.clone();
        spoil(&mut bad);
        // Who comes anew hears what is right.
        controller.say(good.clone(), bad).await;
        until(says, || agent.status().facts().refused == refused).await;
        assert_eq!(switch.goes(1).await, Goes::By(old.clone()), "{says}");
        let heard = || {
            controller.inner.reports.lock().unwrap().iter().any(|r| r.alarms.iter().any(|a| a.contains(says)))
        };
        until("the alarm is reported", heard).await;
        until("a new watch", || agent.status().facts().alarms.is_empty()).await;
        assert!(agent.status().ready());
    }
    controller.say(next.clone(), next).await;
    in_force(&agent, 11).await;
    assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_data_plane_has_no_room_for_is_told() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let agent = Agent::start(settings(&controller.address, &switch.address, None)).await.unwrap();
    in_force(&agent, 1).await;
    let many: Vec<_> = (1..=600).map(|n| vip(n, "203.0.113.10", n, 1)).collect();
    let far = Pool::new(64, &[(2, 100)]);
    for (version, vips, pools, says) in [
        (2, &many[..], vec![&pool], "600 VIPs of one family; the data plane has room for 512"),
        (3, &vips[..], vec![&pool, &far], "pool 64: the data plane has pool numbers below 64"),
    ] {
        let all = whole(version, vips, &pools);
        controller.say(all.clone(), all).await;
        alarm(&agent, "capacity", says).await;
        assert_eq!(switch.goes(1).await, Goes::By(pool.slots()));
        assert_eq!(switch.backends().await, BTreeSet::from([id(1)]));
    }
    let all = whole(4, &vips, &[&pool]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 4).await;
    assert!(agent.status().facts().alarms.is_empty());
}
