#![allow(clippy::unwrap_used)]
use super::*;
use crate::hops::{self, Fixed, Known};
use crate::layout::Limits;
use crate::reconciler::Goal;
use crate::wanted::{Hop, Source, Sources, wanted};
use control_core::node::{Part, merge};
use control_proto::v1::{NodeBackend, NodePool, NodeSnapshot, Protocol, Table, Vip};
use p4runtime_proto::p4::config::v1::P4Info;
use pipeline_ir::verify::verify;
use prost::Message as _;
use runtime_client::{NameError, Names};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;

const WHOLE: &[&str] = &[];
const IP4: &[&str] = &["ipv6", "Ipip6"];
const IP6: &[&str] = &["ipv4", "Ipip4"];

/// The forms of a built-in pipeline's entries, without some of its parts.
fn layout(text: &str, off: &[&str]) -> Result<Layout, NameError> {
    let whole = verify(pipeline_syntax::compile_source("l4lb.rs", text, &[]).unwrap()).unwrap();
    let half = codegen::off::off(&whole, off).unwrap();
    let sizes = codegen::p4::Sizes::of(&hw_targets::target("native").unwrap());
    let info = codegen::p4::info(half.pipeline(), &sizes).to_bytes();
    Layout::new(Names::new(&P4Info::decode(info.as_slice()).unwrap()).unwrap())
}

fn l4lb(off: &[&str]) -> Layout {
    layout(guideway::builtin::L4LB, off).unwrap()
}

/// Pools by number with the addresses of their backends, and VIPs with the pool that each uses.
fn desired(pools: &[(u32, &[&str])], vips: &[(&str, u32)]) -> Desired {
    let backend = |pool: u32, n: u32, address: &str| NodeBackend {
        id: pool << 8 | n,
        name: format!("b{n}"),
        address: address.into(),
        ..NodeBackend::default()
    };
    let pool = |&(number, addresses): &(u32, &[&str])| NodePool {
        number,
        name: format!("pool-{number}"),
        backends: (1..).zip(addresses).map(|(n, address)| backend(number, n, address)).collect(),
        table: Some(Table::default()),
        ..NodePool::default()
    };
    let vip = |(number, (address, pool)): (u32, &(&str, u32))| Vip {
        pool: format!("pool-{pool}"),
        address: (*address).into(),
        protocol: Protocol::Tcp.into(),
        port: 80,
        number,
        ..Vip::default()
    };
    let said = NodeSnapshot {
        version: 1,
        vips: (1..).zip(vips).map(vip).collect(),
        pools: pools.iter().map(pool).collect(),
        pool_numbers: pools.iter().map(|p| p.0).collect(),
        ..NodeSnapshot::default()
    };
    merge(&Desired::default(), Part::Whole, &said).unwrap()
}

/// Every backend is behind one router.
fn made(layout: &Layout, desired: &Desired) -> Result<crate::wanted::Wanted, Unfit> {
    let hop = Hop { port: 1, dst_mac: [2; 6], src_mac: [4; 6], mtu: 1500, source: None };
    let all = desired.pools().values().flat_map(|p| p.backends.values());
    let hops = all.map(|b| (b.address, hop)).collect();
    let source = |address: &str| Some(Source { address: address.parse::<IpAddr>().unwrap(), spread: 0 });
    let sources = Sources { v4: source("10.255.0.1"), v6: source("2001:db8:ffff::1") };
    wanted(layout, desired, &sources, &hops, None)
}

#[test]
fn a_half_gets_what_it_has_tables_for() {
    let (four, six) = (&["10.1.0.1", "10.1.0.2"][..], &["2001:db8::1"][..]);
    let pools = [(1, four), (2, six), (3, four), (4, six)];
    let vips = [
        ("203.0.113.10", 1),
        ("203.0.113.11", 1),
        ("2001:db8::10", 2),
        ("2001:db8::11", 2),
        ("2001:db8::12", 4),
    ];
    let desired = desired(&pools, &vips);
    // A VIP is two entries, one of them that of its address. Nobody uses pool 3.
    for (off, tables, services, kept_pools, backends, left) in [
        (WHOLE, &["vip4", "vip4_any", "vip6", "vip6_any"][..], 10, &[1, 2, 3, 4][..], 6, (0, 0, "")),
        (IP4, &["vip4", "vip4_any"], 4, &[1, 3], 4, (3, 2, "2001:db8::10 tcp 80")),
        (IP6, &["vip6", "vip6_any"], 6, &[2, 4], 2, (2, 2, "203.0.113.10 tcp 80")),
        (&["ipv6"], &["vip4", "vip4_any"], 4, &[1, 3], 4, (3, 2, "2001:db8::10 tcp 80")),
    ] {
        let layout = l4lb(off);
        assert_eq!(layout.services().collect::<Vec<_>>(), tables, "{off:?}");
        let wanted = made(&layout, &desired).unwrap();
        assert_eq!(wanted.services.len(), services, "{off:?}");
        assert_eq!(wanted.pools.keys().copied().collect::<Vec<_>>(), kept_pools, "{off:?}");
        assert_eq!((wanted.backends.len(), wanted.unresolved.len()), (backends, 0), "{off:?}");
        let (vips, pools, example) = left;
        assert_eq!(wanted.left_out, LeftOut { vips, pools, example: example.into() }, "{off:?}");
    }
    let told = made(&l4lb(IP4), &desired).unwrap().left_out.to_string();
    assert!(told.contains(": 3 (such as 2001:db8::10 tcp 80), and 2 pools"), "{told}");
}

