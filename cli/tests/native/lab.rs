//! Network namespaces of the test's own, with kernel TCP and switches inside.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Can this machine make networks? If not, says so; panics if it must.
pub(crate) fn ready(test: &str) -> bool {
    !needed::skip(test, "bpf", needed::root())
}

/// Runs a command; its output.
pub(crate) fn sh(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{line}: {text}");
    text
}

/// A process that does nothing but keep a network namespace, and ends with this value.
pub(crate) struct Space(Child);

impl Space {
    pub(crate) fn new() -> Self {
        let child = Command::new("unshare").args(["--net", "sleep", "300"]).spawn().unwrap();
        let space = Self(child);
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let start = Instant::now();
        let path = format!("/proc/{}/ns/net", space.pid());
        while std::fs::read_link(&path).is_ok_and(|it| it == own)
            || !std::fs::read_to_string(format!("/proc/{}/comm", space.pid())).unwrap().starts_with("sleep")
        {
            assert!(start.elapsed() < Duration::from_secs(60), "no namespace");
            std::thread::sleep(Duration::from_millis(2));
        }
        // No traffic but the test's own.
        space.sh("for i in all default; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done");
        space.sh("echo 0 > /proc/sys/net/ipv4/ip_forward; ip link set lo up");
        space
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Runs a command inside.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("nsenter --net=/proc/{}/ns/net sh -c '{line}'", self.pid()))
    }

    /// Works on a thread inside; sockets made there stay there.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let namespace = File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        let thread = std::thread::spawn(move || {
            // SAFETY: the descriptor is open for the call.
            assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            work()
        });
        thread.join().unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// A link between two spaces, both ends up; the ends' addresses are 02:00:00:00:00:`a` and :`b`.
pub(crate) fn link(a: (&Space, &str, u8), b: (&Space, &str, u8)) {
    let end = |(space, name, mac): (&Space, &str, u8)| {
        format!("{name} netns {} address 02:00:00:00:00:{mac:02x}", space.pid())
    };
    sh(&format!("ip link add {} type veth peer name {}", end(a), end(b)));
    for (space, name, _) in [a, b] {
        space.sh(&format!("ip link set {name} addrgenmode none up"));
    }
}

/// A switch that runs inside a space.
pub(crate) struct Running {
    child: Child,
    files: tempfile::TempDir,
}

pub(crate) const LONG: Duration = Duration::from_secs(120);

impl Running {
    /// Starts `guideway switch --target native` with more arguments.
    pub(crate) fn start(space: &Space, args: &[&str], entries: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let file = |name: &str| files.path().join(name);
        std::fs::write(file("entries.toml"), entries).unwrap();
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", space.pid())).arg(env!("CARGO_BIN_EXE_guideway"));
        command.args(["switch", "--target", "native"]).args(args);
        command.arg("--entries").arg(file("entries.toml")).arg("--status").arg(file("status.json"));
        command.stdin(Stdio::null()).stdout(File::create(file("out")).unwrap());
        let child = command.stderr(File::create(file("err")).unwrap()).spawn().unwrap();
        Self { child, files }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// What it has written on standard error.
    pub(crate) fn errors(&self) -> String {
        self.read("err")
    }

    fn until(&mut self, what: &str, found: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !found(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() || found(self), "it ended without {what}: {}", self.errors());
            assert!(start.elapsed() < LONG, "no {what}: {} {}", self.read("out"), self.errors());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until its output has this.
    pub(crate) fn said(&mut self, part: &str) {
        self.until(part, |it| it.read("out").contains(part));
    }

    /// Waits until standard error has this.
    pub(crate) fn error(&mut self, part: &str) {
        self.until(part, |it| it.errors().contains(part));
    }

    fn signal(&self, signal: i32) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap();
        // SAFETY: kill has no memory preconditions; the process is our child, not yet waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Gives it other entries, and waits until they hold.
    pub(crate) fn reload(&mut self, entries: &str) {
        std::fs::write(self.file("entries.toml"), entries).unwrap();
        self.signal(libc::SIGHUP);
        self.said("reloaded");
    }

    /// Asks for its status.
    pub(crate) fn status(&mut self) -> serde_json::Value {
        let _absent = std::fs::remove_file(self.file("status.json"));
        self.signal(libc::SIGUSR1);
        self.until("status", |it| it.file("status.json").exists());
        self.written()
    }

    /// The status as it was written last.
    pub(crate) fn written(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("status.json")).unwrap()
    }

    /// Asks it to end, which writes its status once more; its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let _absent = std::fs::remove_file(self.file("status.json"));
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

/// Is there such an interface inside?
pub(crate) fn has(space: &Space, interface: &str) -> bool {
    space.sh(&format!("ls /proc/sys/net/ipv4/conf | grep -x {interface} || true")).trim() == interface
}

/// Runs a switch that is refused; its words.
pub(crate) fn refused(space: &Space, before: &[&str], args: &[&str]) -> String {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{}/ns/net", space.pid())).args(before);
    command.arg(env!("CARGO_BIN_EXE_guideway")).args(["switch", "--target", "native"]).args(args);
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{text}");
    text
}

/// Writes a file that lasts as long as the folder.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
