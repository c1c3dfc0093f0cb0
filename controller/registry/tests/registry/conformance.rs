//! What each registry promises, through two handles on a fresh one.

use bytes::Bytes;
use control_registry::{Change, Registry, RegistryError, Revision, Term};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A handle.
pub(crate) type Handle = Arc<dyn Registry>;
type Run = fn(Handle, Handle) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Long enough for a lease to end.
const SOON: Duration = Duration::from_secs(120);
/// Long enough to see that nothing happens.
const MOMENT: Duration = Duration::from_millis(300);

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        /// Each promise, by name.
        pub(crate) const SUITE: &[(&str, Run)] = &[$((stringify!($name), |a, b| Box::pin($name(a, b)))),*];
    };
}

suite! {
    is_empty_at_first,
    keeps_what_is_committed,
    deletes_and_puts_in_order,
    refuses_a_revision_that_has_moved,
    changes_nothing_when_refused,
    refuses_who_never_led,
    gives_its_term_again_to_who_leads,
    lets_the_other_lead_after_resigning,
    fences_an_older_term,
    ends_a_term_once,
    tells_where_the_leader_is,
    tells_that_it_has_changed,
    takes_a_commit_of_many_records,
    takes_large_records,
    replaces_a_large_record_by_a_small_one,
    takes_any_key,
}

/// Runs all of them, each with what `fresh` makes.
pub(crate) async fn check<F: Future<Output = (Handle, Handle)>>(fresh: impl Fn() -> F) {
    for (name, run) in SUITE {
        let (a, b) = fresh().await;
        println!("{name}");
        let ran = timeout(Duration::from_secs(60), run(a, b)).await;
        assert!(ran.is_ok(), "{name}: no end");
    }
}

pub(crate) fn put(key: &str, value: impl Into<Vec<u8>>) -> Change {
    Change::Put(key.into(), Bytes::from(value.into()))
}

fn delete(key: &str) -> Change {
    Change::Delete(key.into())
}

async fn lead(handle: &Handle) -> Term {
    timeout(SOON, handle.lead("[::1]:1")).await.expect("nobody else leads").unwrap()
}

