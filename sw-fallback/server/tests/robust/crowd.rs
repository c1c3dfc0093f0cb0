//! Many clients at once, and some that listen to nothing.

use crate::common::entries::{Names, delete, insert, modify};
use crate::common::{Client, Lab, Talk, entries, lab, lab_with, write};
use crate::process::{descriptors, many_files, memory};
use crate::{alone, asked};
use p4runtime_proto::p4::v1::{self, entity::Entity, update::Type};
use p4runtime_server::Options;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Code;

/// A client on a connection of its own that stands in vain, reads, and hears when the primary goes.
async fn visitor(
    lab: Arc<Lab>,
    names: Arc<Names>,
    number: u128,
    door: Arc<Semaphore>,
    here: Arc<AtomicUsize>,
) {
    let permit = door.acquire().await.unwrap();
    let mut client = lab.client().await;
    let mut talk = Talk::open(&mut client).await;
    talk.arbitrate("", Some(number)).await;
    assert_eq!(talk.standing().await.0, Code::AlreadyExists);
    for _ in 0..3 {
        // The primary writes these two in one batch: either both are there, or none.
        let held = entries(&mut client, names.key("host", &[])).await;
        assert!(held.is_empty() || held.len() == 2, "{held:?}");
    }
    let refused = write(&mut client, vec![insert(names.host(9, 9))]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    drop(permit);
    here.fetch_add(1, Relaxed);
    loop {
        let next = tokio::time::timeout(Duration::from_secs(120), talk.hear_any()).await.unwrap();
        if next.unwrap() == Code::NotFound {
            return;
        }
    }
}

/// Writes two entries and takes them away, until told to stop.
async fn primary(lab: &Lab, names: &Names, rounds: &AtomicUsize, stop: &AtomicBool) -> (Client, Talk) {
    let mut client = lab.client().await;
    let mut talk = Talk::open(&mut client).await;
    talk.arbitrate("", Some(u128::MAX)).await;
    assert_eq!(talk.standing().await.0, Code::Ok);
    while !stop.load(Relaxed) {
        for kind in [Type::Insert, Type::Delete] {
            let updates =
                [names.host(1, 1), names.host(2, 2)].map(|e| crate::common::entries::update(kind, e));
            let request = v1::WriteRequest {
                device_id: 1,
                election_id: Some(crate::common::id(u128::MAX)),
                updates: updates.to_vec(),
                ..v1::WriteRequest::default()
            };
            client.write(request).await.unwrap();
        }
        rounds.fetch_add(1, Relaxed);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (client, talk)
}

async fn crowd(lab: &Arc<Lab>, names: &Arc<Names>, count: usize) {
    let (rounds, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (of, with, count_of, until) =
        (Arc::clone(lab), Arc::clone(names), Arc::clone(&rounds), Arc::clone(&stop));
    let writing = tokio::spawn(async move { primary(&of, &with, &count_of, &until).await });
    while rounds.load(Relaxed) == 0 {
        assert!(!writing.is_finished(), "{:?}", writing.await.map(drop));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let door = Arc::new(Semaphore::new(200));
    let (mut all, here) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for number in 1..=count {
        let (lab, names) = (Arc::clone(lab), Arc::clone(names));
        all.spawn(visitor(lab, names, number as u128, Arc::clone(&door), Arc::clone(&here)));
    }
    // All are here, and the writer goes on beside them.
    let mut written = None;
    while written.is_none_or(|written| rounds.load(Relaxed) < written + 10) {
        if here.load(Relaxed) == count {
            written = written.or_else(|| Some(rounds.load(Relaxed)));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!writing.is_finished(), "{:?}", writing.await.map(drop));
        if let Some(early) = all.try_join_next() {
            panic!("one left early: {early:?}");
        }
    }
    assert!(descriptors() > 2 * count, "they are all here");
    stop.store(true, Relaxed);
    drop(writing.await.unwrap());
    while let Some(one) = all.join_next().await {
        one.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_clients_read_and_listen_while_one_writes() {
    let _alone = alone().await;
    many_files();
    let count = asked("GUIDEWAY_CLIENTS", 2000);
    let lab = Arc::new(lab_with("kinds", &Options { streams: count + 1, ..Options::default() }).await);
    let names = Arc::new(Names::new(&lab.info));
    let before = descriptors();
    crowd(&lab, &names, count).await;
    // A part of the second one would stay if a part of the first one did.
    let first = memory();
    crowd(&lab, &names, count / 4).await;
    let start = Instant::now();
    while descriptors() > before + 4 {
        assert!(start.elapsed() < Duration::from_secs(120), "{} descriptors, {before} before", descriptors());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let more = memory().saturating_sub(first);
    assert!(more < 32 << 20, "{more} bytes more");
    let (mut client, _talk) = fresh(&lab).await;
    assert_eq!(entries(&mut client, names.key("host", &[])).await, []);
}

/// A primary after all that were before.
async fn fresh(lab: &Lab) -> (Client, Talk) {
    let mut client = lab.client().await;
    let mut talk = Talk::open(&mut client).await;
    talk.arbitrate("", Some(u128::MAX)).await;
    assert_eq!(talk.standing().await.0, Code::Ok);
    (client, talk)
}

/// Streams and answers that nobody reads keep nobody else waiting, and are let go of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_read_nothing_harm_nobody() {
    let _alone = alone().await;
    let lab = lab_with("l4lb", &Options::default()).await;
    let (mut client, mut talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let slots = |id| (0..65_537).map(move |slot| (slot, id));
    for part in slots(1).collect::<Vec<_>>().chunks(16_384) {
        let batch = part.iter().map(|(slot, id)| insert(names.slot(1, 1, *slot, *id))).collect();
        write(&mut client, batch).await.unwrap();
    }
    let (before, mut deaf) = (descriptors(), Vec::new());
    for number in 0..30 {
        let mut one = lab.client().await;
        let stream = Talk::open(&mut one).await;
        stream.arbitrate("", Some(1000 + number)).await;
        let ring = v1::Entity { entity: Some(Entity::TableEntry(names.key("ring", &[]))) };
        let request = v1::ReadRequest { device_id: 1, entities: vec![ring], ..Default::default() };
        deaf.push((one.read(request).await.unwrap().into_inner(), stream, one));
    }
    // Each of them was told of those after it; the last is the primary now. Another one takes over.
    let start = Instant::now();
    talk.arbitrate("", Some(u128::from(u64::MAX))).await;
    while talk.standing().await.0 != Code::Ok {}
    let request = v1::WriteRequest {
        device_id: 1,
        election_id: Some(crate::common::id(u128::from(u64::MAX))),
        updates: (0..1000).map(|slot| modify(names.slot(1, 1, slot, 2))).collect(),
        ..v1::WriteRequest::default()
    };
    client.write(request.clone()).await.unwrap();
    assert_eq!(entries(&mut client, names.key("ring", &[])).await.len(), 65_537);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
    drop(deaf);
    while descriptors() > before {
        assert!(start.elapsed() < Duration::from_secs(240), "{} descriptors, {before} before", descriptors());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let updates = (0..1000).map(|slot| delete(names.slot(1, 1, slot, 2))).collect();
    client.write(v1::WriteRequest { updates, ..request }).await.unwrap();
}

/// One stream more than is allowed is refused, and those that are open go on.
#[tokio::test]
async fn as_many_streams_as_are_allowed() {
    let _alone = alone().await;
    let lab = lab_with("kinds", &Options { streams: 3, ..Options::default() }).await;
    let (mut client, mut talks) = (lab.client().await, Vec::new());
    for number in 0..3 {
        let mut talk = Talk::open(&mut client).await;
        talk.arbitrate("", Some(number)).await;
        assert_eq!(talk.standing().await.0, Code::Ok);
        talks.push(talk);
    }
    let refused = Talk::try_open(&mut client).await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    talks.pop();
    let start = Instant::now();
    while Talk::try_open(&mut client).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let other = self::lab().await;
    assert!(other.client().await.capabilities(v1::CapabilitiesRequest { device_id: 1 }).await.is_ok());
}
