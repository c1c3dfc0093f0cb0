//! The real `simple_switch_grpc`, and p4c to feed it.

use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::text::from_text;
use runtime_client::{Options, Profile, Session};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Says that BMv2 is missing, or fails where it must not be.
pub(crate) fn skip() -> bool {
    needed::skip("BMv2", "bmv2", needed::missing(&["simple_switch_grpc", "p4c-bm2-ss"]))
}

fn case(name: &str, ending: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots").join(name).join("out");
    let stem = name.split('-').next().unwrap();
    out.join(format!("{stem}.{ending}"))
}

/// A case's P4Info and BMv2's JSON for it.
pub(crate) fn program(name: &'static str) -> (P4Info, Vec<u8>) {
    static L4LB: OnceLock<Vec<u8>> = OnceLock::new();
    let compile = || {
        let dir = tempfile::tempdir().unwrap();
        let json = dir.path().join("program.json");
        let mut p4c = Command::new("p4c-bm2-ss");
        let done = p4c.args(["--arch", "v1model", "-o"]).arg(&json).arg(case(name, "p4")).status().unwrap();
        assert!(done.success());
        std::fs::read(json).unwrap()
    };
    let json = if name == "l4lb" { L4LB.get_or_init(compile).clone() } else { compile() };
    (from_text(&std::fs::read_to_string(case(name, "p4info.txtpb")).unwrap()).unwrap(), json)
}

/// A running switch; it ends with this value.
pub(crate) struct Switch {
    child: Child,
    pub(crate) port: u16,
}

impl Switch {
    pub(crate) fn start() -> Self {
        Self::start_at(free_port())
    }

    pub(crate) fn start_at(port: u16) -> Self {
        let help = Command::new("simple_switch_grpc").arg("--help").output().unwrap();
        let thrift = String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("--thrift-port");
        let mut command = Command::new("simple_switch_grpc");
        command.args(["--no-p4", "--device-id", "1"]);
        if thrift {
            command.args(["--thrift-port", &free_port().to_string()]);
        }
        let child = command
            .args(["--", "--grpc-server-addr", &format!("127.0.0.1:{port}")])
            .args(["--dp-grpc-server-addr", &format!("127.0.0.1:{}", free_port())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(&format!("127.0.0.1:{}", self.port), Profile::named("bmv2").unwrap());
        options.longest_pause = Duration::from_millis(200);
        options
    }

    pub(crate) async fn session(&self) -> Session {
        let session = Session::connect(self.options()).await.unwrap();
        session.primary().await.unwrap();
        session
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on, below those that the kernel gives to clients, and given away once.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 64) as u16 * 64;
    (0..4096)
        .map(|_| 28_200 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 4096)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
