//! A command that is ended while clang works for it leaves nothing behind.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A process that a group ended by signals still has.
fn alive(group: i32) -> bool {
    // SAFETY: kill has no memory preconditions; signal 0 only asks.
    unsafe { libc::kill(-group, 0) == 0 }
}

/// Does a process of the group run clang?
fn compiles(group: i32) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.rsplit_once(')') else { return false };
        let its = rest.split_whitespace().nth(2).and_then(|g| g.parse().ok());
        name.contains("(clang") && its == Some(group)
    })
}

/// Waits, for as long as a compilation may take.
fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends it by a signal, to the command alone or as a terminal does to all of its group.
fn check(signal: i32, all: bool) {
    let dir = tempfile::tempdir().unwrap();
    let temporary = dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
    command.args(["compile", "--target", "xdp", "--out"]).arg(dir.path().join("out"));
    command.env("TMPDIR", &temporary).process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    // Whoever runs the tests in the background has them, and all that they start, overlook SIGINT.
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
    let mut child = command.spawn().unwrap();
    let group = i32::try_from(child.id()).unwrap();
    until("clang starts", || compiles(group));
    // SAFETY: as above; the group is our child's, which has not been waited for.
    assert_eq!(unsafe { libc::kill(if all { -group } else { group }, signal) }, 0);
    assert!(!child.wait().unwrap().success());
    until("clang ends", || !alive(group));
    let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().collect();
    assert!(left.is_empty(), "signal {signal}: {left:?}");
    assert!(!dir.path().join("out").exists(), "half of the files are no folder of artefacts");
}

#[test]
fn nothing_stays_behind() {
    if sw_fallback::xdp::clang::find().is_none() {
        println!("skipped: nothing_stays_behind: no clang");
        return;
    }
    check(libc::SIGINT, true);
    check(libc::SIGTERM, true);
    check(libc::SIGTERM, false);
    check(libc::SIGKILL, false);
}