/// Every backend has a configured next hop; who is asked for is told of.
#[tokio::test]
async fn nobody_asks_the_way_to_what_is_left_out() {
    let (four, six) = (["10.1.0.1", "10.1.0.2"], ["2001:db8::1"]);
    let vips = [("203.0.113.10", 1), ("2001:db8::10", 2)];
    let goal = |pools: &[(u32, &[&str])]| Goal { desired: Arc::new(desired(pools, &vips)), live: true };
    let hop = Hop { port: 1, dst_mac: [2; 6], src_mac: [4; 6], mtu: 1500, source: None };
    let anywhere = ["0.0.0.0", "::"].map(|n| Fixed { network: n.parse().unwrap(), prefix: 0, hop });
    let (goals, goal_seen) = watch::channel(goal(&[(1, &four), (2, &six)]));
    let (plane, planes) = watch::channel(None::<Layout>);
    let (known, mut knowns) = watch::channel(Arc::default());
    let task = tokio::spawn(hops::run(anywhere.into(), BTreeMap::new(), goal_seen, planes, known));
    let addresses = |known: &Known| known.hops.keys().map(IpAddr::to_string).collect::<Vec<_>>();
    let mut asked = async |wanted: &[&str]| {
        let told = knowns.wait_for(|known| addresses(known) == wanted);
        tokio::time::timeout(Duration::from_secs(120), told).await.expect("in time").unwrap();
    };
    for (runs, wanted) in [
        (Some(l4lb(IP6)), &six[..]),
        (Some(l4lb(WHOLE)), &["10.1.0.1", "10.1.0.2", "2001:db8::1"]),
        (Some(l4lb(IP4)), &four),
    ] {
        plane.send_replace(runs);
        asked(wanted).await;
    }
    // While it can't be reached, it is what it was.
    plane.send_replace(None);
    goals.send_replace(goal(&[(1, &["10.1.0.3"]), (2, &six)]));
    asked(&["10.1.0.3"]).await;
    // What no tunnel reaches is refused: those in force are looked after.
    goals.send_replace(goal(&[(1, &["10.1.0.3", "2001:db8::3"]), (2, &six)]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    asked(&["10.1.0.3"]).await;
    goals.send_replace(goal(&[(1, &["10.1.0.4"]), (2, &six)]));
    asked(&["10.1.0.4"]).await;
    task.abort();
}

#[test]
fn a_pool_that_both_families_use_stays() {
    let desired = desired(&[(1, &["2001:db8::1"])], &[("203.0.113.10", 1), ("2001:db8::10", 1)]);
    let wanted = made(&l4lb(&["ipv6"]), &desired).unwrap();
    assert_eq!((wanted.services.len(), wanted.pools.len(), wanted.backends.len()), (2, 1, 1));
    assert_eq!((wanted.left_out.vips, wanted.left_out.pools), (1, 0));
}

#[test]
fn a_backend_that_no_tunnel_reaches_is_refused_where_a_vip_needs_it() {
    let mixed = &["10.1.0.1", "2001:db8::1"][..];
    for (off, pool, vip, says) in [
        (
            IP4,
            mixed,
            "203.0.113.10",
            "VIP 203.0.113.10 tcp 80: backend b2 (2001:db8::1) of pool pool-1 is reached by ipip6, which the data plane's \
             program lacks: run one that has it (without `--set ipip6=off`), or give the pool IPv4 backends only",
        ),
        (
            &["Ipip4"],
            mixed,
            "203.0.113.10",
            "VIP 203.0.113.10 tcp 80: backend b1 (10.1.0.1) of pool pool-1 is reached by ipip4, which the data plane's \
             program lacks: run one that has it (without `--set ipip4=off`), or give the pool IPv6 backends only",
        ),
        (
            &["Ipip6"],
            &["2001:db8::1"],
            "2001:db8::10",
            "VIP 2001:db8::10 tcp 80: backend b1 (2001:db8::1) of pool pool-1 is reached by ipip6, which the data plane's \
             program lacks: run one that has it (without `--set ipip6=off`)",
        ),
    ] {
        let refused = made(&l4lb(off), &desired(&[(1, pool)], &[(vip, 1)])).unwrap_err();
        assert_eq!(refused.to_string(), says);
        // Whom no VIP needs, nobody misses.
        assert!(made(&l4lb(off), &desired(&[(1, pool)], &[])).unwrap().pools.is_empty(), "{off:?}");
    }
}

#[test]
fn room_is_that_of_the_tables_there_are() {
    let small = |table: &str| {
        let before = format!("#[table(size = 512, counters = both)]\n    static {table}:");
        let text = guideway::builtin::L4LB.replace(&before, &before.replace("512", "64"));
        assert_ne!(text, guideway::builtin::L4LB);
        text
    };
    for (text, off, vips) in [
        (small("VIP6"), WHOLE, 64),
        (small("VIP6"), IP4, 512),
        (small("VIP6"), IP6, 64),
        (small("VIP4"), IP6, 512),
        (small("VIP4"), IP4, 64),
    ] {
        let Limits { vips: room, .. } = layout(&text, off).unwrap().limits;
        assert_eq!(room, vips, "{off:?}");
    }
}

#[test]
fn what_has_no_family_at_all_is_something_else() {
    let whole = guideway::builtin::L4LB;
    for (text, off, says) in [
        (guideway::builtin::DECAP, WHOLE, "no table `vip4`"),
        (whole, &["VIP4_ANY"][..], "no table `vip4_any`"),
        (whole, &["VIP6", "ipv4"][..], "no table `vip6`"),
    ] {
        let error = layout(text, off).unwrap_err().to_string();
        assert!(error.contains(says), "{off:?}: {error}");
    }
}
