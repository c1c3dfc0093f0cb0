//! Specification §9.1.6 and §13: what is read back.

use crate::common::entries::{Names, V, insert};
use crate::common::{Client, Lab, Talk, entries, errors, lab, read, write};
use p4runtime_proto::p4::v1::{self, entity::Entity as E};
use tonic::Code;

/// Host 1 to port 1, host 2 balanced, two routes, three rules, a ring.
async fn filled() -> (Lab, Client, Talk, Names) {
    let lab = lab().await;
    let (mut client, talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let balance = |src, pool| v1::TableEntry {
        action: names.does("balance", &[("pool", pool)]),
        ..names.key("host", &[("src", V::Is(src))])
    };
    let route = |key: &[(&str, V)], hop| v1::TableEntry {
        action: names.does("via", &[("hop", hop)]),
        ..names.key("route", key)
    };
    let rule = |key: &[(&str, V)], priority| v1::TableEntry {
        action: names.does("deny", &[]),
        priority,
        ..names.key("rule", key)
    };
    let batch = vec![
        v1::TableEntry { metadata: "first".into(), ..names.host(1, 1) },
        balance(2, 1),
        route(&[], 1),
        route(&[("dst", V::Prefix(0x0a00_0000, 8))], 2),
        rule(&[("src", V::Mask(2, 3))], 10),
        rule(&[("src", V::Mask(2, 3))], 20),
        rule(&[("protocol", V::Is(6)), ("ttl", V::Within(0, 9))], 10),
        names.slot(1, 3, 250, 9),
        names.slot(1, 4, 250, 8),
        names.pool(1, 3),
    ];
    write(&mut client, batch.into_iter().map(insert).collect()).await.unwrap();
    (lab, client, talk, names)
}

#[tokio::test]
async fn s8_2_what_is_read_is_what_was_written() {
    let (_lab, mut client, _talk, names) = filled().await;
    let all = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(all.len(), 12, "ten, and two of the source");
    let host = entries(&mut client, names.key("host", &[("src", V::Is(1))])).await;
    assert_eq!(host, [v1::TableEntry { metadata: "first".into(), ..names.host(1, 1) }]);
    for one in [names.slot(1, 3, 250, 9), names.slot(1, 4, 250, 8), names.pool(1, 3)] {
        let key = v1::TableEntry { action: None, ..one.clone() };
        assert_eq!(entries(&mut client, key).await, [one]);
    }
    assert_eq!(entries(&mut client, names.key("ring", &[])).await.len(), 2);
    let gateways = entries(&mut client, names.key("gateway", &[])).await;
    assert_eq!(gateways.iter().map(|g| (g.priority, g.is_const)).collect::<Vec<_>>(), [(2, true), (1, true)]);
    // Every one that was written can be named by what was read.
    for entry in all.iter().filter(|e| !e.r#match.is_empty()) {
        let key = v1::TableEntry { action: None, is_const: false, metadata: "".into(), ..entry.clone() };
        assert_eq!(entries(&mut client, key).await, std::slice::from_ref(entry));
    }
}

#[tokio::test]
async fn s9_1_6_filters() {
    let (_lab, mut client, _talk, names) = filled().await;
    let mut count = async |asked: v1::TableEntry| entries(&mut client, asked).await.len();
    let host = names.key("host", &[]);
    let rule = names.key("rule", &[]);
    assert_eq!(count(v1::TableEntry { action: names.does("balance", &[]), ..host.clone() }).await, 1);
    assert_eq!(count(v1::TableEntry { metadata: "first".into(), ..host.clone() }).await, 1);
    assert_eq!(count(v1::TableEntry { metadata: "other".into(), ..host.clone() }).await, 0);
    assert_eq!(count(v1::TableEntry { priority: 10, ..rule.clone() }).await, 2);
    let masked = names.key("rule", &[("src", V::Mask(2, 3))]);
    assert_eq!(count(masked.clone()).await, 2, "of each priority");
    assert_eq!(count(v1::TableEntry { priority: 20, ..masked }).await, 1);
    assert_eq!(count(names.key("host", &[("src", V::Is(7))])).await, 0);
    let default = entries(&mut client, v1::TableEntry { is_default_action: true, ..host }).await;
    let unknown = names.does("unknown", &[]);
    assert_eq!((default.len(), &default[0].action, default[0].is_default_action), (1, &unknown, true));
    let all = v1::TableEntry { is_default_action: true, ..v1::TableEntry::default() };
    assert_eq!(entries(&mut client, all).await.len(), names.0.tables().count());
}

#[tokio::test]
async fn s13_3_each_entity_has_its_error_and_the_others_are_read() {
    let (_lab, mut client, _talk, names) = filled().await;
    let host = E::TableEntry(names.key("host", &[]));
    let none = E::TableEntry(v1::TableEntry { table_id: 7, ..v1::TableEntry::default() });
    let (found, error) = read(&mut client, vec![host.clone(), none, host]).await;
    assert_eq!(found.len(), 4);
    let codes: Vec<Code> = errors(&error.unwrap()).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::Ok, Code::InvalidArgument, Code::Ok]);
    let filtered = E::TableEntry(v1::TableEntry { priority: 3, ..v1::TableEntry::default() });
    let (_, error) = read(&mut client, vec![filtered]).await;
    assert_eq!(errors(&error.unwrap())[0].0, Code::InvalidArgument, "all tables have no filter");
    let (all, error) = read(&mut client, vec![E::MeterEntry(v1::MeterEntry::default())]).await;
    assert!(all.is_empty() && error.is_none(), "there are none");
}

