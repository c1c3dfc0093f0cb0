//! Specification §9.1 and §12: what may be written, and what is said of what may not.

use crate::common::entries::{Names, V, delete, insert, modify};
use crate::common::{codes, entries, errors, lab, write, write_as};
use p4runtime_proto::p4::v1::write_request::Atomicity;
use p4runtime_proto::p4::v1::{self, Update};
use p4runtime_proto::schema::Kind;
use tonic::Code;
use v1::field_match::{Exact, FieldMatchType};

/// One update of an empty table, or of one with host 1: what it is refused with, and words of the text.
async fn check(update: impl Fn(&Names) -> Update, code: Code, words: &[&str]) {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    write(&mut client, vec![insert(names.host(1, 1))]).await.unwrap();
    let before = entries(&mut client, v1::TableEntry::default()).await;
    match write(&mut client, vec![update(&names)]).await {
        Ok(()) => assert_eq!(code, Code::Ok, "{words:?}"),
        Err(status) => {
            let (found, text) = errors(&status).remove(0);
            assert_eq!(found, code, "{text}");
            for word in words {
                assert!(text.contains(word), "`{word}` is not in: {text}");
            }
            assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before, "{text}");
        }
    }
}

fn with_bytes(mut entry: v1::TableEntry, bytes: &'static [u8]) -> v1::TableEntry {
    entry.r#match[0].field_match_type = Some(FieldMatchType::Exact(Exact { value: bytes.into() }));
    entry
}

