//! A controller in a process of its own that does nothing but commit, so that it can be killed and paused.

use crate::cluster;
use crate::conformance::put;
use bytes::Bytes;
use control_registry::{Change, Location, Records, Term};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const LOCATION: &str = "GUIDEWAY_TEST_REGISTRY";

/// The commit that leads to a revision: small ones, and some that are too large for one transaction of etcd's, by their
/// bytes or by their number.
pub(crate) fn changes(revision: u64) -> Vec<Change> {
    let length = usize::try_from(revision * 7_919 % 30_000).unwrap();
    let value = |length: usize| vec![u8::try_from(revision % 251).unwrap(); length];
    let mut changes = vec![put(&format!("k{}", revision % 13), value(length))];
    changes.extend((0..revision % 4).map(|i| put(&format!("few/{i}"), revision.to_string())));
    changes.push(Change::Delete(format!("k{}", revision * 5 % 13)));
    if revision % 6 == 2 {
        changes.extend((0..3).map(|i| put(&format!("ring/{i}"), value(520_000 + length))));
    }
    if revision % 6 == 5 {
        changes.extend((0..200).map(|i| put(&format!("backend/{i}"), revision.to_string())));
    }
    changes
}

/// What the commits make of nothing.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) at: u64,
    records: BTreeMap<String, Bytes>,
}

impl Model {
    /// Goes on to where `found` is, and compares.
    pub(crate) fn check(&mut self, found: &Records, what: &str) {
        for revision in self.at + 1..=found.revision.0 {
            for change in changes(revision) {
                match change {
                    Change::Put(key, value) => drop(self.records.insert(key, value)),
                    Change::Delete(key) => drop(self.records.remove(&key)),
                }
            }
        }
        self.at = found.revision.0;
        assert!(found.records == self.records, "{what}: not what it was after commit {}", self.at);
    }
}

/// What the child does; the parent runs this test by name.
#[tokio::test]
#[ignore = "the child of other tests"]
async fn commits_until_it_is_refused() {
    let location: Location =
        std::env::var(LOCATION).expect("the parent says where").parse().expect("a location");
    let registry = location.open(&cluster::options()).await.unwrap();
    let mut told = std::io::stdout();
    let term = registry.lead("child:1").await.unwrap();
    let mut at = registry.load().await.unwrap().revision;
    writeln!(told, "\nterm {}", term.0).unwrap();
    // More than the parent lets it make.
    for _ in 0..1_000_000 {
        match registry.commit(term, at, changes(at.0 + 1)).await {
            Ok(now) => at = now,
            Err(error) => {
                writeln!(told, "refused {error:?}").unwrap();
                registry.ended(term).await;
                writeln!(told, "ended").unwrap();
                return;
            }
        }
        writeln!(told, "kept {}", at.0).unwrap();
    }
}

/// The child, seen from its parent.
pub(crate) struct Controller {
    process: Child,
    lines: Receiver<String>,
    pub(crate) term: Option<Term>,
    /// The last commit that it told of.
    pub(crate) kept: Option<u64>,
    pub(crate) refused: Option<String>,
}

impl Controller {
    pub(crate) fn start(location: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["child::commits_until_it_is_refused", "--exact", "--ignored", "--nocapture"])
            .env(LOCATION, location)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || told.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { process, lines, term: None, kept: None, refused: None }
    }

    /// Reads what it says until `until`.
    pub(crate) fn hear(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).expect("the child goes on");
            self.note(&line);
        }
    }

    fn note(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix("term ") {
            self.term = number.parse().ok().map(Term);
        } else if let Some(number) = line.strip_prefix("kept ") {
            self.kept = number.parse().ok();
        } else if let Some(why) = line.strip_prefix("refused ") {
            self.refused = Some(why.to_owned());
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Kills it, and reads the rest.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        assert!(!self.process.wait().unwrap().success());
        while let Ok(line) = self.lines.recv() {
            self.note(&line);
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
