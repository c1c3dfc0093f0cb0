//! The switch as a P4Runtime client sees it, in the kernel.

use crate::lab::{BpfFs, Running, in_network, ready, sh, veth, xdp_on};
use crate::{ENTRIES, SMALL, syn, vip_packets};
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use p4runtime_proto::p4::v1::set_forwarding_pipeline_config_request::Action;
use p4runtime_proto::p4::v1::{self, entity, stream_message_request as ask};
use prost::Message as _;
use std::process::Command;
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};

struct Client {
    calls: P4RuntimeClient<Channel>,
    _said: Sender<v1::StreamMessageRequest>,
    _heard: Streaming<v1::StreamMessageResponse>,
}

fn election() -> Option<v1::Uint128> {
    Some(v1::Uint128 { high: 0, low: 1 })
}

impl Client {
    /// The primary.
    async fn connect(address: &str) -> Self {
        let connection = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
        let mut calls = P4RuntimeClient::new(connection).max_decoding_message_size(64 << 20);
        let (said, says) = channel(16);
        let update =
            v1::MasterArbitrationUpdate { device_id: 1, election_id: election(), ..Default::default() };
        said.send(v1::StreamMessageRequest { update: Some(ask::Update::Arbitration(update)) }).await.unwrap();
        let mut heard = calls.stream_channel(ReceiverStream::new(says)).await.unwrap().into_inner();
        let answer = heard.message().await.unwrap().unwrap();
        assert!(format!("{answer:?}").contains("you are the primary"), "{answer:?}");
        Self { calls, _said: said, _heard: heard }
    }

    async fn config(&mut self) -> v1::ForwardingPipelineConfig {
        let request = v1::GetForwardingPipelineConfigRequest { device_id: 1, response_type: 0 };
        self.calls.get_forwarding_pipeline_config(request).await.unwrap().into_inner().config.unwrap()
    }

    async fn set(&mut self, action: Action, config: Option<v1::ForwardingPipelineConfig>) -> Code {
        let request = v1::SetForwardingPipelineConfigRequest {
            device_id: 1,
            election_id: election(),
            action: action as i32,
            config,
            ..Default::default()
        };
        let done = self.calls.set_forwarding_pipeline_config(request).await;
        done.map_or_else(
            |status| {
                println!("{status}");
                status.code()
            },
            |_| Code::Ok,
        )
    }

    async fn write(&mut self, kind: v1::update::Type, entries: &[v1::Entity]) -> Result<(), tonic::Status> {
        let update = |entity: &v1::Entity| v1::Update { r#type: kind as i32, entity: Some(entity.clone()) };
        let updates = entries.iter().map(update).collect();
        let request =
            v1::WriteRequest { device_id: 1, election_id: election(), updates, ..Default::default() };
        self.calls.write(request).await.map(|_| ())
    }

    async fn entries(&mut self) -> Vec<v1::Entity> {
        let all = entity::Entity::TableEntry(v1::TableEntry::default());
        let entities = vec![v1::Entity { entity: Some(all) }];
        let request = v1::ReadRequest { device_id: 1, entities, ..Default::default() };
        let mut answer = self.calls.read(request).await.unwrap().into_inner();
        let mut found = Vec::new();
        while let Some(message) = answer.message().await.unwrap() {
            found.extend(message.entities);
        }
        // Flows come and go.
        found.retain(|e| !matches!(&e.entity, Some(entity::Entity::TableEntry(e)) if e.is_const));
        found
    }
}

/// `guideway flows` shows three flows from ports 1000 to 1002.
fn flows(address: &str) {
    let check = |args: &[&str], parts: &[&str]| {
        let args = [&["flows", "--address", address], args].concat();
        let out = Command::new(env!("CARGO_BIN_EXE_guideway")).args(&args).output().unwrap();
        let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.success(), "{args:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{args:?}: no {part:?} in: {text}");
        }
        text
    };
    let shown = "flows4 { src = 10.0.0.5, src_port = 1001, vip = 1, dst_port = 80 } to 203.0.113.10:80 -> backend \
                 16385 (10.0.0.2), new, ";
    let text = check(&[], &[shown, " s ago, 2", " s left", "3 flows: 3 new, 0 tcp, 0 udp, 0 closing"]);
    assert_eq!(text.lines().count(), 4);
    let three =
        ["--vip", "203.0.113.10:80", "--backend", "16385", "--client", "10.0.0.0/8", "--state", "new"];
    check(&three, &["\n3 flows"]);
    for none in [
        ["--vip", "203.0.113.10:81"],
        ["--vip", "203.0.113.11"],
        ["--client", "10.0.0.6"],
        ["--backend", "7"],
        ["--state", "tcp"],
        ["--vip", "2001:db8::1"],
    ] {
        assert!(check(&none, &[]).starts_with("0 flows"), "{none:?}");
    }
    check(&["--limit", "2"], &["2 flows: 2 new, 0 tcp, 0 udp, 0 closing; there are more"]);
    let json = check(&["--json", "--rate", "1"], &[r#""states":{"new":3,"tcp":0,"#]);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["to"], &first["service"]), (&"10.0.0.2".into(), &"203.0.113.10:80".into()));
    assert!(first["age_s"].as_f64().unwrap() < 30.0 && first["key"]["src"] == "10.0.0.5", "{first}");
}

#[test]
fn a_client_reads_writes_and_swaps_the_pipeline_of_a_live_interface() {
    if !ready("a_client_reads_writes_and_swaps_the_pipeline_of_a_live_interface") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &["--p4runtime", "127.0.0.1:0"], ENTRIES);
        let line = switch.line("p4runtime");
        let address = line.rsplit(' ').next().unwrap().trim().to_owned();
        switch.line("ready");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut client = Client::connect(&address).await;
            let held = client.entries().await;
            assert_eq!(held.len(), 3 + 257, "vip, backend, pool, and a ring");
            syn(1000);
            let before = xdp_on("a0");

            let config = client.config().await;
            assert_eq!(client.set(Action::ReconcileAndCommit, Some(config.clone())).await, Code::Ok);
            assert!(xdp_on("a0").is_some() && xdp_on("a0") != before, "another program, at once");
            assert_eq!(client.entries().await, held, "with the entries of the first");
            syn(1001);

            client.write(v1::update::Type::Delete, &held).await.unwrap();
            assert_eq!(client.entries().await, []);
            client.write(v1::update::Type::Insert, &held).await.unwrap();
            let again = client.write(v1::update::Type::Insert, &held[..1]).await.unwrap_err();
            assert!(again.message().contains("the entry exists already"), "{again}");
            assert_eq!(client.entries().await, held);
            syn(1002);

            let mut broken = config.clone();
            broken.p4_device_config = "no bundle".into();
            assert_eq!(client.set(Action::VerifyAndCommit, Some(broken)).await, Code::InvalidArgument);
            assert_eq!(client.entries().await, held);
        });
        let status = switch.status();
        assert_eq!(vip_packets(&status), 1, "of the entry that was written last");
        assert_eq!(status["flows"]["flows4"]["new"], 3, "flows outlive the swap");
        flows(&address);
        runtime.block_on(async {
            // The first one's connection ends only now.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let mut client = Client::connect(&address).await;
            let config = client.config().await;
            assert_eq!(client.set(Action::VerifyAndCommit, Some(config)).await, Code::Ok);
            assert_eq!(client.entries().await, []);
        });
        assert_eq!(switch.end(), Some(0));
        assert_eq!(xdp_on("a0"), None);
    });
}