#[tokio::test]
async fn s12_what_each_update_needs_of_its_table() {
    check(|n| insert(n.host(1, 2)), Code::AlreadyExists, &["table `host`", "src: 0x1", "exists already"])
        .await;
    check(|n| modify(n.host(2, 2)), Code::NotFound, &["table `host`", "src: 0x2", "no such entry"]).await;
    check(|n| delete(n.host(2, 2)), Code::NotFound, &["src: 0x2"]).await;
    check(|n| modify(n.host(1, 2)), Code::Ok, &[]).await;
    check(|n| delete(n.key("host", &[("src", V::Is(1))])), Code::Ok, &[]).await;
    check(|n| Update { r#type: 0, ..insert(n.host(2, 2)) }, Code::InvalidArgument, &["type"]).await;
    check(|_| Update { r#type: 1, entity: None }, Code::InvalidArgument, &["entity"]).await;
    let strange = |n: &Names| insert(v1::TableEntry { table_id: 7, ..n.host(2, 2) });
    check(strange, Code::InvalidArgument, &["no table 7"]).await;
}

#[tokio::test]
async fn s8_3_byte_strings_may_be_padded_but_not_too_wide_or_empty() {
    check(|n| insert(with_bytes(n.host(9, 1), &[0, 0, 0, 0, 0, 9])), Code::Ok, &[]).await;
    check(|n| insert(with_bytes(n.host(9, 1), &[1, 0, 0, 0, 0])), Code::OutOfRange, &["`src`", "32 bits"])
        .await;
    check(|n| insert(with_bytes(n.host(9, 1), &[])), Code::OutOfRange, &["empty"]).await;
    check(|n| insert(n.host(9, 512)), Code::OutOfRange, &["`port`", "9 bits"]).await;
    check(|n| insert(n.host(9, 511)), Code::Ok, &[]).await;
}

#[tokio::test]
async fn s9_1_1_keys_are_what_the_p4info_says() {
    let invalid = Code::InvalidArgument;
    let out = |n: &Names, key: &[(&str, V)]| {
        insert(v1::TableEntry { action: n.does("out", &[("port", 1)]), ..n.key("host", key) })
    };
    check(|n| out(n, &[]), invalid, &["`src`", "missing"]).await;
    check(|n| out(n, &[("src", V::Is(3)), ("src", V::Is(3))]), invalid, &["twice"]).await;
    check(|n| out(n, &[("src", V::Mask(3, 3))]), invalid, &["exact"]).await;
    let via = |n: &Names, key: V| {
        insert(v1::TableEntry { action: n.does("via", &[("hop", 1)]), ..n.key("route", &[("dst", key)]) })
    };
    check(|n| via(n, V::Prefix(0x0a00_0000, 8)), Code::Ok, &[]).await;
    check(|n| via(n, V::Prefix(0x0a00_0001, 8)), invalid, &["hides"]).await;
    check(|n| via(n, V::Prefix(0, 0)), invalid, &["leave it out"]).await;
    check(|n| via(n, V::Prefix(0, 33)), invalid, &["33 bits"]).await;
    let rule = |n: &Names, priority, key: &[(&str, V)]| {
        insert(v1::TableEntry { action: n.does("deny", &[]), priority, ..n.key("rule", key) })
    };
    check(|n| rule(n, 1, &[("src", V::Mask(1, 3)), ("protocol", V::Is(6))]), Code::Ok, &[]).await;
    check(|n| rule(n, 0, &[("src", V::Mask(1, 3))]), invalid, &["priority"]).await;
    check(|n| rule(n, 1, &[("src", V::Mask(4, 3))]), invalid, &["hides"]).await;
    check(|n| rule(n, 1, &[("src", V::Mask(0, 0))]), invalid, &["leave it out"]).await;
    check(|n| rule(n, 1, &[("ttl", V::Within(9, 3))]), invalid, &["empty"]).await;
    check(|n| rule(n, 1, &[("ttl", V::Within(0, 255))]), invalid, &["leave it out"]).await;
    check(|n| insert(v1::TableEntry { priority: 1, ..n.host(2, 2) }), invalid, &["priority"]).await;
}

#[tokio::test]
async fn s9_1_2_actions_are_what_the_p4info_says() {
    let with = |n: &Names, action| insert(v1::TableEntry { action, ..n.host(2, 2) });
    check(|n| with(n, None), Code::InvalidArgument, &["no action"]).await;
    check(|n| with(n, n.does("via", &[("hop", 1)])), Code::InvalidArgument, &["has no action"]).await;
    check(|n| with(n, n.does("unknown", &[])), Code::PermissionDenied, &["default only"]).await;
    check(|n| with(n, n.does("out", &[])), Code::InvalidArgument, &["lacks", "`port`"]).await;
    let twice = [("port", 1), ("port", 1)];
    check(|n| with(n, n.does("out", &twice)), Code::InvalidArgument, &["twice"]).await;
    check(|n| modify(v1::TableEntry { action: None, ..n.host(1, 1) }), Code::Ok, &[]).await;
    check(|n| modify(v1::TableEntry { action: None, ..n.host(2, 1) }), Code::NotFound, &["src: 0x2"]).await;
    let member = v1::table_action::Type::ActionProfileMemberId(1);
    let member = v1::TableAction { r#type: Some(member) };
    check(|n| with(n, Some(member.clone())), Code::InvalidArgument, &["action profile"]).await;
}

#[tokio::test]
async fn s9_1_3_default_entries_are_constant_here() {
    let default = |n: &Names| v1::TableEntry { is_default_action: true, ..n.key("host", &[]) };
    check(|n| modify(default(n)), Code::PermissionDenied, &["constant"]).await;
    check(|n| insert(default(n)), Code::InvalidArgument, &["always there"]).await;
    check(|n| delete(default(n)), Code::InvalidArgument, &["always there"]).await;
    let keyed = |n: &Names| modify(v1::TableEntry { is_default_action: true, ..n.host(1, 1) });
    check(keyed, Code::InvalidArgument, &["neither key"]).await;
}

#[tokio::test]
async fn s9_1_4_entries_of_the_source_are_not_written() {
    let gateway = |n: &Names| v1::TableEntry {
        action: n.does("level", &[("level", 3)]),
        priority: 5,
        ..n.key("gateway", &[("src", V::Mask(7, 7))])
    };
    check(|n| insert(gateway(n)), Code::PermissionDenied, &["`gateway`", "source"]).await;
    check(|n| delete(gateway(n)), Code::PermissionDenied, &["`gateway`", "source"]).await;
}

#[tokio::test]
async fn s9_1_what_an_entry_can_not_have() {
    let idle = |n: &Names| {
        let route = n.key("route", &[("dst", V::Prefix(1 << 24, 8))]);
        insert(v1::TableEntry { action: n.does("via", &[("hop", 1)]), idle_timeout_ns: 1, ..route })
    };
    check(idle, Code::InvalidArgument, &["idle"]).await;
    let is_const = |n: &Names| insert(v1::TableEntry { is_const: true, ..n.host(2, 2) });
    check(is_const, Code::InvalidArgument, &["is_const"]).await;
    let meter =
        |n: &Names| insert(v1::TableEntry { meter_config: Some(v1::MeterConfig::default()), ..n.host(2, 2) });
    check(meter, Code::InvalidArgument, &["meter"]).await;
    let counts = |packet_count| Some(v1::CounterData { byte_count: 0, packet_count });
    let counter = |n: &Names, c| insert(v1::TableEntry { counter_data: counts(c), ..n.host(2, 2) });
    check(|n| counter(n, 1), Code::Unimplemented, &["start at 0"]).await;
    check(|n| counter(n, 0), Code::Ok, &[]).await;
}

#[tokio::test]
async fn s12_3_each_update_has_its_error_in_order() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let batch = vec![
        insert(names.host(1, 1)),
        delete(names.host(2, 1)),
        insert(names.host(1, 1)),
        insert(names.host(3, 1)),
        insert(names.host(4, 512)),
    ];
    let result = write(&mut client, batch).await;
    let expected = [Code::Ok, Code::NotFound, Code::AlreadyExists, Code::Ok, Code::OutOfRange];
    assert_eq!(codes(result), expected);
    assert_eq!(entries(&mut client, names.key("host", &[])).await.len(), 2, "what could be done is done");
    assert_eq!(codes(write(&mut client, Vec::new()).await), []);
}

#[tokio::test]
async fn s9_1_a_full_table_is_resource_exhausted() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let result = codes(write(&mut client, (0..18).map(|i| insert(names.host(i, 1))).collect()).await);
    let full = result.iter().filter(|c| **c == Code::ResourceExhausted).count();
    assert!(full >= 1 && result[..16].iter().all(|c| *c == Code::Ok), "{result:?}");
}

#[tokio::test]
async fn s12_2_rollback_leaves_all_as_it_was() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let note = |entry: v1::TableEntry, text: &'static str| v1::TableEntry { metadata: text.into(), ..entry };
    write(&mut client, vec![insert(note(names.host(1, 1), "one")), insert(names.host(2, 2))]).await.unwrap();
    let before = entries(&mut client, v1::TableEntry::default()).await;
    let mut check = async |batch: Vec<Update>, expected: &[Code]| {
        let result = write_as(&mut client, batch, Atomicity::RollbackOnError).await;
        assert_eq!(codes(result), expected);
        assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before);
    };
    let changes = || {
        vec![
            delete(names.host(1, 1)),
            modify(names.host(2, 9)),
            insert(names.host(3, 3)),
            insert(names.pool(1, 1)),
        ]
    };
    let aborted = Code::Aborted;
    // Known before anything is begun.
    let foreseen = [changes(), vec![insert(names.host(3, 3))]].concat();
    check(foreseen, &[aborted, aborted, aborted, aborted, Code::AlreadyExists]).await;
    // Only seen on the way: the table is full.
    let full = [changes(), (10..26).map(|i| insert(names.host(i, 1))).collect()].concat();
    let mut codes = vec![aborted; 4 + 16];
    *codes.get_mut(18).unwrap() = Code::ResourceExhausted;
    check(full, &codes).await;
    let good = [changes(), vec![insert(names.host(1, 7))]].concat();
    write_as(&mut client, good, Atomicity::RollbackOnError).await.unwrap();
    assert_eq!(entries(&mut client, names.key("host", &[])).await.len(), 3);
}

#[tokio::test]
async fn s12_2_what_packets_can_not_see_whole_is_not_done_by_halves() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    write(&mut client, vec![insert(names.pool(1, 4))]).await.unwrap();
    let mut code = async |batch: Vec<Update>| {
        write_as(&mut client, batch, Atomicity::DataplaneAtomic)
            .await
            .map_or_else(|s| s.code(), |()| Code::Ok)
    };
    let slots =
        |generation| (0..251).map(|slot| insert(names.slot(1, generation, slot, 1))).collect::<Vec<_>>();
    assert_eq!(code(vec![insert(names.host(1, 1)), insert(names.host(2, 1))]).await, Code::Unimplemented);
    assert_eq!(code(vec![insert(names.host(1, 1))]).await, Code::Ok, "one entry");
    assert_eq!(code(slots(5)).await, Code::Ok, "a generation that no packet sees");
    assert_eq!(code(slots(6)).await, Code::Unimplemented, "it would take the place of the one in force");
    assert_eq!(code(vec![modify(names.pool(1, 5))]).await, Code::Ok, "the flip");
}

