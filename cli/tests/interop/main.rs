//! P4Runtime clients that nobody here wrote drive our switch: each pushes the pipeline, writes, reads, counts, and is
//! refused.
//!
//! They are installed from PyPI into virtual environments below `target/`; where that can't be done (no Python, no
//! network), the test says that it was skipped. With `pypi` in `GUIDEWAY_REQUIRE`, it fails instead.
#![allow(clippy::unwrap_used)]

#[path = "../switch/lab.rs"]
#[allow(dead_code, reason = "shared with the tests of the switch")]
mod lab;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A client: its packages, each pinned, and its script.
struct Client {
    packages: &'static [&'static str],
    script: &'static str,
}

const FINSY: Client = Client {
    packages: &[
        "finsy==0.30.0",
        "grpcio==1.85.1",
        "parsy==2.2",
        "protobuf==6.33.6",
        "pyee==13.0.1",
        "typing_extensions==4.16.0",
    ],
    script: "with_finsy.py",
};
const SHELL: Client = Client {
    packages: &[
        "p4runtime-shell==0.0.6",
        "p4runtime==1.4.1",
        "protobuf==3.20.3",
        "grpcio==1.85.1",
        "googleapis-common-protos==1.73.0",
    ],
    script: "with_shell.py",
};

/// The client's Python; none, with a line that says why, where it can't be installed.
fn python(client: &Client) -> Option<PathBuf> {
    let name = client.packages[0].replace("==", "-");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    let (python, done) = (folder.join("bin/python"), folder.join("done"));
    // One test installs it, the others wait.
    let lock = std::fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if done.is_file() {
        return Some(python);
    }
    // What went wrong, in the words of the command that did.
    let run = |command: &mut Command| match command.output() {
        Ok(out) if out.status.success() => Ok(()),
        Ok(out) => Err(String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()),
        Err(e) => Err(e.to_string()),
    };
    let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).and_then(|()| {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--timeout", "15", "--retries", "1"]);
        run(pip.args(client.packages))
    });
    let Err(why) = made else {
        std::fs::write(done, "").unwrap();
        return Some(python);
    };
    assert!(needed::skip(&name, "pypi", Some(format!("it can't be installed from PyPI:\n{why}"))));
    None
}

/// Runs until the line that says `ready`; killed in the end.
struct Switch(Child);

impl Switch {
    fn start(folder: &Path, target: &str, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        command.arg("switch").arg(folder).args(["--target", target, "--port", "1@a0"]);
        command.args(["--p4runtime", "127.0.0.1:9559"]).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("ready")), "the switch ended before it was ready");
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        lab::sh(&format!("kill {}", self.0.id()));
        let _ended = self.0.wait();
    }
}

fn check(test: &str, client: &Client, target: &'static str, sets: &[&str]) {
    if !lab::ready(test) {
        return;
    }
    let Some(python) = python(client) else { return };
    let made = tempfile::tempdir().unwrap();
    let folder = made.path().to_owned();
    let mut compile = Command::new(env!("CARGO_BIN_EXE_guideway"));
    compile.args(["compile", "--target", target, "--out"]).arg(&folder);
    compile.args(sets.iter().flat_map(|set| ["--set", set]));
    assert!(compile.output().unwrap().status.success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(client.script);
    lab::in_network(move || {
        lab::sh("ip link set lo up");
        lab::veth("a0", "b0");
        let link = lab::sh("ip -brief link show a0");
        let mac = link.split_whitespace().nth(2).unwrap().to_owned();
        let fs = lab::BpfFs::new();
        let pins = fs.path("pins").display().to_string();
        let more: &[&str] = if target == "xdp" { &["--pin-dir", &pins, "--flush"] } else { &[] };
        let _switch = Switch::start(&folder, target, more);
        let out = Command::new(python)
            .arg(script)
            .arg("127.0.0.1:9559")
            .args([folder.join("l4lb.p4info.txtpb"), folder.join("l4lb.bundle")])
            .args(["b0", &mac])
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&said));
    });
}

const SMALL: &[&str] = &["RING_SLOTS=257", "FLOW_ENTRIES=4096"];

#[test]
fn finsy_drives_xdp() {
    check("finsy_drives_xdp", &FINSY, "xdp", SMALL);
}

#[test]
fn finsy_drives_native() {
    check("finsy_drives_native", &FINSY, "native", &[]);
}

#[test]
fn p4runtime_shell_drives_xdp() {
    check("p4runtime_shell_drives_xdp", &SHELL, "xdp", SMALL);
}

#[test]
fn p4runtime_shell_drives_native() {
    check("p4runtime_shell_drives_native", &SHELL, "native", &[]);
}
