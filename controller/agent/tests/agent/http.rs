//! What an agent tells over HTTP, and its hook.

use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, vip, whole};
use crate::common::switch::{ACK, SYN, Switch};
use crate::common::{in_force, settings, until};
use control_agent::Agent;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Status and body of a GET.
pub(crate) async fn get(at: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_metrics_flows_and_the_hook() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100), (2, 100)]);
    let controller = Controller::start(whole(0, &[], &[])).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, told) = (folder.path().join("ready"), folder.path().join("told"));
    let mut settings = settings(&controller.address, &switch.address, None);
    settings.hook.file = Some(file.clone());
    settings.hook.command = Some(format!("echo $READY >> {}", told.display()));
    let agent = Agent::start(settings).await.unwrap();
    let at = agent.http().unwrap();
    assert_eq!(get(at, "/healthz").await, (200, "ok\n".into()));
    let (code, why) = get(at, "/readyz").await;
    assert_eq!((code, why.lines().next().unwrap()), (503, "no snapshot is in force yet"));
    let all = whole(1, &[vip(1, "203.0.113.10", 80, 1)], &[&pool]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 1).await;
    assert_eq!(get(at, "/readyz").await.0, 200);
    until("the file is there", || file.exists()).await;
    let mut with = 0;
    for client in 0..50 {
        let to = switch.segment([203, 0, 113, 10], client, SYN).await;
        switch.segment([203, 0, 113, 10], client, ACK).await;
        with += usize::from(to == "10.1.0.1");
    }
    assert!((5..45).contains(&with));
    until("flows are counted", || {
        agent.status().facts().flows.iter().flatten().map(|f| *f.1).sum::<u64>() == 50
    })
    .await;
    let (code, text) = get(at, "/metrics").await;
    assert_eq!(code, 200);
    let lines = [
        "guideway_agent_ready 1".to_owned(),
        "guideway_agent_snapshot_version 1".to_owned(),
        "guideway_table_generation{pool=\"pool-1\"} 1".to_owned(),
        "guideway_vip_packets_total{vip=\"203.0.113.10\",protocol=\"tcp\",port=\"80\",pool=\"pool-1\"} 100"
            .to_owned(),
        "guideway_vip_bytes_total{vip=\"203.0.113.10\",protocol=\"tcp\",port=\"80\",pool=\"pool-1\"} 6000"
            .to_owned(),
        format!("guideway_backend_packets_total{{pool=\"pool-1\",backend=\"b1\"}} {}", 2 * with),
        format!("guideway_backend_active_flows{{pool=\"pool-1\",backend=\"b1\"}} {with}"),
        "guideway_flows_stored_total{table=\"flows4\"} 50".to_owned(),
        "guideway_drops_total{reason=\"no_pool\"} 0".to_owned(),
        "guideway_agent_snapshot_age_seconds 0".to_owned(),
    ];
    for line in lines {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    let (code, flows) = get(at, "/admin/flows?backend=b1&vip=203.0.113.10&limit=1000").await;
    assert_eq!((code, flows.matches("\"backend\":\"b1\"").count()), (200, with), "{flows}");
    assert!(flows.contains("\"vip\":\"203.0.113.10:80\"") && flows.contains("\"state\":\"tcp\""), "{flows}");
    assert_eq!(get(at, "/admin/flows").await.0, 429);
    agent.end().await;
    assert!(!file.exists());
    let told = std::fs::read_to_string(told).unwrap();
    assert_eq!(told, "0\n1\n0\n");
}
