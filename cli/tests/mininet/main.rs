//! The Mininet lab of `examples/mininet`, with each data plane as the load balancer; what it leaves behind: nothing.
//!
//! It runs in what Debian's package `mininet` belongs to: the system's Python. Without that, or root, the tests say that
//! they are skipped; with `mininet` in `GUIDEWAY_REQUIRE` they fail. `bpf` and `bmv2` in it require XDP and BMv2.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Can the lab run with this target? If not, says so; panics if it must.
fn ready(test: &str, target: &str) -> bool {
    let mininet = Command::new("/usr/bin/python3")
        .args(["-c", "import mininet.net, os, sys; sys.exit(os.geteuid() != 0)"])
        .stderr(Stdio::null())
        .status();
    let none = || "no Mininet for /usr/bin/python3, or not root".to_owned();
    let lab = (!mininet.is_ok_and(|s| s.success())).then(none);
    let lab = lab.or_else(|| needed::missing(&["curl", "ip"]));
    let (word, plane) = match target {
        "xdp" => ("bpf", needed::bpf(sw_fallback::xdp::clang::find().is_some())),
        "bmv2" => ("bmv2", needed::missing(&[snapshots::bmv2::P4C, snapshots::bmv2::SWITCH])),
        _ => ("mininet", None),
    };
    !needed::skip(test, "mininet", lab) && !needed::skip(test, word, plane)
}

fn lab(target: &str, folder: &Path) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mininet/lab.py"));
    command.args(["--target", target, "--guideway", env!("CARGO_BIN_EXE_guideway")]);
    command.env("TMPDIR", folder).stdin(Stdio::null());
    command
}

/// No process is left that was given this folder.
fn nothing_left(folder: &Path) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let left = || -> Vec<String> {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
        let lines = lines.map(|l| String::from_utf8_lossy(&l).replace('\0', " "));
        lines.filter(|line| line.contains(name)).collect()
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !left().is_empty() {
        assert!(Instant::now() < end, "left behind: {:#?}", left());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn check(test: &str, target: &str) {
    if !ready(test, target) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = lab(target, folder.path()).args(["--json", "--connections", "100"]).output().unwrap();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{target}: {errors}{}", String::from_utf8_lossy(&out.stdout));
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&told["ok"], &told["failures"]), (&true.into(), &0.into()), "{target}: {told}");
    let got = told["connections"].as_object().unwrap().values().map(|n| n.as_u64().unwrap());
    assert_eq!(got.sum::<u64>(), 200, "{target}: {told}");
    nothing_left(folder.path());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{target}: files are left");
}

#[test]
fn native_balances() {
    check("native_balances", "native");
}

#[test]
fn xdp_balances() {
    check("xdp_balances", "xdp");
}

#[test]
fn bmv2_balances() {
    check("bmv2_balances", "bmv2");
}

/// However it ends in the middle of its work, its processes end too, and with them the network.
#[test]
fn nothing_is_left_when_it_is_interrupted() {
    if !ready("nothing_is_left_when_it_is_interrupted", "native") {
        return;
    }
    for (signal, cleans) in [(libc::SIGINT, true), (libc::SIGKILL, false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = lab("native", folder.path());
        let mut child = command.args(["--connections", "100000"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("lb$")), "signal {signal}: it ended before");
        kill(child.id(), signal);
        assert!(!child.wait().unwrap().success());
        nothing_left(folder.path());
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert!(files == 0 || !cleans, "signal {signal}: files are left");
    }
}

#[allow(unsafe_code)]
fn kill(pid: u32, signal: libc::c_int) {
    // SAFETY: no memory is passed; the process is our child, not yet waited for.
    let sent = unsafe { libc::kill(libc::pid_t::try_from(pid).unwrap(), signal) };
    assert_eq!(sent, 0);
}
