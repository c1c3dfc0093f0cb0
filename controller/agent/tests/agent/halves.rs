//! A data plane that is one half of l4lb, as a pipe of a chip has room for: the agent keeps that half, and tells of the rest.

use crate::audit::Stranger;
use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, id, vip, whole};
use crate::common::switch::{ACK, Goes, IP4_SLOTS, SYN, Switch};
use crate::common::{alarm, in_force, settings, until};
use crate::http::get;
use crate::servers::stands_by;
use control_agent::Agent;
use control_proto::v1::LeftOut;
use runtime_client::delete;
use std::collections::BTreeSet;
use std::time::Duration;

const VIP: [u8; 4] = [203, 0, 113, 10];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_half_of_ipv4_serves_its_vips_and_tells_of_the_others() {
    let switch = Switch::of_ip4().await;
    let pool = Pool::sized(IP4_SLOTS, 1, &[(1, 100), (2, 100)]);
    let six = Pool::sized(IP4_SLOTS, 2, &[(9, 100)]).v6();
    let mut vips = vec![vip(1, "203.0.113.10", 80, 1), vip(2, "2001:db8::10", 80, 2)];
    vips.push(vip(3, "2001:db8::11", 0, 2));
    let controller = Controller::start(whole(1, &vips, &[&pool, &six])).await;
    let mut settings = settings(&controller.address, &switch.address, None);
    settings.manner.audit = Some(Duration::from_millis(100));
    let agent = Agent::start(settings.clone()).await.unwrap();
    in_force(&agent, 1).await;
    assert_eq!((switch.goes(1).await, switch.goes(2).await), (Goes::By(pool.slots()), Goes::Nowhere));
    assert_eq!(switch.backends().await, BTreeSet::from([id(1), id(2)]));
    let mut met = BTreeSet::new();
    for client in 0..50 {
        let to = switch.segment(VIP, client, SYN).await;
        assert_eq!(switch.segment(VIP, client, ACK).await, to);
        met.insert(to);
    }
    assert_eq!(met, BTreeSet::from(["10.1.0.1".to_owned(), "10.1.0.2".to_owned()]));
    let (_, text) = get(agent.http().unwrap(), "/metrics").await;
    let packets =
        "guideway_vip_packets_total{vip=\"203.0.113.10\",protocol=\"tcp\",port=\"80\",pool=\"pool-1\"} 100";
    for line in [
        "guideway_agent_ready 1",
        "guideway_agent_vips_left_out 2",
        "guideway_agent_pools_left_out 1",
        packets,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("pool-2\"} "), "nothing of it is in force: {text}");
    assert!(agent.status().facts().alarms.is_empty(), "it is no fault");
    let left_out = LeftOut { vips: 2, pools: 1, example: "2001:db8::10 tcp 80".into() };
    until("the controller hears of it", || controller.last_report().left_out == Some(left_out.clone())).await;

    // A VIP that could be served, but for its backends: nothing changes.
    vips.push(vip(4, "203.0.113.11", 80, 2));
    let all = whole(2, &vips, &[&pool, &six]);
    controller.say(all.clone(), all).await;
    let says = "VIP 203.0.113.11 tcp 80: backend b9 (2001:db8:2::9) of pool pool-2 is reached by ipip6";
    alarm(&agent, "capacity", says).await;
    assert!(switch.segment(VIP, 7_000, SYN).await.starts_with("10.1.0."));
    vips.pop();
    let all = whole(3, &vips, &[&pool, &six]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 3).await;

    // Audits read what there is.
    let stranger = Stranger::of(&switch).await;
    let entries = stranger.all("vip4").await;
    assert_eq!(entries.len(), 1);
    stranger.write(&[delete(entries[0].clone())]).await;
    until("it is found", || agent.status().facts().foreign == 1).await;
    in_force(&agent, 3).await;
    until("the alarm is over", || agent.status().facts().alarms.is_empty()).await;
    assert_eq!(stranger.all("vip4").await, entries);

    // So does the next agent: all is there.
    stands_by(&switch, &pool).await;
    agent.end().await;
    let agent = Agent::start(settings).await.unwrap();
    in_force(&agent, 3).await;
    assert_eq!(agent.status().facts().updates, 0);
    assert!(switch.segment(VIP, 8_000, SYN).await.starts_with("10.1.0."));

    // Without such VIPs the pool of the other family is left out alone; without it, nothing is.
    let all = whole(4, &vips[..1], &[&pool, &six]);
    controller.say(all.clone(), all).await;
    let left_out = LeftOut { pools: 1, ..LeftOut::default() };
    until("the pool alone is told of", || controller.last_report().left_out == Some(left_out.clone())).await;
    let all = whole(5, &vips[..1], &[&pool]);
    controller.say(all.clone(), all).await;
    let told = || controller.last_report();
    until("nothing is left out", || told().version == 5 && told().left_out.is_none()).await;
}
