//! A network and a BPF file system of the test's own, and a switch that runs in them.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

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

/// A pair of connected interfaces, up and silent.
pub(crate) fn veth(a: &str, b: &str) {
    sh(&format!("ip link add {a} type veth peer name {b}"));
    for i in [a, b] {
        sh(&format!("ip link set {i} addrgenmode none up"));
    }
}

/// Id of the XDP program on an interface, as `ip link` tells.
pub(crate) fn xdp_on(interface: &str) -> Option<u32> {
    let text = sh(&format!("ip link show dev {interface}"));
    let rest = text.split_once("prog/xdp id ")?.1;
    rest.split_whitespace().next()?.parse().ok()
}

/// A folder with l4lb compiled for so many flow entries, made once.
pub(crate) fn compiled(flow_entries: u32) -> PathBuf {
    static MADE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("l4lb-{flow_entries}"));
    let mut made = MADE.lock().unwrap();
    if made.insert(flow_entries) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        command.args(["compile", "--target", "xdp", "--set", "RING_SLOTS=257", "--set"]);
        let out =
            command.arg(format!("FLOW_ENTRIES={flow_entries}")).arg("--out").arg(&folder).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    folder
}

/// A BPF file system of the test's own, and a folder for files.
pub(crate) struct BpfFs {
    pins: tempfile::TempDir,
    files: tempfile::TempDir,
}

impl BpfFs {
    pub(crate) fn new() -> Self {
        let (pins, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        sh(&format!("mount -t bpf bpf {}", pins.path().display()));
        Self { pins, files }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.pins.path().join(name)
    }
}

impl Drop for BpfFs {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(self.pins.path()).status();
    }
}

/// A switch that runs l4lb on `a0`.
pub(crate) struct Running {
    child: Child,
    files: PathBuf,
    lines: usize,
}

const LONG: Duration = Duration::from_secs(60);

impl Running {
    pub(crate) fn start(fs: &BpfFs, flow_entries: u32, extra: &[&str], entries: &str) -> Self {
        let files = fs.files.path().join(format!("{}", std::fs::read_dir(fs.files.path()).unwrap().count()));
        std::fs::create_dir(&files).unwrap();
        let file = |name: &str| files.join(name);
        std::fs::write(file("entries.toml"), entries).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        command.arg("switch").arg(compiled(flow_entries)).args(["--target", "xdp", "--port", "1@a0"]);
        if !entries.is_empty() {
            command.arg("--entries").arg(file("entries.toml"));
        }
        command.arg("--status").arg(file("status.json")).args(extra);
        if !extra.contains(&"--pin-dir") {
            command.arg("--pin-dir").arg(fs.path("p"));
        }
        command.stdin(Stdio::null()).stdout(File::create(file("out")).unwrap());
        let child = command.stderr(File::create(file("err")).unwrap()).spawn().unwrap();
        Self { child, files, lines: 0 }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.join(name)).unwrap_or_default()
    }

    /// What it has written on standard error.
    pub(crate) fn errors(&self) -> String {
        self.read("err")
    }

    fn until<T>(&mut self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(it) = found(self) {
                return it;
            }
            assert!(ended.is_none(), "it ended without {what}: {}", self.errors());
            assert!(start.elapsed() < LONG, "no {what}: {} {}", self.read("out"), self.errors());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The next line of its output, which starts with this.
    pub(crate) fn line(&mut self, start: &str) -> String {
        let text = self.until(start, |it| {
            let out = it.read("out");
            out.split_inclusive('\n').nth(it.lines).filter(|l| l.ends_with('\n')).map(str::to_owned)
        });
        self.lines += 1;
        assert!(text.starts_with(start), "{text}");
        text
    }

    /// Waits until standard error has this.
    pub(crate) fn error(&mut self, part: &str) {
        self.until(part, |it| it.errors().contains(part).then_some(()));
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and goes on.
    pub(crate) fn ask_to_end(&self) {
        self.signal(libc::SIGTERM);
    }

    fn signal(&self, signal: i32) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap();
        // SAFETY: kill has no memory preconditions; the process is our child, not yet waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Gives it other entries and asks it to read them.
    pub(crate) fn give(&self, entries: &str) {
        std::fs::write(self.files.join("entries.toml"), entries).unwrap();
        self.signal(libc::SIGHUP);
    }

    /// Gives it other entries; what it says when they hold.
    pub(crate) fn reload(&mut self, entries: &str) -> String {
        self.give(entries);
        self.line("reloaded")
    }

    /// Asks for its status.
    pub(crate) fn status(&mut self) -> serde_json::Value {
        let file = self.files.join("status.json");
        let _absent = std::fs::remove_file(&file);
        self.signal(libc::SIGUSR1);
        self.until("status", |_| file.exists().then_some(()));
        self.written()
    }

    /// The status as it was written last.
    pub(crate) fn written(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("status.json")).unwrap()
    }

    /// Kills it: it can't clean up.
    pub(crate) fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Asks it to end; its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    /// Its exit code, when it ends.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
