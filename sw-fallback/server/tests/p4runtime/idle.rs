//! Specification §9.1.8 and §16.4: idle time-outs.

use crate::common::entries::{Names, V, delete, insert, modify};
use crate::common::{Client, Lab, Talk, codes, entries, lab, read, write};
use p4runtime_proto::p4::v1::{self, entity::Entity as E, stream_message_response as told};
use std::time::{Duration, Instant};
use tonic::Code;

const MS: i64 = 1_000_000;

/// `kinds`, whose table `host` has a direct counter.
async fn ready() -> (Lab, Client, Talk, Names) {
    let lab = lab().await;
    let (client, talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    (lab, client, talk, names)
}

fn timed(names: &Names, src: u128, idle_timeout_ns: i64) -> v1::TableEntry {
    v1::TableEntry { idle_timeout_ns, metadata: "mine".into(), ..names.host(src, 1) }
}

/// A packet of host `src`.
fn packet(src: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[22..24].copy_from_slice(&[64, 6]);
    frame[29] = src;
    frame
}

async fn notified(talk: &mut Talk) -> Vec<v1::TableEntry> {
    match talk.next().await {
        Ok(Some(told::Update::IdleTimeoutNotification(idle))) => {
            assert!(idle.timestamp > 1_600_000_000_000_000_000 && !idle.table_entry.is_empty());
            idle.table_entry
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn s16_4_idle_entries_are_told_to_the_primary_again_and_again() {
    let (lab, mut client, mut talk, names) = ready().await;
    let mut backup_client = lab.client().await;
    let mut backup = Talk::open(&mut backup_client).await;
    backup.arbitrate("", Some(0)).await;
    backup.standing().await;
    let start = Instant::now();
    write(&mut client, vec![insert(timed(&names, 1, 300 * MS)), insert(names.host(2, 1))]).await.unwrap();
    let found = notified(&mut talk).await;
    assert!(start.elapsed() >= Duration::from_millis(300), "not early");
    assert_eq!(found, [timed(&names, 1, 300 * MS)], "with metadata and time-out");
    notified(&mut talk).await;
    assert!(start.elapsed() >= Duration::from_millis(600), "after another time-out");
    backup.silent().await;
    write(&mut client, vec![delete(names.host(1, 1)), insert(timed(&names, 3, 3000 * MS))]).await.unwrap();
    // Hits keep it from being idle.
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(4500) {
        lab.process(&packet(3)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let hit = Instant::now();
    assert_eq!(notified(&mut talk).await, [timed(&names, 3, 3000 * MS)]);
    assert!(hit.elapsed() >= Duration::from_millis(2500), "of the last hit");
}

#[tokio::test]
async fn s16_4_without_time_out_or_entry_there_is_nothing_to_tell() {
    let (_lab, mut client, mut talk, names) = ready().await;
    let both = vec![insert(timed(&names, 1, 2000 * MS)), insert(timed(&names, 2, 2000 * MS))];
    write(&mut client, both).await.unwrap();
    write(&mut client, vec![modify(names.host(1, 1)), delete(names.host(2, 1))]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    talk.silent().await;
    write(&mut client, vec![modify(timed(&names, 1, 100 * MS))]).await.unwrap();
    assert_eq!(notified(&mut talk).await, [timed(&names, 1, 100 * MS)]);
}

#[tokio::test]
async fn s9_1_8_time_outs_are_read_back_and_ages_where_asked_for() {
    let (lab, mut client, _talk, names) = ready().await;
    let hour = 3_600_000 * MS;
    write(&mut client, vec![insert(timed(&names, 1, hour)), insert(names.host(2, 1))]).await.unwrap();
    let plain = entries(&mut client, names.key("host", &[])).await;
    assert_eq!(plain, [timed(&names, 1, hour), names.host(2, 1)]);
    tokio::time::sleep(Duration::from_millis(150)).await;
    let asked = v1::TableEntry {
        time_since_last_hit: Some(v1::table_entry::IdleTimeout::default()),
        ..names.key("host", &[])
    };
    let age = |e: &v1::TableEntry| e.time_since_last_hit.unwrap().elapsed_ns;
    let before = entries(&mut client, asked.clone()).await;
    assert!(age(&before[0]) >= 150 * MS, "{before:?}");
    assert!(before.iter().all(|e| e.time_since_last_hit.is_some()), "without a time-out too");
    let hit = Instant::now();
    lab.process(&packet(1)).await;
    let after = entries(&mut client, asked.clone()).await;
    assert!(u128::from(age(&after[0]).unsigned_abs()) <= hit.elapsed().as_nanos(), "{after:?}");
    // Of all tables, those that can tell do.
    let all = v1::TableEntry { time_since_last_hit: asked.time_since_last_hit, ..Default::default() };
    let all = entries(&mut client, all).await;
    assert_eq!(all.iter().filter(|e| e.time_since_last_hit.is_some()).count(), 2);
}

#[tokio::test]
async fn s9_1_8_what_can_not_be() {
    let (_lab, mut client, _talk, names) = ready().await;
    let route = v1::TableEntry { action: names.does("via", &[("hop", 1)]), ..names.key("route", &[]) };
    let hit = Some(v1::table_entry::IdleTimeout { elapsed_ns: 5 });
    let refused = [
        insert(v1::TableEntry { idle_timeout_ns: MS, ..route }),
        insert(v1::TableEntry { idle_timeout_ns: MS, ..names.slot(1, 1, 1, 1) }),
        insert(timed(&names, 1, -1)),
        insert(v1::TableEntry { time_since_last_hit: hit, ..names.host(1, 1) }),
        modify(v1::TableEntry { is_default_action: true, idle_timeout_ns: MS, ..names.key("host", &[]) }),
    ];
    assert_eq!(codes(write(&mut client, refused.to_vec()).await), [Code::InvalidArgument; 5]);
    for asked in [
        v1::TableEntry { time_since_last_hit: hit, ..names.key("route", &[]) },
        v1::TableEntry { time_since_last_hit: hit, is_default_action: true, ..names.key("host", &[]) },
        v1::TableEntry { idle_timeout_ns: 1, ..names.key("host", &[("src", V::Is(1))]) },
    ] {
        let (_, error) = read(&mut client, vec![E::TableEntry(asked)]).await;
        assert!(error.unwrap().message().contains("idle time-out"));
    }
}
