//! What the tests need of the machine: root, clang, a network of their own, a BPF file system of their own.
#![allow(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Can this machine run BPF tests? If not, says so; panics if it must.
pub(crate) fn ready(test: &str) -> bool {
    !needed::skip(test, "bpf", needed::bpf(sw_fallback::xdp::clang::find().is_some()))
}

/// Runs `work` in a network namespace of its own; that and what it mounts end with it, even if it is killed.
pub(crate) fn in_network(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        // SAFETY: no memory is passed; the namespaces are this thread's only.
        let done = unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) };
        assert_eq!(done, 0, "namespaces");
        sh("mount --make-rprivate /");
        work();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a command; its output.
pub(crate) fn sh(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{line}: {text}");
    text
}

/// A pair of connected interfaces, up.
pub(crate) fn veth(a: &str, b: &str) {
    sh(&format!("ip link add {a} type veth peer name {b} && ip link set {a} up && ip link set {b} up"));
}

/// Id of the XDP program on an interface, as `ip link` tells.
pub(crate) fn xdp_on(interface: &str) -> Option<u32> {
    let text = sh(&format!("ip link show dev {interface}"));
    let rest = text.split_once("prog/xdp id ")?.1;
    rest.split_whitespace().next()?.parse().ok()
}

/// A BPF file system of the test's own.
pub(crate) struct BpfFs(tempfile::TempDir);

impl BpfFs {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        sh(&format!("mount -t bpf bpf {}", dir.path().display()));
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for BpfFs {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Names in a folder, sorted; empty when it is not there.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}