/// An IPv4 frame of 60 bytes.
fn frame(src: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[22..24].copy_from_slice(&[64, 6]);
    frame[29] = src;
    frame
}

#[tokio::test]
async fn s9_3_counters() {
    let (lab, mut client, _talk, names) = filled().await;
    for src in [1, 1, 1, 5] {
        lab.process(&frame(src)).await;
    }
    let three = v1::CounterData { packet_count: 3, byte_count: 180 };
    let asked = |key: &[(&str, V)]| v1::TableEntry {
        counter_data: Some(v1::CounterData::default()),
        ..names.key("host", key)
    };
    let host = entries(&mut client, asked(&[("src", V::Is(1))])).await;
    assert_eq!(host[0].counter_data, Some(three));
    let host = entries(&mut client, names.key("host", &[("src", V::Is(1))])).await;
    assert_eq!(host[0].counter_data, None, "only if it is asked for");
    let direct = |entry| E::DirectCounterEntry(v1::DirectCounterEntry { table_entry: entry, data: None });
    let (found, error) = read(&mut client, vec![direct(Some(names.key("host", &[])))]).await;
    assert!(error.is_none() && found.len() == 2, "{found:?}");
    let (found, error) = read(&mut client, vec![direct(Some(asked(&[("src", V::Is(1))])))]).await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(&found[0].entity, Some(E::DirectCounterEntry(e)) if e.data == Some(three)), "{found:?}");
    let (_, error) = read(&mut client, vec![direct(Some(names.key("host", &[("src", V::Is(7))])))]).await;
    assert_eq!(errors(&error.unwrap())[0].0, Code::NotFound);

    let levels = names.0.counter_named("levels").unwrap().id;
    let cell = |counter_id, index: Option<i64>| {
        E::CounterEntry(v1::CounterEntry {
            counter_id,
            index: index.map(|index| v1::Index { index }),
            data: None,
        })
    };
    let mut count = async |entity| {
        let (found, error) = read(&mut client, vec![entity]).await;
        let total = |e: &v1::Entity| match &e.entity {
            Some(E::CounterEntry(e)) => e.data.map_or(0, |d| d.packet_count),
            _ => panic!("{e:?}"),
        };
        (found.len(), found.iter().map(total).sum::<i64>(), error.map(|e| errors(&e)[0].0))
    };
    assert_eq!(count(cell(levels, Some(0))).await, (1, 4, None));
    assert_eq!(count(cell(levels, None)).await, (4, 4, None));
    let cells = names.0.counters().map(|c| c.size as usize).sum();
    let (all, _, error) = count(cell(0, None)).await;
    assert_eq!((all, error), (cells, None));
    assert_eq!(count(cell(levels, Some(4))).await.2, Some(Code::OutOfRange));
    assert_eq!(count(cell(levels, Some(-1))).await.2, Some(Code::InvalidArgument));
    assert_eq!(count(cell(5, None)).await.2, Some(Code::InvalidArgument));
}
