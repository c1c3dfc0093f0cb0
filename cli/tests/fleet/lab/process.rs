//! A `guideway` command in a process of its own.

use super::LONG;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const GUIDEWAY: &str = env!("CARGO_BIN_EXE_guideway");

/// It is killed when this goes, also by a panic; its last words are shown then.
pub(crate) struct Process {
    child: Child,
    files: PathBuf,
}

impl Process {
    /// Starts the command; `name` is that of its files.
    pub(crate) fn start(folder: &Path, name: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let files = folder.join(name);
        let file = |end: &str| File::create(files.with_extension(end)).unwrap();
        let child = Command::new(GUIDEWAY)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(File::options().create(true).append(true).open(files.with_extension("err")).unwrap())
            .spawn()
            .unwrap();
        Self { child, files }
    }

    fn read(&self, end: &str) -> String {
        std::fs::read_to_string(self.files.with_extension(end)).unwrap_or_default()
    }

    /// What it has written on standard error, in all its lives.
    pub(crate) fn errors(&self) -> String {
        self.read("err")
    }

    /// Waits for a whole line of its output that starts with this.
    pub(crate) async fn said(&mut self, start: &str) -> String {
        let end = Instant::now() + LONG;
        loop {
            let out = self.read("out");
            let lines = out.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(line) = lines.into_iter().find(|line| line.starts_with(start)) {
                return line.trim().to_owned();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}) without {start:?}");
            assert!(Instant::now() < end, "no {start:?} within {LONG:?}: {out}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until standard error has this.
    pub(crate) async fn error(&self, part: &str) {
        super::until(part, async || match self.errors() {
            text if text.contains(part) => Ok(()),
            text => Err(text),
        })
        .await;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGKILL: no last words.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
        if std::thread::panicking() {
            let errors = self.errors();
            let lines: Vec<&str> = errors.lines().collect();
            let last = lines.get(lines.len().saturating_sub(25)..).unwrap_or_default();
            eprintln!("---- {}:\n{}", self.files.display(), last.join("\n"));
        }
    }
}
