//! `guideway registry`, on files.
#![allow(clippy::unwrap_used)]

use control_registry::{Change, Redb, Registry, Revision};
use std::path::Path;
use std::process::Command;

/// Runs, and checks the exit code and parts of what is printed, on either stream.
fn check(args: &[&str], code: i32, parts: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_guideway")).arg("registry").args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = text(&out.stdout) + &text(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{args:?}: {all}");
    for part in parts {
        assert!(all.contains(part), "{args:?}: no {part:?} in: {all}");
    }
    text(&out.stdout)
}

async fn fill(path: &Path) {
    let registry = Redb::open(path).await.unwrap();
    let term = registry.lead("h:1").await.unwrap();
    let put = |key: &str, length: usize| Change::Put(key.into(), vec![1; length].into());
    let changes = vec![put("backend/web/a", 10), put("backend/web/b", 20), put("ring/web", 262_144)];
    let at = registry.commit(term, Revision(0), changes).await.unwrap();
    registry.commit(term, at, vec![put("meta", 3)]).await.unwrap();
}

#[tokio::test]
async fn a_registry_is_shown_and_copied_into_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, to) = (path("from.redb"), path("to.redb"));
    fill(Path::new(&from)).await;
    check(
        &["show", "--registry", &from],
        0,
        &["revision 2", "leader   none", "backend          2          30"],
    );
    check(&["copy", &from, &to], 0, &["copied 4 records of revision 2"]);
    let shown = check(&["show", "--json", "--registry", &to], 0, &[]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["revision"], 1);
    assert_eq!(shown["kinds"]["ring"], serde_json::json!({"records": 1, "bytes": 262_144}));
    let read = async |path: &str| Redb::open(Path::new(path)).await.unwrap().load().await.unwrap().records;
    assert_eq!(read(&from).await, read(&to).await);
    check(&["copy", &from, &to], 1, &["has 4 records already", "choose another file"]);
    check(&["copy", &path("none"), &to], 1, &["there is no file"]);
    check(&["show", "--registry", &path("none")], 1, &["there is no file"]);
    assert!(!Path::new(&path("none")).exists());
}

#[tokio::test]
async fn what_is_in_use_or_no_registry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.redb");
    let used = path.to_str().unwrap();
    let held = Redb::open(&path).await.unwrap();
    check(&["show", "--registry", used], 1, &["is open in another process"]);
    drop(held);
    check(&["show", "--registry", used], 0, &["revision 0"]);
    check(&["show", "--registry", "http://a"], 2, &["etcd://HOST:PORT"]);
    check(&["show", "--registry", "etcd://127.0.0.1:1"], 1, &["does not answer", "127.0.0.1:1"]);
    check(&["show", "--registry", "etcd://a", "--etcd-ca", used], 1, &["no certificate in PEM form"]);
    check(&["show", "--registry", "etcd://a", "--etcd-user", "x"], 2, &["--etcd-password-file"]);
}
