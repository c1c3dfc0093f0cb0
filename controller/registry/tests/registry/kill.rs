//! Its process is killed at any moment: a child commits in a loop, the parent kills it, and opens the file.

use crate::conformance::put;
use bytes::Bytes;
use control_registry::{Change, Redb, Registry, Term};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const FILE: &str = "GUIDEWAY_REGISTRY_FILE";

/// The commit that leads to a revision.
fn changes(revision: u64) -> Vec<Change> {
    let length = usize::try_from(revision * 7_919 % 30_000).unwrap();
    let value = vec![u8::try_from(revision % 251).unwrap(); length];
    let mut changes = vec![put(&format!("k{}", revision % 13), value)];
    changes.extend((0..revision % 4).map(|i| put(&format!("few/{i}"), revision.to_string())));
    changes.push(Change::Delete(format!("k{}", revision * 5 % 13)));
    changes
}

/// What the child does; the parent runs this test by name.
#[tokio::test]
#[ignore = "the child of the test below"]
async fn commits_until_it_is_killed() {
    let path = PathBuf::from(std::env::var_os(FILE).expect("the parent says where"));
    let registry = Redb::open(&path).await.unwrap();
    let term = registry.lead("child:1").await.unwrap();
    let mut at = registry.load().await.unwrap().revision;
    let mut told = std::io::stdout();
    writeln!(told, "\nterm {}", term.0).unwrap();
    // More than the parent lets it make.
    for _ in 0..1_000_000 {
        at = registry.commit(term, at, changes(at.0 + 1)).await.unwrap();
        writeln!(told, "kept {}", at.0).unwrap();
    }
}

/// Lets a child commit, and kills it `after` its first commit. The term that it had, the last commit it told of.
fn child(path: &Path, after: Duration) -> (Term, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::commits_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    let (send, first) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let (mut term, mut kept) = (None, None);
        for line in told.lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("term ") {
                term = number.parse().ok().map(Term);
            } else if let Some(number) = line.strip_prefix("kept ") {
                kept = number.parse().ok();
                let _ = send.send(());
            }
        }
        (term, kept)
    });
    first.recv_timeout(Duration::from_secs(30)).expect("the child commits");
    std::thread::sleep(after);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let (term, kept) = reader.join().unwrap();
    (term.unwrap(), kept.unwrap())
}

#[tokio::test]
async fn a_killed_controller_loses_no_commit() {
    let kills = std::env::var("GUIDEWAY_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(60);
    let seed = std::env::var("GUIDEWAY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    println!("{kills} kills, seed {seed}");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    let (mut state, mut applied) = (BTreeMap::new(), 0);
    let (mut random, mut last) = (seed, Term(0));
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_micros((random >> 33) % 40_000);
        let (term, kept) = child(&path, after);
        let records = Redb::open(&path).await.unwrap().load().await.unwrap();
        let at = records.revision.0;
        assert!((kept..=kept + 1).contains(&at), "kill {kill}: {kept} were acknowledged, it is at {at}");
        assert!(kept > applied && term > last, "kill {kill}: {term:?} after {last:?}");
        for revision in applied + 1..=at {
            apply(&mut state, changes(revision));
        }
        assert!(records.records == state, "kill {kill}: not what it was after commit {at}");
        (applied, last) = (at, term);
    }
    println!("{applied} commits, {} terms", last.0);
}

fn apply(state: &mut BTreeMap<String, Bytes>, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put(key, value) => drop(state.insert(key, value)),
            Change::Delete(key) => drop(state.remove(&key)),
        }
    }
}