/// The records with their values as text.
async fn texts(handle: &Handle) -> (u64, Vec<(String, String)>) {
    let all = handle.load().await.unwrap();
    let text = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
    (all.revision.0, all.records.iter().map(|(key, value)| (key.clone(), text(value))).collect())
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

async fn is_empty_at_first(a: Handle, b: Handle) {
    for handle in [a, b] {
        assert_eq!(texts(&handle).await, (0, vec![]));
        assert_eq!(handle.leader().await.unwrap(), None);
    }
}

async fn keeps_what_is_committed(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let first = a.commit(term, Revision(0), vec![put("x", "1"), put("y", "2")]).await.unwrap();
    assert_eq!(first, Revision(1));
    let second = a.commit(term, first, vec![put("x", "3"), delete("y"), delete("none")]).await.unwrap();
    assert_eq!(second, Revision(2));
    let third = a.commit(term, second, vec![]).await.unwrap();
    for handle in [a, b] {
        assert_eq!(texts(&handle).await, (third.0, pairs(&[("x", "3")])));
    }
}

async fn deletes_and_puts_in_order(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let changes = vec![put("x", "1"), delete("x"), put("y", "1"), put("y", "2"), delete("z"), put("z", "3")];
    a.commit(term, Revision(0), changes).await.unwrap();
    assert_eq!(texts(&b).await, (1, pairs(&[("y", "2"), ("z", "3")])));
}

async fn refuses_a_revision_that_has_moved(a: Handle, _: Handle) {
    let term = lead(&a).await;
    a.commit(term, Revision(0), vec![put("x", "1")]).await.unwrap();
    for expected in [Revision(0), Revision(2)] {
        let refused = a.commit(term, expected, vec![put("x", "2")]).await;
        match refused {
            Err(RegistryError::Moved { at: Revision(1), expected: told }) => assert_eq!(told, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(a.commit(term, Revision(1), vec![]).await.unwrap(), Revision(2));
}

async fn changes_nothing_when_refused(a: Handle, b: Handle) {
    let term = lead(&a).await;
    a.commit(term, Revision(0), vec![put("x", "1")]).await.unwrap();
    let many: Vec<Change> = (0..500).map(|i| put(&format!("k{i}"), "v")).collect();
    for changes in [vec![put("x", "2"), put("y", "2")], many.clone()] {
        assert!(a.commit(term, Revision(0), changes.clone()).await.is_err());
        assert!(a.commit(Term(term.0 + 1), Revision(1), changes).await.is_err());
    }
    a.resign(term).await;
    assert!(a.commit(term, Revision(1), many).await.is_err());
    assert_eq!(texts(&b).await, (1, pairs(&[("x", "1")])));
}

async fn refuses_who_never_led(a: Handle, b: Handle) {
    for term in [Term(0), Term(1)] {
        let refused = b.commit(term, Revision(0), vec![put("x", "1")]).await;
        assert!(matches!(refused, Err(RegistryError::Fenced(told)) if told == term), "{refused:?}");
    }
    lead(&a).await;
    let refused = b.commit(Term(0), Revision(0), vec![put("x", "1")]).await;
    assert!(matches!(refused, Err(RegistryError::Fenced(Term(0)))), "{refused:?}");
    assert_eq!(texts(&a).await, (0, vec![]));
}

async fn gives_its_term_again_to_who_leads(a: Handle, _: Handle) {
    let term = lead(&a).await;
    assert_eq!(lead(&a).await, term);
}

async fn lets_the_other_lead_after_resigning(a: Handle, b: Handle) {
    let first = lead(&a).await;
    let waiting = tokio::spawn({
        let b = Arc::clone(&b);
        async move { b.lead("[::1]:2").await.unwrap() }
    });
    tokio::time::sleep(MOMENT).await;
    assert!(!waiting.is_finished(), "two lead");
    a.resign(first).await;
    let second = timeout(SOON, waiting).await.expect("nobody leads").unwrap();
    assert!(second > first);
    let third = {
        b.resign(second).await;
        lead(&a).await
    };
    assert!(third > second);
}

async fn fences_an_older_term(a: Handle, b: Handle) {
    let first = lead(&a).await;
    let at = a.commit(first, Revision(0), vec![put("x", "a")]).await.unwrap();
    a.resign(first).await;
    let refused = a.commit(first, at, vec![put("x", "late")]).await;
    assert!(matches!(refused, Err(RegistryError::Fenced(told)) if told == first), "{refused:?}");
    let second = lead(&b).await;
    let refused = a.commit(first, at, vec![put("x", "later")]).await;
    assert!(matches!(refused, Err(RegistryError::Fenced(told)) if told == first), "{refused:?}");
    // The higher term's number is of no use to who does not hold it over etcd; in one process handles share it.
    assert_eq!(texts(&a).await, (1, pairs(&[("x", "a")])));
    assert_eq!(b.commit(second, at, vec![put("x", "b")]).await.unwrap(), Revision(2));
    assert_eq!(texts(&a).await, (2, pairs(&[("x", "b")])));
}

async fn ends_a_term_once(a: Handle, b: Handle) {
    let term = lead(&a).await;
    assert!(timeout(MOMENT, a.ended(term)).await.is_err(), "it ended by itself");
    // One that was never held, or is long over, has ended.
    timeout(SOON, a.ended(Term(term.0 + 9))).await.expect("a term that nobody holds");
    b.resign(Term(term.0 + 9)).await;
    assert!(timeout(MOMENT, a.ended(term)).await.is_err(), "another's end");
    let waiting = tokio::spawn({
        let a = Arc::clone(&a);
        async move { a.ended(term).await }
    });
    a.resign(term).await;
    timeout(SOON, waiting).await.expect("it has ended").unwrap();
    a.resign(term).await;
}

async fn tells_where_the_leader_is(a: Handle, b: Handle) {
    let term = a.lead("10.0.0.1:9570").await.unwrap();
    for handle in [&a, &b] {
        assert_eq!(handle.leader().await.unwrap().as_deref(), Some("10.0.0.1:9570"));
    }
    a.resign(term).await;
    assert_eq!(b.leader().await.unwrap(), None);
}

async fn tells_that_it_has_changed(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let at = a.commit(term, Revision(0), vec![put("x", "1")]).await.unwrap();
    assert_eq!(timeout(SOON, b.changed(Revision(0))).await.expect("it has").unwrap(), at);
    assert!(timeout(MOMENT, b.changed(at)).await.is_err(), "nothing has");
    let waiting = tokio::spawn({
        let b = Arc::clone(&b);
        async move { b.changed(at).await.unwrap() }
    });
    tokio::time::sleep(MOMENT).await;
    let next = a.commit(term, at, vec![put("x", "2")]).await.unwrap();
    assert_eq!(timeout(SOON, waiting).await.expect("it has").unwrap(), next);
    assert_eq!(b.load().await.unwrap().revision, next);
}

async fn takes_a_commit_of_many_records(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let name = |i: u32| format!("backend/{i:05}");
    let changes = (0..10_000).map(|i| put(&name(i), format!("v{i}"))).collect();
    let first = a.commit(term, Revision(0), changes).await.unwrap();
    let changes = (0..10_000)
        .map(|i| if i % 2 == 0 { delete(&name(i)) } else { put(&name(i), format!("w{i}")) })
        .collect();
    a.commit(term, first, changes).await.unwrap();
    let (revision, records) = texts(&b).await;
    assert_eq!((revision, records.len()), (2, 5_000));
    for (i, (key, value)) in records.iter().enumerate() {
        let i = u32::try_from(i).unwrap() * 2 + 1;
        assert_eq!((key.as_str(), value.as_str()), (name(i).as_str(), format!("w{i}").as_str()));
    }
}

fn large(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|i| seed.wrapping_add(u8::try_from(i * i % 251).unwrap())).collect()
}

async fn takes_large_records(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let lengths = [520_000, 1, 524_288, 0, 524_289, 1_500_000, 4_000_000];
    let mut at = Revision(0);
    for round in 0..2 {
        let changes = lengths.iter().map(|length| put(&format!("ring/{length}"), large(round, *length)));
        at = a.commit(term, at, changes.collect()).await.unwrap();
        let records = b.load().await.unwrap();
        assert_eq!(records.records.len(), lengths.len());
        for length in lengths {
            assert!(records.records[&format!("ring/{length}")] == large(round, length), "of {length}");
        }
    }
}

async fn replaces_a_large_record_by_a_small_one(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let mut at = Revision(0);
    for length in [3_000_000, 1_100_000, 3, 600_000, 0] {
        at = a.commit(term, at, vec![put("r", large(7, length))]).await.unwrap();
        assert!(b.load().await.unwrap().records["r"] == large(7, length), "of {length}");
    }
    a.commit(term, at, vec![put("r", large(7, 2_000_000))]).await.unwrap();
    a.commit(term, Revision(6), vec![delete("r")]).await.unwrap();
    assert_eq!(texts(&b).await, (7, vec![]));
}

async fn takes_any_key(a: Handle, b: Handle) {
    let term = lead(&a).await;
    let keys = ["", "a", "a/", "a/b", "a0", "a\u{1}", "ring/α", "~", "revision", "leader"];
    let changes = keys.iter().map(|key| put(key, key.as_bytes())).collect();
    a.commit(term, Revision(0), changes).await.unwrap();
    a.commit(term, Revision(1), vec![delete("a")]).await.unwrap();
    let records = b.load().await.unwrap().records;
    let mut expected: Vec<&str> = keys.into_iter().filter(|key| *key != "a").collect();
    expected.sort_unstable();
    assert_eq!(records.keys().map(String::as_str).collect::<Vec<_>>(), expected);
}
