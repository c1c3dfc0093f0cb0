//! A node for tests.
#![allow(unreachable_pub, reason = "a module of tests")]

pub mod controller;
pub mod proxy;
pub mod snapshots;
pub mod switch;

use control_agent::{Agent, Controllers, File, Hook, Manner, Settings, Status};
use runtime_client::{Options, Profile};
use std::path::Path;
use std::time::{Duration, Instant};

/// Every backend is behind one router.
const FILE: &str = r#"
    source4 = "10.255.0.1"
    source6 = "2001:db8:ffff::1"
    [[next_hop]]
    to = "0.0.0.0/0"
    port = 1
    dst_mac = "02:00:00:00:00:fe"
    src_mac = "02:00:00:00:00:01"
    [[next_hop]]
    to = "::/0"
    port = 1
    dst_mac = "02:00:00:00:00:fe"
    src_mac = "02:00:00:00:00:01"
"#;

/// Settings of an agent.
pub fn settings(controller: &str, switch: &str, state: Option<&Path>) -> Settings {
    let file: File = toml_of(FILE);
    let mut p4runtime = Options::new(switch, Profile::named("guideway").unwrap());
    p4runtime.patience = Duration::from_secs(60);
    p4runtime.longest_pause = Duration::from_millis(100);
    Settings {
        node: "lb1".into(),
        controllers: Controllers { addresses: vec![controller.to_owned()], tls: None, token: None },
        p4runtime,
        ports: file.port_numbers().unwrap(),
        next_hops: file.next_hops().unwrap(),
        manner: Manner { sources: file.sources().unwrap(), grace: Duration::from_millis(50), audit: None },
        state: state.map(Path::to_owned),
        http: Some(([127, 0, 0, 1], 0).into()),
        hook: Hook::default(),
    }
}

fn toml_of(text: &str) -> File {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    File::read(file.path()).unwrap()
}

/// Waits until something is so.
pub async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(180), "{what}: not within three minutes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until an agent has put a version in force.
pub async fn in_force(agent: &Agent, version: u64) {
    let status: &Status = agent.status();
    let what = format!("version {version}");
    until(&what, || {
        let facts = status.facts();
        facts.version == version && facts.synced
    })
    .await;
}

/// Waits until an alarm says something.
pub async fn alarm(agent: &Agent, about: &str, says: &str) {
    let what = format!("an alarm about {about} that says {says}");
    until(&what, || agent.status().facts().alarms.get(about).is_some_and(|a| a.contains(says))).await;
}