/// A device config with an object that the verifier refuses: its program begins with `exit`, without a verdict.
fn refused(config: &v1::ForwardingPipelineConfig) -> v1::ForwardingPipelineConfig {
    use object::{Object as _, ObjectSection as _};
    let mut bundle = Bundle::decode(config.p4_device_config.clone()).unwrap();
    let file = bundle.files.iter_mut().find(|f| f.path.ends_with(".o")).unwrap();
    let mut bytes = file.content.to_vec();
    let elf = object::File::parse(bytes.as_slice()).unwrap();
    let (start, _) = elf.section_by_name("xdp").unwrap().file_range().unwrap();
    bytes[start as usize..][..8].copy_from_slice(&[0x95, 0, 0, 0, 0, 0, 0, 0]);
    file.content = bytes.into();
    v1::ForwardingPipelineConfig { p4_device_config: bundle.encode_to_vec().into(), ..config.clone() }
}

#[test]
fn what_the_kernel_refuses_changes_nothing() {
    if !ready("what_the_kernel_refuses_changes_nothing") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &["--p4runtime", "127.0.0.1:0"], ENTRIES);
        let line = switch.line("p4runtime");
        let address = line.rsplit(' ').next().unwrap().trim().to_owned();
        switch.line("ready");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pins = fs.path("").display().to_string();
        let before = xdp_on("a0");
        runtime.block_on(async {
            let mut client = Client::connect(&address).await;
            let (held, config) = (client.entries().await, client.config().await);
            let broken = refused(&config);
            for action in
                [Action::Verify, Action::VerifyAndSave, Action::VerifyAndCommit, Action::ReconcileAndCommit]
            {
                assert_eq!(
                    client.set(action, Some(broken.clone())).await,
                    Code::InvalidArgument,
                    "{action:?}"
                );
                assert_eq!(client.entries().await, held, "{action:?}");
            }
            assert_eq!(client.set(Action::Verify, Some(config.clone())).await, Code::Ok);
            assert_eq!(xdp_on("a0"), before);
            // It runs, but can't be pinned.
            sh(&format!("mount -o remount,ro {pins}"));
            for action in [Action::VerifyAndCommit, Action::ReconcileAndCommit] {
                assert_eq!(
                    client.set(action, Some(config.clone())).await,
                    Code::InvalidArgument,
                    "{action:?}"
                );
                assert_eq!(client.entries().await, held, "{action:?}");
                assert_eq!(xdp_on("a0"), before);
            }
            sh(&format!("mount -o remount,rw {pins}"));
            syn(1000);

            // What is written to a saved config is in force with it, at once.
            assert_eq!(client.set(Action::VerifyAndSave, Some(config.clone())).await, Code::Ok);
            assert_eq!(client.entries().await, []);
            client.write(v1::update::Type::Insert, &held).await.unwrap();
            syn(1001);
            assert_eq!(client.set(Action::Commit, None).await, Code::Ok);
            assert!(xdp_on("a0") != before);
            assert_eq!(client.entries().await, held);
            syn(1002);
        });
        let status = switch.status();
        assert_eq!(vip_packets(&status), 1, "of the new entry");
        assert_eq!(status["flows"]["flows4"]["new"], 3, "flows outlive the swap");
        switch.kill();
        let mut second = Running::start(&fs, SMALL, &[], ENTRIES);
        assert!(second.line("ready").contains("0 entries inserted, 0 modified, 0 deleted, 0 rings filled"));
        assert_eq!(second.end(), Some(0));
    });
}
