//! `guideway switch` on ring ports, with a program of the test's at their far ends, served over P4Runtime: packets, and batches
//! that are in force whole.
#![allow(clippy::unwrap_used)]

use p4runtime_proto::p4::v1::Update;
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{Atomicity, Names, Options, Profile, Session, insert};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use sw_fallback::devices::{Device, ring};

/// A switch that ends with this value.
struct Switch {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Switch {
    fn start(target: &str, ports: &[String], more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        command.args(["switch", "--target", target]).args(more);
        for port in ports {
            command.args(["--port", port]);
        }
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for a line that begins so; its last word. None: it has ended before.
    fn says(&mut self, begins: &str) -> Option<String> {
        let line = self.lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(begins))?;
        line.rsplit(' ').next().map(str::to_owned)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _over = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A SYN to the VIP of `docs/lb.toml`.
fn syn(port: u16) -> Vec<u8> {
    let mut frame = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 9]].concat();
    frame.extend([0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 5, 203, 0, 113, 10]);
    frame.extend(port.to_be_bytes());
    frame.extend([0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]);
    frame
}

/// What comes, until there are so many.
fn received(device: &mut Device, many: usize) -> Vec<Vec<u8>> {
    let (mut frames, since) = (Vec::new(), Instant::now());
    while frames.len() < many && since.elapsed() < Duration::from_secs(120) {
        device.receive.receive(&mut |frame| frames.push(frame.to_vec())).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    frames
}

fn vip(names: &Names, port: u128) -> Update {
    let owned = |(name, value): (&str, u128)| (name.to_owned(), value);
    let key = [("dst", 0xcb00_710a), ("protocol", 6), ("dst_port", port)].map(owned);
    let params = [("vip", 2), ("pool", 1), ("hash_key", 0), ("flags", 0), ("class", 0)].map(owned);
    let entry = Entry {
        table: "vip4".into(),
        key: key.into_iter().map(|(name, value)| (name, KeyValue::Exact(value))).collect(),
        priority: 0,
        action: "set_vip".into(),
        params: params.into_iter().collect(),
    };
    insert(names.entry(&entry).unwrap())
}

async fn atomic_batches(target: &str, address: &str) {
    let session = Session::connect(Options::new(address, Profile::named("guideway").unwrap())).await.unwrap();
    session.primary().await.unwrap();
    let names = session.names().await.unwrap();
    let write = async |ports: &[u128]| {
        let updates: Vec<Update> = ports.iter().map(|port| vip(&names, *port)).collect();
        session.write(&updates, Atomicity::DataplaneAtomic, Some(&names)).await
    };
    let held = async || session.entries("vip4", &names).await.unwrap().len();
    let before = held().await;
    let two = write(&[81, 82]).await;
    if target == "native" {
        let why = two.unwrap_err().to_string();
        assert!(why.contains("packets would see a part of this batch"), "{why}");
        assert_eq!(held().await, before);
        return;
    }
    assert_eq!((two.unwrap().applied, held().await), (2, before + 2));
    let part = write(&[83, 81]).await.unwrap();
    assert_eq!((part.applied, part.failed.len(), held().await), (0, 2, before + 2), "{:?}", part.failed);
}

fn on_rings(target: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ring");
    let mut far = ring::open(&path).unwrap();
    let ports = [format!("1@ring:{}", path.display())];
    let entries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lb.toml");
    let more = ["--entries", entries.to_str().unwrap(), "--p4runtime", "127.0.0.1:0"];
    let mut switch = Switch::start(target, &ports, &more);
    let Some(address) = switch.says("p4runtime") else {
        // Without DPDK's environment it says so on standard error, and `cli/tests/dpdk.rs` holds it to that.
        assert_eq!(target, "dpdk", "it has ended");
        assert!(needed::skip("rings", "dpdk", Some("it does not start".to_owned())));
        return;
    };
    switch.says("ready").unwrap();
    let sent: Vec<Vec<u8>> = (0..200).map(|n| syn(1000 + n)).collect();
    far.transmit.send(&sent.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let mut left = received(&mut far, sent.len());
    left.sort_by_key(|frame| frame.get(54..56).map(<[u8]>::to_vec));
    assert_eq!(left.len(), sent.len());
    for (frame, sent) in left.iter().zip(&sent) {
        assert!(frame[34..] == sent[14..], "the inner packet");
        assert!(frame[30..33] == [10, 0, 1] && [11, 12].contains(&frame[33]), "to a backend: {frame:?}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(atomic_batches(target, &address));
    // A third one has no end to take.
    let out = Command::new(env!("CARGO_BIN_EXE_guideway"))
        .args(["switch", "--target", "native", "--port", &ports[0]])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(1) && error.contains("both of its ends are in use"), "{error}");
}

#[test]
fn native_on_rings() {
    on_rings("native");
}

#[cfg(feature = "dpdk")]
#[test]
fn dpdk_on_rings() {
    on_rings("dpdk");
}
