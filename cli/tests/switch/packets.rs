//! Packets from and to a controller, beside the program in the kernel and beside native.

use crate::lab::{BpfFs, Running, in_network, ready, sh, veth};
use crate::{ENTRIES, SMALL};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// ARP: who has 10.0.0.1? The pipeline passes it to the host.
const ARP: &str = "ffffffffffff02000000000208060001080006040001020000000002 0a000005 000000000000 0a000001 000000000000000000000000000000000000";

fn guideway(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(out: &Output) -> String {
    String::from_utf8_lossy(&[&out.stdout[..], &out.stderr[..]].concat()).into_owned()
}

/// Sends a frame by `a1`.
fn send(frame: &str) {
    let code = format!(
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('a1', 0)); \
         s.send(bytes.fromhex('{frame}'))"
    );
    assert!(Command::new("python3").args(["-c", &code]).status().unwrap().success());
}

/// Prints the next frame with this Ethernet type that comes to `a1`.
fn hear(kind: &str) -> Child {
    let code = format!(
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x{kind})); \
         s.bind(('a1', 0x{kind})); s.settimeout(20); print('ready', flush=True); print(s.recv(9999).hex())"
    );
    Command::new("python3").args(["-c", &code]).stdout(Stdio::piped()).spawn().unwrap()
}

fn packets(address: &str) {
    let frame = format!("02000000000202000000000188b5{}", "5a".repeat(46));
    let mut heard = hear("88b5");
    let mut said = BufReader::new(heard.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "ready");
    let out =
        guideway(&["packet-out", "--address", address, "--port", "1", "--packet", &frame]).output().unwrap();
    assert!(out.status.success() && text(&out).contains("1 sent out of port 1"), "{}", text(&out));
    assert_eq!(said.next().unwrap().unwrap(), frame);
    assert!(heard.wait().unwrap().success());
    for (port, packet, says) in [
        ("7", frame, "there is no port 7"),
        ("1", "00".repeat(9000), "port 1 takes 1522 at most"),
        ("1", "0011".to_owned(), "Ethernet's header alone has 14"),
    ] {
        let out =
            guideway(&["packet-out", "--address", address, "--port", port, "--packet", &packet]).output();
        let out = out.unwrap();
        assert!(out.status.code() == Some(1) && text(&out).contains(says), "{}", text(&out));
    }

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passed.pcap");
    let to = |role: &str, more: &[&str]| {
        guideway(&[&["capture", "--address", address, "--role", role, "--count", "1"], more].concat())
            .spawn()
            .unwrap()
    };
    let (lines, pcap) = (to("lines", &[]), to("pcap", &["--out", file.to_str().unwrap()]));
    let arp = ARP.replace(' ', "");
    // Neither says when it listens, so packets come until each has its one.
    let mut captures = [lines, pcap];
    let start = Instant::now();
    while captures.iter_mut().any(|c| c.try_wait().unwrap().is_none()) {
        assert!(start.elapsed() < Duration::from_secs(120), "a packet that passes is captured");
        send(&arp);
        std::thread::sleep(Duration::from_millis(100));
    }
    let [lines, pcap] = captures;
    let lines = lines.wait_with_output().unwrap();
    assert!(text(&lines).contains(&format!("port 1, 60 bytes: {arp}")), "{}", text(&lines));
    assert!(pcap.wait_with_output().unwrap().status.success());
    assert_eq!(std::fs::read(&file).unwrap().len(), 24 + 16 + 60);
    // What is captured can be sent.
    let out =
        guideway(&["packet-out", "--address", address, "--port", "1", "--packet", file.to_str().unwrap()])
            .output();
    assert!(out.unwrap().status.success());
}

#[test]
fn packets_go_out_beside_the_program_and_passed_ones_come_in() {
    if !ready("packets_go_out_beside_the_program_and_passed_ones_come_in") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let more = ["--p4runtime", "127.0.0.1:0", "--packet-in", "100"];
        let mut switch = Running::start(&fs, SMALL, &more, ENTRIES);
        let line = switch.line("p4runtime");
        let address = line.rsplit(' ').next().unwrap().trim().to_owned();
        switch.line("ready");
        packets(&address);
        let status = switch.status();
        assert!(status["packet_in"]["given"].as_u64().unwrap() >= 1, "{status}");
        assert_eq!(switch.end(), Some(0));
    });
}

/// A process that ends with its test, however that ends.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn packets_go_out_of_native_and_passed_ones_come_in() {
    if !ready("packets_go_out_of_native_and_passed_ones_come_in") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let mut switch = guideway(&["switch", "--target", "native", "--port", "1@a0", "--packet-in", "100"]);
        let switch = switch.args(["--p4runtime", "127.0.0.1:9560"]).stdout(Stdio::null()).spawn();
        let mut switch = Ends(switch.unwrap());
        let start = Instant::now();
        while std::net::TcpStream::connect("127.0.0.1:9560").is_err() {
            assert!(start.elapsed() < Duration::from_secs(120), "it does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        packets("127.0.0.1:9560");
        sh(&format!("kill {}", switch.0.id()));
        assert!(switch.0.wait().unwrap().success());
    });
}