#[tokio::test]
async fn s12_what_is_not_written_here_says_so() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let entity = |entity| Update { r#type: 2, entity: Some(v1::Entity { entity: Some(entity) }) };
    use v1::entity::Entity as E;
    let batch = vec![
        entity(E::CounterEntry(v1::CounterEntry::default())),
        entity(E::MeterEntry(v1::MeterEntry::default())),
        entity(E::RegisterEntry(v1::RegisterEntry::default())),
        entity(E::DigestEntry(v1::DigestEntry::default())),
        Update { r#type: 1, ..entity(E::CounterEntry(v1::CounterEntry::default())) },
    ];
    let (no, bad) = (Code::Unimplemented, Code::InvalidArgument);
    assert_eq!(codes(write(&mut client, batch).await), [no, no, no, no, bad]);
    assert_eq!(Names::new(&lab.info).0.table_named("rule").unwrap().fields[1].kind, Kind::Optional);
}

/// However many there are, each has its error, in order; the last ones without a text.
#[tokio::test]
async fn s12_3_a_hundred_thousand_errors_are_an_answer() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let batch = |count: u128| {
        let entry =
            |n| if n % 1000 == 7 { names.slot(1, 1, n / 1000, 1) } else { names.host(1 << 40 | n, 1) };
        (0..count).map(|n| insert(entry(n))).collect::<Vec<_>>()
    };
    let status = write(&mut client, batch(131_073)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("131073 updates, larger than max 131072"), "{status}");
    assert_eq!(entries(&mut client, names.key("ring", &[])).await, [], "nothing was begun");
    let status = write(&mut client, batch(131_072)).await.unwrap_err();
    let all = errors(&status);
    assert_eq!(all.len(), 131_072);
    for (n, (code, text)) in all.iter().enumerate() {
        let expected = if n % 1000 == 7 { Code::Ok } else { Code::OutOfRange };
        assert_eq!((*code, n), (expected, n));
        assert!(n > 5000 || *code == Code::Ok || text.contains("`src`"), "{n}: {text}");
    }
    assert!(!entries(&mut client, names.key("ring", &[])).await.is_empty());
    // A client that makes its key long makes no text long.
    let mut long = names.host(1, 1);
    let value = vec![1; 1 << 20].into();
    let exact = v1::field_match::Exact { value };
    long.r#match[0].field_match_type = Some(v1::field_match::FieldMatchType::Exact(exact));
    let all = errors(&write(&mut client, vec![insert(long)]).await.unwrap_err());
    assert!(all[0].0 != Code::Ok && all[0].1.len() < 1000, "{all:?}");
}
