//! What holds for a file only.

use crate::conformance::{self, Handle, put};
use control_registry::{Redb, Registry, RegistryError, Revision};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn pair(one: Redb) -> (Handle, Handle) {
    let other = one.another();
    (Arc::new(one), Arc::new(other))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_conforms() {
    let folder = TempDir::new().unwrap();
    let count = std::cell::Cell::new(0);
    conformance::check(|| {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.redb", count.get()));
        async move { pair(Redb::open(&path).await.unwrap()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_conforms() {
    conformance::check(|| async { pair(Redb::in_memory().unwrap()) }).await;
}

#[tokio::test]
async fn what_is_committed_is_there_when_opened_again_and_the_term_is_higher() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    let mut last = None;
    for round in 0..3 {
        let registry = Redb::open(&path).await.unwrap();
        assert_eq!(registry.load().await.unwrap().revision, Revision(round));
        assert_eq!(registry.leader().await.unwrap(), None);
        let term = registry.lead("h:1").await.unwrap();
        assert!(last < Some(term), "{last:?}, then {term:?}");
        last = Some(term);
        registry.commit(term, Revision(round), vec![put(&format!("k{round}"), "v")]).await.unwrap();
    }
    let registry = Redb::open(&path).await.unwrap();
    assert_eq!(registry.load().await.unwrap().records.len(), 3);
}

#[tokio::test]
async fn dropping_a_handle_ends_its_term() {
    let a = Redb::in_memory().unwrap();
    let b = a.another();
    let term = a.lead("a:1").await.unwrap();
    drop(a);
    b.ended(term).await;
    assert!(b.lead("b:1").await.unwrap() > term);
}

#[tokio::test]
async fn a_second_opening_waits_then_says_why_not() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    let first = Redb::open(&path).await.unwrap();
    let refused = Redb::open_within(&path, Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("open in another process"), "{refused}");
    let waiting = tokio::spawn({
        let path = path.clone();
        async move { Redb::open_within(&path, Duration::from_secs(120)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(first);
    waiting.await.unwrap().unwrap();
}

/// Opens what `make` leaves at a path, and wants the refusal to say `says`.
async fn refused(says: &str, make: impl FnOnce(&std::path::Path)) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    make(&path);
    let error = Redb::open_within(&path, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unusable(_)), "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn what_is_no_registry_is_refused() {
    const NUMBERS: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("guideway.numbers");
    const OTHERS: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("others");
    let with = |table: redb::TableDefinition<'static, &'static str, u64>, name, number| {
        move |path: &std::path::Path| {
            let database = redb::Database::create(path).unwrap();
            let transaction = database.begin_write().unwrap();
            transaction.open_table(table).unwrap().insert(name, number).unwrap();
            transaction.commit().unwrap();
        }
    };
    refused("no registry", |path| std::fs::write(path, "a text of another kind\n".repeat(1_000)).unwrap())
        .await;
    refused("another program, with a table others", with(OTHERS, "format", 1)).await;
    refused("of format 2", with(NUMBERS, "format", 2)).await;
    refused("r.redb", |path| std::fs::create_dir(path).unwrap()).await;
    refused("r.redb", |path| std::os::unix::fs::symlink("no/such/folder", path).unwrap()).await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_not_read_wrongly() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r.redb");
    {
        let registry = Redb::open(&path).await.unwrap();
        let term = registry.lead("h:1").await.unwrap();
        registry.commit(term, Revision(0), vec![put("k", vec![7; 50_000])]).await.unwrap();
    }
    let whole = std::fs::read(&path).unwrap();
    let at = whole.windows(64).position(|window| window == [7; 64]).expect("its value is in the file");
    let mut damaged = whole.clone();
    damaged[at + 1_000] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let error = Redb::open(&path).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unusable(_)), "{error:?}");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(Redb::open(&path).await.unwrap().load().await.unwrap().records.len(), 1);
}
