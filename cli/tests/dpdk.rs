//! `guideway switch --target dpdk`: captures through `l4lb` in DPDK's SWX, and what it refuses. Where DPDK can't start, the tests
//! that need it say that they are skipped, unless `GUIDEWAY_REQUIRE` has the word `dpdk`.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

const ENTRIES: &str = r#"
    [[entry]]
    table = "vip4"
    key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
    action = "set_vip"
    params = { vip = 1, pool = 1, hash_key = 0, flags = 0, class = 0 }
    [[entry]]
    table = "backend"
    key = { backend = 16385 }
    action = "ipip4"
    params = { src = "10.0.0.1", spread = 0, dst = "10.0.0.2", port = 2, dst_mac = "02:00:00:00:00:02", src_mac = "02:00:00:00:00:01", mtu = 1500 }
    [[entry]]
    table = "backend"
    key = { backend = 16386 }
    action = "ipip4"
    params = { src = "10.0.0.1", spread = 0, dst = "10.0.0.3", port = 2, dst_mac = "02:00:00:00:00:03", src_mac = "02:00:00:00:00:01", mtu = 1500 }
    [[ring]]
    pool = 1
    backends = [16385, 16386]
"#;

/// Runs the switch; the exit code and what it has printed.
fn switch(target: &str, args: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_guideway"))
        .args(["switch", "--target", target])
        .args(args)
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

/// True where DPDK can't start on this machine.
fn skip(test: &str, text: &str) -> bool {
    let cant = text.contains("DPDK's environment can't start");
    needed::skip(test, "dpdk", cant.then(|| text.to_owned()))
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// A TCP segment without data from 10.0.0.5 to 203.0.113.`host`, port 80.
fn segment(host: u8, port: u16, flags: u8) -> Vec<u8> {
    let mut frame = vec![0x02; 12];
    frame.extend([0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0x8d, 0x2b, 10, 0, 0, 5, 203, 0, 113, host]);
    frame.extend(port.to_be_bytes());
    frame.extend([0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 4, 0, 0, 0, 0, 0]);
    frame
}

fn capture(path: &Path, frames: &[Vec<u8>]) {
    let record = |f: &Vec<u8>| [words(&[0, 0, f.len() as u32, f.len() as u32]), f.clone()].concat();
    let head = words(&[0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1]);
    std::fs::write(path, [head, frames.iter().flat_map(record).collect()].concat()).unwrap();
}

/// The frames of a capture that the switch has written, sorted: SWX sends what takes less time first.
fn frames(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let little = bytes[..4] == [0xd4, 0xc3, 0xb2, 0xa1] || bytes[..4] == [0x4d, 0x3c, 0xb2, 0xa1];
    let mut rest = &bytes[24..];
    let mut all = Vec::new();
    while let Some((head, behind)) = rest.split_at_checked(16) {
        let length: [u8; 4] = head[8..12].try_into().unwrap();
        let length = if little { u32::from_le_bytes(length) } else { u32::from_be_bytes(length) };
        let (frame, behind) = behind.split_at(length as usize);
        all.push(frame.to_vec());
        rest = behind;
    }
    all.sort();
    all
}

/// What leaves is byte for byte what leaves native.
#[test]
fn a_capture_leaves_dpdk_as_it_leaves_native() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let name = |name: &str| file(name).to_str().unwrap().to_owned();
    std::fs::write(file("entries.toml"), ENTRIES).unwrap();
    let mut all = Vec::new();
    for port in 0..300 {
        all.extend([segment(10, 1000 + port, 2), segment(10, 1000 + port, 0x10), segment(11, port, 2)]);
    }
    all.push(segment(10, 1, 2)[..37].to_vec());
    capture(&file("in.pcap"), &all);
    capture(&file("none.pcap"), &[]);
    let mut left = Vec::new();
    for target in ["native", "dpdk"] {
        let (out, status) = (name(&format!("{target}.pcap")), name("status.json"));
        let ports = [format!("1@pcap:{}", name("in.pcap")), format!("2@pcap:{}:{out}", name("none.pcap"))];
        let (code, text) = switch(
            target,
            &[
                "--port",
                &ports[0],
                "--port",
                &ports[1],
                "--entries",
                &name("entries.toml"),
                "--status",
                &status,
            ],
        );
        if skip("a capture", &text) {
            return;
        }
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("ready: l4lb on 1@pcap:"), "{text}");
        let status: serde_json::Value = serde_json::from_slice(&std::fs::read(&status).unwrap()).unwrap();
        let count = |path: &str| status.pointer(path).and_then(serde_json::Value::as_u64);
        assert_eq!(count("/tables/vip4/0/packets"), Some(600), "{target}: {status}");
        assert_eq!(count("/ports/0/received/packets"), Some(901), "{target}: {status}");
        assert_eq!(count("/ports/1/sent/packets"), Some(600), "{target}: {status}");
        left.push(frames(Path::new(&out)));
    }
    assert_eq!(left[0].len(), 600);
    assert!(left[0] == left[1], "other bytes");
    let to = |last: u8| left[1].iter().filter(|f| f[33] == last).count();
    assert!(to(2) > 100 && to(3) > 100, "both backends: {} {}", to(2), to(3));
}

#[test]
fn what_is_asked_for_wrongly() {
    let check = |args: &[&str], code: i32, parts: &[&str]| {
        let (got, text) = switch("dpdk", args);
        if skip("what is asked for wrongly", &text) {
            return;
        }
        assert_eq!(got, Some(code), "{args:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{args:?}: no {part:?} in: {text}");
        }
    };
    check(&["--port", "1@nosuchif0"], 1, &["there is no interface `nosuchif0`"]);
    check(&["--port", "254@nosuchif0"], 1, &["port 254: DPDK's ports are 0 to 253"]);
    check(&["--port", "1@pcap:nowhere"], 1, &["can't open the capture nowhere"]);
    check(&["--port", "1@pcap:a", "--port", "1@pcap:b"], 1, &["is given twice"]);
    check(&["--port", "1@lo", "--flush"], 1, &["--flush is for `--target xdp`"]);
}

/// With less memory than DPDK's environment takes: a message with what to look at, and not one about a port or a program.
#[test]
fn an_environment_that_cant_start() {
    let line = format!(
        "ulimit -v 700000; exec {} switch --target dpdk --port 1@nosuchif0",
        env!("CARGO_BIN_EXE_guideway")
    );
    let out = Command::new("sh").args(["-c", &line]).output().unwrap();
    let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert_eq!(out.status.code(), Some(1), "{text}");
    for part in ["error: DPDK's environment can't start", "1024 MB", "help: ", "`ulimit -v`"] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}
